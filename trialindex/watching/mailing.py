"""Mails to subscribers: who is asked to confirm, and what is new for whom; at least once, and under one key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote

import msgspec

from trialindex.errors import IndexLocked, NotifierError, TrialIndexError
from trialindex.index import Index
from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, describe_error
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Invitation, Update
from trialindex.storage.lock import MAILS, write_lock
from trialindex.storage.subscriber_rows import DeliveryRow
from trialindex.watching import clock
from trialindex.watching.delivery import LONGEST_PAUSE, next_attempt
from trialindex.watching.matching import Matcher
from trialindex.watching.store import digest
from trialindex.watching.subscribers import PENDING, SignUp, Subscriber, Subscribers, Topic
from trialindex.watching.updates import UpdateFinder, in_order

Outcome = Literal["sent", "failed", "refused", "held"]
"""How it went with one mail: *failed* is tried again, *refused* never, and what is *held* was not tried."""

ASKED_AT_ONCE = 3
"""Sign-ups of one address that may wait for an answer; who asks for more is written to no more."""
NOTICE = timedelta(days=30)
"""How long before the end of their year subscribers are asked whether they want another one."""
NEWS_KEPT = timedelta(days=90)
"""How long what was told can be read again."""
FAILURES = 3
"""After so many mails in a row that could not be sent the server is left alone until the next time."""


@dataclass
class MailResult:
    """How it went with the mails to subscribers.

    :param sent: how many were accepted.
    :param refused: how many are not tried again, because the server refused them for good.
    :param error: why one could not be sent and is tried again, without the address; empty when all could.
    """

    sent: int = 0
    refused: int = 0
    error: str = ""


def find_news(index: Index, subscribers: Subscribers, note: Callable[[str], None] = lambda message: None) -> int:
    """Find what is new for each subscriber since the last time, and queue one mail of all of it.

    What is found is recorded with what it was found from in one transaction: whatever ends the process, it is queued
    once, or found again.

    :param note: called with a line for each topic that cannot be compared with the index.
    :returns: how many mails were queued.
    """
    rows, seal = subscribers.rows, subscribers.seal
    identity = str(rows.meta("id"))
    found: list[tuple[int, Topic, list[Update]]] = []
    with index.snapshot() as records:
        matcher = Matcher(index, records)
        for num, sealed in rows.topics():
            topic = seal.decrypt("topic", sealed, Topic)
            watch = msgspec.structs.replace(topic.watch, num=num)
            if (watch.last_generation, watch.lineage) == (records.generation, records.lineage):
                continue
            members = {member.trial.lower(): member for member in topic.members}
            try:
                finder = UpdateFinder(identity, watch, members, matcher)
            except TrialIndexError as problem:
                note(f"what subscribers follow under number {num} cannot be followed: {type(problem).__name__}")
                continue
            for trial in finder.departed:
                members.pop(trial.lower(), None)
            members |= {member.trial.lower(): member for member in finder.reported}
            moved = msgspec.structs.replace(topic.watch, last_generation=finder.generation, lineage=finder.lineage)
            found.append((num, Topic(watch=moved, members=tuple(members.values())), finder.updates))
    with rows.transaction():
        told: defaultdict[int, list[Update]] = defaultdict(list)
        for num, topic, updates in found:
            rows.put_topic(num, seal.encrypt("topic", topic))
            for subscriber in rows.subscribers_to(num) if updates else ():
                told[subscriber] += updates
        for subscriber, updates in told.items():
            _queue(subscribers, identity, subscriber, in_order(_once(updates)))
    return len(told)


def _once(updates: list[Update]) -> list[Update]:
    """The updates, of which those that two things that somebody follows have in common are told for the first alone."""
    return list({(update.kind, update.trial or update.key): update for update in reversed(updates)}.values())[::-1]


def _queue(subscribers: Subscribers, identity: str, subscriber: int, updates: list[Update]) -> None:
    moment = clock.now()
    key = digest(identity, subscriber, *(update.key for update in updates))
    delivery = Delivery(key=key, created=clock.iso(moment), updates=tuple(updates))
    day = moment.date().isoformat()
    subscribers.rows.add_delivery(key, subscriber, day, subscribers.seal.encrypt("delivery", delivery))


def send_mails(
    subscribers: Subscribers, *, wait: float = 0.0, is_stopped: Callable[[], bool] = lambda: False
) -> MailResult:
    """Send what is due, invitations first, and delete what is kept no longer.

    One process sends at a time; while another one does, nothing is done here.

    :param wait: seconds to wait for another one.
    :param is_stopped: asked before each mail: whether the rest has to wait.
    """
    result = MailResult()
    try:
        with write_lock(subscribers.folder, wait=wait, name=MAILS, doing="sending mails of"):
            _forget(subscribers)
            sender = _Sender(subscribers, result, is_stopped)
            sender.invite()
            sender.ask_again()
            sender.deliver()
    except IndexLocked:
        pass
    return result


def _forget(subscribers: Subscribers) -> None:
    """Delete sign-ups that nobody confirmed, subscribers whose year is over, and news of long ago."""
    moment = clock.now()
    with subscribers.rows.transaction():
        subscribers.rows.drop_sign_ups_before(clock.iso(moment - PENDING))
        subscribers.rows.drop_subscribers_before(moment.date().isoformat())
        subscribers.rows.drop_deliveries_before((moment - NEWS_KEPT).date().isoformat())


class _Sender:
    """Sends what is due, until the server has failed :data:`FAILURES` times in a row."""

    def __init__(self, subscribers: Subscribers, result: MailResult, is_stopped: Callable[[], bool]) -> None:
        self._subscribers = subscribers
        self._rows = subscribers.rows
        self._seal = subscribers.seal
        self._result = result
        self._is_stopped = is_stopped
        self._failures = 0

    def invite(self) -> None:
        """Ask those who signed up to confirm it."""
        for row in self._rows.uninvited(*_times()):
            if self._rows.count_before(row) >= ASKED_AT_ONCE:
                self._rows.drop_sign_up(row.num)  # else anybody could fill the mailbox of somebody through us
                continue
            asked = self._seal.decrypt("sign-up", row.sealed, SignUp)
            token = self._seal.token("confirm", asked.secret)
            until = clock.iso(datetime.fromisoformat(row.made) + PENDING)
            page = self._subscribers.links.confirm.format(token)
            match self._invite(asked.address, digest("sign-up", asked.secret), row.made, page, until):
                case "sent":
                    self._rows.mark_invited(row.num)
                case "refused":
                    self._rows.drop_sign_up(row.num)
                case "failed":
                    self._rows.postpone_sign_up(row.num, next_attempt(row.attempts))
                case "held":
                    return

    def ask_again(self) -> None:
        """Ask those whose year is nearly over whether they want another one."""
        soon = (clock.now() + NOTICE).date().isoformat()
        for row in self._rows.unasked(soon):
            one = self._seal.decrypt("subscriber", row.sealed, Subscriber)
            page = self._subscribers.links_of(one).manage
            key, made, until = digest("renewal", one.secret, row.until), clock.iso(clock.now()), max(row.until, soon)
            match self._invite(one.address, key, made, page, until, True):
                case "sent" | "refused":
                    self._rows.mark_asked(row.num, until)
                case "held":
                    return

    def _invite(self, address: str, key: str, created: str, page: str, until: str, renewal: bool = False) -> Outcome:
        site = self._subscribers.links.site
        invitation = Invitation(key=key, created=created, site=site, confirm=page, until=until, renewal=renewal)
        return self._send(address, lambda one: one.invite(invitation))

    def deliver(self) -> None:
        """Send news."""
        for row in self._rows.due(*_times()):
            subscriber = self._subscribers.open(row.subscriber)
            if subscriber is None:
                continue  # they left this very moment
            match self._post(subscriber.address, self._delivery(row, subscriber)):
                case "sent":
                    self._rows.mark_sent(row.num)
                case "refused":
                    self._rows.postpone_delivery(row.num, None)
                case "failed":
                    self._rows.postpone_delivery(row.num, next_attempt(row.attempts))
                case "held":
                    return

    def _post(self, address: str, delivery: Delivery) -> Outcome:
        return self._send(address, lambda one: one.send(delivery))

    def _delivery(self, row: DeliveryRow, subscriber: Subscriber) -> Delivery:
        """What is sent: what was found, without the words of the person, and with the pages of our server."""
        links = self._subscribers.links
        stored = self._seal.decrypt("delivery", row.sealed, Delivery)
        updates = tuple(
            msgspec.structs.replace(
                update, asked=None, url=links.trial.format(quote(update.trial, safe="")) if update.trial else None
            )
            for update in stored.updates
        )
        return msgspec.structs.replace(stored, updates=updates, subscriber=self._subscribers.links_of(subscriber))

    def _send(self, address: str, send: Callable[[Notifier], None]) -> Outcome:
        """Send one mail with the notifier that writes to the address; how that went."""
        if self._failures >= FAILURES or self._is_stopped():
            return "held"
        try:
            send(self._subscribers.notifier(address))
        except NotifierError as problem:
            if problem.permanent:
                self._result.refused += 1
                return "refused"
            return self._failed(address, problem)
        except PLUGIN_EXCEPTIONS as problem:  # a stranger's code, or a plugin that is gone
            return self._failed(address, problem)
        self._failures = 0
        self._result.sent += 1
        return "sent"

    def _failed(self, address: str, problem: BaseException) -> Outcome:
        self._failures += 1
        self._result.error = describe_error(problem).replace(address, "…")  # a server may quote it
        return "failed"


def _times() -> tuple[str, str]:
    """The moment up to which something is due, and the one beyond which nothing is put off."""
    moment = clock.now()
    return clock.iso(moment), clock.iso(moment + LONGEST_PAUSE)
