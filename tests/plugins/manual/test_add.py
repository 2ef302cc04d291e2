"""``trialindex add``: a trial by options, by questions, in an editor, or from a file."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from trialindex.errors import SourceError, UnknownTrial
from trialindex.index import Index
from trialindex.ingest.run import Summary
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.updates import Change
from trialindex.testing import FakeEncoder
from trialindex.trial import STATUSES, Site, Trial, TrialDate
from trialindex_manual import command
from trialindex_manual.entry import QUESTIONS, from_answers, new_id, parse_entry, template


@dataclass
class FakeIndex:
    """An index that holds trials in memory: what the command needs of one."""

    folder: Path = Path("here")
    held: dict[str, Trial] = field(default_factory=dict)

    def get(self, trial_id: str) -> Trial:
        if trial_id not in self.held:
            raise UnknownTrial(f'no trial "{trial_id}".')
        return self.held[trial_id]

    def ingest(self, source: Source) -> Summary:
        summary = Summary(source.spec)
        for trial in source.trials(IngestContext()):
            summary.changes.append(Change(trial.id, "changed" if trial.id in self.held else "added"))
            self.held[trial.id] = trial
        return summary


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> FakeIndex:
    made = FakeIndex()

    @contextmanager
    def opened(index_path: str | None) -> Iterator[FakeIndex]:
        assert index_path in (None, "elsewhere")
        yield made

    monkeypatch.setattr(command, "open_for_writing", opened)
    return made


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(command.add, list(arguments), **options)


# --- options --------------------------------------------------------------------------------------------------------


def test_options_make_a_trial(index: FakeIndex) -> None:
    result = run(
        *("--title", "NK cells in lupus nephritis", "--id", "NCT06676631", "--condition", "Lupus nephritis"),
        *("--condition", "SLE; refractory", "--summary", "A small study.", "--status", "recruiting", "--phase", "1/2"),
        *("--sex", "all", "--min-age", "18", "--max-age", "65 years", "--country", "China", "--city", "Guangzhou"),
        *("--url", "https://clinicaltrials.gov/study/NCT06676631", "--intervention", "Biological: NK010"),
        *("--start-date", "June 2026", "--index", "elsewhere"),
    )
    assert (result.exit_code, result.stdout) == (0, "added NCT06676631 in the index at here.\n")
    trial = index.held["NCT06676631"]
    assert trial.conditions == ("Lupus nephritis", "SLE; refractory"), "an option is one item, whatever it holds"
    assert (trial.status, trial.phases, trial.sex) == ("RECRUITING", ("PHASE1", "PHASE2"), "ALL")
    assert (trial.minimum_age, trial.maximum_age, trial.source) == (18, 65, "manual")
    assert trial.sites == (Site(city="Guangzhou", country="China"),)
    assert trial.start_date == TrialDate(date="2026-06")
    assert (trial.interventions[0].type, trial.interventions[0].name) == ("BIOLOGICAL", "NK010")


def test_a_trial_without_an_id_gets_one(index: FakeIndex) -> None:
    assert run("--title", "Mine").exit_code == 0
    (trial_id,) = index.held
    assert re.fullmatch(r"LOCAL-\d{4}-[0-9a-f]{6}", trial_id)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--title", "T", "--status", "recruting"], "'--status': \"recruting\" is not a known status. Did you mean"),
        (["--title", "T", "--min-age", "eighteen"], "'--min-age': \"eighteen\" is not an age"),
        (["--title", "T", "--phase", "1", "--phase", "9"], "'--phase': \"9\" is not a known phase"),
        (["--title", "T", "--url", "javascript:x"], "'--url': \"javascript:x\" is not a web address"),
        (["--title", "T", "--start-date", "soon"], "'--start-date': \"soon\" is not a date"),
        (["--title", "T", "--min-age", "65", "--max-age", "18"], "65 years is above the maximum_age, 18 years"),
        (["--id", "X"], "a trial needs a --title"),
        (["--titel", "T"], "No such option"),
        (["x.yaml", "--title", "T"], "give a file, or a trial with options, not both"),
        (["x.yaml", "--edit"], "give a file, or a trial with options, not both"),
        ([], "there is nobody to ask: give a FILE, or at least --title"),
    ],
)
def test_bad_usage_exits_with_2_and_adds_nothing(index: FakeIndex, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not index.held


def test_help_shows_every_option() -> None:
    text = run("--help").stdout
    for question in QUESTIONS:
        assert question.option in text
    assert "trialindex add trials.yaml" in text


def test_an_id_that_is_there_is_refused_unless_replaced(index: FakeIndex) -> None:
    run("--title", "First", "--id", "A")
    again = run("--title", "Second", "--id", "A")
    assert isinstance(again.exception, SourceError)
    assert (
        str(again.exception) == "the index at here holds A already. Give --replace to put the new record in its place."
    )
    assert index.held["A"].title == "First"
    assert run("--title", "Second", "--id", "A", "--replace").stdout == "changed A in the index at here.\n"
    assert index.held["A"].title == "Second"


def test_what_the_index_does_not_take_is_said(index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "ingest", lambda source: Summary(source.spec, kept=[("A", "it holds a newer record")]))
    result = run("--title", "T", "--id", "A", "--replace")
    assert result.exit_code == 1
    assert "A was not added: it holds a newer record." in result.stderr


def test_it_goes_into_a_real_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Index.create(tmp_path / "index", encoder=FakeEncoder()) as made:
        monkeypatch.setattr(command, "open_for_writing", lambda path: nullcontext(made))
        assert run("--title", "Cooking classes in lupus", "--id", "A").stdout.startswith("added A in the index at ")
        assert made.get("A").title == "Cooking classes in lupus"
        assert isinstance(run("--title", "Other", "--id", "A").exception, SourceError)
        same = run("--title", "Cooking classes in lupus", "--id", "A", "--replace")
        assert same.stdout == "unchanged: 1; the index holds the same already.\n"
        assert [hit.trial.id for hit in made.query("lupus", mode="lexical").hits] == ["A"]


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_is_added_whole_or_not_at_all(index: FakeIndex, tmp_path: Path) -> None:
    path = tmp_path / "trials.yaml"
    path.write_text("- {id: A, title: T}\n- {id: B, title: U, sex: x}\n", encoding="utf-8")
    assert isinstance(run(str(path)).exception, SourceError)
    assert not index.held
    path.write_text("- {id: A, title: T}\n- {id: B, title: U}\n", encoding="utf-8")
    assert run(str(path)).exit_code == 0
    assert sorted(index.held) == ["A", "B"]
    path.write_text("- {id: B, title: U}\n- {id: C, title: U}\n", encoding="utf-8")
    assert "holds B already" in str(run(str(path)).exception)
    assert "C" not in index.held


# --- questions ------------------------------------------------------------------------------------------------------


def test_on_a_terminal_it_asks(index: FakeIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_on_terminal", lambda: True)
    answers = {question.field: "" for question in QUESTIONS}
    answers |= {"id": "A", "conditions": "Lupus; Nephritis", "status": "recruting\nrecruiting", "title": "\nMy trial"}
    answers |= {"phases": "1/2; nine\n2", "country": "Chile"}
    result = run(input="\n".join(answers[question.field] for question in QUESTIONS) + "\n")
    assert result.exit_code == 0, result.output
    trial = index.held["A"]
    assert (trial.title, trial.conditions, trial.status) == ("My trial", ("Lupus", "Nephritis"), "RECRUITING")
    assert (trial.phases, trial.countries) == (("PHASE2",), ("Chile",))
    assert "this one is needed" in result.stderr
    assert '"recruting" is not a known status. Did you mean "RECRUITING"?' in result.stderr
    assert '"nine" is not a known phase' in result.stderr
    assert result.stdout == "added A in the index at here.\n", "questions do not mix with the output"


def test_questions_have_what_is_needed_to_ask_them() -> None:
    assert [question.field for question in QUESTIONS if question.required] == ["title"]
    assert len({question.option for question in QUESTIONS}) == len(QUESTIONS)
    assert all(question.prompt and question.help.endswith((".", "?")) for question in QUESTIONS)


def test_answers_become_a_trial() -> None:
    trial = from_answers(
        {"title": "T", "conditions": "Lupus; Nephritis ;", "site": "Clinic", "country": "Peru", "sex": ""}
    )
    assert trial.conditions == ("Lupus", "Nephritis")
    assert trial.sites == (Site(name="Clinic", country="Peru"),)
    with pytest.raises(ValueError, match="title: missing"):
        from_answers({"id": "A"})


def test_the_id_depends_on_title_and_day_only() -> None:
    day = datetime.date(2026, 6, 27)
    assert new_id("NK cells", day) == new_id("  nk  Cells", day)
    assert re.fullmatch(r"LOCAL-2026-[0-9a-f]{6}", new_id("NK cells", day))
    assert new_id("NK cells", day) != new_id("NK cells", datetime.date(2026, 6, 28))
    assert new_id("NK cells", day) != new_id("T cells", day)


# --- the editor -----------------------------------------------------------------------------------------------------


def test_the_template_teaches_and_is_valid() -> None:
    text = template()
    for code in set(STATUSES) & {"RECRUITING", "NOT_YET_RECRUITING", "COMPLETED", "UNKNOWN"}:
        assert code.lower().replace("_", " ") in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    with pytest.raises(SourceError, match="your text:5: title: missing"):
        parse_entry(text, "your text")
    trial = parse_entry(re.sub(r"^title:$", "title: Mine", text, flags=re.MULTILINE), "your text")
    assert trial == from_answers({"title": "Mine"})


def test_the_examples_of_the_template_are_right() -> None:
    text = template({"title": "T"})
    for name in ("summary", "conditions", "interventions", "sites"):
        text = re.sub(rf"^{name}:$", "", text, flags=re.MULTILINE)
    shown = re.sub(r"^# (summary: \||conditions:$|interventions: \[|sites:$|  )", r"\1", text, flags=re.MULTILINE)
    trial = parse_entry(shown, "your text")
    assert trial.summary == "First line,\nsecond line."
    assert trial.conditions == ("Lupus nephritis", "Systemic lupus erythematosus")
    assert [intervention.type for intervention in trial.interventions] == ["DRUG", "BIOLOGICAL"]
    assert trial.sites == (Site(name="University Hospital", city="Lyon", country="France", status="RECRUITING"),)


def test_the_template_holds_what_was_answered_already() -> None:
    answers = {"title": 'A: "quoted" # not a comment', "conditions": ["x; y", "z"], "city": "Lyon", "summary": "a\nb"}
    assert parse_entry(template(answers), "x") == from_answers(answers)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "your text: there is no trial here"),
        ("# nothing\n", "your text: there is no trial here"),
        ("id: A\n", "your text:1: title: missing"),
        ("title: T\nphases: nine\n", 'your text:2: phases: "nine" is not a known phase'),
        ("title: T\n- x\n", "your text:2: not valid YAML"),
        ("- title: A\n- title: B\n", "your text holds 2 trials, where one was expected"),
    ],
)
def test_what_is_wrong_in_the_text_is_named(text: str, said: str) -> None:
    with pytest.raises(SourceError, match=re.escape(said)):
        parse_entry(text, "your text")


def editor(tmp_path: Path, *steps: str) -> str:
    """An editor that applies one step, code on ``text``, each time it is opened; ``""`` leaves without saving."""
    (tmp_path / "steps.txt").write_text(repr(list(steps)), encoding="utf-8")
    script = tmp_path / "editor.py"
    script.write_text(
        "import ast, os, pathlib, sys\n"
        f"left = pathlib.Path({str(tmp_path / 'steps.txt')!r})\n"
        "step, *rest = ast.literal_eval(left.read_text('utf-8'))\n"
        "left.write_text(repr(rest), 'utf-8')\n"
        "file = pathlib.Path(sys.argv[1]); text = file.read_text('utf-8')\n"
        "if step: file.write_text(eval(step), 'utf-8'); os.utime(file, (2_000_000_000, 2_000_000_000))\n",
        encoding="utf-8",
    )
    return f'"{sys.executable}" "{script}"'


def test_an_entry_is_written_in_the_editor(index: FakeIndex, tmp_path: Path) -> None:
    step = "text.replace('title:', 'title: Mine', 1).replace('\\nid:', '\\nid: A')"
    result = run("--edit", env={"EDITOR": editor(tmp_path, step), "VISUAL": ""})
    assert result.exit_code == 0, result.output
    assert index.held["A"].title == "Mine"


def test_what_is_wrong_can_be_mended_in_the_editor(
    index: FakeIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_on_terminal", lambda: True)
    steps = ("text.replace('\\nsex:', '\\nsex: x')", "text.replace('sex: x', 'sex: women')")
    result = run("--title", "T", "--edit", input="y\n", env={"EDITOR": editor(tmp_path, *steps), "VISUAL": ""})
    assert result.exit_code == 0, result.output
    assert '"x" is not a known sex' in result.stderr
    assert [trial.sex for trial in index.held.values()] == ["FEMALE"]


def test_leaving_the_editor_without_saving_adds_nothing(index: FakeIndex, tmp_path: Path) -> None:
    result = run("--edit", env={"EDITOR": editor(tmp_path, ""), "VISUAL": ""})
    assert str(result.exception) == "the text was not saved, so nothing is added."
    wrong = run("--edit", env={"EDITOR": editor(tmp_path, "'title: T\\nsex: x'"), "VISUAL": ""})
    assert 'your text:2: sex: "x" is not a known sex' in str(wrong.exception), "nobody is there to be asked"
    assert not index.held
