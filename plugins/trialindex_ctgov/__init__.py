"""ClinicalTrials.gov: the live API (``ctgov``) and files downloaded from the site (``ctgov-file``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Source


@hookimpl
def register_sources() -> Sequence[type[Source]]:
    from trialindex_ctgov.files import CtgovFileSource
    from trialindex_ctgov.source import CtgovSource

    return [CtgovSource, CtgovFileSource]
