"""The built-in output formats: ``table``, ``json``, ``jsonl``, ``csv``, ``markdown``, ``html``, ``ris``
and ``nbib``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Renderer


@hookimpl
def register_renderers() -> Sequence[type[Renderer]]:
    from trialindex_renderers.citations import NbibRenderer, RisRenderer
    from trialindex_renderers.documents import JsonLinesRenderer, JsonRenderer
    from trialindex_renderers.markdown import MarkdownRenderer
    from trialindex_renderers.spreadsheet import CsvRenderer
    from trialindex_renderers.table import TableRenderer
    from trialindex_renderers.webpage import HtmlRenderer

    programs = [JsonRenderer, JsonLinesRenderer, CsvRenderer, RisRenderer, NbibRenderer]
    return [TableRenderer, MarkdownRenderer, HtmlRenderer, *programs]
