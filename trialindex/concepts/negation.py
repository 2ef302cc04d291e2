"""What a question rules out: the phrases that it denies, and the question without them.

What is denied is found as :mod:`~trialindex.concepts.context` finds it; here it is told what of that a trial could be
about, so that *no brain metastases* rules something out, and *no idea*, *no saliva* and *no cure* do not.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trialindex.concepts.biomarkers import BiomarkerMention
from trialindex.concepts.context import Context, Denial
from trialindex.concepts.fillers import is_filler
from trialindex.concepts.tokens import Words, read_words

_BEFORE = frozenset(
    read_words(
        """
        a an any the some more have had has having been be being on in at to of with is was were am ever yet already
        even also take took taken taking use used using try tried trying want wants wanted need needs needed get gets
        got receive received undergo undergone do does did go went like likes known current currently active actual
        significant further other evidence sign signs my his her our their much many i you he she they we it that this
        there treated treat develop developed show showed diagnosed interested think really allergic still feel feels
        """
    ).keys
)
"""Words before what is denied that are no part of it."""
_BEHIND = frozenset(
    read_words(
        """
        and or nor but of on in at to for with from by since until after before during as than so because if when while
        where which who that is are was were be been has have had do does did can could will would should may might i
        you he she it we they me my his her our their your yet please anymore either now though still just today years
        year months month weeks week days day ago two three four five six seven eight nine ten this last next anything
        myself himself herself themselves too also only any more longer looking seeking wants want
        """
    ).keys
)
"""Words behind what is denied that are no part of it."""
_NO_SUBJECT = frozenset(
    read_words(
        """
        treatment treatments therapy therapies cure cures diagnosis disease improvement relief response benefit change
        effect help symptoms condition problem problems trial trials study studies patient patients history evidence
        cause saliva appetite energy sleep period periods hair feeling sensation libido strength voice smell taste
        balance breath milk tears urine pulse vision sight hearing motivation interest concentration memory movement
        sperm ovulation uterus spleen teeth sense desire hunger speech walking eating breathing swallowing control
        without diagnosed due family medicine cells tissue function way enough
        """
    ).keys
)
"""Of these no trial is about; or their lack is a complaint: *no appetite*, *no saliva*."""
_ALSO = frozenset(read_words("smoked drinker vape vaping alcohol pregnant illness").keys)
"""Words that can be ruled out beside those of the vocabularies' names."""
_COMPARED = {"instead", "rather"}
"""What begins a denial that compares: trials of *a newer drug instead of warfarin* are about warfarin too."""
_SUBJECTS_OF_ALL = frozenset(read_words("family history").keys)

_DANGLING = re.compile(
    r"(?:(?:^|(?<=[\s,;:/(&–—-]))(?:and|but|or|nor|with|a|an|in|who|which|is|has|have|had|was|were|are|i|am|she|he|they|we"
    r"|it|of|that|there)(?=[\s,;:/(&–—-]|$)|[\s,;:/(&–—-])+$",
    re.IGNORECASE,
)
"""What would hang in the air before a gap."""


@dataclass(frozen=True)
class RuledOut:
    """A phrase that a text denies.

    :param text: as it was written.
    :param start: the first word of it.
    :param end: the word after the last.
    :param told: whether it is told as ruled out; a biomarker is told by its state.
    """

    text: str
    start: int
    end: int
    told: bool = True


def read_ruled_out(
    text: str,
    words: Words,
    context: Context,
    named: Iterable[tuple[int, int]],
    biomarkers: Sequence[BiomarkerMention],
    is_term: Callable[[str], bool],
) -> Iterator[tuple[Denial, list[RuledOut]]]:
    """For each denial what it rules out.

    :param words: those of the text.
    :param context: what it says of them.
    :param named: where it names something, in characters.
    :param biomarkers: those that it names.
    :param is_term: whether a word stands in a name of the vocabularies.
    """
    tested = {at for one in biomarkers if one.state != "unknown" for at in range(one.start, one.end)}
    known = tested.copy()
    for first, last in named:
        places = range(bisect_left(words.starts, first), bisect_left(words.starts, last))
        if {words.keys[at] for at in places} - _NO_SUBJECT:
            known |= set(places)
    for denial in context.denials:
        if _COMPARED.intersection(words.keys[denial.start : denial.end]):
            continue
        phrases = []
        for part in _parts(words, denial):
            start, end = _trimmed(words, part, known)
            if end <= start:
                continue
            keys = words.keys[start:end]
            subject = not known.isdisjoint(range(start, end)) or set(keys) >= _SUBJECTS_OF_ALL
            if not subject and not _NO_SUBJECT & set(keys):
                subject = any(_is_subject(text, words, at, is_term) for at in range(start, end))
            if subject:
                told = tested.isdisjoint(range(start, end))
                phrases.append(RuledOut(text[words.starts[start] : words.ends[end - 1]], start, end, told))
        if phrases:
            yield denial, phrases


def _is_subject(text: str, words: Words, at: int, is_term: Callable[[str], bool]) -> bool:
    """Whether a trial can be about a word; about a participle it is not: *not helped by*."""
    key = words.keys[at]
    if key in _ALSO or key in _NO_SUBJECT or is_filler(key) or key.endswith("ed"):
        return key in _ALSO
    return is_term(text[words.starts[at] : words.ends[at]])


def _parts(words: Words, denial: Denial) -> Iterator[range]:
    """The items of the list that is denied."""
    start = denial.denied.start
    for at in denial.denied:
        if at > start and (words.gaps[at] in ",(:" or words.keys[at] in ("and", "or", "nor")):
            yield range(start, at)
            start = at
    yield range(start, denial.denied.stop)


def _trimmed(words: Words, part: range, named: set[int]) -> tuple[int, int]:
    """Where the thing that is denied begins and ends in its part of the list."""
    start, stop = part.start, part.stop
    while start < stop and start not in named and words.keys[start] in _BEFORE | {"and", "or", "nor"}:
        start += 1
    end = start
    while end < stop and (end in named or words.keys[end] not in _BEHIND) and (end == start or words.gaps[end] != "|"):
        end += 1
    return start, end


def remove_ruled_out(
    text: str, words: Words, ruled_out: Sequence[tuple[Denial, list[RuledOut]]], others: Iterable[range]
) -> str:
    """The text without what it rules out, and without the words that say so.

    :param others: further words to be left out.
    """
    cut: set[int] = {at for one in others for at in one}
    for denial, phrases in ruled_out:
        cut |= {at for phrase in phrases for at in range(phrase.start, phrase.end)}
        if denial.start >= phrases[-1].end:  # "pneumonia was ruled out"
            cut |= set(range(phrases[0].start, denial.end))
        else:
            cut |= set(range(denial.start, phrases[0].start))
            for one, other in pairwise(phrases):
                between = range(one.end, other.start)
                if all(words.keys[at] in _BEFORE | {"and", "or", "nor"} for at in between):
                    cut |= set(between)
    return _joined(text, words, cut)


def _joined(text: str, words: Words, cut: set[int]) -> str:
    """The text without these words, and without what hangs in the air where they were."""
    if not cut:
        return text
    kept, at = "", 0
    places = sorted(cut)
    for number, place in enumerate(places):
        if number and places[number - 1] == place - 1:
            continue
        last = place
        while last + 1 in cut:
            last += 1
        end = words.ends[last]
        end += len(_SIGN.match(text, end)[0])  # type: ignore[index]
        kept = _DANGLING.sub("", kept + text[at : words.starts[place]])
        rest = text[end:]
        skipped = len(rest) - len(rest.lstrip(" \t-/)" if kept and kept[-1] not in ".!?\n" else " \t,;:.-/)"))
        at = end + skipped
        if not kept and (joint := _JOINT.match(text, at)):
            at = joint.end()
        kept += " " if kept and text[at : at + 1] not in ",;:.!?)\n" else ""
    return (kept + text[at:]).strip(" \t,;:-/")


_JOINT = re.compile(r"(?:but|and|or|just)\s+", re.IGNORECASE)
"""What joins a text to something before it that is gone."""
_SIGN = re.compile(r"\s?\([-−–]\)|[-−–](?![^\s,;/.)])|")


def negative_ranges(biomarkers: Iterable[BiomarkerMention]) -> Iterator[range]:
    """The words of biomarkers that are not there; those that are part of a name stay."""
    for one in biomarkers:
        if one.state == "negative" and not one.named:
            yield range(one.start, one.end)
