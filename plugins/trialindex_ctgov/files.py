"""The source ``ctgov-file``: files that a user downloaded from ClinicalTrials.gov."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.unpack import Limits, Member, is_zip, open_zip
from trialindex.trial import Trial
from trialindex_ctgov.documents import LIMIT, Document, Records, Reject
from trialindex_ctgov.legacy import parse_xml
from trialindex_ctgov.parse import is_whole, parse_study

SUFFIXES = (".json", ".jsonl", ".ndjson", ".xml")


class CtgovFileSource(Source):
    """Trials from files of ClinicalTrials.gov: what its site downloads as JSON, or what its API answered.

    \b
    trialindex ingest ctgov-file:ctg-studies.json
    trialindex ingest ctgov-file:ctg-studies.json.zip
    trialindex ingest ctgov-file:folder-of-studies

    A file is an array of studies, one study, a page of the API or an array of pages, one study a line (NDJSON), or one
    study in the XML that the registry gave until 2024, gzipped or not; a folder or a zip holds any number of them, in
    folders of its own too. Files are read piece by piece, however large. For the table that the site calls CSV use the
    source csv.
    """

    name: ClassVar[str] = "ctgov-file"
    summary: ClassVar[str] = (
        "Trials from files downloaded from ClinicalTrials.gov: JSON, NDJSON, XML, a folder or a zip of them."
    )

    def __init__(self, argument: str = "") -> None:
        super().__init__(argument)
        if not argument.strip():
            raise SourceError(
                "ctgov-file needs a file.", hint="Type for example: trialindex ingest ctgov-file:ctg-studies.json"
            )
        self.path = Path(argument.strip()).expanduser()
        if not self.path.exists():
            raise SourceError(
                f"{self.path} does not exist.", hint="Check the path, or download a file on the site first."
            )

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        """Yield the trials of the file or files; see :class:`~trialindex.plugin.interfaces.Source`."""
        found = 0
        last_reject = ""

        def reject(where: str, why: str) -> None:
            nonlocal last_reject
            last_reject = f"{where}: {why}"
            context.reject(where, why)

        for where, record in self._records(context, reject):
            try:
                parse = parse_xml if isinstance(record, bytes) else parse_study
                trial = parse(record, self.name, functools.partial(context.drop, where))
            except ValueError as problem:
                reject(where, str(problem))
                continue
            found += 1
            yield trial if parse is parse_xml or is_whole(record) else context.excerpt(trial)
        if not found:
            raise SourceError(
                f"{self.path} holds no study{': ' + last_reject if last_reject else '.'}",
                hint="On https://clinicaltrials.gov choose Download, JSON, and give that file.",
            )

    def _records(self, context: IngestContext, reject: Reject) -> Records:
        """Every record with where it stands."""
        if self.path.is_dir():
            yield from self._many(self._in_folder(), context, reject)
        elif is_zip(self.path):
            limits = Limits(size=LIMIT, slack=1 << 20)
            with open_zip(self.path, wanted=lambda name: _is_wanted(Path(name)), limits=limits) as members:
                yield from self._many(self._in_zip(members, reject), context, reject)
        else:
            yield from self._single(context, reject)

    def _single(self, context: IngestContext, reject: Reject) -> Records:
        """One file; how many records it holds is estimated from how far the reading has come."""
        document = Document(str(self.path), lambda: cast(BinaryIO, self.path.open("rb", buffering=0)))
        size = self.path.stat().st_size
        done = total = 0
        for record in document.records(reject):
            yield record
            done += 1
            if document.total is not None:
                total = document.total
            elif 0 < document.position < size:
                total = round(done * size / document.position)
            context.progress(done, max(done, total))
        context.progress(done, done)
        _tell_missing(document, context)

    def _many(self, documents: list[Document], context: IngestContext, reject: Reject) -> Records:
        """A folder or a zip: one document after another; one that cannot be read is rejected and the rest goes on."""
        if not documents:
            raise SourceError(
                f"{self.path} holds no file that ends in {', '.join(SUFFIXES)} (or those with .gz).",
                hint="For a table of the site use csv:, for an export of AACT aact: instead.",
            )
        for number, document in enumerate(documents, start=1):
            try:
                yield from document.records(reject)
            except SourceError as problem:
                reject(document.name, str(problem.args[0]))
            _tell_missing(document, context)
            context.progress(number, len(documents))

    def _in_folder(self) -> list[Document]:
        def document(path: Path) -> Document:
            return Document(str(path), lambda: cast(BinaryIO, path.open("rb", buffering=0)))

        return [
            document(path)
            for path in sorted(self.path.rglob("*"))
            if _is_wanted(path.relative_to(self.path)) and path.is_file()
        ]

    def _in_zip(self, members: list[Member], reject: Reject) -> list[Document]:
        for member in members:
            if member.refusal:
                reject(member.name, member.refusal)
        return [Document(f"{self.path}/{one.name}", one.open_packed) for one in members if not one.refusal]


def _tell_missing(document: Document, context: IngestContext) -> None:
    if document.missing:
        context.note(f"{document.missing}.")


def _is_wanted(path: Path) -> bool:
    """JSON by its name, and nothing that a file manager left behind (``.DS_Store``, ``__MACOSX/``)."""
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    name = path.name.lower().removesuffix(".gz")
    return not hidden and name.endswith(SUFFIXES)
