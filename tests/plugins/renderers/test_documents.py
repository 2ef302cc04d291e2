"""``json``, ``jsonl`` and ``csv``: what programs and spreadsheets read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from support.renderer_cases import (
    ANSWER,
    FULL,
    REPOSITORY,
    SEEN,
    TEXTS,
    WIDE,
    answer,
    draw,
    draw_all,
    filled,
    filled_answer,
    filled_card,
    renderer,
    sweep,
)
from trialindex.plugin.interfaces import Renderer
from trialindex.trial import Trial, from_mapping, to_mapping
from trialindex_renderers.schema import files, schemas
from trialindex_renderers.spreadsheet import HIT_COLUMNS, PAGE_COLUMNS, TRIAL_COLUMNS, UNDERSTOOD

# --- json and jsonl -------------------------------------------------------------------------------------------------


def documents(one: Renderer, **given: Any) -> dict[str, list[Any]]:
    """What a JSON renderer writes, parsed, by the name of its schema."""
    found: dict[str, list[Any]] = {}
    for text in draw_all(one, **given):
        for part in text.splitlines() if one.name == "jsonl" else [text]:
            document = json.loads(part)
            found.setdefault(document["schema"], []).append(document)
    return found


@pytest.mark.parametrize("contacts", [False, True])
@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_json_follows_its_schema(name: str, contacts: bool) -> None:
    by_title = {schema["title"]: Draft202012Validator(schema) for schema in schemas().values()}
    found = documents(renderer(name, contacts=contacts))
    assert (
        set(found)
        == {
            "json": {"trialindex.results/1", "trialindex.trial/1", "trialindex.trials/1"},
            "jsonl": {"trialindex.hit/1", "trialindex.trial/1"},
        }[name]
    )
    for title, several in found.items():
        for document in several:
            by_title[title].validate(document)
            assert set(document) <= set(by_title[title].schema["properties"])


def test_the_schemas_reject_what_is_wrong() -> None:
    validator = Draft202012Validator(schemas()["results-v1.json"])
    document = json.loads("".join(renderer("json").results(ANSWER)))
    assert validator.is_valid(document)
    assert not validator.is_valid({**document, "schema": "trialindex.results/2"})
    assert not validator.is_valid({key: value for key, value in document.items() if key != "hits"})
    document["hits"][0]["trial"]["status"] = "recruiting"
    assert not validator.is_valid(document)


@pytest.mark.parametrize("name", schemas())
def test_the_schemas_in_the_documentation_are_current(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[name])
    stored = (REPOSITORY / "docs" / "schema" / name).read_text(encoding="utf-8")
    assert stored == files()[name], "run: python -m trialindex_renderers.schema docs/schema"


def test_every_field_of_the_schemas_is_documented() -> None:
    page = (REPOSITORY / "docs" / "json-schema.md").read_text(encoding="utf-8")
    assert schemas()
    for schema in schemas().values():
        parts = [schema, *schema["$defs"].values()]
        missing = {name for part in parts for name in part["properties"] if f"`{name}`" not in page}
        assert missing == set()


def test_a_trial_comes_back_from_json_as_it_was() -> None:
    document = json.loads(draw(renderer("json"), FULL))
    assert from_mapping(document["trial"]) == FULL.masked()
    assert document["seen"] == SEEN
    document = json.loads(draw(renderer("json", contacts=True), FULL))
    assert from_mapping(document["trial"]) == FULL


@pytest.mark.parametrize("name", ["json", "jsonl"])
@given(text=TEXTS)
@sweep
def test_json_holds_any_text_unchanged(name: str, text: str) -> None:
    trial = filled(text)
    card = filled_card(text)
    found = documents(renderer(name, contacts=True), results=filled_answer(text), trials=(card,))
    document = found["trialindex.trial/1"][0]
    assert document["trial"] == json.loads(json.dumps(to_mapping(trial)))
    assert document["plain"] == json.loads(json.dumps(msgspec.to_builtins(card.plain)))


def test_jsonl_has_a_line_for_each_hit_and_no_header() -> None:
    lines = "".join(renderer("jsonl").results(ANSWER)).splitlines()
    assert [json.loads(line)["rank"] for line in lines] == [1, 2, 3]
    assert "".join(renderer("jsonl").results(answer())) == ""


# --- csv ------------------------------------------------------------------------------------------------------------


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_columns_and_values() -> None:
    first, second, third = rows("".join(renderer("csv").results(ANSWER)))
    assert list(first) == [*HIT_COLUMNS, UNDERSTOOD, *TRIAL_COLUMNS]
    assert (first["rank"], first["id"], first["status"], first["phases"]) == (
        "1",
        "NCT06676631",
        "RECRUITING",
        "PHASE1",
    )
    assert first["conditions"] == "Systemic Lupus Erythematosus; Lupus Nephritis"
    assert (first["minimum_age"], first["maximum_age"], first["sites"]) == ("18.0", "65.0", "1")
    assert (first["age_fit"], first["sex_fit"], first["distance_km"]) == ("fits", "", "12.3")
    assert (first["start_date"], first["has_results"]) == ("2026-01", "false")
    assert first["inclusion"].endswith("for example: - steroids - rituximab")
    assert second["title"] == WIDE.title
    assert third["status"] == third["conditions"] == ""


def test_every_csv_column_is_documented() -> None:
    page = (REPOSITORY / "docs" / "renderers.md").read_text(encoding="utf-8")
    columns = [*HIT_COLUMNS, UNDERSTOOD, *TRIAL_COLUMNS, *PAGE_COLUMNS, "contacts"]
    assert [name for name in columns if f"`{name}`" not in page] == []


def test_csv_lines_end_as_rfc_4180_says() -> None:
    text = "".join(renderer("csv").trials(iter([FULL, filled("a\nb")])))
    assert text.count("\r\n") == text.count("\n") == 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\x00=", "\u200b=", "＝"])
def test_csv_cells_that_look_like_formulas_are_text(start: str) -> None:
    (row,) = rows("".join(renderer("csv").trials(iter([Trial(id="A", title=f"{start}1+1")]))))
    assert row["title"][0] == "'"


@given(text=TEXTS)
@sweep
def test_csv_has_as_many_columns_in_every_row_and_no_formula(text: str) -> None:
    for drawn in draw_all(renderer("csv", contacts=True), filled_answer(text), (filled_card(text), FULL)):
        table = list(csv.reader(io.StringIO(drawn, newline=""), strict=True))
        assert len({len(row) for row in table}) == 1
        cells = [cell for row in table[1:] for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
