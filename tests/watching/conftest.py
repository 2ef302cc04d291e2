"""Watches beside a small index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.helpers import trial
from support.watching_cases import add_fakes, lupus, put
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.trial import Site
from trialindex.watching import Watches


@pytest.fixture
def watches(new_index: Index, registered: Plugins) -> Iterator[Watches]:
    """No watches yet, beside an index of three trials."""
    add_fakes(registered)
    put(
        new_index,
        lupus(1),
        trial(2, conditions=("Asthma",), status="COMPLETED"),
        trial(3, conditions=("SLE",), sites=(Site(city="Lyon", country="France"),)),
    )
    with Watches(new_index.folder, create=True) as made:
        yield made
