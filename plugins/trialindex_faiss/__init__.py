"""The ``faiss`` vector store, the default one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import VectorStore


@hookimpl
def register_stores() -> Sequence[type[VectorStore]]:
    from trialindex_faiss.store import FaissStore

    return [FaissStore]
