"""What is logged: what an operator wants to see, and nothing that a person typed."""

from __future__ import annotations

import logging

import msgspec
import pytest

from support.helpers import ListSource, trial
from support.plugin_cases import plugin
from trialindex.errors import NotifierError
from trialindex.index import Index
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery
from trialindex.plugin.registry import Plugins
from trialindex.watching import Watches, baseline, sync, watch_for
from trialindex.watching.delivery import notifier_config

MARK = "zanzibar"


class Refusing(Notifier):
    name = "refusing"
    summary = "For tests: takes nothing."

    @classmethod
    def create(cls, argument: str) -> Refusing:
        return cls()

    def send(self, delivery: Delivery) -> None:
        raise NotifierError(f"{MARK}@example.org does not exist.")


def test_an_operator_sees_what_was_done_and_nobody_what_was_typed(
    registered: Plugins, index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "trialindex")
    registered.register(plugin(register_notifiers=lambda: [Refusing]), "refusing")
    index.ingest(ListSource(trial(1), spec=f"list:{MARK}"))
    index.query(f"lupus in {MARK}")
    with Watches(index.folder, create=True) as watches:
        watches.add(*baseline(index, watch_for(index, query=f"lupus in {MARK}", name=MARK)))
        watches.add(*baseline(index, watch_for(index, trial="T-1")))
        watches.add_notifier(notifier_config(f"refusing:{MARK}@example.org", {}))
        index.ingest(ListSource(msgspec.structs.replace(trial(1), status="COMPLETED"), spec=f"list:{MARK}"))
        assert sync(index, watches).deliveries
    logged = [f"{record.name} {record.getMessage()} {record.exc_text}" for record in caplog.records]
    for module in ("index", "ingest.run", "storage.derived", "watching.delivery", "watching.sync"):
        assert any(line.startswith(f"trialindex.{module} ") for line in logged), f"{module} says nothing"
    assert [line for line in logged if MARK in line] == []
