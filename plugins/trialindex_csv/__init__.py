"""The ``csv`` source: tables, from the ClinicalTrials.gov site or from anywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Source


@hookimpl
def register_sources() -> Sequence[type[Source]]:
    from trialindex_csv.source import CsvSource

    return [CsvSource]
