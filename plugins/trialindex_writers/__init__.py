"""The writer ``plain``: plain language from registered facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Writer


@hookimpl
def register_writers() -> Sequence[type[Writer]]:
    from trialindex_writers.plain import PlainWriter

    return [PlainWriter]
