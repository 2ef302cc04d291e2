"""Which column goes into which field of a trial.

Columns are known by the names that registries give them in their exports (ClinicalTrials.gov's site and API, the WHO's
ICTRP, CTIS) and by those of the fields. ``--map`` and a mapping file add to that, or say otherwise.
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
from trialindex.trial.parse_values import quote_input

_NOT_IN_A_CELL = {"serious_events", "arms", "contacts", "gone_since", "officials", "outcomes", "raw", "sites", "source"}
TARGETS = (
    *(name for name in FIELDS if name not in _NOT_IN_A_CELL),
    *("ages", "primary_outcomes", "secondary_outcomes", "other_outcomes"),
    *("site", "city", "state", "country", "locations", "study_design", "inclusion_text", "exclusion_text"),
)
"""What a column can be mapped to: the fields that one cell can hold, and parts of the others."""

KNOWN_COLUMNS = {
    "id": "nct number; nct id; trial id; trial number; registration number; registry id; study id; isrctn; actrnumber; "
    "euctr id; eudract number; eudract no; eudract; drks id; actrn; ctri number; id trial",
    "title": "study title; brief title; public title; title of the trial; trial title; study name; "
    "trial name; title in english; lay title; project title; brief public title; short title",
    "official_title": "scientific title; full title; scientific title in english; full title of the trial",
    "url": "study url; web address; link",
    "other_ids": "secondary id; secondary ids; secondary identifying numbers; protocol code; org study id",
    "status": "study status; overall status; recruitment status; overall trial status; trial status",
    "summary": "brief summary; study summary; abstract",
    "description": "detailed description",
    "has_results": "study results; results; results yes no; trial results",
    "conditions": "condition; health condition; medical conditions; disease; diseases",
    "interventions": "intervention; intervention names; treatment; treatments",
    "primary_outcomes": "primary outcome measures; primary outcome; primary endpoint",
    "secondary_outcomes": "secondary outcome measures; secondary outcome; secondary outcomes; secondary endpoints",
    "other_outcomes": "other outcome measures",
    "sponsor": "lead sponsor; lead sponsor name; primary sponsor; sponsor/co-sponsors; sponsor name; "
    "name of sponsor; sponsors",
    "sponsor_class": "funder type; lead sponsor class; sponsor type",
    "collaborators": "collaborator; secondary sponsors",
    "sex": "gender; inclusion gender",
    "ages": "age; age range",
    "minimum_age": "inclusion agemin; agemin; min age; age min; lower age limit",
    "maximum_age": "inclusion agemax; agemax; max age; age max; upper age limit",
    "phases": "phase; trial phase; study phase",
    "enrollment": "enrollment count; target size; sample size; target sample size; number of participants enrolled",
    "study_type": "trial type",
    "study_design": "study designs",
    "healthy_volunteers": "accepts healthy volunteers",
    "eligibility": "eligibility criteria; criteria; inclusion/exclusion criteria",
    "inclusion_text": "inclusion criteria",
    "exclusion_text": "exclusion criteria",
    "start_date": "study start; study start date; date enrollement; date enrolment; date of first enrolment",
    "primary_completion_date": "primary completion",
    "completion_date": "study completion; study completion date; end date; global end of the trial",
    "first_posted": "study first post date; study first posted; date registration3; date registration; reg date; "
    "registration date; date of registration",
    "last_updated": "last update posted; last update post date; last update; last updated",
    "results_first_posted": "results first post date; results date posted",
    "as_of": "last refreshed on",
    "locations": "location; sites",
    "site": "facility; facilities; hospital; site name",
    "city": "cities; location city",
    "state": "states; location state; province",
    "country": "countries; location country; countries of recruitment; member state; member state concerned; "
    "location s and recruitment status",
}
"""For each target how registries and their exports name the column; of several that a file has, the first counts."""
SITE_UNUSED = {"studydocuments", "rank", "outcomemeasures", "sponsorcollaborators", "fundedbys"}
"""Columns of the site that no field of a trial can hold as they are; they stay in the raw record."""

SITE_SEPARATOR = "|"


def squash(name: str) -> str:
    """A column's name for comparison: its letters and digits, in small letters."""
    return re.sub(r"[\W_]+", "", name.casefold())


_TARGET_OF = {squash(name): target for target, names in KNOWN_COLUMNS.items() for name in names.split(";")}
_TARGET_OF |= {squash(target): target for target in TARGETS}


@dataclass
class Mapping:
    """What the user said about the columns.

    :param columns: the columns of each target; none of them leaves a known column out.
    :param constants: values that every trial of the file has.
    :param values: what the words of a field mean, ``{"status": {"open": "RECRUITING"}}``, in small letters.
    :param settings: list separator, encoding, delimiter and date order, where a mapping file gives them.
    """

    columns: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, str | list[str]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Mapping:
        """The mapping of a TOML file.

        :raises SourceError: it cannot be read, or says something that is not known.
        """
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as problem:
            raise SourceError(f"{path} cannot be read: {problem.strerror or problem}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise SourceError(f"{path} is not a TOML file: {problem}.") from None
        known = ["columns", "constants", "values", "list_separator", "encoding", "delimiter", "date_order"]
        for key, value in data.items():
            if key not in known:
                raise SourceError(f'{path}: "{key}" is no setting of a mapping. {nearest(key, known)}')
            expected = dict if key in known[:3] else str
            if not isinstance(value, expected):
                raise SourceError(f"{path}: {key} must be {'a table' if expected is dict else 'a text in quotes'}.")
        settings = {key: data[key] for key in known[3:] if key in data}
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
        for target, meanings in data.get("values", {}).items():
            if not isinstance(meanings, dict) or not all(isinstance(one, str) for one in meanings.values()):
                raise SourceError(f'{path}: values.{target} must be a table such as {{ Open = "RECRUITING" }}.')
            mapping.values[target] = {word.strip().casefold(): meaning for word, meaning in meanings.items()}
        for target in (*mapping.columns, *mapping.constants, *mapping.values):
            _check_target(target, f"{path}: ")
        return mapping

    def update(self, options: Iterable[str]) -> None:
        """Take in ``--map FIELD=COLUMN``, each of which replaces what was said of its field before.

        ``--map FIELD.WORD=MEANING`` says what a word means in that field: ``status.Open=RECRUITING``.

        :raises SourceError: one is not of that form, or there is no such field.
        """
        given: dict[str, list[str]] = {}
        for option in options:
            target, equals, column = (part.strip() for part in option.partition("="))
            if not equals:
                raise SourceError(f'--map "{option}" has no "=".', hint="Write it as --map FIELD=COLUMN.")
            target, dot, word = target.partition(".")
            if dot:
                _check_target(target, "--map: ")
                self.values.setdefault(target, {})[word.strip().casefold()] = column
                continue
            _check_target(target, "--map: ")
            given.setdefault(target, []).extend([column] if column else [])
        self.columns |= given

    def check(self, lists: Container[str]) -> None:
        """Make sure that each field gets its value from one place.

        :raises SourceError: a field that takes one value has several, or a field has columns and a constant.
        """
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
    :param ictrp: it is a list of the WHO's International Clinical Trials Registry Platform.
    """

    header: Sequence[str]
    columns: dict[str, list[int]]
    unused: list[str]
    site: bool
    ictrp: bool = False

    def list_columns(self, target: str) -> str:
        """The columns of a target, for messages."""
        return ", ".join(f'"{self.header[place]}"' for place in self.columns.get(target, []))


def is_header(row: Sequence[str], mapping: Mapping) -> bool:
    """Whether a row holds names of columns for an id and a title."""
    names = {squash(name) for name in row}
    found = {_TARGET_OF[name] for name in names if name in _TARGET_OF}
    found |= {target for target, columns in mapping.columns.items() if names & set(map(squash, columns))}
    found |= {"title"} if "official_title" in found else set()
    return {"id", "title"} <= found | set(mapping.constants)


def plan(header: Sequence[str], mapping: Mapping, path: Path) -> Plan:
    """Match the header of a file with what is known and what the user said.

    :raises SourceError: a column that was named is missing or there twice, or there is none for ``id`` or ``title``.
    """
    names = [squash(name) for name in header]
    site = "nctnumber" in names and ("studytitle" in names or "title" in names)
    ictrp = {"trialid", "publictitle", "recruitmentstatus"} <= set(names)
    found = {target: [place] for target, place in _by_name(names).items() if target not in mapping.constants}
    for target, columns in mapping.columns.items():
        found[target] = [_place(header, names, column, path) for column in columns]
    if not found.get("title") and found.get("official_title") and "title" not in mapping.columns:
        found["title"] = found.pop("official_title")
    missing = [target for target in ("id", "title") if not found.get(target) and target not in mapping.constants]
    if missing or "id" in mapping.constants:
        examples = " ".join(f"--map {_example(target, header)}" for target in missing or ["id"])
        raise SourceError(
            f"{path}: no column is known to hold the trial's {' and '.join(missing or ['id'])}. Its columns: "
            f"{_list_names(header)}.",
            hint=f"Say which it is, for example: {examples}",
        )
    used = {place for places in found.values() for place in places}
    unused = [
        name
        for place, name in enumerate(header)
        if name and place not in used and not (site and names[place] in SITE_UNUSED)
    ]
    return Plan(header, {target: places for target, places in found.items() if places}, unused, site, ictrp)


def _by_name(names: Sequence[str]) -> dict[str, int]:
    """The column of each target that a name is known for; a target's own name first, then in the order of the names."""
    found: dict[str, int] = {}
    for target in TARGETS:
        known = [squash(target), *(squash(name) for name in KNOWN_COLUMNS.get(target, "").split(";") if name)]
        place = next((names.index(name) for name in known if name in names and _TARGET_OF[name] == target), None)
        if place is not None:
            found[target] = place
    return found


def _place(header: Sequence[str], names: Sequence[str], column: str, path: Path) -> int:
    places = [n for n, name in enumerate(header) if name == column] or [
        n for n, name in enumerate(names) if name == squash(column)
    ]
    if not places:
        raise SourceError(f'{path} has no column "{column}". {nearest(column, map(quote_input, filter(None, header)))}')
    if len(places) > 1:
        raise SourceError(
            f'{path} has {len(places)} columns "{column}".', hint="Give one of them another name in the file."
        )
    return places[0]


_LIKELY = {
    "id": ("id", "identifier", "registration", "number", "no", "nr", "nct"),
    "title": ("title", "name", "study", "trial"),
}


def _list_names(header: Sequence[str], most: int = 30) -> str:
    names = [quote_input(name) for name in header[:most] if name]
    return f"{', '.join(names)}{f' and {len(header) - most} more' if len(header) > most else ''}"


def _words(name: str) -> list[str]:
    return re.split(r"[\W_]+", name.casefold())


def _example(target: str, header: Sequence[str]) -> str:
    """``FIELD=COLUMN`` with the column that is most likely meant, quoted for a shell."""
    likely = [name for word in _LIKELY[target] for name in header if len(name) < 60 and word in _words(name)]
    return shlex.quote(f"{target}={likely[0] if likely else 'COLUMN'}")
