"""Word of changes: on the terminal, in a file, a feed, to a webhook, by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Notifier


@hookimpl
def register_notifiers() -> Sequence[type[Notifier]]:
    from trialindex_notifiers.email import EmailNotifier
    from trialindex_notifiers.feed import FeedNotifier
    from trialindex_notifiers.file import FileNotifier
    from trialindex_notifiers.terminal import TerminalNotifier
    from trialindex_notifiers.webhook import WebhookNotifier

    return [EmailNotifier, FeedNotifier, FileNotifier, TerminalNotifier, WebhookNotifier]
