"""The contract of a notifier as a check, and the news to check it with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from trialindex.plugin.guard import describe_error
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Invitation, NewsKind, Update
from trialindex.testing.checks import _check_names, _require
from trialindex.testing.samples import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Sequence

ASKED = "a flare of my violet ear"
"""What the invented user typed. No word of it is in the registry text of the samples."""


def sample_deliveries(*, local: bool = False) -> list[Delivery]:
    """Invented deliveries: one of one update; one of each kind; one of hostile text and nothing else; one of many.

    :param local: as a notifier gets them from which nothing leaves the machine: with what the user typed.
    """
    asked = ASKED if local else None

    def update(number: int, kind: NewsKind = "new", lines: Sequence[str] = (), **other: str | None) -> Update:
        trial = f"EX-{number:04d}"
        values: dict[str, str | None] = {
            "trial": trial,
            "title": f"Home exercise number {number}",
            "url": f"https://example.org/study/{trial}?a=1&b=2",
            "why": "It lists a condition of this watch.",
            **other,
        }
        return Update(
            key=f"{number % 3 + 1}:{trial}:7",
            watch=number % 3 + 1,
            asked=asked,
            kind=kind,
            when="2026-03-05",
            lines=tuple(lines),
            **values,  # type: ignore[arg-type]
        )

    changed = ("recruiting → completed", "site added: Lyon, France", "enrolment 18 → 30")
    deliveries = [
        (update(1),),
        (
            update(2),
            update(3, "changed", changed),
            update(4, "removed", url=None, why=""),
            update(8, "backlog", ("EX-0009, completed: Home exercise number 9",), trial="", url=None, why=""),
        ),
        (update(5, "changed", (HOSTILE, "x" * 5000), title=HOSTILE, url=f"javascript:{HOSTILE}", why=HOSTILE),),
        tuple(update(number, "changed", changed * 20) for number in range(10, 60)),
    ]
    return [
        Delivery(key=f"sample-{number}", created=f"2026-03-05T0{number}:00:00Z", updates=updates)
        for number, updates in enumerate(deliveries, start=1)
    ]


def check_notifier(make: Callable[[], Notifier], received: Callable[[], Iterable[str]] | None = None) -> list[Delivery]:
    """Send invented news, each twice, the second time by a new object, as after a crash.

    :param make: makes the notifier, pointed at a receiver of the test's own: a file, a server on this machine.
    :param received: one name for each thing that has reached the receiver so far, by which that one tells two from
        twice the same: an Idempotency-Key, a Message-ID, the id of an entry.
    :returns: what was sent, for checks of your own.
    :raises AssertionError: the contract of :class:`~trialindex.plugin.interfaces.Notifier` is broken.
    """
    notifier = make()
    _check_names(type(notifier))
    _check_options(notifier)
    deliveries = sample_deliveries(local=notifier.local)
    for delivery in deliveries:
        before = set(received() if received else ())
        _send(notifier, delivery, "")
        once = set(received() if received else ())
        _require(received is None or once - before, f"{delivery.key} was sent, and nothing of it was received")
        _send(make(), delivery, " a second time")
        more = set(received() if received else ()) - once
        _require(
            not more, f"{delivery.key} was sent twice, and the receiver cannot tell: what came the second time is new"
        )
    if notifier.invites:
        _check_invites(make, received)
    return deliveries


def _check_invites(make: Callable[[], Notifier], received: Callable[[], Iterable[str]] | None) -> None:
    """Ask twice, the second time by a new object."""
    asked = Invitation(
        key="sample-invitation",
        created="2026-03-05T07:00:00Z",
        site="trials.example.org",
        confirm="https://trials.example.org/updates/confirm/sample",
        until="2026-03-07T07:00:00Z",
    )
    seen = set(received() if received else ())
    for again in ("", " a second time"):
        try:
            make().invite(asked)
        except Exception as problem:
            raise AssertionError(f"invite() failed{again}: {describe_error(problem)}") from problem
    if received is not None:
        _require(len(set(received()) - seen) == 1, "one invitation was sent twice, and is not received as one")


def _check_options(notifier: Notifier) -> None:
    import click

    cls = type(notifier)
    for name in ("local", "shows", "invites"):
        _require(isinstance(getattr(cls, name), bool), f"{cls.__name__}.{name} must be True or False")
    for option in cls.options:
        _require(isinstance(option, click.Option), f"{cls.__name__}.options holds {option!r}, which is no click.Option")
        _require(option.help, f"the option {option.opts[0]} has no help")
    try:
        same = json.loads(json.dumps(notifier.given)) == notifier.given
    except (TypeError, ValueError):
        same = False
    _require(same, f"{cls.__name__} has options that JSON cannot keep: plain values only")


def _send(notifier: Notifier, delivery: Delivery, again: str) -> None:
    try:
        answer: object = notifier.send(delivery)
    except Exception as problem:
        raise AssertionError(f"send() failed for {delivery.key}{again}: {describe_error(problem)}") from problem
    _require(answer is None, f"send() returned {answer!r}: it returns nothing, or raises NotifierError")
