"""All that the author of a plugin imports: the hooks, the classes to subclass, and what goes in and out of them.

::

    from trialindex.plugin import Source, hookimpl
"""

from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import (
    Concept,
    Encoder,
    EncoderIdentity,
    IngestContext,
    Notifier,
    Reader,
    Renderer,
    RenderOptions,
    Reranker,
    Source,
    VectorStore,
    Vocabulary,
    Writer,
)
from trialindex.plugin.proposals import Proposal

__all__ = [
    "Concept",
    "Encoder",
    "EncoderIdentity",
    "IngestContext",
    "Notifier",
    "Proposal",
    "Reader",
    "RenderOptions",
    "Renderer",
    "Reranker",
    "Source",
    "VectorStore",
    "Vocabulary",
    "Writer",
    "hookimpl",
]
