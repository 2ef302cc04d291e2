"""People who signed up at a public server: who asked, who confirmed, what they follow, and what is kept of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import msgspec

from trialindex.errors import IndexDamaged, NotifierError, WatchError
from trialindex.plugin import registry
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, SubscriberLinks, Update
from trialindex.storage.lock import SUBSCRIBERS
from trialindex.storage.subscriber_rows import SubscriberRow, SubscriberRows
from trialindex.storage.watch_rows import Member
from trialindex.watching import clock
from trialindex.watching.sealing import Seal, read_key
from trialindex.watching.updates import baseline
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.plugin.registry import Plugins

PENDING = timedelta(hours=48)
"""How long somebody has to confirm; after that nothing of a sign-up is kept."""
KEPT = timedelta(days=365)
"""How long a confirmation stands; then they are asked again."""
MOST = 50
"""How many things one address may follow."""


class PublicLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pages of a public server are, ``{}`` in place of the token or the id.

    :param site: the host, as people know it.
    """

    site: str
    confirm: str
    stop: str
    manage: str
    trial: str


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How people are written to: a notifier that can invite, its options, and the file of the key that seals all."""

    notifier: str
    options: dict[str, Any]
    key_file: str


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody agreed to: the version of the text, when they sent the form, and when they confirmed it."""

    version: str
    given: str
    confirmed: str = ""


class SignUp(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asked for and has not confirmed."""

    address: str
    secret: str
    watches: tuple[Watch, ...]
    consent: Consent


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who confirmed. All that is kept of them in the clear is of which day on they are asked again.

    :param secret: what the tokens of their pages are made of.
    """

    address: str
    secret: str


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """What one or more subscribers follow, and the trials of it that are known."""

    watch: Watch
    members: tuple[Member, ...] = ()


class Followed(NamedTuple):
    """One thing that a subscriber follows, by its number among theirs."""

    num: int
    watch: Watch
    consent: Consent


class Subscribers:
    """Those who signed up beside one index. No method tells whether an address is known but to whoever holds its token.

    :param folder: the index folder.
    :raises WatchError: nothing is set up there, or the key cannot be read.
    """

    def __init__(self, folder: Path, *, plugins: Plugins | None = None) -> None:
        if not self.exist(folder):
            raise WatchError(
                "nobody can sign up here: how they are written to is not set up.",
                hint="Set it up: trialindex subscribers setup --help",
            )
        self.folder = folder
        self.plugins = plugins or registry.plugins()
        self.rows = SubscriberRows(folder)
        try:
            self.settings = msgspec.json.decode(self.rows.meta("settings") or b"", type=MailSettings)
            self.seal = Seal(read_key(Path(self.settings.key_file)))
            self.seal.decrypt("check", self.rows.meta("check") or b"", str)
        except msgspec.DecodeError:
            self.close()
            raise WatchError(
                "the setup of the subscribers was not finished.", hint="Repeat it: trialindex subscribers setup"
            ) from None
        except BaseException:
            self.close()
            raise

    @staticmethod
    def exist(folder: Path) -> bool:
        """Whether signing up was set up beside the index."""
        return (folder / SUBSCRIBERS).exists()

    @classmethod
    def set_up(cls, folder: Path, settings: MailSettings, *, plugins: Plugins | None = None) -> Self:
        """Make the store and its key, or change how people of an existing one are written to.

        :raises WatchError: the key lies in the index folder, which is made to be copied; or it cannot be used.
        """
        key_file = Path(settings.key_file)
        if key_file.resolve().is_relative_to(folder.resolve()):
            raise WatchError(
                "the key may not lie in the index folder, which is made to be copied.",
                hint="Put it elsewhere with --key-file.",
            )
        known = cls.exist(folder)
        seal = Seal(read_key(key_file, create=not known))
        with SubscriberRows(folder, create=True) as rows, rows.transaction():
            if check := rows.meta("check"):
                seal.decrypt("check", check, str)
            else:
                rows.set_meta("check", seal.encrypt("check", "this is the key"))
            rows.set_meta("settings", msgspec.json.encode(settings))
        return cls(folder, plugins=plugins)

    def close(self) -> None:
        self.rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def damage(self) -> list[str]:
        """What is wrong with the file, each in a sentence, without a word of what it keeps."""
        try:
            found = self.rows.damage()
            for num, sealed in self.rows.topics():
                self.seal.decrypt("topic", sealed, Topic)
                for subscriber in self.rows.subscribers_to(num):
                    if (row := self.rows.subscriber(subscriber)) is not None:
                        self.export(row)
        except IndexDamaged as problem:
            return [str(problem.args[0])]
        return found

    # --- how they are reached -----------------------------------------------------------------------------------------

    def notifier(self, address: str) -> Notifier:
        """The notifier that writes to an address.

        :raises NotifierError: it is no address, or the settings cannot be used.
        :raises PluginError: the notifier is not installed any more.
        """
        return self.plugins.notifiers.make(f"{self.settings.notifier}:{address}", **self.settings.options)

    @property
    def links(self) -> PublicLinks:
        """Where the pages of the server are, as it said when it was started last.

        :raises NotifierError: it never was.
        """
        found = self.rows.meta("links")
        if not found:
            raise NotifierError(
                "where the pages of the public server are is not known yet.",
                hint="Start it once: trialindex serve --public --base-url https://…",
            )
        return msgspec.json.decode(found, type=PublicLinks)

    def set_links(self, links: PublicLinks) -> None:
        self.rows.set_meta("links", msgspec.json.encode(links))

    def links_of(self, subscriber: Subscriber) -> SubscriberLinks:
        """The pages of one of them, in a form that nobody else can guess."""
        stop, manage = (self.seal.token(use, subscriber.secret) for use in ("stop", "manage"))
        return SubscriberLinks(stop=self.links.stop.format(stop), manage=self.links.manage.format(manage))

    # --- signing up ---------------------------------------------------------------------------------------------------

    def sign_up(self, address: str, watches: Sequence[Watch], consent: str) -> None:
        """Keep that somebody asked to be told; they are written to, and nothing else comes of it until they confirm.

        The same is done for every address, known or not, so that neither the answer nor its time tells.

        :param watches: what they want to hear of, as :func:`trialindex.watching.watch_for` makes it.
        :param consent: the version of the text that they agreed to.
        :raises NotifierError: nobody can be written to at that address.
        """
        self.notifier(address)
        moment = clock.iso(clock.now())
        asked = SignUp(
            address=address,
            secret=secrets.token_hex(16),
            watches=tuple(watches),
            consent=Consent(version=consent, given=moment),
        )
        token = _digest(self.seal.token("confirm", asked.secret))
        self.rows.add_sign_up(self._address(address), token, moment, self.seal.encrypt("sign-up", asked))

    def pending_sign_up(self, token: str) -> SignUp | None:
        """What the holder of the token asked for, if it can still be confirmed."""
        row = self.rows.sign_up(_digest(token))
        if row is None or row.made < clock.iso(clock.now() - PENDING):
            return None
        return self.seal.decrypt("sign-up", row.sealed, SignUp)

    def confirm(self, index: Index, token: str) -> SubscriberLinks | None:
        """Sign somebody up for what they asked; the token works once.

        :returns: their pages, or nothing when the token is not known, was used or is too old.
        :raises WatchError: the address follows too many things already.
        """
        asked = self.pending_sign_up(token)
        if asked is None:
            return None
        # What a topic starts from is found before anything is locked: a question is asked for it.
        topics = {self._topic(watch): watch for watch in asked.watches}
        started = {
            digest: Topic(watch=watch, members=tuple(members))
            for digest, wanted in topics.items()
            if self.rows.topic(digest) is None
            for watch, members in [baseline(index, wanted)]
        }
        moment = clock.now()
        consent = msgspec.structs.replace(asked.consent, confirmed=clock.iso(moment))
        with self.rows.transaction():
            row = self.rows.sign_up(_digest(token))
            if row is None:  # pressed twice at once
                return None
            num, subscriber = self._subscriber(asked, moment)
            for digest in topics:
                topic = self.rows.topic(digest)
                if topic is None and digest in started:
                    topic = self.rows.add_topic(digest, self.seal.encrypt("topic", started[digest]))
                if topic is None:
                    raise WatchError("what was asked for changed this very moment.", hint="Try again.")
                self.rows.add_subscription(num, topic, self.seal.encrypt("subscription", consent))
            if len(self.rows.subscriptions(num)) > MOST:
                raise WatchError(f"One address can follow {MOST} things, and yours follows that many.")
            self.rows.drop_sign_up(row.num)
        return self.links_of(subscriber)

    def _subscriber(self, asked: SignUp, moment: datetime) -> tuple[int, Subscriber]:
        """The subscriber of an address, made if there is none; their year begins anew."""
        until = (moment + KEPT).date().isoformat()
        row = self.rows.subscriber_of(self._address(asked.address))
        if row is not None:
            self.rows.renew(row.num, until)
            return row.num, self._open(row)
        made = Subscriber(address=asked.address, secret=secrets.token_hex(16))
        manage, stop = (_digest(self.seal.token(use, made.secret)) for use in ("manage", "stop"))
        sealed = self.seal.encrypt("subscriber", made)
        return self.rows.add_subscriber(self._address(asked.address), manage, stop, until, sealed), made

    # --- what is kept of somebody -------------------------------------------------------------------------------------

    def managed_by(self, token: str) -> tuple[SubscriberRow, Subscriber] | None:
        """The subscriber whose page the token opens."""
        row = self.rows.managed_by(_digest(token))
        return (row, self._open(row)) if row else None

    def known_as(self, address: str) -> tuple[SubscriberRow, Subscriber] | None:
        """The subscriber of an address, for whoever runs the server."""
        row = self.rows.subscriber_of(self._address(address))
        return (row, self._open(row)) if row else None

    def followed(self, row: SubscriberRow) -> list[Followed]:
        """What a subscriber follows."""
        return [
            Followed(
                each.num,
                self.seal.decrypt("topic", each.content, Topic).watch,
                self.seal.decrypt("subscription", each.sealed, Consent),
            )
            for each in self.rows.subscriptions(row.num)
        ]

    def news(self, row: SubscriberRow) -> list[Update]:
        """What a subscriber was told, the newest first."""
        deliveries = (self.seal.decrypt("delivery", sealed, Delivery) for sealed in self.rows.deliveries(row.num))
        return [update for delivery in deliveries for update in delivery.updates]

    def renew(self, row: SubscriberRow) -> None:
        """Begin another year."""
        self.rows.renew(row.num, (clock.now() + KEPT).date().isoformat())

    def drop(self, row: SubscriberRow, num: int) -> None:
        """Follow one thing no more; with the last one goes the subscriber."""
        with self.rows.transaction():
            self.rows.drop_subscription(row.num, num)
            if not self.rows.subscriptions(row.num):
                self.rows.drop_subscriber(row.num)

    def delete(self, row: SubscriberRow) -> None:
        """Delete a subscriber, all that they followed and were told, and what they asked for and did not confirm."""
        address = self._open(row).address
        with self.rows.transaction():
            self.rows.drop_sign_ups_of(self._address(address))
            self.rows.drop_subscriber(row.num)

    def stop(self, token: str) -> None:
        """Delete the subscriber whom the token of a mail names; nothing happens where there is none."""
        row = self.rows.stopped_by(_digest(token))
        if row is not None:
            self.delete(row)

    def export(self, row: SubscriberRow) -> dict[str, Any]:
        """All that is kept of a subscriber, as plain values."""
        return {
            "address": self._open(row).address,
            "asked_again_from": row.until,
            "followed": [
                {
                    "kind": one.watch.kind,
                    "subject": one.watch.subject,
                    "filters": one.watch.filters,
                    "consent": msgspec.to_builtins(one.consent),
                }
                for one in self.followed(row)
            ],
            "told": [msgspec.to_builtins(update) for update in self.news(row)],
        }

    # ------------------------------------------------------------------------------------------------------------------

    def open(self, num: int) -> Subscriber | None:
        """The subscriber of a number."""
        row = self.rows.subscriber(num)
        return self._open(row) if row else None

    def _open(self, row: SubscriberRow) -> Subscriber:
        return self.seal.decrypt("subscriber", row.sealed, Subscriber)

    def _address(self, address: str) -> bytes:
        return self.seal.digest("address", address.casefold())

    def _topic(self, watch: Watch) -> bytes:
        same = [watch.kind, watch.subject.casefold(), watch.filters, watch.top, watch.level]
        return self.seal.digest("topic", msgspec.json.encode(same, order="sorted").decode())


def _digest(token: str) -> bytes:
    """What is kept of a token: enough to know it again."""
    return sha256(token.encode()).digest()
