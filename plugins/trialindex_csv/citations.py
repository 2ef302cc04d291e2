"""The source ``ris``: lists of references, as registries, libraries and reference managers export them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.unpack import open_unpacked
from trialindex.trial import Trial
from trialindex.trial.from_values import FieldError, read_trial
from trialindex_csv.ids import ids_in_text

_TAG = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}-(?: |$)(.*)")
_IN_ID, _IN_ALL = ("AN", "ID", "SI", "C1", "M1", "UR", "L2"), ("TI", "T1", "AB", "N2", "N1")


class RisSource(Source):
    """Trials from a list of references: ris:FILE, in RIS (.ris) or in PubMed's format (.nbib).

    Of each reference its title, abstract, keywords, address and the id of a registry that it names are taken. One that
    names no id of a registry, or has no title, is skipped.

    \b
      trialindex ingest ris:search-results.ris
    """

    name: ClassVar[str] = "ris"
    summary: ClassVar[str] = "Trials from a list of references: RIS or PubMed's nbib."
    partial: ClassVar[bool] = True

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if not argument:
            raise SourceError("ris needs a file.", hint="Type ris:FILE, for example ris:search-results.ris.")

    def trials(self, context: IngestContext) -> Iterator[Trial]:
        path = Path(self.argument).expanduser()
        with open_unpacked(path) as stream:
            text = stream.read().decode("utf-8-sig", "replace")
        records = list(_records(text))
        if not records:
            raise SourceError(f"{path} holds no reference.", hint="Export it as RIS or as PubMed's format.")
        for done, record in enumerate(records, 1):
            where = f"reference {done}"
            try:
                yield read_trial({**_fields(record), "source": self.name, "raw": record}, _report(context, where))
            except FieldError as problem:
                context.reject(where, str(problem).replace("id: missing", "it names no id of a registry"))
            context.progress(done, len(records))


def _report(context: IngestContext, where: str) -> Any:
    return lambda problem: context.drop(where, problem)


def _records(text: str) -> Iterator[dict[str, list[str]]]:
    """The references, each as the values of its tags; a line without a tag goes on with the value before it."""
    record: dict[str, list[str]] = {}
    last = ""
    for line in text.splitlines():
        match = _TAG.match(line)
        if match is None:
            if line.strip() and last:
                record[last][-1] += f" {line.strip()}"
            elif record and "TY" not in record:  # PubMed's format ends a reference with an empty line
                yield record
                record, last = {}, ""
            continue
        tag, value = match[1], match[2].strip()
        if tag in ("TY", "PMID", "ER") and record:
            yield record
            record, last = {}, ""
        if tag != "ER":
            record.setdefault(tag, []).append(value)
            last = tag
    if record:
        yield record


def _fields(record: dict[str, list[str]]) -> dict[str, Any]:
    def first(*tags: str) -> str:
        return next((value for tag in tags for value in record.get(tag, ()) if value), "")

    texts = (value for tag in (*_IN_ID, *_IN_ALL) for value in record.get(tag, ()))
    found = (one for text in texts for one in ids_in_text(text))
    return {
        "id": next(found, ""),
        "title": first("TI", "T1"),
        "summary": first("AB", "N2"),
        "keywords": [
            *record.get("KW", ()),
            *record.get("OT", ()),
            *(word.removeprefix("*") for word in record.get("MH", ())),
        ],
        "url": first("UR", "L2"),
    }
