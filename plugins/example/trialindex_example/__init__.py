"""An example plugin of trialindex: the source ``noticeboard`` and the format ``email``.

This module holds nothing but the hooks. Every ``trialindex`` command imports it, even ``trialindex --help``, so it must
be quick: each hook imports its class when it is called, and the class imports what is heavy when it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Renderer, Source


@hookimpl
def register_sources() -> Sequence[type[Source]]:
    from trialindex_example.noticeboard import NoticeboardSource

    return [NoticeboardSource]


@hookimpl
def register_renderers() -> Sequence[type[Renderer]]:
    from trialindex_example.email_text import EmailRenderer

    return [EmailRenderer]
