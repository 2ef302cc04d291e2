"""A record as the checks of :mod:`.facts` read it: its text by field, its words, and the names in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, cached_property
from typing import TYPE_CHECKING

from trialindex.trial import Trial, walk_text
from trialindex.trial.sanitize import clean
from trialindex_writers.glossary import used

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer, Mention

FIELDS = frozenset(Trial.__struct_fields__) - {"contacts", "officials", "raw", "source", "url"}
"""The fields that a sentence may rest on."""

WORD = re.compile(r"[^\W_]+")
QUOTATION = re.compile('[“"]([^“”"]+)[”"]')


def folded(word: str) -> str:
    """The word without case, accents, a plural *s*, and the spelling in which British and US English differ."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    plain = plain.replace("ae", "e").replace("oe", "e").replace("our", "or")
    plain = re.sub(r"is(?=(?:e|ed|er|ing|ation)s?$)", "iz", plain)
    plain = re.sub(r"ies$", "y", plain) if len(plain) > 4 else plain
    return plain[:-1] if len(plain) > 3 and plain.endswith("s") and not plain.endswith("ss") else plain


class Record:
    """The public part of a trial."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial.masked()
        self._texts: dict[str, str] = {}

    def text(self, fields: Iterable[str]) -> str:
        """What stands in these fields, of sites nothing but their names."""
        return "\n".join(self._text(field) for field in fields)

    def _text(self, field: str) -> str:
        if field not in self._texts:
            value = getattr(self.trial, field)
            value = [site.name or "" for site in value] if field == "sites" else value
            self._texts[field] = clean("\n".join(walk_text(value)))
        return self._texts[field]

    @cached_property
    def everything(self) -> str:
        """All of its text."""
        places = [part or "" for site in self.trial.sites for part in (site.city, site.state, site.country)]
        return "\n".join([self.text(sorted(FIELDS)), *places])

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word, :func:`folded`."""
        return frozenset(map(folded, WORD.findall(self.everything)))

    @cached_property
    def names(self) -> list[str]:
        """What the record calls its illnesses and treatments, the longest first."""
        trial = self.trial
        found = [*trial.conditions, *trial.keywords, *(term.name for term in trial.normalized_conditions)]
        for intervention in trial.interventions:
            found += [intervention.name, *intervention.other_names]
        return sorted({" ".join(clean(name).split()) for name in found if len(name) > 2}, key=len, reverse=True)

    @cached_property
    def jargon(self) -> frozenset[str]:
        """The terms of the glossary that it uses."""
        return used(self.everything)

    @cached_property
    def concepts(self) -> set[str]:
        """What a vocabulary knows of all that it mentions, as :func:`keys_of` has it, and what is a step broader."""
        vocabulary = terms()
        mentions = vocabulary.find(self.everything)
        broader = {one for mention in mentions for concept in mention.concepts for one in concept.broader}
        return broader.union(*map(keys_of, mentions))

    def quotes(self, words: str) -> bool:
        """Whether the words, which stand between quotation marks, stand so in the record; marks do not count."""
        return _bare(words) in self._bare

    @cached_property
    def _bare(self) -> str:
        return _with_and_without_brackets(self.everything)

    @cached_property
    def _registrants(self) -> str:
        """What a text may quote at length: short entries of the registrant, not the free text."""
        return _with_and_without_brackets(self.text(("conditions", "interventions", "outcomes", "why_stopped")))

    def without_names(self, text: str) -> str:
        """The text with names and “quotations” of the record blanked out: what is left is the writer's own."""

        def quoted(match: re.Match[str]) -> str:
            known = len(match[1]) > 8 and _bare(match[1]) in self._registrants
            return blank(match) if known else match[0]

        text = QUOTATION.sub(quoted, text)
        for name in self.names:
            if name.casefold() in text.casefold():
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", blank, text, flags=re.IGNORECASE)
        return text


def _with_and_without_brackets(text: str) -> str:
    """The words of a text, which may be quoted without what stands in brackets."""
    return _bare(text) + _bare(re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", text))


def _bare(text: str) -> str:
    """The words alone, each between spaces."""
    return f" {' '.join(WORD.findall(text.casefold()))} "


@cache
def terms() -> ConceptRecognizer:
    """The vocabularies that are at hand.

    :raises PluginError: one of them fails.
    """
    from trialindex.concepts.recognizer import ConceptRecognizer

    return ConceptRecognizer.load()


def keys_of(mention: Mention) -> frozenset[str]:
    """Ids and names of what a mention may mean, to be compared."""
    ids = {concept.id for concept in mention.concepts if concept.id}
    return frozenset(ids | {" ".join(map(folded, WORD.findall(name))) for name in mention.names})


def blank(match: re.Match[str]) -> str:
    """As much nothing as was matched, for ``re.sub``: a mark that is no word, so that neighbours stay apart."""
    return "\u00b7" * len(match[0])
