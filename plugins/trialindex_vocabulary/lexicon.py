"""``lexicon``: common medical names, and what patients say and doctors abbreviate. Written for this project."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from trialindex.plugin.interfaces import Concept, Vocabulary
from trialindex.plugin.vocabulary_entries import Abbreviation, Biomarker, LetterCase, Translation


class Lexicon(Vocabulary):
    """The tables of this package, tab-separated with a line of headings; ``|`` stands between names.

    =====================  ==========================================================================================
    ``lexicon.tsv``        a phrase, its kind, and the medical names it stands for
    ``drugs.tsv``          a drug, and the names it is sold and was developed under
    ``abbreviations.tsv``  an abbreviation, what it can mean, words that speak for that meaning, and how many of
                           101,016 registered trials are about it
    ``biomarkers.tsv``     what people and tumors are tested for, its other names, its kind, and phrases that say by
                           themselves that it is there or that it is not
    ``names.tsv``          an illness, a language, and what it is called there
    ``words.txt``          words of everyday English and names of people, from SCOWL (``LICENSE-SCOWL``), a line each
    ``clinical.txt``       words that registered trials use and the other tables lack, a line each
    =====================  ==========================================================================================

    Each name is one concept for each kind of phrase, called by every such phrase that lists it. A line lists the name
    that fits best first; those that mostly stand first come first (*diphenhydramine* before *antihistamine*).
    A name that is its own medical name, such as *asthma*, is listed with itself.
    """

    name = "lexicon"
    summary = "Common illnesses, drugs and procedures, with the everyday words, abbreviations and brands for them."
    where = "comes with trialindex"

    folder = Path(__file__).parent
    files = (
        *("lexicon.tsv", "drugs.tsv", "abbreviations.tsv", "biomarkers.tsv", "names.tsv"),
        *("words.txt", "clinical.txt"),
    )

    @property
    def version(self) -> str:
        """A digest of the files: it changes with every edit."""
        digest = hashlib.sha256()
        for name in self.files:
            digest.update((self.folder / name).read_bytes())
        return digest.hexdigest()[:8]

    def concepts(self) -> Iterator[Concept]:
        phrases: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        places: defaultdict[tuple[str, str], int] = defaultdict(int)
        known = set()
        for phrase, kind, terms in self._rows("lexicon.tsv"):
            known.add(phrase.casefold())
            for place, term in enumerate(terms.split("; ")):
                phrases[term, kind].append(phrase)
                places[term, kind] += place
        for generic, names, _ in self._rows("drugs.tsv"):
            phrases[generic, "drug"] += [name for name in (generic, *names.split("|")) if name.casefold() not in known]
        for (term, kind), names_of in sorted(phrases.items(), key=lambda item: places[item[0]] / (len(item[1]) or 1)):
            if names_of:
                yield Concept(term, tuple(name for name in names_of if name != term), kind=kind)

    def abbreviations(self) -> Iterator[Abbreviation]:
        for short, name, kind, _, case, context, trials in self._rows("abbreviations.tsv"):
            yield Abbreviation(short, name, kind, cast(LetterCase, case), tuple(context.split(", ")), int(trials))

    def biomarkers(self) -> Iterator[Biomarker]:
        for name, names, _, positive, negative in self._rows("biomarkers.tsv"):
            listed = (tuple(filter(None, cell.split("|"))) for cell in (names, positive, negative))
            yield Biomarker(name, *listed)

    def translations(self) -> Iterator[Translation]:
        for english, language, names in self._rows("names.tsv"):
            for name in names.split("|"):
                yield Translation(name, language, english)

    def words(self) -> Iterator[str]:
        for name in ("words.txt", "clinical.txt"):
            yield from (self.folder / name).read_text(encoding="utf-8").splitlines()

    def _rows(self, name: str) -> Iterator[list[str]]:
        """The lines of a table below its headings, cut at the tabs."""
        for line in (self.folder / name).read_text(encoding="utf-8").splitlines()[1:]:
            yield line.split("\t")
