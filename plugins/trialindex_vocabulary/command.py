"""``trialindex vocabulary``: the words for illnesses that are at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialindex.errors import SourceError

if TYPE_CHECKING:
    from trialindex_vocabulary.formats import Edition

_NAME = click.argument("name", metavar="disease-ontology", type=click.Choice(["disease-ontology"]))


@click.group("vocabulary")
def vocabulary() -> None:
    """See and get the vocabularies by which a question is understood.

    \b
    Examples:
      trialindex vocabulary list
      trialindex vocabulary download disease-ontology
      trialindex vocabulary import disease-ontology doid.obo
    """


@vocabulary.command("list")
def list_() -> None:
    """List the vocabularies: version, number of concepts, and where each comes from."""
    from trialindex.trial.sanitize import one_line

    rows = [("NAME", "VERSION", "CONCEPTS", "WHERE"), *(tuple(map(one_line, row)) for row in _rows())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(map(str.ljust, row, widths)).rstrip())


def _rows() -> Iterator[tuple[str, str, str, str]]:
    from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, describe_error
    from trialindex.plugin.registry import plugins
    from trialindex_vocabulary.lexicon import Lexicon
    from trialindex_vocabulary.ontology import DiseaseOntology

    vocabularies = plugins().vocabularies
    for name, cls in vocabularies.classes().items():
        try:
            one = cls()
            version, count = one.version, sum(1 for _ in one.concepts())
            where = (
                one.where if isinstance(one, Lexicon | DiseaseOntology) else f'plugin "{vocabularies.plugin_of(name)}"'
            )
            yield name, version or "-", f"{count:,}" if version else "-", where
        except PLUGIN_EXCEPTIONS as problem:  # a stranger's, and the others are still to be listed
            yield name, "-", "-", f"does not work: {describe_error(problem)}"


@vocabulary.command("download")
@_NAME
@click.option("--url", metavar="URL", help="Another address than the project's own, such as a mirror.")
def download(name: str, url: str | None) -> None:
    """Download the current release of a vocabulary.

    The Disease Ontology is in the public domain (CC0 1.0). Nothing about you or your questions is sent.
    """
    from trialindex_vocabulary.download import address, fetch
    from trialindex_vocabulary.formats import read_edition

    where = address(url)
    with _progress(where) as progress:
        data = fetch(where, progress)
    _keep(read_edition(data, where), where)


@vocabulary.command("import")
@_NAME
@click.argument("file", type=click.Path(path_type=Path))
def import_(name: str, file: Path) -> None:
    """Take a vocabulary from a FILE that you have: doid.obo, doid.json, or JSON lines; also compressed with gzip."""
    from trialindex_vocabulary.formats import LARGEST, read_edition

    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as problem:
        raise SourceError(f"cannot read {file}: {problem.strerror}.", hint="Check the name of the file.") from None
    _keep(read_edition(data, str(file)), str(file))


def _keep(edition: Edition, origin: str) -> None:
    from trialindex_vocabulary.ontology import DiseaseOntology

    ontology = DiseaseOntology()
    ontology.keep(edition, origin)
    names = sum(len(concept.names) + 1 for concept in edition.concepts)
    click.echo(f"{ontology.name} {ontology.version}: {len(edition.concepts):,} concepts with {names:,} names.")
    click.echo(f"Kept at {ontology.path}.")


@contextmanager
def _progress(where: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=0, label=f"downloading {where.rpartition('/')[2]}", file=sys.stderr) as bar:

        def progress(done: int, total: int | None) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress
