"""Sends the mails to people who sign up, beside the requests."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from trialindex.watching import PublicLinks, Subscribers, send_mails
from trialindex_web.library import Library
from trialindex_web.settings import Settings

if TYPE_CHECKING:
    from trialindex import Index

PAUSE = 60.0
"""Seconds between two looks for what is due, when nobody signs up."""

log = logging.getLogger("trialindex.web")


def links(settings: Settings) -> PublicLinks:
    """Where the pages are that mails lead to."""
    pages = f"{settings.base_url}/updates"
    return PublicLinks(
        site=settings.base_url.removeprefix("https://"),
        confirm=f"{pages}/confirm/{{}}",
        stop=f"{pages}/unsubscribe/{{}}",
        manage=f"{pages}/manage/{{}}",
        trial=f"{settings.base_url}/trial/{{}}",
    )


def tell_links(index: Index, settings: Settings) -> None:
    """Let whoever sends mails know where our pages are.

    :raises TrialIndexError: those who signed up cannot be read.
    """
    with Subscribers(index.folder) as subscribers:
        subscribers.set_links(links(settings))


class Mails:
    """Sends what is due in a thread, when it is woken and once a minute.

    A request only keeps what is to be sent: how long a mail server takes tells whoever waits for a page nothing.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        """Something is due; from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._due.set)

    def stop(self) -> None:
        """End :meth:`run` after the mail that is being sent."""
        self._stopped = True
        self._due.set()

    async def run(self) -> None:
        """Send until stopped."""
        self._loop = asyncio.get_running_loop()
        while not self._stopped:
            self._due.clear()
            await run_in_threadpool(self._send)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), PAUSE)

    def _send(self) -> None:
        try:
            with self._library.index() as index, Subscribers(index.folder) as subscribers:
                result = send_mails(subscribers, is_stopped=lambda: self._stopped)
            if result.error:
                log.error("mails to subscribers wait; trialindex sync says why")
        except Exception as problem:  # noqa: BLE001  its words may quote what is kept; the next round tries again
            log.error("%s while sending mails", type(problem).__name__)
