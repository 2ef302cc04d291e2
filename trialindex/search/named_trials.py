"""The trials that a question names, by an id or another name of theirs: they come first in its answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from trialindex.plugin.results import NamedTrial
from trialindex.search.names import fetch_specs
from trialindex.storage.names import name_key

if TYPE_CHECKING:
    from trialindex.concepts.recognizer import ConceptRecognizer
    from trialindex.plugin.interfaces import Ids
    from trialindex.plugin.registry import Plugins
    from trialindex.storage.records import Records

_WORD = re.compile(r"[^\s\"“”«»]+")
_AROUND = ".,;:?!()[]{}'‘’"
_LONGEST = 100
"""Characters of a question that may be the name of a trial as a whole."""
_WINDOW = 3
"""Words of a name inside a question."""
_DIGITS = 4
"""A name inside a question has more digits than that, or so many beside letters: *2024* and *CD19* are none."""
_CODE = re.compile(r"[A-Z]{3,}-?[0-9]{2,}")
"""A name with fewer digits, such as *KEYNOTE-189*."""
_ID = re.compile(r"[A-Z]{2,8}[-/]?[0-9]{6,}|[0-9]{4}-[0-9]{6}-[0-9]{2}(?:-[0-9]{2})?", re.IGNORECASE)
"""What is written like an id, whether or not a source can fetch it."""


@dataclass(frozen=True)
class NamedTrials:
    """What a question names.

    :param told: the names, in the order of the question.
    :param nums: the numbers of their trials, those that pass the filters.
    """

    told: tuple[NamedTrial, ...] = ()
    nums: tuple[int, ...] = ()

    @classmethod
    def of(cls, names: Iterable[NamedTrial], records: Records, allowed: Ids | None) -> NamedTrials:
        """The same as they are told and shown.

        :param allowed: sorted numbers of the trials that pass the filters; ``None`` for all.
        """
        told, nums = [], []
        for named in names:
            statuses = [status for trial_id in named.ids if (status := records.status_of(trial_id))]
            passing = [status for status in statuses if allowed is None or status.num in allowed]
            nums += [status.num for status in passing]
            filtered = tuple(status.id for status in statuses if status not in passing)
            told.append(msgspec.structs.replace(named, filtered=filtered))
        return cls(tuple(told), tuple(dict.fromkeys(nums)))


def read_named_trials(
    text: str, records: Records, recognizer: ConceptRecognizer, plugins: Plugins
) -> tuple[tuple[NamedTrial, ...], str]:
    """The trials that *text* names, in its order, and the rest of the text.

    A name of letters alone, or one that the vocabularies know too, counts where it is the whole text, written as the
    record has it. What they know is asked for as well.

    :param plugins: whose sources say which ids they can fetch.
    """
    whole = text.strip()
    if len(whole) <= _LONGEST and (ids := _ids_of_whole(whole, records, recognizer)):
        return (NamedTrial(name=whole, ids=ids),), text if recognizer.find(whole) else ""
    found: dict[str, NamedTrial] = {}
    cut: list[tuple[int, int]] = []
    words = [match.span() for match in _WORD.finditer(text)]
    at = 0
    while at < len(words):
        for size in range(min(_WINDOW, len(words) - at), 0, -1):
            start, end = words[at][0], words[at + size - 1][1]
            name = text[start:end].strip(_AROUND)
            if named := _named(name, size, records, recognizer, plugins):
                found.setdefault(name_key(name), named)
                cut.append((start, end))
                at += size
                break
        else:
            at += 1
    return tuple(found.values()), remove_spans(text, cut) if cut else text


def _ids_of_whole(name: str, records: Records, recognizer: ConceptRecognizer) -> tuple[str, ...]:
    ids = records.ids_named(name)
    if _has_digit(name) and not recognizer.lookup(name):
        return tuple(ids)
    trials = [stored.trial for trial_id in ids if (stored := records.find(trial_id))]
    return tuple(trial.id for trial in trials if name in (trial.id, trial.acronym, *trial.other_ids))


def _named(
    name: str, size: int, records: Records, recognizer: ConceptRecognizer, plugins: Plugins
) -> NamedTrial | None:
    """The trial that some words of a question name, or would if it were held."""
    if not _has_digit(name):
        return None
    fetch = fetch_specs(name, plugins)
    is_id = bool(fetch) or (size == 1 and _ID.fullmatch(name) is not None)
    if not is_id and (not _may_name(name) or recognizer.lookup(name)):
        return None
    if ids := records.ids_named(name):
        return NamedTrial(name=name, ids=tuple(ids))
    if not is_id:
        return None
    return NamedTrial(name=name, similar=tuple(records.similar_ids(name)), fetch=next(iter(fetch), ""))


def _may_name(name: str) -> bool:
    digits = sum(map(str.isdigit, name))
    if any(map(str.isalpha, name)):
        return digits >= _DIGITS or _CODE.fullmatch(name) is not None
    return digits > _DIGITS and "," not in name


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def remove_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text without these parts of it, each from a first character to one after the last."""
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    return " ".join(text.split()) if any(map(str.isalnum, text)) else ""
