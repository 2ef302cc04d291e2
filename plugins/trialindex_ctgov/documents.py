"""One JSON document of studies, whatever its form, read piece by piece."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import msgspec

from trialindex.errors import SourceError
from trialindex.plugin.unpack import DamagedError, Limits, TooLargeError, Unpacked

LIMIT = 64 << 20
"""Bytes of one study, line or zip member; the largest study of the registry has 1.2 MB."""
SMALL = 4 << 20
"""Bytes up to which a document is decoded in one go, which is several times faster than in pieces."""
_CHUNK = 1 << 20
"""Bytes that are parsed at a time: a text that goes on over several chunks is looked at anew with each."""
MAX_DEPTH = 100
"""Levels of nesting; a study has about fifteen."""

Reject = Callable[[str, str], None]
Records = Iterator[tuple[str, Any]]


class Document:
    """A file, or a member of a zip: an array of studies, a study, a page of the API, or a study or page a line.

    :param name: what to call it in messages.
    :param open: opens it from its start, unbuffered. It may be packed with gzip.
    """

    def __init__(self, name: str, open: Callable[[], BinaryIO]) -> None:
        self.name = name
        self._open = open
        self._file: BinaryIO | None = None
        self._done = 0
        self.missing = ""
        """What the document says that it lacks: the pages after its own."""
        self.total: int | None = None
        """How many records it holds, once that is known."""

    @property
    def position(self) -> int:
        """Bytes of the file read so far, packed if it is packed."""
        return self._file.tell() if self._file else 0

    def records(self, reject: Reject) -> Records:
        """Every study, as plain values, with where it stands: ``studies.json, study 12``.

        :param reject: told of a line that is no JSON; the lines after it are read.
        :raises SourceError: the document is no JSON, or is cut off or damaged; what came before was yielded.
        """
        stream: _Stream | None = None
        try:
            with self._open() as self._file:
                stream = _Stream(self._file)
                for where, record in self._read(stream, reject):
                    self._done += 1
                    stream.mark()
                    yield f"{self.name}, {where or f'study {self._done}'}", record
        except DamagedError as problem:
            raise self._damaged(str(problem), stream) from None
        except OSError as problem:
            raise SourceError(f"{self.name} cannot be read: {problem.strerror or problem}.") from None
        finally:
            self._file = None

    def _read(self, stream: _Stream, reject: Reject) -> Records:
        text = stream.head.lstrip()
        by_lines = self.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))
        if not text:
            raise stream.failure or SourceError(f"{self.name} is empty.", hint="Download it again.")
        if text.startswith(b"<") and self.name.lower().removesuffix(".gz").endswith(".xml"):
            self.total = 1
            yield "", b"".join(iter(lambda: stream.read(_CHUNK), b""))
            return
        if text[:1] not in (b"[", b"{"):
            raise self._not_json(text)
        whole = _decoded(text) if stream.is_small and not by_lines else None
        if whole is not None:
            self._note_page(whole)
            studies = _studies(whole)
            self.total = len(studies)
            yield from (("", study) for study in studies)
        elif by_lines or isinstance(_decoded(text.partition(b"\n")[0]), dict):
            yield from self._lines(stream, reject)
        else:
            yield from self._pieces(stream, page=text.startswith(b"{"))

    def _lines(self, stream: _Stream, reject: Reject) -> Records:
        """NDJSON. A line that is no JSON is rejected; the last one without its line end means a cut file."""
        lines = io.BufferedReader(stream)
        number = 0
        while line := lines.readline():
            number += 1
            value = _decoded(line) if line.strip() else []
            if value is not None:
                yield from ((f"line {number}", study) for study in _studies(value))
            elif line.endswith(b"\n"):
                reject(f"{self.name}, line {number}", "it is not valid JSON")
                stream.mark()
            else:
                raise self._damaged(f"line {number} is not whole", stream)

    def _pieces(self, stream: _Stream, *, page: bool) -> Records:
        """The studies of one large, or broken, JSON text, built from its tokens: an array, or a page's."""
        import ijson

        level, inside = (2, False) if page else (1, True)
        depth, key = 0, ""
        outside: dict[str, Any] = {}
        study = None
        try:
            for event, value in ijson.basic_parse(stream, use_float=True, buf_size=_CHUNK):
                depth -= event in ("end_map", "end_array")
                if event == "map_key" and page and depth == 1:
                    key, inside = value, value == "studies"
                elif study is None and inside and depth == level:
                    study = ijson.ObjectBuilder()
                if page and depth == 1 and key in ("nextPageToken", "totalCount"):
                    outside[key] = value
                if study is not None:
                    study.event(event, value)
                    if depth == level and event not in ("start_map", "start_array"):
                        yield from (("", one) for one in _each_of(study.value))
                        study = None
                depth += event in ("start_map", "start_array")
                if depth > MAX_DEPTH:
                    raise self._damaged("it is nested too deep", stream)
            self._note_page({**outside, "studies": [None] * self._done})
        except ijson.JSONError as problem:
            said = problem.args[0].decode(errors="replace") if isinstance(problem.args[0], bytes) else str(problem)
            raise self._damaged(said.strip().partition("\n")[0], stream) from None
        except UnicodeDecodeError:
            raise self._damaged("it is not UTF-8", stream) from None

    def _note_page(self, value: Any) -> None:
        """Take note if the value is a page of the API's answer that other pages follow."""
        if isinstance(value, dict) and value.get("nextPageToken") and isinstance(value.get("studies"), list):
            count, total = len(value["studies"]), value.get("totalCount")
            of = " studies, one page"
            if isinstance(total, int) and 0 < count < total:
                of = f" of {total:,} studies, page 1 of {math.ceil(total / count)}"
            self.missing = f"{self.name} holds {count:,}{of}: the other pages of the search are not in it"

    def _damaged(self, why: str, stream: _Stream | None) -> SourceError:
        count = stream.count if stream else 0
        return SourceError(
            f"{self.name} is cut off or damaged after {self._done} studies, near byte {count:,} ({why}).",
            hint="Download it again; what came before is kept.",
        )

    def _not_json(self, text: bytes) -> SourceError:
        if b"NCT Number" in text.partition(b"\n")[0]:
            return SourceError(
                f"{self.name} is a table, not JSON.", hint=f"Use csv: for it: trialindex ingest csv:{self.name}"
            )
        kind = "a web page or XML" if text.startswith(b"<") else "something else"
        if text.startswith((b"\xff\xfe", b"\xfe\xff")):
            kind = "UTF-16 text"
        return SourceError(
            f"{self.name} is not JSON but {kind}.",
            hint="On https://clinicaltrials.gov choose Download, JSON, and give that file.",
        )


def _decoded(text: bytes) -> Any:
    """The JSON value, or ``None`` if it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _studies(value: Any) -> list[Any]:
    """The studies of a whole JSON value: an array, a page, an array of pages, or one study."""
    if isinstance(value, dict):
        page = value.get("studies")
        return page if isinstance(page, list) else [value]
    if not isinstance(value, list):
        return [value]
    return [study for one in value for study in _each_of(one)]


def _each_of(item: Any) -> list[Any]:
    """The studies of an item of an array, which may be a page."""
    return _studies(item) if isinstance(item, dict) else [item]


class _Stream(io.RawIOBase):
    """The unpacked bytes of a document.

    ``count`` says how many were read. No study may be larger than :data:`LIMIT`, however small it is packed.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._rest = Unpacked(file, Limits(slack=2 * LIMIT))  # that no study ends is found before
        self.failure: Exception | None = None
        """Why there is nothing after ``head`` although the document goes on."""
        head = bytearray()
        try:
            while len(head) <= SMALL and (chunk := self._rest.read1(1 << 16)):
                head += chunk
        except DamagedError as problem:
            self.failure = problem
        self.head = bytes(head).removeprefix(b"\xef\xbb\xbf")
        """The beginning, or all of it."""
        self.is_small = len(self.head) <= SMALL and not self.failure
        self.count = 0
        self._marked = 0

    def mark(self) -> None:
        """Here a study ends."""
        self._marked = self.count

    def readable(self) -> bool:
        return True

    def _next(self, size: int) -> bytes:
        """As many bytes as there are, up to *size*: those before a damage come before its error."""
        found = bytearray()
        try:
            while len(found) < size and (chunk := self._rest.read1(size - len(found))):
                found += chunk
        except DamagedError as problem:
            if not found:
                raise
            self.failure = problem
        return bytes(found)

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        if self.count < len(self.head):
            chunk = self.head[self.count : self.count + size]
        elif self.failure:
            raise self.failure
        else:
            chunk = self._next(size)
        buffer[: len(chunk)] = chunk
        self.count += len(chunk)
        if self.count - self._marked > LIMIT:
            raise TooLargeError(f"more than {LIMIT >> 20} MiB without a whole study")
        return len(chunk)
