"""The WHO's full export of its ICTRP: a table of all registries' trials without the names of its columns.

The WHO tells the columns apart from it, in ``ICTRP_export_datafields.txt``; the day of the last update comes second.
Its cells are quoted twice, and what is not stated is ``NULL``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trialindex_csv.ids import ids_in_text
from trialindex_csv.table import Row, Table

_PERSON = ("Firstname", "Lastname", "Address", "Email", "Tel", "Affiliation")
COLUMNS = [
    *("TrialID", "last_update", "SecondaryIDs", "public_title", "Scientific_title", "url"),
    *(f"{kind}_Contact_{part}" for kind in ("Public", "Scientific") for part in _PERSON),
    *("study_type", "study_design", "phase", "Date_registration", "Date_enrollement", "Target_size"),
    *("Recruitment_status", "Primary_sponsor", "Secondary_sponsors", "Source_Support", "Countries", "Conditions"),
    *("Interventions", "Agemin", "Agemax", "Gender", "Inclusion_Criteria", "Exclusion_Criteria", "Primary_Outcome"),
    *("Secondary_Outcomes", "Bridging_flag", "Bridged_type", "Childs", "type_enrolment", "Retrospective_flag"),
    *("results_actual_enrollment", "results_url_link", "results_summary", "results_date_posted"),
    *("results_date_first_publication", "results_baseline_char", "results_participant_flow", "results_adverse_events"),
    *("results_outcome_measures", "results_url_protocol", "results_IPD_plan", "results_IPD_description"),
    *("results_date_completed", "results_yes_no", "Ethics_Status", "Ethics_Approval_Date", "Ethics_Contact_Name"),
    *("Ethics_Contact_Address", "Ethics_Contact_Phone", "Ethics_Contact_Email"),
]
"""The names of the columns, in their order."""


def is_full_export(first: Sequence[str]) -> bool:
    """Whether a row is one of the export: as wide, and an id of a registry in front."""
    return len(first) == len(COLUMNS) and bool(ids_in_text(first[0]))


class FullExport:
    """The export, with names for its columns.

    :param table: its rows, of which the first was taken for the names.
    """

    above = 0

    def __init__(self, table: Table) -> None:
        self._table = table
        self.path, self.encoding, self.guessed = table.path, table.encoding, table.guessed
        self.header = COLUMNS
        self.count = table.above + 1 + table.count

    def rows(self) -> Iterator[Row]:
        """The rows, from the first one on, their cells without the second pair of quotes."""
        for row in self._table.rows(start=0):
            yield row._replace(cells=list(map(_bare, row.cells)))


def _bare(cell: str) -> str:
    text = cell.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].strip()
    return "" if text == "NULL" else text
