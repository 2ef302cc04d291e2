"""The vocabularies ``lexicon``, ``disease-ontology``, ``phenotype-ontology``; the command ``trialindex vocabulary``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    import click

    from trialindex.plugin.interfaces import Vocabulary


@hookimpl
def register_vocabularies() -> Sequence[type[Vocabulary]]:
    from trialindex_vocabulary.lexicon import Lexicon
    from trialindex_vocabulary.ontology import ONTOLOGIES

    return [*ONTOLOGIES.values(), Lexicon]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from trialindex_vocabulary.command import vocabulary

    cli.add_command(vocabulary)
