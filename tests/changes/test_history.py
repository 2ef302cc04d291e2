"""``history`` and ``diff``: the versions of a trial that an index has seen, and what lies between them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from support.helpers import ONE_STORE, ListSource, execute, trial
from trialindex.cli import cli
from trialindex.errors import IndexDamaged, QueryError, UnknownTrial
from trialindex.index import Index
from trialindex.trial import Contact, Site, Trial, TrialDate, encode

pytestmark = ONE_STORE

JANE = Contact(name="Jane Roe", phone="+1 555 0100", email="jane@example.org")
LYON = Site(city="Lyon", country="France", contacts=(JANE,))
DAYS = ("2026-01-05", "2026-02-05", "2026-03-05", "2026-04-05")

Keep = Callable[..., Index]
Run = Callable[..., Result]


@pytest.fixture
def keep(new_index: Index) -> Keep:
    """Bring in versions of a trial, one on each of :data:`DAYS`."""

    def call(*versions: Trial) -> Index:
        for version in versions:
            new_index.ingest(ListSource(version))
        execute(new_index, "UPDATE trials SET first_seen = ?, last_checked = ?", DAYS[0], DAYS[len(versions) - 1])
        for number, (at,) in enumerate(execute(new_index, "SELECT replaced_in FROM revisions ORDER BY replaced_in")):
            execute(new_index, "UPDATE revisions SET seen = ? WHERE replaced_in = ?", DAYS[number], at)
        return new_index

    return call


@pytest.fixture
def run(new_index: Index) -> Run:
    """Run a command on the index."""

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--index", str(new_index.folder)])

    return call


def versions() -> list[Trial]:
    """Four: the third brings noise only."""
    first = trial(status="RECRUITING", enrollment=18, inclusion=("Lupus", "Aged 18"), contacts=(JANE,))
    second = trial(status="RECRUITING", enrollment=30, inclusion=("Lupus", "Aged 18"), sites=(LYON,))
    third = trial(status="RECRUITING", enrollment=30, inclusion=("aged 18.", "Lupus"), sites=(LYON,))
    fourth = trial(status="COMPLETED", enrollment=30, inclusion=("Lupus", "Aged 18"), sites=(Site(city="Lyon"), LYON))
    return [first, second, third, fourth]


# --- the library ------------------------------------------------------------------------------------------------------


def test_the_history_holds_every_version_the_newest_last(keep: Keep) -> None:
    history = keep(*versions()).history("t-1")
    assert [(r.number, r.since, r.seen) for r in history] == [
        (1, "2026-01-05", "2026-01-05"),
        (2, "2026-01-05", "2026-02-05"),
        (3, "2026-02-05", "2026-03-05"),
        (4, "2026-03-05", "2026-04-05"),
    ]
    first, *generations = [r.generation or 0 for r in history]  # they rise with what is embedded too
    assert first == 0 < min(generations)
    assert generations == sorted(set(generations))
    assert [[d.words for d in r.differences] for r in history] == [
        [],
        ["site added: Lyon, France", "enrollment 18 → 30", "contacts changed"],
        [],
        ["recruiting → completed", "site added: Lyon"],
    ]
    assert [r.trial.status for r in history] == ["RECRUITING", "RECRUITING", "RECRUITING", "COMPLETED"]


def test_contacts_and_raw_records_are_masked_until_asked_for(keep: Keep) -> None:
    index = keep(*(version for version in versions()[:2]), trial(sites=(LYON,), raw={"phone": JANE.phone}))
    assert all(secret not in encode(index.history("T-1")).decode() for secret in ("Jane", "555", "example.org"))
    shown = index.history("T-1", contacts=True)
    assert [r.trial.has_contacts for r in shown] == [True, True, True]
    assert [r.trial.raw for r in shown] == [None, None, None]


def test_the_registrys_own_date_says_since_when_a_version_stood(keep: Keep) -> None:
    dates = ("2025-12-24", "2026-01", "2026-02-27")
    index = keep(*(trial(enrollment=n, last_updated=TrialDate(date=date)) for n, date in enumerate(dates)))
    assert [revision.since for revision in index.history("T-1")] == list(dates)


def test_a_trial_that_never_changed_has_one_version(keep: Keep) -> None:
    [only] = keep(trial()).history("T-1")
    assert (only.number, only.since, only.seen, only.generation, only.differences) == (1, DAYS[0], DAYS[0], 1, ())


def test_a_history_that_cannot_be_given(keep: Keep) -> None:
    index = keep(*versions())
    with pytest.raises(UnknownTrial, match=r'no trial "T-2" .* Did you mean "T-1"'):
        index.history("T-2")
    execute(index, "UPDATE revisions SET record = x'00'")
    with pytest.raises(IndexDamaged, match="trialindex check"):
        index.history("T-1")


# --- trialindex history -----------------------------------------------------------------------------------------------


def test_history_lists_what_each_version_changed(keep: Keep, run: Run) -> None:
    keep(*versions())
    result = run("history", "t-1")
    assert result.exit_code == 0
    assert result.output == (
        "T-1  Trial number 1\n\n"
        "Version 1, first seen on 5 January 2026; last seen on 5 January 2026\n"
        "Version 2, seen after 5 January 2026; last seen on 5 February 2026\n"
        "  - site added: Lyon, France\n"
        "  - enrollment 18 → 30\n"
        "  - contacts changed\n"
        "Version 3, seen after 5 February 2026; last seen on 5 March 2026\n"
        "  - nothing but a date, the order or the spelling\n"
        "Version 4, seen after 5 March 2026; last checked on 5 April 2026\n"
        "  - recruiting → completed\n"
        "  - site added: Lyon\n"
        "\nAll that changed last: trialindex diff T-1\n"
    )


def test_history_shortens_a_long_step_and_says_where_the_rest_is(keep: Keep, run: Run) -> None:
    other = trial(sponsor="A", acronym="B", summary="C", keywords=("D",), url="E", sex="ALL", enrollment=1)
    keep(trial(), other, trial())
    lines = run("history", "T-1").output.splitlines()
    assert [line for line in lines if " more: " in line] == [
        f"  - and 2 more: trialindex diff T-1 --to {number}" for number in (2, 3)
    ]


def test_history_says_when_another_source_delivers(keep: Keep, run: Run) -> None:
    index = keep(trial(), trial(enrollment=5))
    other = ListSource(trial(enrollment=6))
    other.name = "other"  # type: ignore[misc]
    index.ingest(other)
    assert "  - now from other, before from list\n  - enrollment 5 → 6\n" in run("history", "T-1").output


def test_history_of_one_version_says_so(keep: Keep, run: Run) -> None:
    keep(trial(last_updated=TrialDate(date="2025-12-24")))
    assert run("history", "T-1").output == (
        "T-1  Trial number 1\n\n"
        "Version 1, of 24 December 2025 at the registry; last checked on 5 January 2026\n"
        "No earlier version: the index has seen no change of it.\n"
    )


def test_history_for_programs(keep: Keep, run: Run) -> None:
    keep(*versions())
    data = json.loads(run("history", "T-1", "--json").output)
    assert (data["trial"], data["title"]) == ("T-1", "Trial number 1")
    assert data["versions"][3] == {
        "number": 4,
        "since": "2026-03-05",
        "seen": "2026-04-05",
        "generation": data["versions"][3]["generation"],
        "source": "list",
        "last_updated": None,
        "differences": [
            {"field": "status", "words": "recruiting → completed", "weight": 95, "before": "recruiting",
             "after": "completed"},
            {"field": "sites", "words": "site added: Lyon", "weight": 66, "before": None, "after": "Lyon"},
        ],
    }  # fmt: skip


# --- trialindex diff --------------------------------------------------------------------------------------------------


def test_diff_shows_the_last_change_that_is_more_than_noise(keep: Keep, run: Run) -> None:
    keep(*versions()[:3])
    assert run("diff", "T-1").output == (
        "T-1  Trial number 1\n\n"
        "Before: version 1, first seen on 5 January 2026; last seen on 5 January 2026\n"
        "After: version 3, seen after 5 February 2026; last checked on 5 March 2026\n\n"
        "- site added: Lyon, France\n"
        "- enrollment 18 → 30\n"
        "- contacts changed\n"
    )


def test_diff_shows_more_of_what_one_line_cannot_hold(keep: Keep, run: Run) -> None:
    keep(trial(summary="They drink tea."), trial(summary="They drink coffee.", sites=(Site(city="A"),) * 4))
    assert run("diff", "T-1").output.endswith(
        "- 4 sites added\n    after: A; A; A; A\n"
        "- summary changed\n    before: They drink tea.\n    after: They drink coffee.\n"
    )


@pytest.mark.parametrize(
    ("options", "pair"),
    [
        ([], (3, 4)),
        (["--from", "1"], (1, 4)),
        (["--from", "1", "--to", "2"], (1, 2)),
        (["--to", "3"], (1, 3)),
        (["--to", "1"], (1, 1)),
        (["--from", "2026-01-06", "--to", "2026-02-04"], (2, 2)),
        (["--from", "2026-02-06"], (3, 4)),
        (["--from", "6 Feb 2026", "--to", "2030-01-01"], (3, 4)),
    ],
)
def test_diff_finds_the_versions_that_are_meant(
    keep: Keep, run: Run, options: list[str], pair: tuple[int, int]
) -> None:
    keep(*versions())
    data = json.loads(run("diff", "T-1", *options, "--json").output)
    assert (data["from"]["number"], data["to"]["number"]) == pair
    assert set(data) == {"trial", "title", "from", "to", "differences"}


def test_diff_of_what_does_not_differ_says_so(keep: Keep, run: Run) -> None:
    keep(*versions())
    noise = "Nothing but a date, the order or the spelling changed.\n"
    assert run("diff", "T-1", "--from", "2", "--to", "3").output.endswith(noise)
    assert run("diff", "T-1", "--from", "2", "--to", "2").output.endswith("This is the same version.\n")


def test_diff_without_an_earlier_version_says_so(keep: Keep, run: Run) -> None:
    keep(trial())
    result = run("diff", "T-1")
    assert (result.exit_code, result.output) == (
        0,
        "T-1  Trial number 1\n\nNo earlier version: the index knows one only, first seen on 5 January 2026; "
        "last checked on 5 January 2026.\n",
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "5"], "--from: T-1 has no version 5; there are 1 to 4."),
        (["--to", "0"], "--to: T-1 has no version 0; there are 1 to 4."),
        (["--from", "soon"], '--from: "soon" is neither the number of a version nor a day such as 2026-01-31.'),
        (["--from", "2026-02"], '--from: "2026-02" is neither the number of a version nor a day'),
        (["--from", ""], '--from: "" is neither'),
        (["--from", "2025-12-31"], "--from: the oldest version of T-1 in the index is of 5 January 2026."),
        (["--from", "3", "--to", "2"], "--from means version 3, which is newer than version 2."),
    ],
)
def test_a_version_that_is_not_there_is_refused(keep: Keep, run: Run, options: list[str], message: str) -> None:
    keep(*versions())
    problem = run("diff", "T-1", *options).exception
    assert isinstance(problem, QueryError)
    assert message in str(problem)
    assert problem.hint


@pytest.mark.parametrize("command", ["history", "diff"])
def test_a_trial_that_is_not_there_is_refused_as_by_show(keep: Keep, run: Run, command: str) -> None:
    keep(trial())
    problem = run(command, "T-9").exception
    assert isinstance(problem, UnknownTrial)


@pytest.mark.parametrize("arguments", [["history"], ["history", "--json"], ["diff"], ["diff", "--json"]])
def test_no_contact_is_ever_shown(keep: Keep, run: Run, arguments: list[str]) -> None:
    other = Contact(name="Joan Doe", phone="+1 555 0199")
    both: dict[str, Any] = {
        "contacts": (other,),
        "officials": (JANE,),
        "sites": (Site(city="Lyon", contacts=(other,)),),
    }
    keep(trial(sites=(Site(city="Lyon", contacts=(JANE,)),), contacts=(JANE,)), trial(**both))
    result = run(arguments[0], "T-1", *arguments[1:])
    assert result.exit_code == 0
    assert "contacts changed" in result.output
    assert re.search("Jane|Joan|555|example", result.output) is None


def test_registry_text_cannot_steer_the_terminal(keep: Keep, run: Run) -> None:
    evil = "\x1b[2JA\u202e\r\x07"
    keep(trial(title=evil, sponsor="B"), trial(title=evil + "C", sponsor=evil, conditions=(evil,)))
    for command in ("history", "diff"):
        assert run(command, "T-1").output.replace("\n", "").isprintable()
