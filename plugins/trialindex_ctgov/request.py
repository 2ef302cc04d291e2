"""What a user asks of the registry, as parameters of ``GET /studies``."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from trialindex.errors import SourceError, nearest
from trialindex.trial import STATUSES

PAGE_SIZE = 1000
"""The most studies the registry puts on a page."""
MAX_TEXT = 2000
"""Characters of a search text."""
IDS_PER_REQUEST = 300
"""So many NCT ids fit in the 8 KB that web servers commonly allow for a request line."""

_ID = re.compile(r"(?:https?://\S*/)?NCT[\s_-]*((?:\d\s?){0,7}\d)(?:[?#]\S*)?", re.IGNORECASE)
"""An id as people write it: in any case, in a web address, ``NCT 0123 4567``."""
_IN_TEXT = re.compile(r"(?<![A-Za-z])NCT[ \t_-]*((?:\d[ \t]?){7}\d)(?!\d)", re.IGNORECASE)
_ONLY_IDS = re.compile(r"\s*NCT\d+(?:[\s,;|]+NCT\d+)*[\s,;|]*", re.IGNORECASE)
_OPERATOR = re.compile(r"\b(?:AREA|RANGE|SEARCH|COVERAGE|EXPANSION|DISTANCE|TILT)\[[^\[\]]*\]")
_QUOTED = re.compile(r'"[^"]*"')
_EVERYTHING = re.compile(r"\b(?:ALL|MISSING)\b")
"""Operators of the search syntax that are also words: ALL (every study) and acute lymphoblastic leukaemia."""


@dataclass(frozen=True)
class Request:
    """Which studies are wanted; what is empty does not limit."""

    condition: str = ""
    terms: str = ""
    statuses: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    updated_since: str | None = None
    everything: bool = False

    def __bool__(self) -> bool:
        """Whether anything was asked for at all."""
        wanted = (self.condition, self.terms, self.statuses, self.countries, self.ids, self.updated_since)
        return self.everything or any(wanted)

    @property
    def single_id(self) -> str | None:
        """The id, if one study and nothing else is asked for."""
        return self.ids[0] if len(self.ids) == 1 and self == Request(ids=self.ids) else None

    @property
    def words(self) -> str:
        """The request in one form whatever the order of options, as it could be typed again."""
        ids = sorted(self.ids)
        if len(ids) > 10:
            ids = [f"{len(ids)} ids, sha256 {hashlib.sha256(' '.join(ids).encode()).hexdigest()[:16]}"]
        options: Iterable[tuple[str, Iterable[str]]] = (
            ("--terms", [self.terms] if self.terms else []),
            ("--status", sorted(self.statuses)),
            ("--country", sorted(self.countries)),
            ("--id", ids),
            ("--updated-since", [self.updated_since] if self.updated_since else []),
        )
        said = [f"{option} {shlex.quote(value)}" for option, values in options for value in values]
        return " ".join(filter(None, (self.condition, *said, "--all" if self.everything else "")))

    def parameters(self, since: str | None) -> Iterator[dict[str, str]]:
        """The parameters of each crawl that answers the request: one, or several for many ids.

        :param since: only studies updated on this ISO day or later.
        """
        common: dict[str, str] = {}
        if self.condition:
            common["query.cond"] = essie(self.condition)
        if self.terms:
            common["query.term"] = essie(self.terms)
        if self.statuses:
            common["filter.overallStatus"] = "|".join(self.statuses)
        limits = []
        if self.countries:
            limits.append("(" + " OR ".join(f'AREA[LocationCountry]"{c}"' for c in self.countries) + ")")
        if since:
            limits.append(f"AREA[LastUpdatePostDate]RANGE[{since},MAX]")
        if limits:
            common["filter.advanced"] = " AND ".join(limits)
        if not self.ids:
            yield common | {"pageSize": str(PAGE_SIZE)}
        for start in range(0, len(self.ids), IDS_PER_REQUEST):
            ids = self.ids[start : start + IDS_PER_REQUEST]
            yield common | {"filter.ids": "|".join(ids), "pageSize": str(len(ids))}


def build(
    argument: str,
    *,
    condition: str | None,
    terms: str | None,
    statuses: Iterable[str],
    countries: Iterable[str],
    ids: Iterable[str],
    updated_since: str | None,
    everything: bool,
) -> Request:
    """The request that an argument and options make.

    :raises SourceError: one of them cannot be used, or nothing is asked for.
    """
    if argument and condition:
        raise SourceError(
            f'the condition is given twice, "{argument}" and "{condition}".', hint="Leave --condition out."
        )
    wanted = {"condition": (argument or condition or "").strip(), "terms": (terms or "").strip()}
    all_ids = list(ids)
    for name, text in wanted.items():
        # A query of nothing but NCT ids would make the registry ignore every filter: ask by filter.ids.
        if _ONLY_IDS.fullmatch(text):
            all_ids += re.split(r"[\s,;|]+", text.strip(" \t,;|"))
            wanted[name] = ""
        elif text:
            essie(text)
    request = Request(
        **wanted,
        statuses=tuple(dict.fromkeys(_status(s) for s in statuses)),
        countries=tuple(dict.fromkeys(_country(c) for c in countries)),
        ids=tuple(dict.fromkeys(_nct_id(i) for i in all_ids)),
        updated_since=_day(updated_since),
        everything=everything,
    )
    if not request:
        raise SourceError(
            "ctgov needs to know which trials.",
            hint='Type for example: trialindex ingest ctgov:"lupus nephritis" (or --all for the whole registry).',
        )
    if everything and (request.condition or request.terms or request.ids):
        raise SourceError(
            "--all asks for every trial, yet a condition, terms or ids were given.", hint="Leave one out."
        )
    return request


def essie(text: str) -> str:
    """Free text as an expression in the registry's search syntax (Essie) that cannot fail to parse.

    Operators such as ``AREA[Phase]PHASE3`` stay. Other brackets are reserved and become blanks; so do parentheses and
    quotation marks that do not pair up. A comma means AND; stray ones go.

    :raises SourceError: nothing is left to search for, or it is longer than :data:`MAX_TEXT`.
    """
    if len(text) > MAX_TEXT:
        raise SourceError(
            f"a search of {len(text)} characters is too long for the registry.",
            hint="Type the condition in a few words.",
        )
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\0{len(kept) - 1}\0"

    result = _OPERATOR.sub(keep, text.replace("\0", " "))
    if result.count('"') % 2:
        result = result.replace('"', " ")
    result = _QUOTED.sub(lambda match: keep(match) if match[0].strip('" ') else " ", result)
    result = _EVERYTHING.sub(lambda match: f'"{match[0]}"', result)
    result = re.sub(r"[\[\]{}\\]", " ", result)
    if not _balanced(result):
        result = re.sub(r"[()]", " ", result)
    while result != (smaller := re.sub(r"\([\s,]*\)", " ", result)):
        result = smaller
    result = re.sub(r"(?<=\()[\s,]+|[\s,]+(?=\))", "", result)
    result = re.sub(r"[\s,]*,[\s,]*", ", ", result).strip(" ,")
    result = " ".join(result.split())
    if not re.search(r"\w", result):
        raise SourceError(f'"{text}" holds nothing to search for.', hint="Type a condition in words.")
    return re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], result)


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _status(text: str) -> str:
    code = re.sub(r"[\s-]+", "_", text.strip()).upper().replace(",", "")
    if code not in STATUSES:
        known = [status.lower().replace("_", "-") for status in STATUSES]
        raise SourceError(f'unknown status "{text}".', hint=nearest(text.strip().replace("_", "-"), known))
    return code


def _country(text: str) -> str:
    country = " ".join(re.sub(r'["\\\[\]()]', " ", text).split())
    if not country:
        raise SourceError(
            f'"{text}" is no country.', hint='Type it as the registry does, such as --country "United States".'
        )
    return country


def _nct_id(text: str) -> str:
    match = _ID.fullmatch(text.strip())
    number = int("".join(match[1].split())) if match else 0
    if not number:
        raise SourceError(f'"{text.strip()}" is no ClinicalTrials.gov id.', hint="An id looks like NCT01234567.")
    return f"NCT{number:08d}"


def read_ids(path: Path) -> list[str]:
    """The NCT ids in a file of any text: one a line, a column of a table, web addresses, references.

    :raises SourceError: the file cannot be read, or names none.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        raise SourceError(f"{path} cannot be read: {problem.strerror or problem}.") from None
    found = dict.fromkeys(f"NCT{''.join(match[1].split())}" for match in _IN_TEXT.finditer(text))
    if not found:
        raise SourceError(f"{path} names no ClinicalTrials.gov id.", hint="An id looks like NCT01234567.")
    return list(found)


def is_id(text: str) -> bool:
    """Whether it is an id of ClinicalTrials.gov as the registry writes it."""
    return re.fullmatch("NCT[0-9]{8}", text, re.IGNORECASE) is not None


def _day(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise SourceError(f'"{text}" is no date.', hint="Write it as year-month-day, such as 2026-01-31.") from None
