"""The sources ``csv``, ``ris`` and ``aact``: tables and lists of references, from a registry or from anywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Source


@hookimpl
def register_sources() -> Sequence[type[Source]]:
    from trialindex_csv.aact import AactSource
    from trialindex_csv.citations import RisSource
    from trialindex_csv.source import CsvSource

    return [CsvSource, RisSource, AactSource]
