"""News that the tests of the notifiers send."""

from __future__ import annotations

from typing import Any

import pytest

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Update


def update(number: int = 1, **other: Any) -> Update:
    """News of a made-up study, for watch 3."""
    values: dict[str, Any] = {
        "key": f"3:NCT{number:08d}:1",
        "watch": 3,
        "kind": "new",
        "trial": f"NCT{number:08d}",
        "title": f"Home exercise number {number}",
        "url": f"https://clinicaltrials.gov/study/NCT{number:08d}",
        "when": "2026-03-05",
        "why": "It lists a condition of this watch.",
    }
    return Update(**values | other)


def delivery(*updates: Update, key: str = "4f2a", created: str = "2026-03-05T07:00:00+00:00") -> Delivery:
    return Delivery(key=key, created=created, updates=updates)


def refusal(sender: Notifier, sent: Delivery | None = None) -> NotifierError:
    """Why it does not send: in one line, with what to do."""
    with pytest.raises(NotifierError) as caught:
        sender.send(sent or delivery(update()))
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    return caught.value
