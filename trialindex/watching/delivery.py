"""Delivery of updates: at least once, and under one key until the notifier has accepted it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from trialindex.errors import NotifierError, TrialIndexError
from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, describe_error
from trialindex.plugin.messages import Delivery, Update
from trialindex.storage.watch_rows import NotifierConfig
from trialindex.watching import clock
from trialindex.watching.store import Watches

if TYPE_CHECKING:
    from trialindex.plugin.registry import Plugins

_log = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(days=1)
"""The wait after a failed attempt: the first one, which doubles with each attempt, and the longest one."""


@dataclass(frozen=True)
class DeliveryResult:
    """How it went with one notifier.

    :param accepted: how many deliveries it accepted.
    :param error: why one failed, empty when none did.
    :param suspended: how many are not tried again, because the notifier said that it would not help.
    """

    notifier: NotifierConfig
    accepted: int = 0
    error: str = ""
    suspended: int = 0


def deliver(watches: Watches) -> list[DeliveryResult]:
    """Send what is due to every notifier that has something waiting.

    A notifier is given up for this time at its first failure; the others are served all the same.
    """
    return [_deliver_to(watches, one) for one in watches.notifiers() if one.waiting]


def _deliver_to(watches: Watches, one: NotifierConfig) -> DeliveryResult:
    accepted = suspended = 0
    error = ""
    for item in watches.due(one.num, clock.iso(clock.now()), clock.iso(clock.now() + LONGEST_PAUSE)):
        try:
            _send(watches, one, item.delivery)
        except NotifierError as problem:
            error = describe_error(problem)
            suspended += problem.permanent
            watches.mark_failed(item, error, None if problem.permanent else next_attempt(item.attempts))
            if not problem.permanent:
                break
        except PLUGIN_EXCEPTIONS as problem:  # a stranger's code, or a plugin that is gone
            error = describe_error(problem)
            watches.mark_failed(item, error, next_attempt(item.attempts))
            break
        else:
            watches.mark_delivered(item)
            accepted += 1
    # Neither its argument nor the error: both may hold an address.
    outcome = "failed" if error else "accepted all"
    _log.info("notifier %d, %s: %d accepted, %d given up, %s", one.num, one.name, accepted, suspended, outcome)
    return DeliveryResult(one, accepted, error, suspended)


def _send(watches: Watches, one: NotifierConfig, delivery: Delivery) -> None:
    with _working_folder(one.folder):
        one.make(watches.plugins).send(delivery)


@contextmanager
def _working_folder(folder: str) -> Iterator[None]:
    """In the folder where the notifier was set up, if it is still there: an argument may name a file from it."""
    with chdir(folder) if folder and Path(folder).is_dir() else nullcontext():
        yield


def next_attempt(attempts: int) -> str:
    """The ISO time, UTC, of the next attempt after so many that failed."""
    pause = min(FIRST_PAUSE * (1 << min(attempts, 16)), LONGEST_PAUSE)
    return clock.iso(clock.now() + pause)


def notifier_config(spec: str, options: dict[str, object], plugins: Plugins | None = None) -> NotifierConfig:
    """The configuration of a notifier, checked as far as that goes without sending.

    :param plugins: where the notifier is looked up; those of this process unless given.
    :raises PluginError: there is no such notifier.
    :raises NotifierError: the argument or an option cannot be used.
    """
    import msgspec

    from trialindex.plugin import registry

    name, argument = registry.split_spec(spec)
    given = {key: value for key, value in options.items() if value not in (None, ())}
    try:
        plain = msgspec.json.decode(msgspec.json.encode(given))
        one = NotifierConfig(name=name, argument=argument, options=plain, folder=str(Path.cwd()))
        msgspec.json.encode(one)  # a name of a file is not always Unicode, and what is kept has to be
    except (TypeError, UnicodeError) as problem:
        what = f'the notifier "{name}" was given what cannot be kept: {describe_error(problem)}.'
        raise NotifierError(what, hint="Name files and folders in plain letters.") from None
    one.make(plugins or registry.plugins())
    return one


def send_test(watches: Watches, num: int) -> NotifierConfig:
    """Send a notifier a delivery that says it is a test; if it is accepted, what is suspended or waiting is due again.

    :raises WatchError: there is no such notifier.
    :raises NotifierError: it was not accepted; the message says why.
    """
    one = watches.notifier(num)
    key = f"test-{secrets.token_hex(16)}"
    update = Update(
        key=key,
        watch=0,
        kind="new",
        trial="TEST",
        title="This is a test from trialindex. No trial is new.",
        when=clock.now().date().isoformat(),
        why="You asked for a test of this notifier.",
        lines=("If you can read this, word of changes will reach you here.",),
    )
    try:
        _send(watches, one, Delivery(key=key, created=clock.iso(clock.now()), updates=(update,)))
    except TrialIndexError:
        raise
    except PLUGIN_EXCEPTIONS as problem:
        raise NotifierError(f'the notifier "{one.name}" failed: {describe_error(problem)}.') from problem
    watches.reset(num)
    return watches.notifier(num)
