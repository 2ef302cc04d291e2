"""``trialindex vocabulary``: the words for illnesses that are at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from trialindex.errors import SourceError
from trialindex_vocabulary.projects import PROJECTS, Project

_NAME = click.argument("name", metavar="NAME", type=click.Choice([*PROJECTS]))


@click.group("vocabulary")
def vocabulary() -> None:
    """See and get the vocabularies by which a question is understood.

    \b
    Examples:
      trialindex vocabulary list
      trialindex vocabulary download disease-ontology
      trialindex vocabulary download phenotype-ontology
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
    from trialindex_vocabulary.ontology import Ontology

    vocabularies = plugins().vocabularies
    for name, cls in vocabularies.classes().items():
        try:
            one = cls()
            version, count = one.version, sum(1 for _ in one.concepts())
            where = one.where if isinstance(one, Lexicon | Ontology) else f'plugin "{vocabularies.plugin_of(name)}"'
            yield name, version or "-", f"{count:,}" if version else "-", where
        except PLUGIN_EXCEPTIONS as problem:  # a stranger's, and the others are still to be listed
            yield name, "-", "-", f"does not work: {describe_error(problem)}"


@vocabulary.command("download")
@_NAME
@click.option("--url", metavar="URL", help="Another address than the project's own, such as a mirror.")
def download(name: str, url: str | None) -> None:
    """Download the current release of a vocabulary.

    NAME is disease-ontology or phenotype-ontology. With the second comes a file
    beside it, phenotype.hpoa, which tells the findings of rare illnesses.

    Nothing about you or your questions is sent.
    """
    from trialindex_vocabulary.download import address, beside, fetch

    project = PROJECTS[name]
    where = address(url, project)
    places = [where, beside(where, project.annotations)] if project.annotations else [where]
    files = []
    for place in places:
        with _progress(place) as progress:
            files.append((fetch(place, project, progress), place))
    _keep(project, files)


@vocabulary.command("import")
@_NAME
@click.argument("files", nargs=-1, required=True, metavar="FILE [ANNOTATIONS]", type=click.Path(path_type=Path))
def import_(name: str, files: tuple[Path, ...]) -> None:
    """Take a vocabulary from a FILE that you have.

    FILE is doid.obo or hp.obo, their JSON, or JSON lines; also compressed with
    gzip. ANNOTATIONS is phenotype.hpoa, for phenotype-ontology alone.
    """
    project = PROJECTS[name]
    if len(files) > (2 if project.annotations else 1):
        most = "a FILE and ANNOTATIONS" if project.annotations else "one FILE"
        raise click.UsageError(f"{name} takes {most}, got {len(files)} files.")
    _keep(project, [(_read(file), str(file)) for file in files])


def _read(file: Path) -> bytes:
    from trialindex_vocabulary.formats import LARGEST

    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST + 1)
    except OSError as problem:
        raise SourceError(f"cannot read {file}: {problem.strerror}.", hint="Check the name of the file.") from None


def _keep(project: Project, files: Sequence[tuple[bytes, str]]) -> None:
    """Put what the files hold in the place of what was there, and say what it is.

    :param files: the ontology, and its annotations if they are at hand, each with what it is called in messages.
    """
    from dataclasses import replace

    from trialindex_vocabulary.annotations import read_annotations
    from trialindex_vocabulary.formats import read_edition
    from trialindex_vocabulary.ontology import ONTOLOGIES

    (data, origin), *more = files
    edition = read_edition(data, origin, project)
    for table, where in more:
        edition = replace(edition, associations=read_annotations(table, where, edition, project))
    ontology = ONTOLOGIES[project.name]()
    ontology.keep(edition, origin)
    names = sum(len(concept.names) + 1 for concept in edition.concepts)
    click.echo(f"{ontology.name} {ontology.version}: {len(edition.concepts):,} concepts with {names:,} names.")
    if edition.associations:
        illnesses = len({one.illness for one in edition.associations})
        click.echo(f"{len(edition.associations):,} findings of {illnesses:,} illnesses.")
    elif project.annotations:
        click.echo(f"Without {project.annotations}: it is searched for by its names alone.")
    click.echo(f"Kept at {ontology.path}.")
    click.echo(project.licence)


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
