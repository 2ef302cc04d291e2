"""A receiver of webhooks for tests: a real HTTP server on this machine that takes them, refuses them and misbehaves.

::

    with WebhookServer() as server:
        server.answer(Answer(503, {"Retry-After": "1"}), HANG_UP)
        …
        assert [got.headers["idempotency-key"] for got in server.requests] == ["a"] * 3

Written by hand, because pytest-httpserver cannot hang up without an answer.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What the server says to one request.

    :param slow: seconds before it does.
    :param cut: it cuts the connection in place of an answer.
    """

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0.0
    cut: bool = False


HANG_UP = Answer(cut=True)


@dataclass(frozen=True)
class Request:
    """A request that came in; the names of its headers in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


class WebhookServer:
    """Listens on 127.0.0.1. ``requests`` holds everything that came in, whatever was answered.

    :param context: a certificate, for https.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._answers: deque[Answer] = deque()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                owner._serve(self)

            def do_GET(self) -> None:
                owner._serve(self)  # a redirect that was followed

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self._scheme = "https" if context else "http"
        if context:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://localhost:{self._server.server_address[1]}/news"

    def answer(self, *answers: Answer) -> None:
        """Answer the next requests so, and those after them with 204."""
        self._answers.extend(answers)

    def __enter__(self) -> WebhookServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append(Request(handler.path, headers, body, time.monotonic()))
        answer = self._answers.popleft() if self._answers else Answer()
        if answer.slow:
            time.sleep(answer.slow)
        if answer.cut:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("Content-Length", "0")
        handler.end_headers()
