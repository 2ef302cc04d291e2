"""It stays up: many connections, half-sent requests, an end in the middle of one, a disk without room."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

import trialindex_notifiers
from plugins.web.test_serve import running
from support.web_cases import serve
from trialindex.errors import StorageError
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.watching import MailSettings, Subscribers

BODY = b'{"text": "lupus nephritis", "limit": 3}'


@pytest.fixture
def folder(sample_cache: Path, warm_cache: Path) -> Path:
    """The bundled sample as an index that is named."""
    [built] = [path for path in (sample_cache / "trialindex" / "sample").iterdir() if not path.name.startswith(".")]
    return built


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def request(port: int, *, waits: bool = False, length: int = len(BODY)) -> bytes:
    """The head of a question; *waits*: its body is sent when the server says that it is read."""
    lines = [
        "POST /api/v1/search HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        "Connection: close",
        *(["Expect: 100-continue"] if waits else []),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def read_all(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def refuses(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionError:
        return True
    return False


def test_a_request_that_is_being_read_is_answered_after_sigterm(folder: Path, tmp_path: Path) -> None:
    """Nothing here depends on time: the server says that it waits for the body, and then that it listens no more."""
    with running(folder, tmp_path) as server, connect(server.port) as asking:
        asking.sendall(request(server.port, waits=True))
        assert asking.recv(1000).startswith(b"HTTP/1.1 100")
        server.process.terminate()
        while not refuses(server.port):
            assert server.process.poll() is None
        asking.sendall(BODY)
        answer = read_all(asking)
        assert b"HTTP/1.1 200 OK" in answer
        assert b'"hits"' in answer
        assert server.process.wait(60) == 0


def test_two_hundred_connections_half_of_them_idle(folder: Path, tmp_path: Path) -> None:
    with running(folder, tmp_path) as server, ExitStack() as opened:
        lines = [opened.enter_context(connect(server.port)) for _ in range(200)]
        for slow in lines[:100]:
            slow.sendall(request(server.port)[:40])
        assert server.ask("GET", "/trial/NCT06676631")[0] == 200, "nobody waits for those who are slow"
        page = f"GET /safety HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n".encode()
        for one in lines[100:]:
            one.sendall(page)
        for one in lines[100:]:
            assert read_all(one).startswith(b"HTTP/1.1 200 OK")
        for slow in lines[:5]:
            slow.sendall(request(server.port)[40:] + BODY)
            assert read_all(slow).startswith(b"HTTP/1.1 200 OK"), "and they are answered when they have sent all"
        assert server.ask("GET", "/healthz")[2] == "ok\n"


def test_a_body_that_never_comes_whole_changes_nothing(folder: Path, tmp_path: Path) -> None:
    with running(folder, tmp_path) as server:
        for cut in (0, 10, len(BODY) - 1):
            with connect(server.port) as asking:
                asking.sendall(request(server.port) + BODY[:cut])
                asking.shutdown(socket.SHUT_WR)
                assert b"200 OK" not in read_all(asking)
        assert server.ask("GET", "/healthz")[2] == "ok\n"
        assert server.stop() == 0
        assert "Traceback" not in server.err.read_text(encoding="utf-8")


def test_who_signs_up_on_a_full_disk_is_told(
    pages: None, index: Index, registered: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered.register(trialindex_notifiers, "notifiers")
    options = {"host": "localhost", "security": "none", "from_": "news@example.org"}
    settings = MailSettings(notifier="email", options=options, key_file=str(tmp_path / "key"))
    Subscribers.set_up(index.folder, settings).close()

    def full(*_: object) -> None:
        raise StorageError("the disk is full.")

    with serve(index, public=True, sign_up=True) as visitor:
        monkeypatch.setattr(Subscribers, "sign_up", full)
        fields = {"trial": "EX-0002", "address": "anna@example.org", "consent": "1"}
        answer = visitor.submit("/updates/sign-up", fields)
        assert answer.status_code == 503
        assert "cannot be kept at this moment" in answer.text
        assert answer.headers["retry-after"] == "60"
        assert visitor.get("/trial/EX-0002").status_code == 200
