"""What the tests of vocabularies share: small ontologies, a web server, and the command."""

from __future__ import annotations

import json
import socket
import threading
from functools import cache, partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import trialindex_vocabulary
from support.command import Run, run_command
from support.paths import DATA
from trialindex import cli as command_line
from trialindex.plugin import registry
from trialindex.plugin.interfaces import Concept
from trialindex.plugin.registry import Plugins
from trialindex_vocabulary.projects import PROJECTS

OBO = DATA / "vocabulary" / "small.obo"
WHOLE = OBO.read_bytes()
GRAPH: dict[str, Any] = {
    "graphs": [
        {
            "id": "http://example.org/small.owl",
            "meta": {"version": "http://example.org/releases/2031-05-17/small.owl"},
            "nodes": [
                {"id": "http://example.org/EX_1", "lbl": "disease", "type": "CLASS"},
                {
                    "id": "http://example.org/EX_4",
                    "lbl": "lupus nephritis",
                    "type": "CLASS",
                    "meta": {
                        "synonyms": [
                            {"pred": "hasExactSynonym", "val": "glomerulonephritis in lupus"},
                            {"pred": "hasBroadSynonym", "val": "nephritis"},
                        ]
                    },
                },
                {"id": "http://example.org/EX_5", "lbl": "gone", "type": "CLASS", "meta": {"deprecated": True}},
                {"id": "http://example.org/part_of", "lbl": "part of", "type": "PROPERTY"},
                {"id": "http://example.org/EX_8", "type": "CLASS"},
            ],
            "edges": [
                {"sub": "http://example.org/EX_4", "pred": "is_a", "obj": "http://example.org/EX_1"},
                {"sub": "http://example.org/EX_4", "pred": "part_of", "obj": "http://example.org/EX_5"},
            ],
        }
    ]
}
RECORDS: list[dict[str, Any]] = [
    {"id": "EX:1", "name": "disease", "synonyms": [], "has_full_record": False},
    {
        "id": "EX:4",
        "name": "lupus nephritis",
        "synonyms": [
            {"text": "glomerulonephritis in lupus", "scope": "EXACT"},
            {"text": "nephritis", "scope": "BROAD"},
        ],
        "xrefs": ["MESH:D008181"],
        "is_a": ["EX:1"],
    },
    {"id": "EX:5", "name": "gone", "is_obsolete": True},
]
NEPHRITIS = Concept("lupus nephritis", ("glomerulonephritis in lupus",), "EX:4", "disease", ("EX:1",))
AS_LINES = "".join(json.dumps(record) + "\n" for record in RECORDS).encode()


def only_vocabularies(monkeypatch: pytest.MonkeyPatch) -> Plugins:
    """A process in which only the vocabularies are installed."""
    found = Plugins(discover=False)
    found.register(trialindex_vocabulary, "vocabulary")
    monkeypatch.setattr(registry, "plugins", cache(lambda: found))
    monkeypatch.setattr(command_line.cli, "commands", {})
    for project in PROJECTS.values():
        monkeypatch.delenv(project.variable, raising=False)
    return found


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """``trialindex vocabulary …``: the exit code, what is printed, and what is told beside it."""
    return partial(run_command, capsys, "vocabulary")


class Site:
    """A web server on this machine. *pages*: a path, and the status, headers and body that answer it.

    :param cut: paths whose answer ends after half of the body.
    """

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.cut: set[str] = set()
        self.agents: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.agents.append(self.headers["User-Agent"])
                status, headers, body = site.pages.get(self.path, (404, {}, b"nothing here"))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                half = self.path in site.cut
                self.wfile.write(body[: len(body) // 2] if half else body)
                if half:
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
