"""Watching: what a user wants to be told of, telling it, and bringing word of it.

::

    from trialindex import Index
    from trialindex.watching import Watches, sync, watch_for

    with Index.open(folder) as index, Watches(folder, create=True) as watches:
        watches.add(watch_for(index, condition="lupus nephritis"), index)
        for update in sync(index, watches).updates:
            print(update.kind, update.trial, update.lines)
"""

from trialindex.watching.delivery import Sent, deliver, send_test
from trialindex.watching.store import Addressee, Watches
from trialindex.watching.sync import Report, sync
from trialindex.watching.updates import begin, tell
from trialindex.watching.watch import Watch, watch_for

__all__ = [
    "Addressee",
    "Report",
    "Sent",
    "Watch",
    "Watches",
    "begin",
    "deliver",
    "send_test",
    "sync",
    "tell",
    "watch_for",
]
