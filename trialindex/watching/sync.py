"""One round: refresh the sources, find the updates of the watches, deliver them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from trialindex.index import Index
from trialindex.plugin.messages import Update
from trialindex.plugin.progress import ProgressListener
from trialindex.storage.lock import SYNC, write_lock
from trialindex.watching.delivery import DeliveryResult, deliver
from trialindex.watching.mailing import MailResult, find_news, send_mails
from trialindex.watching.sources import RefreshResult, SweepWhen, refresh
from trialindex.watching.store import Watches
from trialindex.watching.subscribers import Subscribers
from trialindex.watching.updates import find_updates

MAIL_PATIENCE = 60.0
"""Seconds to wait for a server that is sending mails at this moment."""


_log = logging.getLogger(__name__)


@dataclass
class SyncResult:
    """What a round did.

    :param refreshed: each source.
    :param updates: of all watches.
    :param unfollowed: the watches that could not be compared with the index, and why, each in a line.
    :param deliveries: each notifier that had something to do.
    :param mails: those to subscribers, if there are any.
    """

    refreshed: list[RefreshResult] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)
    deliveries: list[DeliveryResult] = field(default_factory=list)
    mails: MailResult | None = None

    @property
    def stopped(self) -> str:
        """Why it ended early, empty when it did not."""
        return next((one.summary.stopped for one in self.refreshed if one.summary and one.summary.stopped), "")

    @property
    def failed(self) -> bool:
        """Whether something could not be done. A file that has gone is no failure."""
        refused = any(one.problem and not one.missing for one in self.refreshed)
        return (
            refused
            or bool(self.unfollowed)
            or any(one.error for one in self.deliveries)
            or bool(self.mails and self.mails.error)
        )


def sync(
    index: Index,
    watches: Watches,
    subscribers: Subscribers | None = None,
    *,
    listeners: Callable[[], AbstractContextManager[ProgressListener]] = lambda: nullcontext(ProgressListener()),
    on_refreshed: Callable[[RefreshResult], None] = lambda one: None,
    on_updates: Callable[[list[Update]], None] = lambda updates: None,
    sweep: SweepWhen = "due",
) -> SyncResult:
    """Refresh every source of the index, find what is new for each watch and what changed, and deliver it.

    What an earlier round found and could not deliver goes out too. An interruption ends the round after the source
    that was being read; nothing is lost by it.

    :param subscribers: who signed up at a public server, and are told as well.
    :param listeners: made for each source: where it says how it goes.
    :param on_refreshed: called with each source when it is done.
    :param on_updates: called with the updates before they are sent.
    :param sweep: when to ask a source which trials it still has.
    :raises IndexLocked: another round is under way.
    """
    result = SyncResult()
    with write_lock(index.folder, name=SYNC, doing="syncing"):
        for one in refresh(index, listeners, sweep):
            result.refreshed.append(one)
            on_refreshed(one)
            if result.stopped:
                return result
        result.updates = find_updates(index, watches, result.unfollowed.append)
        _log.info("asked %d sources again, found %d updates", len(result.refreshed), len(result.updates))
        on_updates(result.updates)
        result.deliveries = deliver(watches)
        if subscribers is not None:
            find_news(index, subscribers, result.unfollowed.append)
            result.mails = send_mails(subscribers, wait=MAIL_PATIENCE)
    return result
