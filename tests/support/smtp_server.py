"""A mail server for tests, on this machine and over real sockets: aiosmtpd, and everything that goes wrong on the way.

::

    with SmtpServer() as server:
        server.answer("RCPT", "451 4.7.1 come back later")
        …
        assert server.mails[0].message["Subject"] == "trialindex: 1 new study"
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HANG_UP = "hang up"
"""In place of an answer: the connection is cut."""

Step = Literal["MAIL", "RCPT", "DATA", "QUIT"]


@dataclass(frozen=True)
class Mail:
    """A message that the server accepted, and how it came."""

    sender: str
    receivers: tuple[str, ...]
    content: bytes
    greeting: str
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        made = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        return made


class SmtpServer:
    """Listens on 127.0.0.1. ``mails`` holds what it accepted.

    :param context: a certificate.
    :param wrapped: encrypted from the first byte, not by STARTTLS.
    :param users: names and passwords; with them nobody else may send.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        wrapped: bool = False,
        users: dict[str, str] | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.logins: list[tuple[str, str]] = []
        self._answers: defaultdict[Step, deque[str]] = defaultdict(deque)
        self._context, self._wrapped, self._users = context, wrapped, users
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def answer(self, step: Step, *answers: str) -> None:
        """Answer the next commands of this name so; ``DATA`` is the answer after the message, which is kept."""
        self._answers[step].extend(answers)

    def __enter__(self) -> SmtpServer:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(
            self._session, "127.0.0.1", 0, ssl=self._context if self._wrapped else None
        )

    async def _close(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks(self._loop) if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _session(self) -> SMTP:
        return SMTP(
            self,
            hostname="localhost",
            tls_context=None if self._wrapped else self._context,
            require_starttls=self._context is not None and not self._wrapped,
            auth_require_tls=not self._wrapped,
            authenticator=self._authenticate if self._users else None,
            loop=self._loop,
        )

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        name, password = data.login.decode(), data.password.decode()
        self.logins.append((name, password))
        known = (self._users or {}).get(name) == password
        return AuthResult(success=known, handled=False, auth_data=name)

    def _scripted(self, step: Step, server: SMTP) -> str | None:
        waiting = self._answers[step]
        answer = waiting.popleft() if waiting else None
        if answer == HANG_UP:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
            raise asyncio.CancelledError
        return answer

    # --- what aiosmtpd asks -------------------------------------------------------------------------------------------

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._users and not session.authenticated:
            return "530 5.7.0 authentication required"
        if refusal := self._scripted("MAIL", server):
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if refusal := self._scripted("RCPT", server):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = Mail(
            envelope.mail_from or "",
            tuple(envelope.rcpt_tos),
            envelope.content,
            session.host_name or "",
            session.ssl is not None or self._wrapped,
            session.auth_data,
        )
        refused = bool(self._answers["DATA"]) and self._answers["DATA"][0][0] in "45"
        if not refused:
            self.mails.append(mail)  # also when the answer to it is lost
        return self._scripted("DATA", server) or "250 accepted"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self._scripted("QUIT", server) or "221 bye"


class Greeter:
    """Listens on 127.0.0.1, says one thing to whoever connects, and listens no more to them.

    :param words: ``b""`` for a server that never says anything.
    """

    def __init__(self, words: bytes) -> None:
        self._words = words
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._greet, daemon=True)

    def __enter__(self) -> Greeter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (*self._open, self._socket):
            each.close()

    def _greet(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            if self._words:
                connection.sendall(self._words)
                connection.shutdown(socket.SHUT_WR)
