"""Messages: what changed in a trial, what is new for a watch, what a notifier delivers, and whom it asks first."""

from __future__ import annotations

from typing import Literal

import msgspec

from trialindex.trial import Status

NewsKind = Literal["new", "changed", "removed", "backlog"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a later version of a trial states otherwise than an earlier one.

    :param field: the field of :class:`~trialindex.trial.Trial`.
    :param words: the difference for a person, on one line: ``enrollment 18 → 30``, ``site added: Lyon, France``.
    :param weight: how much it matters to somebody who may take part, from 1 (a wording) to 100 (it stopped).
    :param before: what was stated, in words; ``None`` for nothing.
    :param after: what is stated now, in words; ``None`` for nothing.
    """

    field: str
    words: str
    weight: int
    before: str | None = None
    after: str | None = None


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """News for one watch: of one trial, or in one line of all trials that came into the index and are not new.

    :param key: names this news for ever: the same news has the same key, however often it is delivered.
    :param watch: number of the watch; 0 when a notifier is only tested.
    :param asked: what the user watches, in their words. Left out (``None``) for every notifier that sends anything off
        the machine.
    :param kind: ``new`` for the watch, ``changed``, ``removed`` from the index; or ``backlog``: trials that were posted
        long ago or have ended, and that the index did not have.
    :param trial: id of the trial; empty for a backlog.
    :param title: its title; of a backlog how many trials it is about, and why they are not new.
    :param count: how many trials it is about.
    :param status: of the trial, as the registry states it.
    :param url: its page at the registry.
    :param when: ISO day on which the index came to know it.
    :param why: why the watch is told, in a sentence that repeats nothing the user typed.
    :param lines: what changed, in words, most important first; of a backlog the trials.
    """

    key: str
    watch: int
    kind: NewsKind
    trial: str
    title: str
    when: str
    url: str | None = None
    status: Status | None = None
    count: int = 1
    asked: str | None = None
    why: str = ""
    lines: tuple[str, ...] = ()


class SubscriberLinks(msgspec.Struct, frozen=True, kw_only=True):
    """The pages of somebody who signed up at a public server and does not run trialindex.

    :param stop: ends it by a POST that needs no cookie and no page (RFC 8058); a browser is shown a button.
    :param manage: what is kept of them, to see, to take along and to delete.
    """

    stop: str
    manage: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Asks somebody whether it was they who gave their address. It holds nothing that a visitor typed.

    :param key: names it for ever, as that of a :class:`Delivery`.
    :param created: ISO date and time, UTC, of the moment it was made.
    :param site: the host that asks.
    :param confirm: the page with the button that says yes; opening it says nothing.
    :param until: ISO date and time, UTC, after which no answer is a no.
    :param renewal: they said yes a year ago, and are asked whether they still want it.
    """

    key: str
    created: str
    site: str
    confirm: str
    until: str
    renewal: bool = False


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """News that go out together. What a delivery holds never changes, so that it can be tried again.

    :param key: names the delivery for ever, for a Message-ID or an Idempotency-Key: visible ASCII, at most 64 letters.
    :param created: ISO date and time, UTC, of the moment it was made.
    :param updates: one or more: new trials first, then changed and removed ones, then backlogs; of each kind those that
        recruit first.
    :param url: a page with all of it, if there is one on the web.
    :param subscriber: the pages of its receiver, if they signed up at a public server; else they run trialindex.
    """

    key: str
    created: str
    updates: tuple[Update, ...]
    url: str | None = None
    subscriber: SubscriberLinks | None = None
