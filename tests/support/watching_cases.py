"""What the tests of watching share: a registry that changes, and a mailbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import click

from support.helpers import ListSource, trial
from trialindex.errors import NotifierError, SourceError
from trialindex.index import Index
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import Concept, IngestContext, Notifier, Source, Vocabulary
from trialindex.plugin.messages import Delivery, Invitation, Update
from trialindex.plugin.registry import Plugins
from trialindex.trial import Trial
from trialindex.watching import Watch, Watches, baseline, watch_for


class Registry(Source):
    """Delivers what a test puts into it."""

    name = "registry"
    summary = "For tests: a registry that changes."
    options = (
        click.Option(["--only"], multiple=True, help="These."),
        click.Option(["--full"], is_flag=True, help="All."),
        click.Option(["--password"], hide_input=True, help="A secret."),
    )
    once = ("full",)
    trials_now: ClassVar[list[Trial]] = []
    down: ClassVar[str] = ""
    asked: ClassVar[list[dict[str, Any]]] = []

    @property
    def spec(self) -> str:
        only = "".join(f" --only {word}" for word in self.given.get("only", ()))
        return super().spec + only

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        Registry.asked.append({"argument": self.argument, **self.given, "state": dict(context.state)})
        if Registry.down:
            raise SourceError(Registry.down)
        yield from Registry.trials_now
        context.checkpoint({"runs": context.state.get("runs", 0) + 1})


class Lines(Source):
    """A file of ids and titles, with an option that only says how it is read."""

    name = "lines"
    summary = "For tests: a file."
    options = (click.Option(["--separator"], default=" ", help="Between id and title."),)

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        try:
            text = Path(self.argument).read_text(encoding="utf-8")
        except OSError:
            raise SourceError(f"{self.argument} cannot be read.") from None
        for line in text.splitlines():
            trial_id, _, title = line.partition(self.given.get("separator", " "))
            yield Trial(id=trial_id, title=title)


class Mailbox(Notifier):
    """Keeps what it is sent, fails when a test says so, and is told what the user typed."""

    name = "mailbox"
    summary = "For tests: keeps what it is sent."
    options = (click.Option(["--colour"], help="Of the envelope."),)
    local = True
    got: ClassVar[list[Delivery]] = []
    problem: ClassVar[BaseException | None] = None

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if argument == "nowhere":
            raise NotifierError("nowhere is no address.")

    def send(self, delivery: Delivery) -> None:
        if Mailbox.problem is not None:
            raise Mailbox.problem
        type(self).got.append(delivery)


class Postcard(Mailbox):
    """Goes off the machine."""

    name = "postcard"
    local = False
    got: ClassVar[list[Delivery]] = []


class Letters(Mailbox):
    """Writes to people who sign up: keeps whom it wrote what, and of each the address."""

    name = "letters"
    local = False
    invites = True
    asked: ClassVar[list[tuple[str, Invitation]]] = []
    told: ClassVar[list[tuple[str, Delivery]]] = []

    def send(self, delivery: Delivery) -> None:
        super().send(delivery)
        Letters.told.append((self.argument, delivery))

    def invite(self, invitation: Invitation) -> None:
        if Mailbox.problem is not None:
            raise Mailbox.problem
        Letters.asked.append((self.argument, invitation))


class Words(Vocabulary):
    """Lupus and what is a kind of it."""

    name = "few"
    summary = "For tests: few words."

    @property
    def version(self) -> str:
        return "1"

    def concepts(self) -> Iterator[Concept]:
        yield Concept("lupus", ("SLE", "systemic lupus erythematosus"), "X:1")
        yield Concept("lupus nephritis", ("LN", "kidney lupus"), "X:2", broader=("X:1",))
        yield Concept("asthma", (), "X:3")


class _Fakes:
    @hookimpl
    def register_sources(self) -> Sequence[type[Source]]:
        return [Registry, Lines]

    @hookimpl
    def register_notifiers(self) -> Sequence[type[Notifier]]:
        return [Mailbox, Postcard, Letters]

    @hookimpl
    def register_vocabularies(self) -> Sequence[type[Vocabulary]]:
        return [Words]


def add_fakes(plugins: Plugins) -> None:
    """Add them to the plugins of a test, empty."""
    plugins.register(_Fakes(), "watching")
    Registry.trials_now, Registry.down, Registry.asked = [], "", []
    Mailbox.got, Mailbox.problem, Postcard.got = [], None, []
    Letters.got, Letters.asked, Letters.told = [], [], []


def said(updates: Sequence[Update]) -> list[tuple[int, str, str]]:
    """Watch, kind and trial of each."""
    return [(update.watch, update.kind, update.trial) for update in updates]


def lupus(number: int, **fields: Any) -> Trial:
    return trial(number, **{"conditions": ("Lupus Nephritis",), "status": "RECRUITING", **fields})


def put(index: Index, *trials: Trial) -> None:
    index.ingest(ListSource(*trials))


def add(watches: Watches, index: Index, **asked: Any) -> Watch:
    return watches.add(*baseline(index, watch_for(index, **asked)))
