"""What a text says of biomarkers: which of them it names, and whether they are there.

A negative biomarker is no illness that somebody lacks: it is a state, and trials look for people in that state. So it
is read apart from what is ruled out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from trialindex.concepts.context import Context
from trialindex.concepts.tokens import Words, name_variants, normalize
from trialindex.plugin.results import BiomarkerState
from trialindex.plugin.vocabulary_entries import Biomarker

_LONGEST = 8
"""Words of the longest name, and of what may lie between a name and its state."""
_SHORT = 3
"""Letters: so short a name means something else too, unless it is in capitals; with one less, also then."""

_STATES: dict[BiomarkerState, str] = {
    "positive": """
        positive; pos; +; mutant; mutated; altered; rearranged; amplified; detected; present; found; expressing;
        overexpressed; overexpression; methylated; elevated
    """,
    "negative": """
        negative; neg; wild type; wildtype; wt; unmutated; nonmutated; non mutated; unmethylated; undetectable; absent;
        not detected; not found; not present; not seen; not mutated; not amplified; not expressed; not rearranged; none
    """,
    "unknown": """
        unknown; untested; not tested; not known; not yet known; not yet tested; not done; not available; pending;
        result pending; never tested
    """,
}
_NOUNS = """
    gene; mutation; rearrangement; fusion; amplification; alteration; aberration; translocation; deletion; insertion;
    variant; antibody; antigen; receptor; protein; status; expression; test; testing; result; copy; carrier; tumor;
    disease; oncogene; activating; sensitizing; germline; somatic
"""
"""What may follow a name without saying more."""
_LINKS = "is; was; are; were; be; been; has; have; came; come; back; it; and it; tested; that; which; s; a; the"
"""Small words between a name and its state."""
_BEFORE: dict[BiomarkerState, str] = {
    "positive": "positive for; pos for; mutant; mutated; carries; carrying; expressing",
    "negative": "wild type; wildtype; wt; negative for; neg for; non mutated; unmutated; wild type for",
}
_TREATMENTS = """
    inhibitor; inhibition; inhibiting; tki; antibody therapy; blocker; blockade; antagonist; agonist; targeted;
    targeting; directed; vaccine; car; cart; car t; ligand; pet; imaging; degrader; adc; bispecific; specific
"""
"""What follows a name that is what a treatment aims at."""
_AIMS = {"anti", "targeting", "against", "inhibiting"}
_MEASURES = """
    level; count; titer; doubling; rising; of; ratio; concentration; value; screening; response; kinetics; velocity
"""
_SCORED = {
    "pd l1",
    "pdl1",
    "tp",
    "tps",
    "cps",
    "ki 67",
    "ki67",
    "er",
    "pr",
    "estrogen receptor",
    "progesterone receptor",
}
"""Those of which a number says how much there is: *PD-L1 80 %*."""
_JOINTS = {"and", "or", "nor", "plus"}


@dataclass(frozen=True)
class BiomarkerMention:
    """What a text says of one biomarker.

    :param name: as the vocabularies have it.
    :param state: ``None`` where the text says nothing of it: what a treatment aims at, what is measured.
    :param start: the first word of it and its state.
    :param end: the word after the last.
    :param named: whether it is part of a name that says its state by itself, as *triple negative*.
    """

    name: str
    state: BiomarkerState | None
    start: int
    end: int
    named: bool = False


class _Name(NamedTuple):
    """What a phrase stands for: biomarkers, and the state of them if it says that."""

    names: tuple[str, ...]
    state: BiomarkerState | None
    capitals: bool


CompiledBiomarkers = dict[str, _Name]
"""Phrases by their keys."""


def compile_biomarkers(biomarkers: Iterable[Biomarker]) -> CompiledBiomarkers:
    """The names of biomarkers as they are looked up."""
    compiled: CompiledBiomarkers = {}
    for biomarker in biomarkers:
        phrases: tuple[tuple[Sequence[str], BiomarkerState | None], ...] = (
            ((biomarker.name, *biomarker.names), None),
            (biomarker.positive, "positive"),
            (biomarker.negative, "negative"),
        )
        for texts, state in phrases:
            for text in texts:
                for key in name_variants(text):
                    before = compiled.get(key)
                    if before is None or state is None:
                        compiled.setdefault(key, _Name((biomarker.name,), state, text.isupper()))
                    elif biomarker.name not in before.names:
                        compiled[key] = before._replace(names=(*before.names, biomarker.name))
    compiled.pop("", None)
    return compiled


class BiomarkerReader:
    """Reads what texts say of biomarkers.

    :param names: as :func:`compile_biomarkers` made them.
    """

    def __init__(self, names: CompiledBiomarkers) -> None:
        self._names = names

    def names_of(self, name: str) -> list[str]:
        """The names of a biomarker, folded as :func:`~trialindex.concepts.tokens.normalize` folds them."""
        return [key for key, one in self._names.items() if name in one.names and one.state is None]

    def read(self, text: str, words: Words, context: Context) -> list[BiomarkerMention]:
        """What the text says of each biomarker that it names, in order.

        :param words: those of the text.
        :param context: what it says of them.
        """
        found = list(self._find_names(text, words))
        read: list[BiomarkerMention] = []
        following: BiomarkerMention | None = None
        for start, end, name in reversed(found):
            mention = _Reading(words, context, start, end).mention(name.names[0], name.state)
            if _aimed_at(words, start, end):
                mention = BiomarkerMention(mention.name, None, start, end)
            elif following and mention.state is None and not name.state and _joined(words, end, following.start):
                mention = BiomarkerMention(mention.name, following.state, start, end)
            elif mention.state is None and _is_plain(text, words, start, end, name):
                mention = BiomarkerMention(mention.name, _unsaid(words, start, end), start, end)
            elif mention.state is None:
                continue
            read += [
                BiomarkerMention(one, mention.state, mention.start, mention.end, name.state is not None)
                for one in reversed(name.names)
            ]
            following = mention
        return read[::-1]

    def _find_names(self, text: str, words: Words) -> Iterator[tuple[int, int, _Name]]:
        """First word, the word after the last, and what is named; at each place the longest name."""
        at, keys, gaps = 0, words.keys, words.gaps
        while at < len(keys):
            spaced = glued = keys[at]
            best = (at + 1, spaced) if spaced in self._names else None
            for end in range(at + 1, min(at + _LONGEST, len(keys))):
                if gaps[end] not in " -/.,(:" or keys[end] == "+":
                    break
                spaced = f"{spaced} {keys[end]}"
                glued = f"{glued}{keys[end]}" if gaps[end] == "-" else f"{glued} {keys[end]}"
                key = spaced if spaced in self._names else glued
                if key in self._names:
                    best = (end + 1, key)
            if best is not None:
                yield at, best[0], self._names[best[1]]
                at = best[0]
            else:
                at += 1


class _Reading:
    """One name in a text, and the state that stands beside it."""

    def __init__(self, words: Words, context: Context, start: int, end: int) -> None:
        self._words, self._context, self._start, self._end = words, context, start, end

    def mention(self, name: str, state: BiomarkerState | None) -> BiomarkerMention:
        if state is not None:
            return BiomarkerMention(name, state, self._start, self._end)
        noun = self._after_noun()
        state, end = self._state_after(noun)
        start = self._start
        if state is None:
            state, start = self._state_before()
        denied = self._context.words[self._start].negated
        if denied and state in (None, "positive"):  # "no EGFR mutation", "not HER2-positive"
            state = "negative"
        elif state is None and noun > self._end:
            named = self._words.keys[self._end : noun]
            state = "positive" if any(key not in ("gene", "receptor", "status", "test") for key in named) else None
        return BiomarkerMention(name, state, start, max(end, noun if state else self._end))

    def _after_noun(self) -> int:
        """The word after the nouns that follow the name."""
        return _run(self._words, self._end, _folded(_NOUNS), " -/")

    def _state_after(self, at: int) -> tuple[BiomarkerState | None, int]:
        """The state that follows, and the word after it."""
        if at - 1 in self._words.minus:
            return "negative", at
        keys, gaps = self._words.keys, self._words.gaps
        links = _folded(_LINKS) | {"and"}
        for place in range(at, min(at + _LONGEST, len(keys))):
            for end in range(min(place + 3, len(keys)), place, -1):
                inside = gaps[place + 1 : end]
                state = _states().get(" ".join(keys[place:end]))
                if state and all(gap in " -" for gap in inside) and gaps[place] in " -:(":
                    if state == "negative" and keys[end : end + 1] == ["for"]:
                        continue
                    return state, end
            if keys[place] not in links or gaps[place] not in " ":
                break
            if keys[place] == "and" and keys[place + 1 : place + 2] not in (["it"], ["they"]):
                break
        return None, at

    def _state_before(self) -> tuple[BiomarkerState | None, int]:
        """The state that stands before the name, and the word at which it begins."""
        keys, gaps = self._words.keys, self._words.gaps
        for length in (3, 2, 1):
            at = self._start - length
            if at >= 0 and all(gap in " -" for gap in gaps[at + 1 : self._start + 1]):
                state = _states_before().get(" ".join(keys[at : self._start]))
                if state:
                    return state, at
        return None, self._start


def _run(words: Words, at: int, keys: frozenset[str], gaps: str) -> int:
    """The word after those of *keys* that follow one another from word *at*."""
    while at < len(words.keys) and words.keys[at] in keys and words.gaps[at] in gaps:
        at += 1
    return at


def _joined(words: Words, end: int, start: int) -> bool:
    """Whether a name shares the state of the next: *EGFR and ALK negative*, *ER/PR-*."""
    between = words.keys[end:start]
    gaps = words.gaps[end : start + 1]
    return all(key in _JOINTS for key in between) and (bool(between) or gaps[-1] in "/,") and "|" not in gaps


def _aimed_at(words: Words, start: int, end: int) -> bool:
    """Whether the name is what a treatment aims at: *anti-PD-1*, *EGFR inhibitor*."""
    if start and words.keys[start - 1] in _AIMS and words.gaps[start] in " -":
        return True
    following = words.keys[end : end + 1]
    return bool(following) and words.gaps[end] in " -/" and following[0] in _folded(_TREATMENTS)


def _is_plain(text: str, words: Words, start: int, end: int, name: _Name) -> bool:
    """Whether a name without a state can mean nothing else, seeing how it is written."""
    written = text[words.starts[start] : words.ends[end - 1]]
    letters = "".join(filter(str.isalpha, written))
    if len(written) < _SHORT or (end - start == 1 and not name.capitals and letters.istitle() and written.isalpha()):
        return False  # "ER", "PR" and "Philadelphia" mean something else too
    return not (len(written) <= _SHORT and written.isalpha() and not written.isupper())


def _unsaid(words: Words, start: int, end: int) -> BiomarkerState | None:
    """The state of a biomarker that is only named: it is there, unless it is something that is measured."""
    before = words.keys[start - 1 : start] if start and words.gaps[start] == " " else []
    after = words.keys[end : end + 1] if end < len(words.keys) and words.gaps[end] in " :(=-" else []
    if any(key in _folded(_MEASURES) for key in after) or any(key in _folded(_MEASURES) for key in before):
        return None
    if after and after[0][:1].isdigit():
        return "positive" if " ".join(words.keys[start:end]) in _SCORED and after[0] != "0" else None
    return "positive"


@cache
def _folded(phrases: str) -> frozenset[str]:
    return frozenset(normalize(phrase) for phrase in phrases.split(";"))


@cache
def _states() -> dict[str, BiomarkerState]:
    found: dict[str, BiomarkerState] = {}
    for state, phrases in _STATES.items():
        found |= {normalize(phrase) or phrase.strip(): state for phrase in phrases.split(";")}
    return found


@cache
def _states_before() -> dict[str, BiomarkerState]:
    found: dict[str, BiomarkerState] = {}
    for state, phrases in _BEFORE.items():
        found |= {normalize(phrase): state for phrase in phrases.split(";")}
    return found
