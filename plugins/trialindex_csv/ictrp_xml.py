"""XML of the WHO's ICTRP as rows of text: what its portal exports, and the data set that registries send to it.

In an export of the portal a ``<Trial>`` has an element for each column. In the data set, which registries hand out too
(ReBEC, REPEC, ChiCTR, DRKS, ISRCTN …), a ``<trial>`` has parts, some of which repeat: see the WHO's ``who_ictrp.dtd``.
People to contact are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from trialindex.errors import SourceError
from trialindex.plugin.unpack import open_unpacked
from trialindex_csv.table import Row, known_encoding

_TRIAL = ("trial", "triall")
"""ChiCTR writes the second."""
_DATA_SET = {
    "countries": ("Countries", "country2"),
    "health_condition_keyword": ("Keywords", "hc_keyword"),
    "primary_outcome": ("Primary outcome", "prim_outcome"),
    "secondary_outcome": ("Secondary outcome", "sec_outcome"),
    "secondary_sponsor": ("Secondary sponsors", "sponsor_name"),
    "secondary_ids": ("Secondary ID", "sec_id"),
    "source_support": ("Source support", "source_name"),
}
"""Parts of the data set that repeat an element: the column that they become, as in the portal, and the element."""
_RENAMED = {"hc_freetext": "Conditions", "i_freetext": "Interventions", "utrn": "UTN"}
_WITH_LINES = ("criteria", "freetext", "study_design")
"""What a name holds whose text has lines that mean something."""
_LIST_MARK = re.compile(r"^(?:-\s*|(?:condition|intervention)\s+\d+\s*:\s*)", re.IGNORECASE)
_CODE = re.compile(r"[A-Z]\d[\w.-]*", re.IGNORECASE)
"""A code of ICD-10 or a number of MeSH's tree, which ReBEC gives as a keyword."""


def is_export(path: Path) -> bool:
    """Whether the file is XML, by its name."""
    return path.name.lower().removesuffix(".gz").endswith(".xml")


class Export:
    """Trials in one of these forms.

    :param encoding: in place of the one that the file names.
    :raises SourceError: it is no such XML, or is cut off.
    """

    above = 0

    def __init__(self, path: Path, is_header: Callable[[Sequence[str]], bool], encoding: str = "") -> None:
        self.path = path
        self.encoding = known_encoding(encoding) if encoding else ""
        self.separator = ";"
        """What separates the items of a list in a cell."""
        self.guessed = False
        """The file is not in the encoding that it names."""
        try:
            self._look()
        except ElementTree.ParseError as problem:
            if "invalid token" not in str(problem) or encoding:
                raise self._damaged(problem) from None
            self.encoding, self.guessed = "cp1252", True
            try:
                self._look()
            except ElementTree.ParseError:
                raise self._damaged(problem) from None
        if not is_header(self.header):
            hint = "For files of ClinicalTrials.gov use ctgov-file."
            raise SourceError(
                f"{path} is no export of the WHO's ICTRP: it holds no trial with an id and a title.", hint=hint
            )

    def _look(self) -> None:
        """Find the columns and count the trials."""
        names: dict[str, None] = {}
        self.count = 0
        for cells in self._trials():
            names.update(dict.fromkeys(cells))
            self.count += 1
        self.header = list(names)

    def _damaged(self, problem: ElementTree.ParseError) -> SourceError:
        return SourceError(f"{self.path} is cut off or not valid XML: {problem}.", hint="Export it again.")

    def rows(self) -> Iterator[Row]:
        """The trials, each with as many cells as there are columns; their number takes the place of a line."""
        for number, cells in enumerate(self._trials(), 1):
            yield Row(number, [cells.get(name, "") for name in self.header])

    def _trials(self) -> Iterator[dict[str, str]]:
        """The cells of each trial by column."""
        with open_unpacked(self.path) as stream:
            head = stream.read(1 << 16)
            before, _, _ = head.partition(b"<trial")
            if b"<!ENTITY" in head or re.search(rb"<!DOCTYPE[^>]*\[", before):
                raise SourceError(f"{self.path} is XML with definitions of its own, which is not read.")
        with open_unpacked(self.path) as stream:
            parser = ElementTree.XMLParser(encoding=self.encoding or None)  # noqa: S314
            for _, element in ElementTree.iterparse(stream, ("end",), parser):  # noqa: S314 — entities are refused above
                if element.tag.lower() in _TRIAL:
                    main = element.find("main")
                    self.separator = ";" if main is None else "\n"
                    yield _portal(element) if main is None else _data_set(main, element)
                    element.clear()


def _portal(trial: ElementTree.Element) -> dict[str, str]:
    return {child.tag: _text(child) for child in trial}


def _data_set(main: ElementTree.Element, trial: ElementTree.Element) -> dict[str, str]:
    cells = {_RENAMED.get(child.tag, child.tag): _text(child) for child in main if child.text}
    for child in trial.findall("criteria/*"):
        cells[child.tag] = _text(child)
    for part, (column, name) in _DATA_SET.items():
        cells[column] = "\n".join(_each(map(_text, trial.iterfind(f"{part}//{name}"))))
    cells["Secondary ID"] = "\n".join(_each([*cells["Secondary ID"].split("\n"), cells.pop("UTN", "")]))
    cells["Keywords"] = "\n".join(one for one in cells["Keywords"].split("\n") if not _CODE.fullmatch(one))
    for column in ("Conditions", "Interventions"):
        lines = _each(_LIST_MARK.sub("", line) for line in cells.get(column, "").split("\n"))
        cells[column] = "\n".join(line.rstrip(".") for line in lines)
    return cells


def _each(texts: Iterable[str]) -> list[str]:
    """The texts that say something, each once."""
    said = (text.strip() for text in texts)
    return list(dict.fromkeys(text for text in said if text.lower() not in ("", "none", "n.a.", "n/a", "-")))


def _text(element: ElementTree.Element) -> str:
    """The text of an element; on one line, unless its lines are those of a list."""
    lines = [" ".join(line.split()) for line in "".join(element.itertext()).splitlines()]
    between = "\n" if any(part in element.tag.lower() for part in _WITH_LINES) else " "
    return between.join(filter(None, lines))
