"""``check_notifier`` accepts what keeps the contract, and finds each way to break it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, ClassVar

import click
import pytest

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery
from trialindex.testing import check_notifier, sample_deliveries
from trialindex.testing.notifying import ASKED
from trialindex.testing.samples import HOSTILE

_numbers = itertools.count()


class Good(Notifier):
    """Keeps what it is given."""

    name = "good"
    summary = "Keeps the news."
    options: ClassVar[tuple[click.Option, ...]] = (click.Option(["--shelf"], help="Where to."),)
    taken: ClassVar[list[str]] = []

    def send(self, delivery: Delivery) -> None:
        self.taken.append(delivery.key)


class Named(Good):
    name = "two words"


class Unsure(Good):
    local = None  # type: ignore[assignment]


class Wordless(Good):
    options = (click.Option(["--shelf"]),)


class Other(Good):
    options = ("--shelf",)  # type: ignore[assignment]


class Holding(Good):
    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, secret=b"open")


class Lost(Good):
    def send(self, delivery: Delivery) -> None:
        pass


class Forgetful(Good):
    def send(self, delivery: Delivery) -> None:
        self.taken.append(f"message {next(_numbers)}")


class Talkative(Good):
    def send(self, delivery: Delivery) -> Any:
        super().send(delivery)
        return True


class Brittle(Good):
    def send(self, delivery: Delivery) -> None:
        super().send(delivery)
        for update in delivery.updates:
            if update.url is None:
                raise ValueError("no\naddress")


class Away(Good):
    def send(self, delivery: Delivery) -> None:
        raise NotifierError("nobody is there.", hint="Try later.")


@pytest.fixture(autouse=True)
def nothing_taken() -> None:
    Good.taken.clear()


def test_what_keeps_the_contract_passes() -> None:
    sent = check_notifier(Good, lambda: Good.taken)
    assert Good.taken == [delivery.key for delivery in sent for _ in range(2)]
    assert check_notifier(Good) == sent


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Named, "no spaces"),
        (Unsure, "local must be True or False"),
        (Wordless, "--shelf has no help"),
        (Other, "no click.Option"),
        (Holding, "JSON cannot keep"),
        (Lost, "nothing of it was received"),
        (Forgetful, "cannot tell"),
        (Talkative, "returned True"),
        (Brittle, "failed for sample-2: ValueError: no address"),
        (Away, "failed for sample-1: nobody is there"),
    ],
)
def test_what_breaks_it_is_found(broken: Callable[[], Notifier], words: str) -> None:
    with pytest.raises(AssertionError, match=words) as caught:
        check_notifier(broken, lambda: Good.taken)
    assert "\n" not in str(caught.value)


def test_only_what_stays_on_the_machine_is_told_what_was_typed() -> None:
    assert {update.asked for delivery in sample_deliveries() for update in delivery.updates} == {None}
    assert {update.asked for delivery in sample_deliveries(local=True) for update in delivery.updates} == {ASKED}


def test_the_samples_hold_what_goes_wrong_easily_and_stay_the_same() -> None:
    updates = [update for delivery in sample_deliveries() for update in delivery.updates]
    assert {update.kind for update in updates} == {"new", "changed", "removed", "backlog"}
    assert any(update.url is None for update in updates)
    assert any(HOSTILE in update.title for update in updates)
    assert len({update.key for update in updates}) == len(updates) == 56
    assert sample_deliveries() == sample_deliveries()
    assert all(word not in str(sample_deliveries()) for word in ASKED.split()[1:] if len(word) > 3)
