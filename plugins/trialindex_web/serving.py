"""The server itself: its socket, its start, its end."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import webbrowser
from typing import TYPE_CHECKING, Any

import click

from trialindex.plugin.http import is_loopback
from trialindex_web.settings import ServeError, Settings

if TYPE_CHECKING:
    from trialindex import Index

BACKLOG = 256
LAST_WORDS = 10
"""Seconds that a request has to be finished in once the server is told to stop."""


def bind(host: str, port: int, *, public: bool) -> socket.socket:
    """A socket that listens at the address.

    :raises ServeError: it is taken, or other computers could reach it and nobody said so.
    """
    if not public and not is_loopback(host):
        raise ServeError(
            f"{host} can be reached from other computers.",
            hint="Leave --host out, or serve everybody behind HTTPS: --public --base-url https://…",
        )
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(BACKLOG)
        except BaseException:
            made.close()
            raise
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise ServeError(
                f"port {port} of {host} is taken by another program.", hint="Choose another one: --port 8478"
            ) from None
        raise ServeError(
            f"cannot listen at {host} port {port}: {problem.strerror or problem}.",
            hint="Give another --host or --port.",
        ) from None
    return made


def run(index: Index, settings: Settings, listening: socket.socket, *, browser: bool) -> None:
    """Serve the index until the process is told to stop; requests that are being answered are finished."""
    import uvicorn

    from trialindex_web.application import make_application

    def announce(path: str) -> None:
        click.echo(f"Your watches, once from this address: {settings.base_url}{path}")

    application, entrance = make_application(index, settings, announce)
    config = uvicorn.Config(
        application,
        log_config=None,  # nothing of what a request holds is written anywhere
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=LAST_WORDS,
    )
    at = f"listening at {_address(listening)}; " if settings.public else ""
    click.echo(f"trialindex is at {settings.base_url}/ ({at}stop it with Ctrl-C)")
    if not settings.public:
        announce(entrance)
    if browser:
        webbrowser.open(f"{settings.base_url}{entrance if not settings.public else '/'}")
    before = [(number, signal.signal(number, _stay)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _address(listening: socket.socket) -> str:
    """Host and port, as an address of the web has them."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _stay(number: int, frame: Any) -> None:
    """In place of dying: uvicorn raises the signal that stopped it a second time, after its last answer."""
