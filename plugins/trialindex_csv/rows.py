"""A row of a table as a trial."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from trialindex.trial import Trial
from trialindex.trial.from_values import FieldError, Problem, read_trial
from trialindex.trial.parse_values import DateOrder, normalise_date
from trialindex.trial.repair import repair_text
from trialindex_csv import cells, columns
from trialindex_csv.ids import id_of_cell

LISTS = {
    *("other_ids", "conditions", "normalized_conditions", "keywords", "phases", "who_masked", "inclusion", "exclusion"),
    *("other_criteria", "references", "links", "expanded_access_types"),
    *("condition_ancestors", "normalized_interventions", "intervention_ancestors"),
    *("interventions", "collaborators", "primary_outcomes", "secondary_outcomes", "other_outcomes"),
    *("site", "city", "state", "country", "locations", "study_design"),
}
"""Targets that take several columns, and several items in a cell."""

DATES = {
    *("start_date", "primary_completion_date", "completion_date", "first_posted", "last_updated"),
    *("results_first_posted", "results_first_submitted", "results_first_submitted_qc", "results_delay_submitted"),
    *("results_delay_submitted_qc", "results_delay_posted", "first_seen", "as_of"),
}
_CODED = {
    *DATES,
    *("status", "last_known_status", "sex", "phases", "study_type", "enrollment", "minimum_age", "maximum_age", "ages"),
    *("healthy_volunteers", "has_results"),
}
"""Targets whose cells hold no prose."""

_NOTHING = {"-", "--", "n/a", "n.a.", "na", "nan", "none", "null", "0000-00-00"}
"""What programs write into a cell that is empty."""

_MEANT = {
    *("phases", "country", "study_design", "who_masked", "masking", "allocation", "intervention_model"),
    *("observational_model", "time_perspective", "primary_purpose", "sponsor_class"),
}
"""Targets for which one of these words is a value: phase N/A, masking none, Namibia."""

_UNKNOWN_ENROLLMENT = "99999999"
_SITE_URL = "https://clinicaltrials.gov/study/"
_PLACES = ("site", "city", "state", "country")
_OUTCOMES = {"primary_outcomes": "primary", "secondary_outcomes": "secondary", "other_outcomes": "other"}
_MADE_FROM: dict[str, tuple[str, ...]] = {
    "minimum_age": ("ages",),
    "maximum_age": ("ages",),
    "sites": ("locations", *_PLACES),
    "outcomes": tuple(_OUTCOMES),
}
"""Fields that come from targets of another name; those of the design come from ``study_design``."""


class RowReader:
    """Turns rows into trials.

    :param separator: between the items of a list in one cell.
    :param orders: how ``05/06/2024`` is meant, for each field where that is known.
    :param values: what the words of a field mean, by the word in small letters.
    """

    def __init__(
        self,
        plan: columns.Plan,
        constants: dict[str, str | list[str]],
        separator: str,
        orders: Mapping[str, DateOrder],
        source: str,
        values: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        self._plan = plan
        self._constants = constants
        self._separator = columns.SITE_SEPARATOR if plan.site else separator
        self._orders = orders
        self._values = values
        self._source = source

    def trial(self, row: Sequence[str], on_problem: Callable[[str], None]) -> Trial:
        """The trial of a row.

        :param on_problem: told of each cell that cannot be read, in words that name its column; its field stays empty.
        :raises ValueError: there is no id or no title.
        """
        problems: list[Problem] = []
        data = self._data(row, problems)
        try:
            trial = read_trial(data, problems.append)
        except FieldError as error:
            raise ValueError("; ".join(map(self._in_words, error.problems))) from None
        for why in dict.fromkeys(map(self._in_words, problems)):
            on_problem(why)
        return trial

    def _data(self, row: Sequence[str], problems: list[Problem]) -> dict[str, Any]:
        parts = self._parts(row)
        data: dict[str, Any] = {
            "source": self._source,
            "raw": {name: cell for name, cell in zip(self._plan.header, row, strict=True) if name and cell},
            "sites": [cells.location(text) for text in parts.pop("locations", ())],
            "outcomes": [
                {"measure": text, "kind": kind} for name, kind in _OUTCOMES.items() for text in parts.pop(name, ())
            ],
        }

        def take(target: str, convert: Callable[[Any], dict[str, Any]]) -> None:
            if value := parts.pop(target, None):
                try:
                    data.update(convert(value))
                except ValueError as error:
                    problems.append(Problem((target,), str(error)))

        take("study_design", cells.study_design)
        take("ages", cells.ages)
        take("has_results", lambda text: {"has_results": cells.has_results(text)})
        for date in DATES & parts.keys():
            take(date, lambda text, date=date: {date: _date(text, self._orders.get(date))})  # type: ignore[misc]
        columns_of_sites = {part: parts.pop(part) for part in _PLACES if part in parts}
        if "country" in columns_of_sites:
            columns_of_sites["country"] = [one for text in columns_of_sites["country"] for one in cells.countries(text)]
        data["sites"] += cells.sites(columns_of_sites)
        if len(counts := {len(items) for items in columns_of_sites.values()} - {1}) > 1:
            counted = " and ".join(map(str, sorted(counts)))
            problems.append(
                Problem(("sites",), f"the columns of the sites hold {counted} values, so only countries count")
            )
        data |= parts
        if "id" in data:
            data["id"] = id_of_cell(data["id"])
        if self._plan.ictrp:
            _complete_ictrp(data)
        _complete(data)
        return data

    def _parts(self, row: Sequence[str]) -> dict[str, Any]:
        """For each target what its cells hold: a text, or a list of texts. Empty ones are left out."""
        parts: dict[str, Any] = {}
        for target, value in self._constants.items():
            parts[target] = [value] if target in LISTS and not isinstance(value, list) else value
        for target, places in self._plan.columns.items():
            texts = [row[place].strip() for place in places]
            if target in _CODED:
                texts = [" ".join(repair_text(text).split()) for text in texts]
            if meanings := self._values.get(target):
                texts = [meanings.get(text.casefold(), text) for text in texts]
            if target not in _MEANT:
                texts = [text for text in texts if text.casefold() not in _NOTHING]
            if target in LISTS:
                items = (item.strip() for text in texts for item in text.split(self._separator))
                found: Any = list(dict.fromkeys(filter(None, items)))
            else:
                found = texts[0] if texts else ""
            if found:
                parts[target] = found
        return parts

    def _in_words(self, problem: Problem) -> str:
        field = str(problem.place[0]) if problem.place else ""
        targets = (field, *_MADE_FROM.get(field, ("study_design",)))
        named = next((name for name in map(self._plan.list_columns, targets) if name), field)
        way_out = ""
        if "can be read with the day or the month first" in problem.why:
            way_out = ", or say which with --date-order dmy or mdy"
        elif (
            field in _CODED
            and field not in DATES
            and (quoted := re.match(r'"([^"=]{1,40})" (?:is not|does not)', problem.why))
        ):
            way_out = f'. Say what it means with --map "{field}.{quoted[1]}=…"'
        return f"{named}: {problem.why.rstrip('.')}{way_out}"


def _date(text: str, order: DateOrder | None) -> str | None:
    """The date; some registries write the first day of 1900 where there is none."""
    date = normalise_date(text, order)
    return None if date == "1900-01-01" else date


def _complete_ictrp(data: dict[str, Any]) -> None:
    """What the WHO's lists put into one cell: both lists of criteria, and the sizes of the groups."""
    if data.get("maximum_age") == "0":  # ReBEC's way to say that there is no limit
        del data["maximum_age"]
    groups = re.findall(r":\s*(\d+)\s*(?:;|$)", str(data.get("enrollment", "")))
    if groups:
        data["enrollment"] = sum(map(int, groups))


def _complete(data: dict[str, Any]) -> None:
    """What is known of any row: a study's address, criteria in two cells, the size that nobody knows."""
    inclusion, exclusion = data.pop("inclusion_text", ""), data.pop("exclusion_text", "")
    if (inclusion or exclusion) and not data.get("eligibility"):
        parts = [("Inclusion", inclusion), ("Exclusion", exclusion)]
        texts = [
            text if f"{side} criteria".lower() in text.lower() else f"{side} Criteria:\n{text}"
            for side, text in parts
            if text
        ]
        data["eligibility"] = "\n\n".join(texts)
    if not data.get("title") and data.get("official_title"):
        data["title"] = data.pop("official_title")
    if re.fullmatch("NCT[0-9]{8}", data.get("id", "")):
        data.setdefault("url", _SITE_URL + data["id"])
    if data.get("enrollment") == _UNKNOWN_ENROLLMENT:
        del data["enrollment"]
