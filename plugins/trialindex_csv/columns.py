"""Which column goes into which field of a trial.

The columns of the ClinicalTrials.gov site's export are known, in its present form and in that of the site before 2023.
Any other table says it with ``--map``, with a mapping file, or by naming its columns as the fields are named.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from trialindex.errors import SourceError, nearest
from trialindex.trial.from_values import FIELDS
from trialindex.trial.parse_values import short

_NOT_IN_A_CELL = {"arms", "contacts", "gone_since", "officials", "outcomes", "raw", "sites", "source"}
TARGETS = (
    *(name for name in FIELDS if name not in _NOT_IN_A_CELL),
    *("ages", "primary_outcomes", "secondary_outcomes", "other_outcomes"),
    *("site", "city", "state", "country", "locations", "study_design"),
)
"""What a column can be mapped to: the fields that one cell can hold, and parts of the others."""

SITE_COLUMNS = {
    "nct number": "id",
    "study title": "title",
    "study url": "url",
    "acronym": "acronym",
    "study status": "status",
    "brief summary": "summary",
    "study results": "has_results",
    "conditions": "conditions",
    "interventions": "interventions",
    "primary outcome measures": "primary_outcomes",
    "secondary outcome measures": "secondary_outcomes",
    "other outcome measures": "other_outcomes",
    "sponsor": "sponsor",
    "collaborators": "collaborators",
    "sex": "sex",
    "age": "ages",
    "phases": "phases",
    "enrollment": "enrollment",
    "funder type": "sponsor_class",
    "study type": "study_type",
    "study design": "study_design",
    "other ids": "other_ids",
    "start date": "start_date",
    "primary completion date": "primary_completion_date",
    "completion date": "completion_date",
    "first posted": "first_posted",
    "results first posted": "results_first_posted",
    "last update posted": "last_updated",
    "locations": "locations",
    # as the site named them before 2023
    "title": "title",
    "status": "status",
    "gender": "sex",
    "study designs": "study_design",
    "url": "url",
}
SITE_UNUSED = {"study documents", "rank", "outcome measures", "sponsor/collaborators", "funded bys"}
"""Columns of the site that no field of a trial can hold as they are; they stay in the raw record."""

SITE_SEPARATOR = "|"


def plain(name: str) -> str:
    """A column's name for comparison: small letters, and spaces for underscores and dots."""
    return " ".join(re.split(r"[\s_.]+", name.casefold().strip()))


@dataclass
class Mapping:
    """What the user said about the columns.

    :param columns: the columns of each target; none of them leaves a known column out.
    :param constants: values that every trial of the file has.
    :param settings: list separator, encoding, delimiter and date order, where a mapping file gives them.
    """

    columns: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, str | list[str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Mapping:
        """The mapping of a TOML file. :raises SourceError: it cannot be read, or says something that is not known."""
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as problem:
            raise SourceError(f"{path} cannot be read: {problem.strerror or problem}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise SourceError(f"{path} is not a TOML file: {problem}.") from None
        known = ["columns", "constants", "list_separator", "encoding", "delimiter", "date_order"]
        for key, value in data.items():
            if key not in known:
                raise SourceError(f'{path}: "{key}" is no setting of a mapping. {nearest(key, known)}')
            expected = dict if key in known[:2] else str
            if not isinstance(value, expected):
                raise SourceError(f"{path}: {key} must be {'a table' if expected is dict else 'a text in quotes'}.")
        settings = {key: data[key] for key in known[2:] if key in data}
        mapping = cls(settings=settings)
        for target, value in data.get("constants", {}).items():
            if not all(
                isinstance(one, str | int | float | date) for one in (value if isinstance(value, list) else [value])
            ):
                raise SourceError(f"{path}: the constant {target} must be one value, or a list of them.")
            mapping.constants[target] = [str(one) for one in value] if isinstance(value, list) else str(value)
        for target, columns in data.get("columns", {}).items():
            names = columns if isinstance(columns, list) else [columns]
            if not all(isinstance(name, str) for name in names):
                raise SourceError(f"{path}: {target} must be the name of a column, or a list of names.")
            mapping.columns[target] = [name for name in names if name]
        for target in (*mapping.columns, *mapping.constants):
            _check_target(target, f"{path}: ")
        return mapping

    def update(self, options: Iterable[str]) -> None:
        """Take in ``--map FIELD=COLUMN``, each of which replaces what was said of its field before.

        :raises SourceError: one is not of that form, or there is no such field.
        """
        given: dict[str, list[str]] = {}
        for option in options:
            target, equals, column = (part.strip() for part in option.partition("="))
            if not equals:
                raise SourceError(f'--map "{option}" has no "=".', hint="Write it as --map FIELD=COLUMN.")
            _check_target(target, "--map: ")
            given.setdefault(target, []).extend([column] if column else [])
        self.columns |= given

    def check(self, lists: Container[str]) -> None:
        """:raises SourceError: a field that takes one value has several, or a field has columns and a constant."""
        for target, value in self.constants.items():
            if isinstance(value, list) and target not in lists:
                raise SourceError(f"{target} takes one value, and the mapping's constant is a list.")
        for target, names in self.columns.items():
            if len(names) > 1 and target not in lists:
                raise SourceError(f"{target} takes one column, and {len(names)} are mapped to it.")
            if names and target in self.constants:
                raise SourceError(f"{target} is a column and a constant of the mapping.", hint="Leave one of them out.")


def _check_target(target: str, where: str) -> None:
    if target not in TARGETS:
        raise SourceError(f'{where}"{target}" is no field of a trial. {nearest(target, TARGETS)}')


@dataclass(frozen=True)
class Plan:
    """Where the cells of one file go.

    :param columns: for each target, the places of its columns in a row.
    :param unused: columns that go nowhere.
    :param site: it is an export of the ClinicalTrials.gov site.
    """

    header: Sequence[str]
    columns: dict[str, list[int]]
    unused: list[str]
    site: bool

    def named(self, target: str) -> str:
        """The columns of a target, for messages."""
        return ", ".join(f'"{self.header[place]}"' for place in self.columns.get(target, []))


def plan(header: Sequence[str], mapping: Mapping, path: Path) -> Plan:
    """Match the header of a file with what is known and what the user said.

    :raises SourceError: a column that was named is missing or there twice, or there is none for ``id`` or ``title``.
    """
    names = [plain(name) for name in header]
    site = "nct number" in names and ("study title" in names or "title" in names)
    found: dict[str, list[int]] = {}
    if site:
        found = _by_name(names, SITE_COLUMNS)
    elif not mapping.columns:
        found = _by_name(names, {plain(target): target for target in TARGETS} | {"countries": "country"})
    for target, columns in mapping.columns.items():
        found[target] = [_place(header, names, column, path) for column in columns]
    missing = [target for target in ("id", "title") if not found.get(target) and target not in mapping.constants]
    if missing or "id" in mapping.constants:
        examples = " ".join(f"--map {_example(target, header)}" for target in missing or ["id"])
        raise SourceError(
            f"{path}: no column is known to hold the trial's {' and '.join(missing or ['id'])}. Its columns: "
            f"{_shown(header)}.",
            hint=f"Say which it is, for example: {examples}",
        )
    used = {place for places in found.values() for place in places}
    unused = [
        name
        for place, name in enumerate(header)
        if name and place not in used and not (site and names[place] in SITE_UNUSED)
    ]
    return Plan(header, {target: places for target, places in found.items() if places}, unused, site)


def _by_name(names: Iterable[str], known: dict[str, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name in known:
            found.setdefault(known[name], [place])
    return found


def _place(header: Sequence[str], names: Sequence[str], column: str, path: Path) -> int:
    places = [n for n, name in enumerate(header) if name == column] or [
        n for n, name in enumerate(names) if name == plain(column)
    ]
    if not places:
        raise SourceError(f'{path} has no column "{column}". {nearest(column, map(short, filter(None, header)))}')
    if len(places) > 1:
        raise SourceError(
            f'{path} has {len(places)} columns "{column}".', hint="Give one of them another name in the file."
        )
    return places[0]


_LIKELY = {
    "id": ("id", "identifier", "registration", "number", "no", "nr", "nct"),
    "title": ("title", "name", "study", "trial"),
}


def _shown(header: Sequence[str], most: int = 30) -> str:
    names = [short(name) for name in header[:most] if name]
    return f"{', '.join(names)}{f' and {len(header) - most} more' if len(header) > most else ''}"


def _example(target: str, header: Sequence[str]) -> str:
    """``FIELD=COLUMN`` with the column that is most likely meant, quoted for a shell."""
    likely = [name for word in _LIKELY[target] for name in header if len(name) < 60 and word in plain(name).split()]
    return shlex.quote(f"{target}={likely[0] if likely else 'COLUMN'}")
