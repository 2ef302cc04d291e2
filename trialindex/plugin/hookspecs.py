"""The hooks. A plugin is a module or object in the ``trialindex`` entry-point group that implements some of them.

Importing a plugin must be cheap: ``trialindex --help`` imports all of them. Import what is heavy (numpy, a model
library, a database driver) inside the methods that need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from trialindex.plugin.interfaces import (
        Encoder,
        Notifier,
        Reader,
        Renderer,
        Reranker,
        Source,
        VectorStore,
        Vocabulary,
        Writer,
    )
    from trialindex.plugin.updates import Change, UpdatedIndex

hookspec = pluggy.HookspecMarker("trialindex")
hookimpl = pluggy.HookimplMarker("trialindex")


@hookspec
def register_sources() -> Sequence[type[Source]]:
    """Sources of trials, each a :class:`~trialindex.plugin.interfaces.Source` subclass.

    Called once, when a source is first looked up. ``trialindex ingest NAME:argument`` finds the class by its name.
    """
    raise AssertionError("specification only")


@hookspec
def register_encoders() -> Sequence[type[Encoder]]:
    """Embedding models, each an :class:`~trialindex.plugin.interfaces.Encoder` subclass.

    Called once, when an encoder is first looked up: when an index is created with ``--encoder``, and whenever an index
    that was built with it is opened for a query.
    """
    raise AssertionError("specification only")


@hookspec
def register_stores() -> Sequence[type[VectorStore]]:
    """Vector stores, each a :class:`~trialindex.plugin.interfaces.VectorStore` subclass.

    Called once, when a store is first looked up; an index remembers in its manifest which one it uses.
    """
    raise AssertionError("specification only")


@hookspec
def register_renderers() -> Sequence[type[Renderer]]:
    """Output formats, each a :class:`~trialindex.plugin.interfaces.Renderer` subclass.

    Called once, when a format is first looked up, for ``--format NAME``.
    """
    raise AssertionError("specification only")


@hookspec
def register_writers() -> Sequence[type[Writer]]:
    """Writers of plain language, each a :class:`~trialindex.plugin.interfaces.Writer` subclass.

    Called once, when a writer is first looked up, for ``trialindex show ID --writer NAME``.
    """
    raise AssertionError("specification only")


@hookspec
def register_notifiers() -> Sequence[type[Notifier]]:
    """Ways to bring word of changes, each a :class:`~trialindex.plugin.interfaces.Notifier` subclass.

    Called once, when a notifier is first looked up: by ``trialindex notify add`` and by every delivery.
    """
    raise AssertionError("specification only")


@hookspec
def register_vocabularies() -> Sequence[type[Vocabulary]]:
    """Vocabularies, each a :class:`~trialindex.plugin.interfaces.Vocabulary` subclass.

    Called once, when a question is first analysed; every vocabulary that is at hand takes part.
    """
    raise AssertionError("specification only")


@hookspec
def register_rerankers() -> Sequence[type[Reranker]]:
    """Rerankers, each a :class:`~trialindex.plugin.interfaces.Reranker` subclass.

    Called once, when a reranker is first looked up, for ``trialindex query --rerank NAME``.
    """
    raise AssertionError("specification only")


@hookspec
def register_readers() -> Sequence[type[Reader]]:
    """Readers of questions, each a :class:`~trialindex.plugin.interfaces.Reader` subclass.

    Called once, when a reader is first looked up: by the first question, for ``trialindex query --reader NAME``.
    """
    raise AssertionError("specification only")


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the ``trialindex`` command line with ``cli.add_command``.

    Called once, before the command line is parsed. A name that is taken is refused, and the plugin named.
    """
    raise AssertionError("specification only")


@hookspec
def index_updated(index: UpdatedIndex, changes: Sequence[Change]) -> None:
    """What an ingest or a removal changed, after it was committed and can be queried.

    Called once for each ingest that changed something, in the process that ran it. An exception is reported as a
    warning that names the plugin; the index stays as committed.
    """
    raise AssertionError("specification only")
