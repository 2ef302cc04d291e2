"""`trialindex subscribers`, and what `sync` says of mails, as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import trialindex_notifiers
from support.command import Run, run_command
from support.helpers import trial
from support.smtp_server import SmtpServer
from support.watching_cases import Registry, add_fakes
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.testing import BruteForceStore
from trialindex.watching import PublicLinks, Subscribers, watch_for

ANNA = "anna@example.org"
SITE = "https://trials.example.org"


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as found:
        yield found


@pytest.fixture
def run(registered: Plugins, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command line about an index of one trial, with e-mail among the notifiers."""
    add_fakes(registered)
    registered.register(trialindex_notifiers, "notifiers")
    Registry.trials_now = [trial(1, title="Walks in lupus", conditions=("LN",), status="RECRUITING")]
    monkeypatch.setenv("TRIALINDEX_INDEX", str(tmp_path / "index"))
    monkeypatch.chdir(tmp_path)
    with Index.create(tmp_path / "index", encoder="counting", store=BruteForceStore.name) as index:
        index.ingest("registry:all")
    return partial(run_command, capfd)


def set_up(run: Run, server: SmtpServer) -> None:
    options = ("--from", "news@example.org", "--host", "localhost", "--security", "none", "--port", server.port)
    code, out, err = run("subscribers", "setup", "email", *options, "--key-file", "mail.key")
    assert code == 0, err
    assert "People can sign up by email" in out
    assert "Keep a copy of it" in err


def join(folder: Path) -> None:
    with Index.open(folder) as index, Subscribers(folder) as subscribers:
        subscribers.set_links(
            PublicLinks(
                site="trials.example.org",
                confirm=f"{SITE}/c/{{}}",
                stop=f"{SITE}/s/{{}}",
                manage=f"{SITE}/m/{{}}",
                trial=f"{SITE}/trial/{{}}",
            )
        )
        subscribers.sign_up(ANNA, [watch_for(index, condition="lupus")], "1")


def test_from_setting_up_to_the_last_mail(run: Run, server: SmtpServer, tmp_path: Path) -> None:
    code, _, err = run("subscribers", "show")
    assert (code, err) == (
        1,
        "trialindex: nobody can sign up here: how they are written to is not set up. "
        "Set it up: trialindex subscribers setup --help\n",
    )
    set_up(run, server)
    folder = tmp_path / "index"
    assert (tmp_path / "mail.key").stat().st_size == 32
    join(folder)
    code, _, err = run("sync")
    assert (code, "1 mail to subscribers sent." in err) == (0, True)
    [invitation] = server.mails
    assert (invitation.sender, invitation.receivers) == ("news@example.org", (ANNA,))
    token = invitation.content.decode().partition(f"{SITE}/c/")[2].split()[0]
    with Index.open(folder) as index, Subscribers(folder) as subscribers:
        assert subscribers.confirm(index, token) is not None
    Registry.trials_now.append(trial(2, title="More walks", conditions=("SLE",)))
    code, out, err = run("sync")
    assert (code, out) == (0, ""), "the news of subscribers are theirs alone"
    assert "1 mail to subscribers sent." in err
    assert "More walks" in str(server.mails[-1].message)
    code, out, _ = run("subscribers", "show")
    assert out.splitlines()[:2] == ["1 subscriber, 1 subscription", "0 sign-ups not confirmed; 0 mails waiting"]
    assert ANNA not in out
    code, out, _ = run("subscribers", "export", ANNA.upper())
    assert json.loads(out)["address"] == ANNA
    assert run("subscribers", "remove", ANNA)[:2] == (0, "Deleted.\n")
    code, _, err = run("subscribers", "remove", ANNA)
    assert (code, err.startswith("trialindex: nobody signed up with that address.")) == (1, True)


def test_a_server_that_is_down_is_said_and_nothing_is_lost(run: Run, server: SmtpServer, tmp_path: Path) -> None:
    set_up(run, server)
    join(tmp_path / "index")
    server.answer("RCPT", f"451 4.7.1 {ANNA} has to wait")
    code, _, err = run("sync", "--quiet")
    assert code == 1
    assert "mails to subscribers wait, a later sync tries again" in err
    assert ANNA not in err
    assert "1 sign-up not confirmed" in run("subscribers", "show")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "people need to see who writes to them"),
        (("--from", "news@example.org"), "email needs the server that takes your mail"),
        (("--from", "news", "--host", "localhost"), "people need to see who writes to them"),
        (
            ("--from", "n@example.org", "--host", "localhost", "--security", "none", "--key-file", "index/key"),
            "may not lie in the index folder",
        ),
    ],
)
def test_what_does_not_work_changes_nothing(run: Run, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    code, _, err = run("subscribers", "setup", "email", *options)
    assert (code, said in err, len(err.splitlines())) == (1, True, 1)
    assert not (tmp_path / "index" / "subscribers.db").exists()


def test_only_what_can_write_to_people_is_offered(run: Run) -> None:
    assert run("subscribers", "setup", "webhook")[0] == 2
    out = run("subscribers", "setup", "--help")[1]
    assert "email" in out
    assert "webhook" not in out


def test_check_tells_of_a_key_that_is_gone(run: Run, server: SmtpServer, tmp_path: Path) -> None:
    set_up(run, server)
    assert run("check")[0] == 0
    (tmp_path / "mail.key").unlink()
    code, out, err = run("check", "--repair")
    assert code == 1
    assert "broken: the key" in out
    assert "subscribers.db cannot be mended" in err
