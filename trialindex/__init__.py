"""trialindex: a searchable semantic index of clinical trials, on your own machine.

The names below are the library; what else a module holds may change. They are loaded when first used, so that
``import trialindex`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trialindex.cards import card
    from trialindex.errors import TrialIndexError
    from trialindex.hookspecs import hookimpl
    from trialindex.index import Index
    from trialindex.ingest import Reports, Summary
    from trialindex.interfaces import Encoder, Renderer, RenderOptions, Source, VectorStore, Writer
    from trialindex.plain import Card
    from trialindex.sample import sample_index
    from trialindex.search.filters import Filters
    from trialindex.search.results import Hit, Results
    from trialindex.storage.records import Change
    from trialindex.trial import Trial

_HOMES = {
    "Card": "plain",
    "Change": "storage.records",
    "Encoder": "interfaces",
    "Filters": "search.filters",
    "Hit": "search.results",
    "Index": "index",
    "RenderOptions": "interfaces",
    "Renderer": "interfaces",
    "Reports": "ingest",
    "Results": "search.results",
    "Source": "interfaces",
    "Summary": "ingest",
    "Trial": "trial",
    "TrialIndexError": "errors",
    "VectorStore": "interfaces",
    "Writer": "interfaces",
    "card": "cards",
    "hookimpl": "hookspecs",
    "sample_index": "sample",
}

__all__ = [
    "Card",
    "Change",
    "Encoder",
    "Filters",
    "Hit",
    "Index",
    "RenderOptions",
    "Renderer",
    "Reports",
    "Results",
    "Source",
    "Summary",
    "Trial",
    "TrialIndexError",
    "VectorStore",
    "Writer",
    "card",
    "hookimpl",
    "sample_index",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'trialindex' has no attribute {name!r}")
    return getattr(import_module(f"trialindex.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
