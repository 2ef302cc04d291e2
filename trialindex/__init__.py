"""trialindex: a searchable semantic index of clinical trials, on your own machine.

The names below are the library; what else a module holds may change. They are loaded when first used, so that
``import trialindex`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trialindex.errors import TrialIndexError
    from trialindex.index import Index
    from trialindex.ingest.run import Summary
    from trialindex.page.build import card
    from trialindex.plugin.hookspecs import hookimpl
    from trialindex.plugin.interfaces import Encoder, Renderer, RenderOptions, Source, VectorStore, Writer
    from trialindex.plugin.progress import ProgressListener
    from trialindex.plugin.results import Hit, Results
    from trialindex.plugin.trial_page import TrialPage
    from trialindex.plugin.trial_page import TrialPage as Card
    from trialindex.plugin.updates import Change
    from trialindex.sample import sample_index
    from trialindex.search.filters import Filters
    from trialindex.trial import Trial

_HOMES = {
    "Change": "plugin.updates",
    "Encoder": "plugin.interfaces",
    "Filters": "search.filters",
    "Hit": "plugin.results",
    "Index": "index",
    "RenderOptions": "plugin.interfaces",
    "Renderer": "plugin.interfaces",
    "ProgressListener": "plugin.progress",
    "Results": "plugin.results",
    "Source": "plugin.interfaces",
    "Summary": "ingest.run",
    "Trial": "trial",
    "TrialIndexError": "errors",
    "TrialPage": "plugin.trial_page",
    "VectorStore": "plugin.interfaces",
    "Writer": "plugin.interfaces",
    "card": "page.build",
    "hookimpl": "plugin.hookspecs",
    "sample_index": "sample",
}

__all__ = [
    "Card",
    "Change",
    "Encoder",
    "Filters",
    "Hit",
    "Index",
    "ProgressListener",
    "RenderOptions",
    "Renderer",
    "Results",
    "Source",
    "Summary",
    "Trial",
    "TrialIndexError",
    "TrialPage",
    "VectorStore",
    "Writer",
    "card",
    "hookimpl",
    "sample_index",
]


_ALIASES = {"Card": "TrialPage"}
"""Names that go on working."""


def __getattr__(name: str) -> Any:
    name = _ALIASES.get(name, name)
    if name not in _HOMES:
        raise AttributeError(f"module 'trialindex' has no attribute {name!r}")
    return getattr(import_module(f"trialindex.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
