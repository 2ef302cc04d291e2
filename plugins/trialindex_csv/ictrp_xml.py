"""The XML that the WHO's ICTRP portal exports, as rows of text: one ``<Trial>`` a row, its elements are the columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from trialindex.errors import SourceError
from trialindex.plugin.unpack import open_unpacked
from trialindex_csv.table import Row

_SPECIAL = (b"<!DOCTYPE", b"<!ENTITY")


def is_export(path: Path) -> bool:
    """Whether the file is XML, by its name."""
    return path.name.lower().removesuffix(".gz").endswith(".xml")


class Export:
    """An export of the portal.

    :raises SourceError: it is no such XML, or is cut off.
    """

    encoding = ""
    guessed = False
    above = 0

    def __init__(self, path: Path, is_header: Callable[[Sequence[str]], bool]) -> None:
        self.path = path
        names: dict[str, None] = {}
        self.count = 0
        for trial in self._trials():
            names.update(dict.fromkeys(child.tag for child in trial))
            self.count += 1
        self.header = list(names)
        if not is_header(self.header):
            hint = "For files of ClinicalTrials.gov use ctgov-file."
            raise SourceError(
                f"{path} is no export of the WHO's ICTRP: it holds no <Trial> with an id and a title.", hint=hint
            )

    def rows(self) -> Iterator[Row]:
        """The trials, each with as many cells as there are columns; their number takes the place of a line."""
        for number, trial in enumerate(self._trials(), 1):
            cells = {child.tag: " ".join("".join(child.itertext()).split()) for child in trial}
            yield Row(number, [cells.get(name, "") for name in self.header])

    def _trials(self) -> Iterator[ElementTree.Element]:
        try:
            with open_unpacked(self.path) as stream:
                head = stream.read(4096)
                if any(mark in head for mark in _SPECIAL):
                    raise SourceError(f"{self.path} is XML with definitions of its own, which is not read.")
            with open_unpacked(self.path) as stream:
                for _, element in ElementTree.iterparse(stream):  # noqa: S314 — entities are refused above
                    if element.tag.lower() == "trial":
                        yield element
                        element.clear()
        except ElementTree.ParseError as problem:
            raise SourceError(f"{self.path} is cut off or not valid XML: {problem}.", hint="Export it again.") from None
