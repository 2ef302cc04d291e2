"""Bringing word: each delivery goes out until its notifier has accepted it, at least once and under one key."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trialindex.errors import NotifierError, TrialIndexError
from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, describe_error
from trialindex.plugin.messages import Delivery, Update
from trialindex.watching.store import Addressee, Parcel, Watches

FIRST_PAUSE = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(days=1)
"""A delivery that failed is due again after so long; the pause doubles with each attempt."""


@dataclass(frozen=True)
class Sent:
    """How it went with one notifier.

    :param sent: deliveries that it accepted. :param error: why one failed, empty when none did.
    :param parked: deliveries that will not be tried again, because the notifier said so.
    """

    addressee: Addressee
    sent: int = 0
    error: str = ""
    parked: int = 0


def deliver(watches: Watches) -> list[Sent]:
    """Send what is due to every notifier that has something waiting.

    A notifier is given up for this time at its first failure; the others are served all the same.
    """
    return [_serve(watches, one) for one in watches.addressees() if one.waiting]


def _serve(watches: Watches, one: Addressee) -> Sent:
    sent = parked = 0
    error = ""
    for parcel in watches.due(one.num, _iso(_now()), _iso(_now() + LONGEST_PAUSE)):
        try:
            _hand_over(one, parcel.delivery)
        except NotifierError as problem:
            error = describe_error(problem)
            parked += problem.permanent
            watches.failed(parcel, error, None if problem.permanent else _next(parcel))
            if not problem.permanent:
                break
        except PLUGIN_EXCEPTIONS as problem:  # a stranger's code, or a plugin that is gone
            error = describe_error(problem)
            watches.failed(parcel, error, _next(parcel))
            break
        else:
            watches.delivered(parcel)
            sent += 1
    return Sent(one, sent, error, parked)


def _hand_over(one: Addressee, delivery: Delivery) -> None:
    with _inside(one.folder):
        one.notifier().send(delivery)


@contextmanager
def _inside(folder: str) -> Iterator[None]:
    """In the folder where the notifier was set up, if it is still there: an argument may name a file from it."""
    with chdir(folder) if folder and Path(folder).is_dir() else nullcontext():
        yield


def _next(parcel: Parcel) -> str:
    pause = min(FIRST_PAUSE * (1 << min(parcel.attempts, 16)), LONGEST_PAUSE)
    return _iso(_now() + pause)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _now() -> datetime:
    return datetime.now(UTC)


def addressee_for(spec: str, options: dict[str, object]) -> Addressee:
    """A notifier as it was asked for, tried out as far as that goes without sending.

    :raises PluginError: there is no such notifier. :raises NotifierError: the argument or an option cannot be used.
    """
    import msgspec

    from trialindex.plugin.registry import split_spec

    name, argument = split_spec(spec)
    given = {key: value for key, value in options.items() if value not in (None, ())}
    try:
        plain = msgspec.json.decode(msgspec.json.encode(given))
        one = Addressee(name=name, argument=argument, options=plain, folder=str(Path.cwd()))
        msgspec.json.encode(one)  # a name of a file is not always Unicode, and what is kept has to be
    except (TypeError, UnicodeError) as problem:
        what = f'the notifier "{name}" was given what cannot be kept: {describe_error(problem)}.'
        raise NotifierError(what, hint="Name files and folders in plain letters.") from None
    one.notifier()
    return one


def send_test(watches: Watches, num: int) -> Addressee:
    """Send a notifier a delivery that says it is a test. If it is accepted, what is parked or waiting is due again.

    :raises WatchError: there is no such notifier. :raises NotifierError: it was not accepted; the message says why.
    """
    one = watches.addressee(num)
    key = f"test-{secrets.token_hex(16)}"
    update = Update(
        key=key,
        watch=0,
        kind="new",
        trial="TEST",
        title="This is a test from trialindex. No trial is new.",
        when=_now().date().isoformat(),
        why="You asked for a test of this notifier.",
        lines=("If you can read this, word of changes will reach you here.",),
    )
    try:
        _hand_over(one, Delivery(key=key, created=_iso(_now()), updates=(update,)))
    except TrialIndexError:
        raise
    except PLUGIN_EXCEPTIONS as problem:
        raise NotifierError(f'the notifier "{one.name}" failed: {describe_error(problem)}.') from problem
    watches.works_again(num)
    return watches.addressee(num)
