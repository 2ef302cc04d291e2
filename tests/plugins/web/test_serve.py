"""The command `trialindex serve` as a process: its start, its end, and what happens to its index meanwhile."""

from __future__ import annotations

import http.client
import os
import quopri
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import pytest

from support.helpers import ListSource, trial
from support.smtp_server import SmtpServer
from support.web_cases import serve
from trialindex.index import Index
from trialindex.watching import MailSettings, Subscribers
from trialindex_web import library

MARK, OTHER = "quokkaemia", "numbatosis"


class Process:
    """A server and what it wrote."""

    def __init__(self, index: Path, tmp_path: Path, *options: str) -> None:
        command = [sys.executable, "-m", "trialindex", "serve", "--index", str(index), "--port", "0", *options]
        self.out = tmp_path / "stdout"
        self.err = tmp_path / "stderr"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, cwd=tmp_path)
        self.port = int(self._wait(r"trialindex is at .*127\.0\.0\.1:(\d+)"))
        entrance = r"Your watches, once from this address: http://127\.0\.0\.1:\d+(/enter/[\w-]+)"
        self.entrance = "" if "--public" in options else self._wait(entrance)
        self.cookie = self.token = ""

    def _wait(self, pattern: str) -> str:
        while True:  # the limit of the test ends this
            found = re.search(pattern, self.out.read_text(encoding="utf-8"))
            if found:
                return found[1]
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(self.err.read_text(encoding="utf-8"))

    def ask(
        self, method: str, path: str, body: str = "", kind: str = "application/x-www-form-urlencoded"
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of an answer; the cookie is kept."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=280)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        if body:
            headers["Content-Type"] = kind
        connection.request(method, path, body.encode() or None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        told = {name.lower(): value for name, value in answer.getheaders()}
        if "set-cookie" in told:
            self.cookie = told["set-cookie"].partition(";")[0]
        connection.close()
        return answer.status, told, text

    def submit(self, path: str, **fields: str) -> tuple[int, dict[str, str], str]:
        _, _, home = self.ask("GET", "/")
        token = re.search(r'name="token" value="(\w+)"', home)
        assert token is not None
        return self.ask("POST", path, urlencode({"token": token[1], **fields}))

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running(index: Path, tmp_path: Path, *options: str) -> Iterator[Process]:
    server = Process(index, tmp_path, *options)
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            server.process.kill()
        server.process.wait(30)


@pytest.fixture
def folder(sample_cache: Path, warm_cache: Path, tmp_path: Path) -> Path:
    """A copy of the sample as an index of one's own."""
    [built] = [path for path in (sample_cache / "trialindex" / "sample").iterdir() if not path.name.startswith(".")]
    return Path(shutil.copytree(built, tmp_path / "own"))


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_nothing_that_is_typed_comes_anywhere_but_into_the_watches(folder: Path, tmp_path: Path) -> None:
    """The leak test: a word that nobody has is searched and watched, by page and by program."""
    with running(folder, tmp_path) as server:
        headers: list[dict[str, str]] = []
        status, told, _ = server.submit("/search", text=f"{MARK} of the kidney", near=MARK)
        assert status == 422
        status, told, _ = server.submit("/search", text=f"{MARK} of the kidney", age="34")
        assert status == 303
        results = told["location"]
        headers.append(told)
        status, told, page = server.ask("GET", results)
        headers.append(told)
        assert status == 200
        assert MARK in page, "else this test shows nothing"
        assert re.findall(r"<title>(.*?)</title>", page) == ["Results"]
        links = re.findall(r'(?:href|action|src)="([^"]*)"', page)
        assert not any(MARK in link for link in links)
        for ending in ("csv", "md", "json"):
            headers.append(server.ask("GET", f"{results}/trials.{ending}")[1])
        status, told, answer = server.ask(
            "POST", "/api/v1/search", f'{{"text": "{MARK}", "limit": 1}}', "application/json"
        )
        assert status == 200
        headers.append(told)
        assert MARK not in answer.partition('"next"')[2]
        status, told, _ = server.ask("GET", server.entrance)
        assert status == 303
        status, told, _ = server.submit("/search", text=f"{MARK} of the kidney")
        status, told, _ = server.submit("/watches", question=told["location"].rpartition("/")[2])
        headers.append(told)
        assert status == 303
        status, told, page = server.ask("GET", "/watches")
        headers.append(told)
        assert MARK in page
        [feed] = re.findall(r'href="(/feeds/watch/[^"]+)"', page)
        status, told, text = server.ask("GET", feed)
        assert status == 200
        assert MARK not in text
        headers.append(told)
        server.ask("GET", f"/{MARK}?{MARK}={MARK}")
        for one in headers:
            assert MARK not in str(one)
        assert server.stop() == 0
    for name, content in everything_in(tmp_path).items():
        assert MARK.encode() not in content or name == "own/watches.db", name
    assert MARK.encode() in (folder / "watches.db").read_bytes()
    assert (folder / "watches.db").stat().st_mode & 0o077 == 0


def test_nothing_that_people_sign_up_with_comes_anywhere(folder: Path, tmp_path: Path) -> None:
    """The leak test of a public server: one word is the address of somebody, another stands in what they ask for."""
    address = f"{OTHER}@example.org"
    with SmtpServer() as post:
        sender = {"host": "localhost", "port": post.port, "security": "none", "from_": "news@trials.example.org"}
        settings = MailSettings(notifier="email", options=sender, key_file=str(tmp_path / "keys" / "key"))
        Subscribers.set_up(folder, settings).close()
        base = "https://trials.example.org"
        seen: list[object] = []
        with running(folder, tmp_path, "--public", "--base-url", base) as server:
            question = server.submit("/search", text=f"{MARK} of the kidney")[1]["location"]
            title = re.findall(r"<title>(.*?)</title>", server.ask("GET", question)[2])
            assert title == ["Results"]
            for fields in ({"question": question.rpartition("/")[2]}, {"condition": "Lupus Nephritis"}):
                status, told, text = server.submit("/updates/sign-up", address=address, consent="1", **fields)
                assert status == 303, text
                seen += [told, text]
            body = f'{{"address": "{address}", "consent": "1", "query": "{MARK} of the ear"}}'
            status, told, text = server.ask("POST", "/api/v1/subscriptions", body, "application/json")
            assert status == 202, text
            seen += [told, text]
            while len(post.mails) < 3:  # the limit of the test ends this
                time.sleep(0.02)
            for mail in list(post.mails):
                confirm = re.findall(rf"{base}(/updates/confirm/\S+)", quopri.decodestring(mail.content).decode())[0]
                status, told, text = server.ask("GET", confirm)
                seen += [told, text]
                status, told, text = server.ask("POST", confirm)
                assert status == 303, text
                seen += [told, text]
            status, told, mine = server.ask("GET", told["location"])
            assert address in mine, "else this test shows nothing"
            assert mine.count(MARK) >= 2
            assert re.findall(r"<title>(.*?)</title>", mine) == ["My updates"]
            seen += [told, re.findall(r'(?:href|action|src)="([^"]*)"', mine)]
            new = tmp_path / "new.yaml"
            new.write_text("- {id: NEW-1, title: A new trial, conditions: [Lupus Nephritis], status: recruiting}\n")
            for words in (["ingest", f"manual:{new}"], ["sync"], ["subscribers", "show"]):
                command = [sys.executable, "-m", "trialindex", *words, "--index", str(folder)]
                done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True, cwd=tmp_path)
                seen += [done.stdout, done.stderr]
            assert "A new trial" in quopri.decodestring(post.mails[-1].content).decode()
            assert server.stop() == 0
        for one in seen:
            assert MARK not in str(one)
            assert OTHER not in str(one)
        for mail in post.mails:
            assert MARK not in quopri.decodestring(mail.content).decode()
            named = [name for name, value in mail.message.items() if OTHER in value]
            assert named == ["To"], "not in the subject, nor in a Message-ID"
            assert OTHER not in mail.message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for name, content in everything_in(tmp_path).items():
        assert MARK.encode() not in content, name
        assert OTHER.encode() not in content, name


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_told_to(folder: Path, tmp_path: Path, number: int) -> None:
    with running(folder, tmp_path) as server:
        assert server.ask("GET", "/healthz")[2] == "ok\n"
        assert server.stop(number) == 0
        assert "Traceback" not in server.err.read_text(encoding="utf-8")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)


def test_a_taken_port_is_said_in_a_line(folder: Path, tmp_path: Path) -> None:
    with running(folder, tmp_path) as server:
        command = [sys.executable, "-m", "trialindex", "serve", "--index", str(folder), "--port", str(server.port)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
        assert second.returncode == 1
        assert second.stdout == ""
        assert second.stderr.startswith(f"trialindex: port {server.port} of 127.0.0.1 is taken")
        assert len(second.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--public",), "--public needs the address that people type"),
        (("--public", "--base-url", "http://x.test"), "it has to be https"),
        (("--base-url", "https://x.test"), "go with --public"),
        (("--host", "0.0.0.0"), "can be reached from other computers"),
        (("--index", "nowhere"), "there is no index at nowhere"),
    ],
)
def test_what_does_not_go_together_is_said(folder: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "trialindex", "serve", "--index", str(folder), "--port", "0", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_loads_no_server(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom trialindex.cli import main\n"
        "try:\n    main(['serve', '--help'])\nexcept SystemExit:\n"
        "    print(sorted({'numpy', 'starlette', 'uvicorn', 'anyio', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=280, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


# --- the index underneath -------------------------------------------------------------------------------------------


def test_questions_are_answered_while_the_index_grows(pages: None, index: Index) -> None:
    with serve(index) as browser:
        stop = threading.Event()
        problems: list[str] = []

        def write() -> None:
            with Index.open(index.folder) as writer:
                for number in range(12):
                    writer.ingest(ListSource(trial(number, title=f"Lupus trial {number}"), spec="growing"))
            stop.set()

        writing = threading.Thread(target=write)
        writing.start()
        asked = 0
        while not stop.is_set() or not asked:
            answer = browser.client.post(
                "/api/v1/search", content=b'{"text": "lupus", "limit": 5}', headers={"Content-Type": "application/json"}
            )
            asked += 1
            if answer.status_code != 200 or len(answer.json()["hits"]) != 5:
                problems.append(answer.text)
        writing.join()
        assert problems == []
        assert "Lupus trial 11" in browser.get("/trial/T-11").text, "without a new start"


def test_an_index_that_is_put_in_its_place_is_opened(pages: None, index: Index, tmp_path: Path) -> None:
    other = Path(shutil.copytree(index.folder, tmp_path / "other"))
    with Index.open(other) as made:
        made.ingest(ListSource(trial(1, title="Only in the other one")))
    with serve(index) as browser:
        assert browser.get("/trial/T-1").status_code == 404
        index.folder.rename(tmp_path / "old")
        gone = browser.get("/trial/EX-0002")
        assert gone.status_code == 503
        assert gone.headers["retry-after"] == "60"
        other.rename(index.folder)
        assert "Only in the other one" in browser.get("/trial/T-1").text
        assert browser.get(browser.search("Only in the other one")).status_code == 200


def test_an_empty_index_says_that_it_is_empty(pages: None, new_index: Index) -> None:
    with serve(new_index) as browser:
        assert "0 trials are in here" in browser.get("/").text
        assert browser.submit("/search", {"text": "lupus"}).status_code == 503
        assert browser.get("/about").status_code == 200


def test_a_full_disk_does_not_matter_to_readers(pages: None, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with serve(index) as browser:
        monkeypatch.setattr(os, "mkdir", full)
        monkeypatch.setattr(Path, "write_text", full)
        assert browser.get(browser.search("lupus")).status_code == 200
        assert browser.get("/trial/EX-0002").status_code == 200


def test_too_many_questions_at_once_are_asked_to_wait(
    pages: None, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "WAITING", 0)
    with serve(index) as browser:
        answer = browser.submit("/search", {"text": "lupus"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "30"
