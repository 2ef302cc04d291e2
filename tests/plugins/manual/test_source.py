"""The ``manual`` source: files that people write, and what they are told when they mistype."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT
from support.timing import cost
from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext
from trialindex.testing import check_source
from trialindex.trial import (
    Arm,
    Contact,
    Intervention,
    Link,
    Outcome,
    Reference,
    Site,
    Term,
    Trial,
    TrialDate,
    to_mapping,
)
from trialindex.trial.from_values import read_trial
from trialindex_manual.files import LARGEST, parse
from trialindex_manual.source import ManualSource

SAMPLE = ROOT / "indexes" / "sample"

YAML = """\
# what a person would write
trials:
  - id: LOCAL-1
    title: Mycophenolate or cyclophosphamide
    conditions: Lupus nephritis
    normalized_conditions: [Lupus Nephritis]
    status: recruiting
    phases: phase 2/3
    sex: women
    minimum_age: 18
    maximum_age: 6 months
    study_type: Interventional
    healthy_volunteers: no
    start_date: 2024-05-17
    last_updated: 2024-05
    completion_date: {date: 2026, type: estimated}
    interventions:
      - "Drug: mycophenolate"
      - name: Cyclophosphamide
    sites:
      - city: Oslo
        country: NO
        postal_code: 0150
    summary: |
      First line,
      second line.
  - id: 007
    title: Second
"""


def read(path: Path) -> list[Trial]:
    return list(ManualSource(str(path)).trials(IngestContext()))


def refused(path: Path) -> list[str]:
    """The lines that are said of a file, with its folder left out."""
    with pytest.raises(SourceError) as error:
        read(path)
    return str(error.value).replace(f"{path.parent}{os.sep}", "").splitlines()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_file_as_a_person_writes_it(tmp_path: Path) -> None:
    text = YAML.replace("maximum_age: 6 months", "maximum_age: 65")
    first, second = read(write(tmp_path / "trials.yaml", text))
    assert (first.source, first.conditions, first.normalized_conditions) == (
        "manual",
        ("Lupus nephritis",),
        (Term(name="Lupus Nephritis"),),
    )
    assert (first.status, first.phases, first.sex, first.study_type) == (
        "RECRUITING",
        ("PHASE2", "PHASE3"),
        "FEMALE",
        "INTERVENTIONAL",
    )
    assert (first.minimum_age, first.maximum_age, first.healthy_volunteers) == (18, 65, False)
    assert first.start_date == TrialDate(date="2024-05-17")
    assert first.last_updated == TrialDate(date="2024-05")
    assert first.completion_date == TrialDate(date="2026", type="ESTIMATED")
    assert [(i.name, i.type) for i in first.interventions] == [("mycophenolate", "DRUG"), ("Cyclophosphamide", None)]
    assert first.sites == (Site(city="Oslo", country="NO", postal_code="0150"),), "text stays as it was written"
    assert first.summary == "First line,\nsecond line."
    assert second.id == "007"


def test_all_three_languages_and_forms_say_the_same(tmp_path: Path) -> None:
    expected = [read_trial({"id": "A", "title": "T", "phases": "1", "start_date": "2024-05-17", "source": "manual"})]
    one = {"id": "A", "title": "T", "phases": 1, "start_date": "2024-05-17"}
    assert read(write(tmp_path / "a.json", json.dumps(one))) == expected
    assert read(write(tmp_path / "b.json", json.dumps([one]))) == expected
    assert read(write(tmp_path / "c.json", json.dumps({"trials": [one]}))) == expected
    toml = 'id = "A"\ntitle = "T"\nphases = 1\nstart_date = 2024-05-17\n'
    assert read(write(tmp_path / "a.toml", toml)) == expected
    assert read(write(tmp_path / "b.toml", f"[[trials]]\n{toml}")) == expected
    yaml = "id: A\ntitle: T\nphases: 1\nstart_date: 2024-05-17\n"
    assert read(write(tmp_path / "a.yml", "\ufeff" + yaml)) == expected
    assert read(write(tmp_path / "b.yaml", f"---\n{yaml}---\n{yaml.replace('A', 'B')}"))[1].id == "B"


def test_a_folder_is_read_by_name_and_other_files_in_it_are_not(tmp_path: Path) -> None:
    for name, text in (
        ("b.yaml", "id: B\ntitle: T"),
        ("a.json", '{"id": "A", "title": "T"}'),
        ("README.md", "no trial"),
    ):
        write(tmp_path / name, text)
    write(tmp_path / ".hidden.yaml", "broken: [")
    (tmp_path / "deeper.yaml").mkdir()
    (tmp_path / "deeper.yaml").rmdir()
    assert [trial.id for trial in read(tmp_path)] == ["A", "B"]


def test_aliases_save_typing(tmp_path: Path) -> None:
    text = "- {id: A, title: T, exclusion: &usual [Pregnancy, Another trial]}\n- {id: B, title: T, exclusion: *usual}\n"
    first, second = read(write(tmp_path / "x.yaml", text))
    assert first.exclusion == second.exclusion == ("Pregnancy", "Another trial")


def test_the_plain_form_is_read_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(YAML.replace("6 months", "65"), encoding="utf-8")
    trials = read(tmp_path / "a.yaml")
    assert read(write(tmp_path / "b.json", json.dumps([to_mapping(trial) for trial in trials]))) == trials


def test_a_source_can_be_named_in_the_file(tmp_path: Path) -> None:
    assert read(write(tmp_path / "x.yaml", "id: A\ntitle: T\nsource: ctgov"))[0].source == "ctgov"


def test_progress_counts_the_trials(tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    context = IngestContext(on_progress=lambda done, total: seen.append((done, total)))
    path = write(tmp_path / "x.yaml", "- {id: A, title: T}\n- {id: B, title: T}\n")
    assert len(list(ManualSource(str(path)).trials(context))) == 2
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample is not here")
def test_the_bundled_sample_is_read_whole_and_fast() -> None:
    trials = read(SAMPLE)
    assert cost(lambda: read(SAMPLE), runs=1) < 150
    assert len(trials) >= 200
    assert len({trial.id for trial in trials}) == len(trials)
    assert all(trial.as_of for trial in trials)


# --- what is said of mistakes ---------------------------------------------------------------------------------------


def test_all_mistakes_are_shown_with_their_lines_and_nothing_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "trials.yaml",
        YAML.replace("status: recruiting", "status: recruting")
        .replace("    minimum_age: 18", "    minimum_age: eighteen")
        .replace("        country: NO", "        country: NO\n        latitude: 99")
        .replace("    title: Second", "    titel: Second"),
    )
    said = refused(path)
    assert [line.split(": ")[:2] for line in said] == [
        ["trials.yaml:7", "status"],
        ["trials.yaml:10", "minimum_age"],
        ["trials.yaml:23", "sites[1].latitude"],
        ["trials.yaml:29", "titel"],
        ["trials.yaml:28", "title"],
    ]
    assert 'Did you mean "RECRUITING"?' in said[0]
    assert said[1] == 'trials.yaml:10: minimum_age: "eighteen" is not an age; write it like "18 Years" or "6 Months"'
    assert 'Did you mean "title"?' in said[3]
    assert said[4] == "trials.yaml:28: title: missing"


def test_only_the_first_ten_mistakes_are_shown(tmp_path: Path) -> None:
    text = "".join(f"- {{id: A{n}, title: T, sex: x}}\n" for n in range(13))
    said = refused(write(tmp_path / "x.yaml", text))
    assert len(said) == 11
    assert said[-1] == "and 3 more problems."


def test_ages_that_cannot_be(tmp_path: Path) -> None:
    assert refused(write(tmp_path / "trials.yaml", YAML)) == [
        "trials.yaml:10: minimum_age: 18 years is above the maximum_age, 6 months"
    ]


def test_an_id_that_is_there_twice_names_both_places(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "- {id: A, title: T}\n- {id: B, title: T}\n- title: Again\n  id: A\n")
    write(tmp_path / "b.json", '[{"id": "C", "title": "T"},\n {"title": "T",\n  "id": "B"}]')
    with pytest.raises(SourceError) as error:
        read(tmp_path)
    assert str(error.value).replace(f"{tmp_path}{os.sep}", "").splitlines() == [
        "a.yaml:4: id: A is in a.yaml:1 already",
        "b.json: [2].id: B is in a.yaml:2 already",
    ]


def test_places_in_json(tmp_path: Path) -> None:
    text = """{"trials": [
  {"id": "A", "title": "a \\" {[,: b",
   "phases": [
     "1",
     "nine"
   ],
   "sites": [{},
     {"country": "x", "status":
 "ajar"}]},

  {"id": "B",
   "title": ""}
]}"""
    said = refused(write(tmp_path / "x.json", text))
    assert [line.split(": ")[:2] for line in said] == [
        ["x.json", "trials[1].phases[2] (A)"],
        ["x.json", "trials[1].sites[2].status (A)"],
        ["x.json", "trials[2].title (B)"],
    ]


def test_places_in_toml(tmp_path: Path) -> None:
    text = '''# title = 3
[[trials]]
id = "A"
title = """
minimum_age = "in a text"
[[trials]]
"""
minimum_age = "eighteen"
"maximum_age" = "old"

[[trials.sites]]
country = "x"
status = "ajar"

[[trials]]
  id = "B"
  phases = [
    "1",
    "nine",
  ]
  start_date = { date = "soon" }
  titel = "x"
'''
    said = refused(write(tmp_path / "x.toml", text))
    assert [line.split(": ")[:2] for line in said] == [
        ["x.toml", "trials[1].minimum_age (A)"],
        ["x.toml", "trials[1].maximum_age (A)"],
        ["x.toml", "trials[1].sites[1].status (A)"],
        ["x.toml", "trials[2].phases[2] (B)"],
        ["x.toml", "trials[2].start_date.date (B)"],
        ["x.toml", "trials[2].titel (B)"],
        ["x.toml", "trials[2].title (B)"],
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.yaml", "", "x.yaml: there is no trial here"),
        ("x.yaml", "# only a comment\n", "x.yaml: there is no trial here"),
        ("x.yaml", "trials:\n", "x.yaml:1: there is no trial here"),
        ("x.yaml", "just words", "x.yaml:1: there is no trial here"),
        ("x.yaml", "- words\n", "x.yaml:1: a trial was expected here, such as {id: …, title: …}"),
        ("x.yaml", "trials: [{id: A, title: T}]\nname: x\n", 'x.yaml:2: name: only "trials" can stand here'),
        (
            "x.yaml",
            "id: A\ntitle: T\ninclusion:\n - Age: 18\n",
            "x.yaml:4: inclusion[1]: a mapping where a text was expected",
        ),
        ("x.yaml", "id: A\ntitle: [T, U]\n", "x.yaml:2: title: a list where a text was expected"),
        ("x.yaml", "id: A\ntitle: 'open\n", "x.yaml:3: not valid YAML: found unexpected end of stream"),
        ("x.yaml", "id: A\n\ttitle: T\n", "x.yaml:2: not valid YAML: "),
        ("x.yaml", "id: A\ntitle: a\x07b\n", "x.yaml:2: not valid YAML: it holds a control character"),
        ("x.yaml", "id: A\nid: B\n", 'x.yaml:2: "id" is in line 1 already'),
        (
            "x.yaml",
            "id: A\ntitle: !!python/name:os.system T\n",
            "x.yaml:2: the tag !!python/name:os.system is not allowed here",
        ),
        ("x.yaml", "id: !custom A\n", "x.yaml:1: the tag !custom is not allowed here"),
        ("x.yaml", "id: &a [*a]\n", "x.yaml:1: *a is not known here, or holds itself"),
        ("x.yaml", "[1]: 2\n", "x.yaml:1: the name of a field must be a word"),
        ("x.yaml", "a: " + "[" * 100_000 + "]" * 100_000, "x.yaml:1: nested too deeply"),
        ("x.json", '{"id": "A",\n "title": }', "x.json:2: not valid JSON: Expecting value"),
        ("x.json", '{"id": "A", "id": "B"}', 'x.json: not valid JSON: "id" is twice in one object'),
        ("x.json", "[" * 100_000, "x.json: not valid JSON: nested too deeply"),
        ("x.json", "", "x.json:1: not valid JSON: Expecting value"),
        ("x.json", '{"id": "A", "title": "T", "minimum_age": NaN}', "x.json: minimum_age: "),
        ("x.json", '{"id": true, "title": null}', "x.json: id: true where a text was expected"),
        ("x.toml", 'id = "A"\ntitle = \n', "x.toml:2: not valid TOML: Invalid value"),
        ("x.toml", "a = " + "[" * 100_000, "x.toml: nested too deeply"),
        ("x.json", "[]", "x.json: there is no trial here"),
        ("x.json", '{"trials": [3]}', "x.json: trials[1]: a trial was expected here"),
        ("x.json", '[{"title": "T"}]', "x.json: [1].id: missing"),
        ("x.toml", "trials = []", "x.toml: trials: there is no trial here"),
        ("x.txt", "id: A\n", 'x.txt: files that end in ".txt" are not read. Endings: .yaml, .yml, .json, .toml.'),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, name: str, text: str, said: str) -> None:
    assert refused(write(tmp_path / name, text))[0].startswith(said)


def test_aliases_of_aliases_do_not_fill_the_memory(tmp_path: Path) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases (*name) make this too large" in refused(write(tmp_path / "x.yaml", "\n".join(lines)))[0]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"manual needs a file or a folder\. Type manual:FILE"):
        ManualSource("")
    assert refused(tmp_path / "missing.yaml") == ["missing.yaml cannot be read: No such file or directory."]
    with pytest.raises(SourceError, match="holds no file that ends in"):
        read(tmp_path)
    (tmp_path / "x.yaml").write_bytes("id: A\ntitle: Étude\n".encode("cp1252"))
    assert refused(tmp_path / "x.yaml") == ["x.yaml:2: the file is not UTF-8 text. Save it as UTF-8."]
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert "more than the 64 MiB" in refused(tmp_path / "large.json")[0]


def test_without_the_c_parser_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    fast = parse(YAML, "x", ".yaml")
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    slow = parse(YAML, "x", ".yaml")
    assert fast.value == slow.value
    assert fast.lines
    assert fast.lines == slow.lines


def test_importing_it_is_cheap() -> None:
    heavy = ("numpy", "rich", "yaml", "msgspec", "trialindex.index", "trialindex_manual.source")
    code = f"import sys, trialindex_manual, trialindex_manual.command; print([m for m in {heavy} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


# --- the documentation ----------------------------------------------------------------------------------------------

DOCS = ROOT / "docs" / "sources"


def shown_files(page: Path) -> dict[str, str]:
    """The files that a page shows, by the name it gives them."""
    found = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return dict(found)


def test_the_files_that_the_documentation_shows_are_read(tmp_path: Path) -> None:
    files = shown_files(DOCS / "manual.md")
    assert set(files) == {"trials.yaml", "trials.json", "trials.toml"}
    for name, text in files.items():
        write(tmp_path / name, text)
    assert [trial.id for trial in read(tmp_path)] == ["LOCAL-3", "LOCAL-4", "LOCAL-1", "LOCAL-2"]


def test_the_table_that_the_documentation_shows_is_read(tmp_path: Path) -> None:
    from trialindex_csv.source import CsvSource

    for name, text in shown_files(DOCS / "csv.md").items():
        write(tmp_path / name, text)
    source = CsvSource(str(tmp_path / "trials.csv"), mapping=str(tmp_path / "mapping.toml"))
    first, second = check_source(source)
    assert (first.conditions, first.maximum_age, second.countries) == (("Lupus", "Nephritis"), 65, ("France", "Italy"))


def test_every_field_is_documented() -> None:
    from trialindex_csv.columns import TARGETS

    documented = set(re.findall(r"`(\w+)`", (DOCS.parent / "trial-fields.md").read_text(encoding="utf-8")))
    assert set(Trial.__struct_fields__) <= documented
    parts = (Term, Arm, Intervention, Outcome, Site, Contact, Reference, Link, TrialDate)
    words = set(re.findall(r"\w+", (DOCS.parent / "trial-fields.md").read_text(encoding="utf-8")))
    assert {name for part in parts for name in part.__struct_fields__} <= words
    documented = set(re.findall(r"`(\w+)`", (DOCS / "csv.md").read_text(encoding="utf-8")))
    assert set(TARGETS) <= documented


def test_it_keeps_the_contract_of_sources(tmp_path: Path) -> None:
    assert (
        len(check_source(ManualSource(str(write(tmp_path / "x.yaml", "- {id: A, title: T}\n- {id: B, title: T}\n")))))
        == 2
    )
