"""Watching: what a user wants to hear of, what is new of it, and its delivery.

::

    from trialindex import Index
    from trialindex.watching import Watches, sync, watch_for

    with Index.open(folder) as index, Watches(folder, create=True) as watches:
        watches.add(*baseline(index, watch_for(index, condition="lupus nephritis")))
        for update in sync(index, watches).updates:
            print(update.kind, update.trial, update.lines)
"""

from trialindex.storage.watch_rows import NotifierConfig
from trialindex.watching.delivery import DeliveryResult, deliver, send_test
from trialindex.watching.mailing import NEWS_KEPT, MailResult, send_mails
from trialindex.watching.store import Watches
from trialindex.watching.subscribers import PENDING, Consent, MailSettings, PublicLinks, Subscribers
from trialindex.watching.sync import SyncResult, sync
from trialindex.watching.updates import baseline, find_updates, is_news
from trialindex.watching.watch import Watch, watch_for

__all__ = [
    "NEWS_KEPT",
    "PENDING",
    "Consent",
    "DeliveryResult",
    "MailResult",
    "MailSettings",
    "NotifierConfig",
    "PublicLinks",
    "Subscribers",
    "SyncResult",
    "Watch",
    "Watches",
    "baseline",
    "deliver",
    "find_updates",
    "is_news",
    "send_mails",
    "send_test",
    "sync",
    "watch_for",
]
