"""A browser at a small index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.web_cases import Browser, add_page_plugins, serve
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.testing import BruteForceStore


@pytest.fixture
def store(registered: Plugins) -> str:
    """One vector store: pages do not depend on it."""
    return BruteForceStore.name


@pytest.fixture
def pages(registered: Plugins) -> None:
    """The formats and the writer of pages, among the plugins of the test."""
    add_page_plugins(registered)


@pytest.fixture
def browser(pages: None, index: Index) -> Iterator[Browser]:
    """At a private server."""
    with serve(index) as made:
        yield made


@pytest.fixture
def visitor(pages: None, index: Index) -> Iterator[Browser]:
    """At a public server."""
    with serve(index, public=True) as made:
        yield made
