"""AACT's export as trials: the tables joined, as AACT writes them, on made-up studies and on every real one."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.aact_export import COLUMNS, export, written
from support.command import run_command
from support.csv_cases import Run
from support.ctgov_server import study
from support.paths import SHARED
from trialindex.changes import differences
from trialindex.errors import SourceError
from trialindex.ingest.combine import combine, stated_fields
from trialindex.plugin.interfaces import IngestContext
from trialindex.testing import check_source
from trialindex.trial import Site, Term, Trial
from trialindex.trial.prepare import prepare
from trialindex_csv import aact
from trialindex_csv.aact import AactSource
from trialindex_ctgov.parse import parse_study, study_id

DATA = SHARED / "ctgov-v2" / "studies.jsonl.gz"


def read(path: Path, state: dict[str, Any] | None = None) -> Run:
    run = Run()
    context = IngestContext(
        state=state or {},
        on_reject=lambda where, why: run.rejected.append((where, why)),
        on_drop=lambda where, why: run.dropped.append((where, why)),
        on_note=run.notes.append,
        on_progress=lambda done, total: run.progress.append((done, total)),
    )
    run.trials.extend(map(prepare, AactSource(str(path)).trials(context)))
    return run


def full(number: int) -> dict[str, Any]:
    """A made-up study with something in every table."""
    record = study(
        number,
        armsInterventionsModule={
            "armGroups": [
                {"label": "A", "type": "EXPERIMENTAL", "interventionNames": ["Drug: One", "Drug: Two"]},
                {"label": "B", "type": "PLACEBO_COMPARATOR"},
            ],
            "interventions": [
                {"type": "DRUG", "name": "One", "otherNames": ["Uno", "1|2"], "armGroupLabels": ["A"]},
                {"type": "DRUG", "name": "Two", "description": "A\n\n* b", "armGroupLabels": ["A"]},
            ],
        },
        outcomesModule={"primaryOutcomes": [{"measure": "Pain (0~10)", "timeFrame": "~2 weeks"}]},
        sponsorCollaboratorsModule={
            "leadSponsor": {"name": "A university", "class": "OTHER"},
            "collaborators": [{"name": "A company", "class": "INDUSTRY"}],
        },
        referencesModule={
            "references": [{"pmid": "1", "type": "RESULT", "citation": "We did it."}],
            "seeAlsoLinks": [{"label": "In plain words", "url": "https://example.org/1"}],
        },
    )
    record["derivedSection"]["interventionBrowseModule"] = {"meshes": [{"id": "D1", "term": "Onium"}]}
    return record


def test_the_tables_of_a_study_become_a_trial(tmp_path: Path) -> None:
    path = export(tmp_path / "x.zip", [full(2), full(1)])
    first, second = check_source(AactSource(str(path)))
    assert (first.id, second.id) == ("NCT00000001", "NCT00000002")
    trial = prepare(first)
    assert (trial.title, trial.status, trial.phases) == ("Made-up study number 1", "RECRUITING", ("PHASE2",))
    assert (trial.inclusion, trial.exclusion) == (("Lives with it",), ("Pregnancy",))
    assert trial.summary == "We compare two ways of care, plan 1, in adults >= 18 years."
    assert trial.sites == (Site(name="A hospital", city="Lyon", country="France"),)
    assert [arm.interventions for arm in trial.arms] == [("One", "Two"), ()]
    assert [one.other_names for one in trial.interventions] == [("Uno", "1|2"), ()]
    assert trial.outcomes[0].measure == "Pain (0~10)"
    assert trial.normalized_interventions == (Term(name="Onium"),)
    assert (trial.sponsor, trial.sponsor_class, trial.collaborators) == ("A university", "OTHER", ("A company",))
    assert trial.start_date
    assert trial.start_date.date == "2025-11"
    assert trial.raw
    assert trial.raw["sponsors"][1]["agency_class"] == "INDUSTRY"


@pytest.mark.parametrize(
    ("written_so", "meant"),
    [
        ("One line.~Another.", "One line.\nAnother."),
        ("Criteria:~* a~* b~1. c", "Criteria:\n* a\n* b\n1. c"),
        ("About \\~70 mg (~5 %) or ~8 h", "About ~70 mg (~5 %) or ~8 h"),
        ("Ends \\~* in a break", "Ends \n* in a break"),
    ],
)
def test_ends_of_lines_that_aact_wrote_as_tildes(tmp_path: Path, written_so: str, meant: str) -> None:
    tables = {"studies": [{"nct_id": "NCT1", "brief_title": "A~B"}]}
    tables["brief_summaries"] = [{"nct_id": "NCT1", "description": written_so}]
    [trial] = read(folder(tmp_path, tables)).trials
    assert trial.summary
    assert " ".join(trial.summary.replace("\\", "").split(" ")) == meant
    assert trial.title == "A~B"


def folder(path: Path, tables: dict[str, list[dict[str, Any]]], columns: dict[str, str] = COLUMNS) -> Path:
    for name, rows in tables.items():
        (path / f"{name}.txt").write_text(written(columns[name].split(), rows), encoding="utf-8")
    return path


def test_a_table_that_is_not_there_costs_what_it_holds_and_is_said(tmp_path: Path) -> None:
    run = read(export(tmp_path / "x.zip", [full(1)], without=["facilities", "eligibilities", "keywords"]))
    [trial] = run.trials
    assert (trial.sites, trial.eligibility, trial.sex) == ((Site(country="France"),), None, None)
    assert trial.conditions == ("Lupus Nephritis",)
    [note] = run.notes
    assert note == (
        "not in x.zip: keywords (keywords), eligibilities (criteria, ages and sex), facilities (sites). "
        "These fields stay as they are."
    )


def test_no_study_is_lost_for_one_cell(tmp_path: Path) -> None:
    studies = "nct_id|brief_title|overall_status|phase|enrollment|start_month_year\n"
    studies += 'NCT00000001|"Calm" at night|SLEEPING|PHASE9|many|when|ever\n'  # a cell too many
    studies += 'NCT00000002|"Calm" at night|SLEEPING|PHASE9|many|when\n'
    studies += 'NCT00000003|A "lone quote|RECRUITING|PHASE2|5|2024-05\n'
    studies += "nct00000004 |Five \xe9toiles|RECRUITING|\n"
    studies += "|Nobody's|RECRUITING|||\nNCT00000005||RECRUITING|||\n"
    (tmp_path / "studies.txt").write_bytes(studies.encode("latin-1"))
    (tmp_path / "conditions.txt").write_text(
        'id|nct_id|name|downcase_name\n9|NCT00000003|"An\nillness"|x\n8|NCT00000003|Another|x\n7|NCT7|Gout|gout\n'
    )
    run = read(tmp_path)
    assert [(t.id, t.title) for t in run.trials] == [
        ("NCT00000002", '"Calm" at night'),
        ("NCT00000003", 'A "lone quote'),
        ("NCT00000004", "Five \ufffdtoiles"),
    ]
    assert run.notes[0] == "studies is not UTF-8 throughout: letters that cannot be read are shown as \ufffd."
    assert run.trials[1].conditions == ("Another", "An\nillness")
    assert [where for where, _ in run.dropped] == ["studies, line 5"] + ["NCT00000002"] * 4
    assert dict(run.rejected) == {
        "studies, line 2": "a quoted cell is not closed, or holds a double quote not written twice",
        "studies, line 6": "it names no study",
        "NCT00000005": "title: missing",
        "NCT7": "1 row of it, and none in studies",
    }


def test_older_exports_with_the_words_of_the_old_site(tmp_path: Path) -> None:
    columns = COLUMNS | {"id_information": "id nct_id id_type id_value"}
    tables = {
        "studies": [
            {"nct_id": "NCT1", "brief_title": "T", "overall_status": "Active, not recruiting",
             "phase": "Phase 1/Phase 2",
             "study_type": "Interventional", "start_month_year": "May 2019", "start_date": "2019-05-31",
             "enrollment_type": "Anticipated", "enrollment": "99999999"}
        ],
        "designs": [
            {"nct_id": "NCT1", "allocation": "Randomized", "intervention_model": "Parallel Assignment",
             "masking": "Double (Participant, Investigator)", "subject_masked": "t"}
        ],
        "eligibilities": [
            {"nct_id": "NCT1", "gender": "All", "minimum_age": "18 Years", "maximum_age": "N/A",
             "healthy_volunteers": "Accepts Healthy Volunteers"}
        ],
        "design_groups": [{"nct_id": "NCT1", "group_type": "Active Comparator", "title": "A"}],
        "design_outcomes": [{"nct_id": "NCT1", "outcome_type": "other_pre_specified", "measure": "M"}],
        "browse_conditions": [{"nct_id": "NCT1", "mesh_term": "Gout"}],
        "id_information": [
            {"nct_id": "NCT1", "id_type": "secondary_id", "id_value": "S-1"},
            {"nct_id": "NCT1", "id_type": "org_study_id", "id_value": "O-1"},
        ],
        "sponsors": [{"nct_id": "NCT1", "agency_class": "U.S. Fed", "lead_or_collaborator": "lead", "name": "VA"}],
    }  # fmt: skip
    columns["browse_conditions"] = "id nct_id mesh_term downcase_mesh_term"
    run = read(folder(tmp_path, tables, columns))
    [trial] = run.trials
    assert (run.rejected, run.dropped) == ([], [])
    assert (trial.status, trial.phases, trial.study_type) == (
        "ACTIVE_NOT_RECRUITING",
        ("PHASE1", "PHASE2"),
        "INTERVENTIONAL",
    )
    assert (trial.allocation, trial.intervention_model, trial.masking) == ("RANDOMIZED", "PARALLEL", "DOUBLE")
    assert (trial.who_masked, trial.sex, trial.minimum_age, trial.maximum_age) == (("PARTICIPANT",), "ALL", 18, None)
    assert (trial.healthy_volunteers, trial.enrollment, trial.enrollment_type) == (True, None, "ESTIMATED")
    assert trial.start_date
    assert (trial.start_date.date, trial.arms[0].type, trial.outcomes[0].kind) == (
        "2019-05",
        "ACTIVE_COMPARATOR",
        "other",
    )
    assert (trial.other_ids, trial.sponsor_class) == (("O-1", "S-1"), "FED")
    assert [term.name for term in trial.normalized_conditions] == ["Gout"]


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aact, "_CHECKPOINT", 2)
    path = export(tmp_path / "x.zip", [study(n) for n in range(1, 8)])
    context = IngestContext()
    begun = [trial.id for trial in islice(AactSource(str(path)).trials(context), 6)]
    assert context.pending_state
    run = read(path, context.pending_state)
    assert begun[:4] + run.ids == [f"NCT0000000{n}" for n in range(1, 8)]
    assert run.progress == [(1, 3), (2, 3), (3, 3)]
    assert "going on after NCT00000004." in run.notes
    export(path, [study(n) for n in range(1, 9)])  # another day's export
    assert len(read(path, context.pending_state).ids) == 8


def test_what_is_no_export_is_refused_in_one_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("other.txt", "a|b\n")
    with pytest.raises(SourceError, match=r"there is no studies\.txt in it"):
        read(tmp_path / "x.zip")
    (tmp_path / "x.txt").write_text("a|b\n")
    with pytest.raises(SourceError, match="is no zip and no folder"):
        read(tmp_path / "x.txt")
    (tmp_path / "studies.txt").write_text("a|b\n")
    with pytest.raises(SourceError, match="studies has no column nct_id"):
        read(tmp_path)
    whole = export(tmp_path / "y.zip", [study(n) for n in range(50)]).read_bytes()
    (tmp_path / "y.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="cut off or damaged"):
        read(tmp_path / "y.zip")


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export(tmp_path / "20260101_export.zip", [full(1), full(2)])
    index = str(tmp_path / "ix")
    code, _, err = run_command(capsys, "ingest", f"aact:{tmp_path / '20260101_export.zip'}", "--index", index)
    assert code == 0, err
    code, out, _ = run_command(capsys, "query", "lives with it", "--index", index, "--mode", "lexical", "-f", "json")
    assert {hit["trial"]["id"] for hit in json.loads(out)["hits"]} == {"NCT00000001", "NCT00000002"}


# --- every real study -----------------------------------------------------------------------------------------------

NOT_IN_AACT = {"as_of", "source", "raw"}
LOSSLESS = {
    *("title", "official_title", "eligibility", "inclusion", "exclusion", "other_criteria", "summary", "description"),
    *("keywords", "references", "links", "interventions", "arms", "outcomes", "sponsor", "organization", "officials"),
    *("study_population", "gender_description", "conditions", "collaborators", "sites", "why_stopped"),
}
"""Fields of text: AACT drops double quotes, and one blank or empty line where a line ends."""


def bare(value: Any) -> Any:
    """The value without what AACT does not hold: ids of terms and places on the map."""
    if isinstance(value, Term):
        return value.name
    if isinstance(value, Site):
        return msgspec.structs.replace(value, latitude=None, longitude=None)
    return tuple(map(bare, value)) if isinstance(value, tuple) else value


def letters(value: Any) -> Any:
    if isinstance(value, str):
        return "".join(letter for letter in value if letter not in '"~' and not letter.isspace())
    if isinstance(value, msgspec.Struct):
        return tuple(letters(getattr(value, name)) for name in value.__struct_fields__)
    return tuple(map(letters, value)) if isinstance(value, tuple) else value


def differing(studies: list[dict[str, Any]], run: Run, *, plain: bool) -> Counter[str]:
    """How many studies differ, by field, from what ``ctgov-file`` reads of the same studies."""
    assert (run.rejected, run.dropped, run.notes) == ([], [], [])
    assert run.progress[-1] == (len(studies), len(studies))
    found: Counter[str] = Counter()
    read_so: dict[str, Trial] = {trial.id: trial for trial in run.trials}
    for record in studies:
        theirs = prepare(parse_study(record, "ctgov"))
        ours = read_so[theirs.id]
        for name in set(Trial.__struct_fields__) - NOT_IN_AACT:
            one, other = bare(getattr(theirs, name)), bare(getattr(ours, name))
            if not plain and name in LOSSLESS:
                one, other = letters(one), letters(other)
            found[name] += one != other
    return +found


@pytest.mark.skipif(not DATA.exists(), reason="the shared data are not here")
@pytest.mark.parametrize("plain", [True, False], ids=["as the database has them", "as AACT writes them"])
def test_every_real_study_is_read_as_its_own_record_is(tmp_path: Path, plain: bool) -> None:
    with gzip.open(DATA) as lines:
        studies = [json.loads(line) for line in lines]
    run = read(export(tmp_path / "x.zip", studies, plain=plain))
    assert len(run.trials) == len(studies) == 971
    found = differing(studies, run, plain=plain)
    for record in studies:  # after the registry's own record it takes nothing away and is no news
        full, ours = (
            prepare(parse_study(record, "ctgov")),
            next(one for one in run.trials if one.id == study_id(record)),
        )
        assert differences(full, combine(full, ours, stated_fields(ours), partial=False)) == ()
    # Of six studies the arms and the interventions name each other differently; AACT holds one of the two.
    assert found.pop("arms") <= 6
    # Where AACT took an empty line away, a paragraph may join the criterion above it: measured, in eight studies.
    criteria = [found.pop(name, 0) for name in ("inclusion", "exclusion", "other_criteria")]
    assert sum(criteria) <= (0 if plain else 11)
    assert found == {}
