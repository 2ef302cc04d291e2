"""The file that ``trialindex export --archive`` writes: a whole index, for a copy or for another version of trialindex.

It is a zip file of four members with fixed names, in this order; ``docs/index-format.md`` says what is in each. It is
written and read as a stream, and what is read is bounded and checked: no name in it is ever used as a path, and nothing
in it is ever run. It shares the limits of :mod:`trialindex.plugin.unpack` and opens its members by itself: that module
unpacks what begins like gzip, as the bytes of vectors may.
"""

from __future__ import annotations

import errno
import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from trialindex.errors import IndexDamaged, IndexFormatError
from trialindex.plugin.interfaces import EncoderIdentity
from trialindex.plugin.unpack import DAMAGE, REFUSALS, Limits
from trialindex.storage import vector_codec
from trialindex.storage.source_states import SourceState
from trialindex.transfer.entry import Entry
from trialindex.trial.passages import HASH_BYTES
from trialindex.trial.sanitize import one_line

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors

FORMAT = 1
ABOUT, VECTORS, TRIALS, SOURCES = MEMBERS = ("trialindex.json", "vectors.bin", "trials.jsonl", "sources.json")
MAX_LINE_BYTES = 64 << 20
"""Bytes; no trial is longer, with all its versions, and no other member but the vectors."""
MAX_DIMENSION = 65_536
"""Numbers that a vector has at most."""
_LIMITS = Limits(slack=1024)

_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
READ_ERRORS = (*DAMAGE, *REFUSALS, OverflowError, MemoryError, msgspec.DecodeError)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive holds.

    :param archive: version of its layout.
    :param created_with: version of trialindex that wrote it.
    :param encoder: as in the index's manifest.
    :param metric: likewise.
    :param passages: likewise.
    :param store: likewise.
    :param generation: of the index.
    :param lineage: what tells its records from those of another index.
    :param trials: how many.
    :param vectors: how many.
    :param waiting: how many passages have no vector yet.
    """

    archive: _Count
    created_with: str
    encoder: EncoderIdentity
    metric: str
    passages: _Count
    store: str
    generation: _Count
    lineage: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    trials: _Count
    vectors: _Count
    waiting: _Count = 0

    @property
    def row(self) -> int:
        """Bytes of one vector with its hash."""
        return HASH_BYTES + vector_codec.encoded_size(self.encoder.dimension)


def write(
    path: Path, about: About, vectors: Iterable[tuple[bytes, bytes]], trials: Iterable[Entry], sources: dict[str, Any]
) -> None:
    """Write an archive to *path*; the same content gives the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:

        def member(name: str, pieces: Iterable[bytes]) -> None:
            info = zipfile.ZipInfo(name)  # of 1980: an archive tells nobody when it was made
            info.compress_type = zipfile.ZIP_STORED if name == VECTORS else zipfile.ZIP_DEFLATED
            info.create_system, info.external_attr = 3, 0o600 << 16
            with archive.open(info, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)

        member(ABOUT, [msgspec.json.format(msgspec.json.encode(about), indent=2), b"\n"])
        member(VECTORS, (key + vector for key, vector in vectors))
        member(TRIALS, (msgspec.json.encode(entry) + b"\n" for entry in trials))
        member(SOURCES, [msgspec.json.format(msgspec.json.encode(sources), indent=2), b"\n"])


class Reader:
    """An archive that is read member by member, in their order.

    :raises IndexDamaged: it is none, or it is damaged.
    :raises IndexFormatError: a newer trialindex wrote it.
    """

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self._path = path
        self._file = file
        self._members = {info.filename: info for info in file.infolist()}
        if [info.filename for info in file.infolist()] != list(MEMBERS):
            raise IndexDamaged(
                f"{path} is not an archive of an index: it holds other files.",
                hint="Make one: trialindex export --archive",
            )
        for name, info in self._members.items():
            self._check_size(name, info)
        about = self._read(ABOUT)
        version = msgspec.json.decode(about, type=_VersionOnly).archive
        if version > FORMAT:
            raise IndexFormatError(
                f"{path} has archive format {version}; this trialindex reads up to {FORMAT}.",
                hint="Upgrade: pip install --upgrade trialindex",
            )
        self.about = msgspec.json.decode(about, type=About)
        encoder = self.about.encoder
        if not 1 <= encoder.dimension <= MAX_DIMENSION:
            raise ValueError(f"no encoder gives vectors of {encoder.dimension} numbers")
        if not (encoder.spec + encoder.sha256 + self.about.store).isprintable():
            raise ValueError(f"{ABOUT} names what cannot be a name")
        if self._members[VECTORS].file_size != self.about.vectors * self.about.row:
            raise ValueError(f"{VECTORS} has another size than {ABOUT} says")

    def _check_size(self, name: str, info: zipfile.ZipInfo) -> None:
        """Refuse a member that is too large before it is unpacked.

        :raises ValueError: the member could unpack to more than it should.
        """
        kind = zipfile.ZIP_STORED if name == VECTORS else zipfile.ZIP_DEFLATED
        if info.flag_bits & 1 or info.compress_type != kind:
            raise ValueError(f"{name} is encrypted, or packed in another way")
        too_much = _LIMITS.excess(info.file_size, info.compress_size)
        if too_much or (name in (ABOUT, SOURCES) and info.file_size > MAX_LINE_BYTES):
            raise ValueError(f"{name} claims to unpack to {info.file_size:,} bytes")

    def _read(self, name: str) -> bytes:
        with self._file.open(name) as file:
            return file.read()

    def vectors(self, rows: int = 4096) -> Iterator[tuple[list[bytes], Vectors]]:
        """Hashes and the vectors under them, so many at a time."""
        size, dimension = self.about.row, self.about.encoder.dimension
        with self._file.open(VECTORS) as file:
            while data := file.read(rows * size):
                if len(data) % size:
                    raise ValueError(f"{VECTORS} ends in the middle of a vector")
                starts = range(0, len(data), size)
                blobs = [data[at + HASH_BYTES : at + size] for at in starts]
                vectors, valid = vector_codec.decode(blobs, dimension)
                if not valid.all():
                    wrong = vector_codec.describe_fault(blobs[int(valid.argmin())], dimension)
                    raise ValueError(f"it holds a vector that {wrong}")
                yield [data[at : at + HASH_BYTES] for at in starts], vectors

    def trials(self) -> Iterator[Entry]:
        """Every trial; its record is what its hash says."""
        decoder = msgspec.json.Decoder(Entry)
        count = 0
        with io.BufferedReader(self._file.open(TRIALS)) as file:  # type: ignore[type-var]
            while line := file.readline(MAX_LINE_BYTES + 1):
                if len(line) > MAX_LINE_BYTES:
                    raise ValueError(f"line {count + 1} of {TRIALS} is longer than {MAX_LINE_BYTES >> 20} MiB")
                entry = decoder.decode(line)
                count += 1
                numbers = [0, *(version.replaced_in for version in entry.revisions)]
                if entry.trial.content_hash != entry.hash:
                    raise ValueError(f"line {count} of {TRIALS} is not what its hash says")
                if max(*numbers, entry.generation) > self.about.generation or numbers != sorted(set(numbers)):
                    raise ValueError(f"the generations of line {count} of {TRIALS} cannot be")
                yield entry
        if count != self.about.trials:
            raise ValueError(f"{TRIALS} holds {count} trials, not {self.about.trials}")

    def sources(self) -> dict[str, SourceState]:
        """What is remembered of each source, by its spec."""
        return msgspec.json.decode(self._read(SOURCES), type=dict[str, SourceState])


class _VersionOnly(msgspec.Struct):
    archive: _Count


@contextmanager
def open_archive(path: Path) -> Iterator[Reader]:
    """The archive at *path*; whatever is wrong with it is said in one line.

    :raises IndexDamaged: it is no archive, or it is damaged.
    :raises IndexFormatError: a newer trialindex wrote it.
    """
    try:
        with zipfile.ZipFile(path) as file:
            yield Reader(path, file)
    except (IndexDamaged, IndexFormatError):
        raise
    except zipfile.BadZipFile as problem:
        raise _damaged(path, problem) from None
    except OSError as problem:
        if problem.errno == errno.EINVAL:  # a place that cannot be in a file
            raise _damaged(path, problem) from None
        if problem.filename is None or Path(problem.filename) != path:
            raise
        raise IndexDamaged(f"{path} cannot be read: {problem.strerror}.", hint="Check the name of the file.") from None
    except READ_ERRORS as problem:
        raise _damaged(path, problem) from None


def _damaged(path: Path, problem: BaseException) -> IndexDamaged:
    said = one_line(str(problem)).rstrip(".") or type(problem).__name__
    return IndexDamaged(
        f"{path} is damaged, or no archive of an index: {said}.", hint="Nothing was changed. Export or copy it again."
    )
