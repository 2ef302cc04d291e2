"""One round: refresh the sources, tell the watches, bring word."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from trialindex.index import Index
from trialindex.ingest.run import Reports
from trialindex.plugin.messages import Update
from trialindex.storage.lock import SYNC, write_lock
from trialindex.watching.delivery import Sent, deliver
from trialindex.watching.sources import Refreshed, When, refresh
from trialindex.watching.store import Watches
from trialindex.watching.updates import tell


@dataclass
class Report:
    """What a round did.

    :param refreshed: each source. :param updates: what the watches were told.
    :param unfollowed: watches that could not be followed, and why. :param sent: each notifier that had something to do.
    """

    refreshed: list[Refreshed] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)

    @property
    def stopped(self) -> str:
        """Why it ended early, empty when it did not."""
        return next((one.summary.stopped for one in self.refreshed if one.summary and one.summary.stopped), "")

    @property
    def failed(self) -> bool:
        """Whether something could not be done. A file that has gone is no failure."""
        refused = any(one.problem and not one.vanished for one in self.refreshed)
        return refused or bool(self.unfollowed) or any(one.error for one in self.sent)


def sync(
    index: Index,
    watches: Watches,
    *,
    reports: Callable[[], AbstractContextManager[Reports]] = lambda: nullcontext(Reports()),
    on_refreshed: Callable[[Refreshed], None] = lambda one: None,
    on_updates: Callable[[list[Update]], None] = lambda updates: None,
    sweep: When = "when due",
) -> Report:
    """Refresh every source of the index, tell each watch what is new and what changed, and bring word of it.

    News that an earlier round found and did not deliver goes out too. An interruption ends the round after the source
    that was being read; nothing is lost by it.

    :param reports: made for each source: where it says how it goes.
    :param on_refreshed: told of each source when it is done. :param on_updates: told the news, before it is sent.
    :param sweep: when to ask a source which of its trials are gone: a month after the last time, or ``now``.
    :raises IndexLocked: another round is under way.
    """
    report = Report()
    with write_lock(index.folder, name=SYNC, doing="syncing"):
        for one in refresh(index, reports, sweep):
            report.refreshed.append(one)
            on_refreshed(one)
            if report.stopped:
                return report
        report.updates = tell(index, watches, report.unfollowed.append)
        on_updates(report.updates)
        report.sent = deliver(watches)
    return report
