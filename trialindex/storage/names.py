"""How the ids and other names of trials are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from trialindex.trial import Trial

_URL = re.compile(r"https?://", re.IGNORECASE)
_SHORTEST = 3
"""Letters and digits of the shortest name that finds a trial."""
_DIGITS = 8
"""Digits of a number that says which trial is meant, whatever words stand before it."""
_MOST_ZEROS = 4
"""How many leading zeros a similar id has more or less."""
_LONGEST = 40
"""Characters of the longest text that is taken for a mistyped id."""
_NUMBER = re.compile(r"(\D*?)(0*)(\d+)")


def id_key(trial_id: str) -> bytes:
    """The same for two spellings that ``records.db`` takes for one id: ASCII letters in either case."""
    return trial_id.encode("utf-8", "surrogatepass").lower()


def name_key(name: str) -> str:
    """The same for two spellings of a name: letters and digits alone, whatever their case and form.

    ``NCT 0123 4567`` and ``nct01234567`` have one key.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(filter(str.isalnum, folded))


def trial_names(trial: Trial) -> set[str]:
    """The keys of the names under which a trial is found, besides its id as it is written.

    They are those of its id, of its other ids, of its acronym, and of the address of its page if that lacks the id.
    """
    own = name_key(trial.id)
    keys = {own, name_key(trial.acronym or ""), *map(name_key, trial.other_ids)}
    if trial.url and own not in name_key(trial.url):
        keys.add(name_key(trial.url))
    return {key for key in keys if len(key) >= _SHORTEST} - {id_key(trial.id).decode("utf-8", "replace")}


def typed_names(text: str) -> Iterator[str]:
    """What *text* may mean as the name of a trial: itself; of an address also each of its parts, the last one first.

    Of two or three words also the last, if it is a long number: ``EudraCT No. 2004-000446-20``.
    """
    yield text
    words = text.split()
    if 1 < len(words) <= 3 and sum(map(str.isdigit, words[-1])) >= _DIGITS:
        yield words[-1]
    if _URL.match(text):
        yield from reversed([part for part in re.split(r"[/?&=#]", text) if len(name_key(part)) >= _SHORTEST])


def similar_ids(text: str) -> set[str]:
    """Ids from which *text* differs in one digit, that is wrong, missing or too many, or in leading zeros."""
    text = re.sub(r"\s", "", text).upper()
    if len(text) > _LONGEST:
        return set()
    found = {text[:at] + text[at + 1 :] for at, letter in enumerate(text) if letter.isdigit()}
    for at in range(len(text) + 1):
        found |= {text[:at] + digit + text[end:] for digit in "0123456789" for end in (at, at + 1)}
    if match := _NUMBER.fullmatch(text):
        letters, zeros, rest = match.groups()
        fewest = max(0, len(zeros) - _MOST_ZEROS)
        found |= {f"{letters}{'0' * count}{rest}" for count in range(fewest, len(zeros) + _MOST_ZEROS + 1)}
    return found - {text}
