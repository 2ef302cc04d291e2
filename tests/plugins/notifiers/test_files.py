"""The ``file`` notifier."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.notifier_cases import delivery, refusal, update
from support.paths import ROOT
from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.trial_page import NOTICE
from trialindex.testing import check_notifier
from trialindex_notifiers.feed import FeedNotifier
from trialindex_notifiers.file import FileNotifier

# --- what is in it ----------------------------------------------------------------------------------------------------


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return tmp_path / "news.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_file_keeps_the_contract(news: Path) -> None:
    check_notifier(
        lambda: FileNotifier(str(news)), lambda: [line["key"] for line in lines(news)] if news.exists() else []
    )
    assert len(lines(news)) == 56
    assert news.read_bytes().isascii()


def test_a_line_says_everything(news: Path) -> None:
    FileNotifier(str(news)).send(delivery(update(asked="my words", lines=("a → b",)), update(2)))
    first, second = lines(news)
    assert first == {
        "key": "3:NCT00000001:1",
        "kind": "new",
        "says": "A new study",
        "trial": "NCT00000001",
        "status": None,
        "count": 1,
        "title": "Home exercise number 1",
        "url": "https://clinicaltrials.gov/study/NCT00000001",
        "when": "2026-03-05",
        "why": "It lists a condition of this watch.",
        "lines": ["a → b"],
        "watch": 3,
        "asked": "my words",
        "delivery": "4f2a",
        "created": "2026-03-05T07:00:00Z",
        "notice": NOTICE,
        "stop": ["trialindex watch remove 3", "trialindex notify list", "trialindex notify remove N"],
    }
    assert second["key"] == "3:NCT00000002:1"


@pytest.mark.skipif(os.name != "posix", reason="modes of files are of POSIX")
def test_the_file_is_for_its_owner_alone_and_synced(news: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    old = os.umask(0)
    try:
        FileNotifier(str(news)).send(delivery(update()))
    finally:
        os.umask(old)
    assert stat.S_IMODE(news.stat().st_mode) == 0o600
    assert len(synced) == 2  # the file, and its name in the folder


def test_what_is_there_is_not_written_again(news: Path) -> None:
    sender = FileNotifier(str(news))
    sender.send(delivery(update(1)))
    sender.send(delivery(update(2), key="b"))
    before = news.read_bytes()
    sender.send(delivery(update(1)))
    assert news.read_bytes() == before
    sender.send(delivery(update(1), update(3), key="c"))
    assert [line["trial"] for line in lines(news)] == ["NCT00000001", "NCT00000002", "NCT00000003"]


def test_a_key_is_not_taken_for_another(news: Path) -> None:
    keys = ["3:1", "3:11", '3:1","x', "3:1\\", "é", "key"]
    for number, one in enumerate(keys, start=1):
        FileNotifier(str(news)).send(delivery(update(number, key=one, title='{"key":"3:99"'), key=f"d{number}"))
    FileNotifier(str(news)).send(delivery(update(9, key="3:99"), key="d9"))
    assert [line["key"] for line in lines(news)] == [*keys, "3:99"]


@pytest.mark.parametrize("text", [False, True])
def test_after_a_crash_anywhere_everything_is_there_once(news: Path, text: bool) -> None:
    first, second = delivery(update(1)), delivery(update(2, title="Wärme"), update(3), key="b")
    sender = FileNotifier(str(news), text=text)
    sender.send(first)
    start = news.stat().st_size
    sender.send(second)
    whole = news.read_bytes()
    for cut in range(0, len(whole), 7):
        news.write_bytes(whole[:cut])
        if cut < start:
            sender.send(first)
        sender.send(second)
        found = news.read_bytes()
        if text:
            assert found.count(b"\nMessage 4f2a\n") == 1
            assert len(re.findall(rb"(?m)^Message b$", found)) == 1
            assert found.rstrip(b"\n").endswith(b"Message b")
        else:
            assert [line["key"] for line in lines(news)] == [f"3:NCT0000000{n}:1" for n in (1, 2, 3)]


def test_a_last_line_of_somebody_else_stays(news: Path) -> None:
    sender = FileNotifier(str(news))
    sender.send(delivery(update(1)))
    with news.open("a", encoding="utf-8") as file:
        file.write("a note by hand")
    sender.send(delivery(update(2), key="b"))
    first, note, second = news.read_text(encoding="utf-8").splitlines()
    assert (json.loads(first)["trial"], note, json.loads(second)["trial"]) == (
        "NCT00000001",
        "a note by hand",
        "NCT00000002",
    )


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("content", [b"my diary\n", b"\x89PNG\r\n\x1a\n" + bytes(99), b"[]", b"\n"])
def test_a_file_of_something_else_is_left_alone(news: Path, content: bytes, text: bool) -> None:
    news.write_bytes(content)
    error = refusal(FileNotifier(str(news), text=text))
    assert "holds something else" in str(error)
    assert not error.permanent
    assert news.read_bytes() == content


def test_text_and_json_do_not_mix(news: Path) -> None:
    FileNotifier(str(news)).send(delivery(update()))
    assert "Leave --text out" in str(refusal(FileNotifier(str(news), text=True)))
    news.unlink()
    FileNotifier(str(news), text=True).send(delivery(update()))
    assert "Add --text" in str(refusal(FileNotifier(str(news))))


def test_a_text_file_is_what_a_person_reads_and_is_not_doubled(news: Path) -> None:
    def received() -> list[str]:
        return re.findall(r"(?m)^Message (\S+)$", news.read_text(encoding="utf-8")) if news.exists() else []

    check_notifier(lambda: FileNotifier(str(news), text=True), received)
    assert received() == ["sample-1", "sample-2", "sample-3", "sample-4"]
    text = news.read_text(encoding="utf-8")
    assert "  You watch  a flare of my violet ear" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_two_processes_do_not_write_over_each_other(news: Path) -> None:
    code = (
        "import sys; from support.notifier_cases import delivery, update\n"
        "from trialindex_notifiers.file import FileNotifier\n"
        "start = int(sys.argv[2])\n"
        "for n in range(start, start + 40): FileNotifier(sys.argv[1]).send(delivery(update(n), key=f'd{n}'))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(news), start], cwd=ROOT / "tests") for start in ("100", "120")
    ]
    assert [process.wait(60) for process in running] == [0, 0]
    assert sorted(line["trial"] for line in lines(news)) == [f"NCT00000{n}" for n in range(100, 160)]


@pytest.mark.parametrize("cls", [FileNotifier, FeedNotifier])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "needs a path"),
        ("~nobody-of-that-name/news", "is not known"),
        ("/nowhere/at/all/news", "there is no folder /nowhere/at/all"),
        ("/", "is a folder or a device"),
        ("/dev/null", "is a folder or a device"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused_at_once(cls: type[Notifier], path: str, words: str) -> None:
    with pytest.raises(NotifierError, match=words) as caught:
        cls(path)
    assert caught.value.hint


def test_a_path_in_part_is_meant_from_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sender = FileNotifier("news.jsonl")
    monkeypatch.chdir("/")
    sender.send(delivery(update()))
    assert len(lines(tmp_path / "news.jsonl")) == 1


def test_the_home_folder_is_understood(own_paths: Path) -> None:
    FileNotifier("~/news.jsonl").send(delivery(update()))
    assert len(lines(own_paths / "news.jsonl")) == 1


@pytest.mark.parametrize("cls", [FileNotifier, FeedNotifier])
def test_a_full_disk_is_said_and_harms_nothing(
    cls: type[Notifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "news"
    cls(str(path)).send(delivery(update(1)))
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    error = refusal(cls(str(path)), delivery(update(2), key="b"))
    assert "No space left" in str(error)
    assert not error.permanent
    assert path.read_bytes().startswith(before[:100])
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    cls(str(path)).send(delivery(update(2), key="b"))
    assert path.read_text(encoding="utf-8").count("Home exercise number 2") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [".news.lock", "news"]
