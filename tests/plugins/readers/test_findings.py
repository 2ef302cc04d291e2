"""The tables of findings: their form, which says nothing of whether they are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trialindex_readers.findings import read_rows

NAMES = {row[0]: row for row in read_rows("findings-names.tsv")}
ILLNESSES = read_rows("findings.tsv")


def _listed(cell: str) -> list[str]:
    return [one for one in cell.split("|") if one]


def _repeated(names: Iterator[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def test_there_are_as_many_as_the_documents_say() -> None:
    named = [row for row in NAMES.values() if row[2] or row[3]]
    assert len(ILLNESSES) >= 1200
    assert len(NAMES) >= 7000
    assert len(named) >= 3000


def test_nothing_is_listed_twice() -> None:
    assert not _repeated(row[0].casefold() for row in ILLNESSES)
    assert not _repeated(row[0].casefold() for row in read_rows("findings-names.tsv"))
    for row in ILLNESSES:
        assert not _repeated(one for cell in row[5:8] for one in _listed(cell)), row[0]


def test_each_illness_has_findings_that_have_names() -> None:
    for name, prevalence, sex, age_from, age_to, *levels, field in ILLNESSES:
        findings = [one for cell in levels for one in _listed(cell)]
        assert findings, name
        assert set(findings) <= NAMES.keys(), name
        assert prevalence in {"1", "2", "3"}, name
        assert sex in {"", "female", "male", "more female", "more male"}, name
        assert 0 <= float(age_from) <= float(age_to) <= 120, name
        assert field, name


def test_compound_findings_have_parts_that_are_findings() -> None:
    for row in NAMES.values():
        parts = [one for one in _listed(row[4]) if not one.startswith("@age ")]
        assert set(parts) <= NAMES.keys(), row[0]
        assert row[0] not in parts


def test_each_number_reads_as_a_finding() -> None:
    for measure, names, _, compare, threshold, sex, age_from, age_to, finding in read_rows("numbers.tsv"):
        assert _listed(names), measure
        assert compare in {"<", "<=", ">", ">="}, measure
        assert sex in {"", "female", "male"}, measure
        assert 0 <= float(age_from) < float(age_to), measure
        assert float(threshold) == float(threshold)
        assert finding in NAMES, measure


def test_other_names_that_count_as_right_are_of_illnesses_of_the_table() -> None:
    known = {row[0] for row in ILLNESSES}
    _, *lines = (
        (Path(__file__).parents[3] / "benchmarks/findings/other-names.tsv").read_text(encoding="utf-8").splitlines()
    )
    assert len(lines) > 100
    for illness, _, names in (line.partition("\t") for line in lines):
        assert illness in known
        assert _listed(names), illness
