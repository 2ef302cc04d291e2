"""Files as people have them, plain, compressed with gzip or together in a zip, read so that none of them can do harm.

They are read as a stream: nothing is unpacked to disk, no name in a zip is used as a path, and a *bomb*, a small file
that unpacks to an enormous one, ends early.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from trialindex.errors import SourceError, TrialIndexError

DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)
"""What the standard library raises for bytes that were cut off or changed."""
REFUSALS = (RuntimeError, UnicodeError, ValueError, struct.error)
"""What ``zipfile`` raises besides: for a password, for a rare compression, for names and numbers that cannot be."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a file may hold; text compresses about tenfold.

    :param size: bytes, unpacked, of a file or of one member of a zip; ``None`` is any number.
    :param ratio: how many times its own size it may unpack to.
    :param slack: bytes that it may unpack to whatever the ratio.
    :param members: how many members of a zip are looked at.
    """

    size: int | None = None
    ratio: int = 200
    slack: int = 200 << 16
    members: int = 1_000_000

    def excess(self, unpacked: int, packed: int) -> str:
        """Why so many bytes are too many for a file of *packed* bytes: ``unpacks to more than …``; empty if not."""
        if self.size is not None and unpacked > self.size:
            return f"unpacks to more than {self.size >> 20} MiB"
        if unpacked > max(self.slack, self.ratio * packed):
            return f"unpacks to more than {self.ratio} times its size"
        return ""


LIMITS = Limits()


class DamagedError(Exception):
    """A packed file is cut off or damaged; the message says how."""


class TooLargeError(DamagedError):
    """A packed file unpacks to more than its limits allow."""


class Unpacked(io.BufferedReader):
    """The bytes of an open file, unpacked if it is compressed with gzip. It closes the file.

    In reading it raises :class:`DamagedError`; with ``read1`` only after every byte that came before the damage.
    """

    def __init__(self, file: BinaryIO, limits: Limits = LIMITS) -> None:
        super().__init__(_Raw(file, limits), 1 << 16)


class _Raw(io.RawIOBase):
    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        super().__init__()
        self.file = file
        self._limits = limits
        self._count = 0
        self._rest: Any = io.BufferedReader(cast(io.RawIOBase, file))
        try:
            self._packed = self._rest.peek(2)[:2] == b"\x1f\x8b"
        except DAMAGE as problem:
            file.close()
            raise DamagedError(str(problem)) from None
        if self._packed:
            self._rest = gzip.GzipFile(fileobj=self._rest)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        super().close()
        self.file.close()

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._rest.read1(len(buffer))
        except DAMAGE as problem:
            raise DamagedError(str(problem)) from None
        buffer[: len(data)] = data
        self._count += len(data)
        if self._packed and (why := self._limits.excess(self._count, self.file.tell())):
            raise TooLargeError(why)
        return len(data)


@contextmanager
def open_unpacked(
    path: Path,
    *,
    limits: Limits = LIMITS,
    error: type[TrialIndexError] = SourceError,
    hint: str = "Download it again.",
) -> Iterator[Unpacked]:
    """Open a file, plain or compressed with gzip whatever its name; what is wrong with it is one line.

    :param error: what is raised, in opening or in reading, when it cannot be read, is damaged or too large.
    :param hint: what to do about a damaged file.
    """
    with _one_line(str(path), error, hint), Unpacked(path.open("rb", buffering=0), limits) as stream:
        yield stream


@dataclass(frozen=True)
class Member:
    """A file in a zip.

    :param name: as the zip has it; it is no path to write to.
    :param refusal: why it is not read; empty if it can be.
    """

    name: str
    refusal: str
    _archive: zipfile.ZipFile
    _info: zipfile.ZipInfo

    def open_packed(self) -> BinaryIO:
        """Open it from its start, as it lies in the zip: a member may be compressed with gzip itself."""
        try:
            return cast(BinaryIO, self._archive.open(self._info))
        except (*DAMAGE, *REFUSALS) as problem:
            raise DamagedError(str(problem)) from None

    @contextmanager
    def open(
        self, *, limits: Limits = LIMITS, error: type[TrialIndexError] = SourceError, hint: str = "Download it again."
    ) -> Iterator[Unpacked]:
        """Open it as :func:`open_unpacked` opens a file."""
        with _one_line(self.name, error, hint):
            if self.refusal:
                raise error(f"{self.name}: {self.refusal}.")
            with Unpacked(self.open_packed(), limits) as stream:
                yield stream


def is_zip(path: Path) -> bool:
    """Whether the file begins as a zip does; of one that cannot be read, opening it says why."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    except OSError:
        return False


@contextmanager
def open_zip(
    path: Path,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    limits: Limits = LIMITS,
    error: type[TrialIndexError] = SourceError,
    hint: str = "Download it again.",
) -> Iterator[list[Member]]:
    """Open a zip and list its members, in their order, without its folders.

    :param wanted: told a name; says whether it is listed.
    :param limits: of each member; all of them together are held to the ratio too, for they may share their bytes.
    :param error: what is raised when it is no zip, is damaged, or has more members than it may.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror or problem}.") from None
    except (*DAMAGE, *REFUSALS) as problem:
        raise error(
            f"{path} cannot be opened as a zip file ({problem}): it is cut off or damaged.", hint=hint
        ) from None
    with archive:
        if len(archive.infolist()) > limits.members:
            raise error(f"{path} holds more than {limits.members:,} files.", hint="Is it the right file?")
        yield _members(archive, path.stat().st_size, wanted, limits)


def _members(archive: zipfile.ZipFile, packed: int, wanted: Callable[[str], bool], limits: Limits) -> list[Member]:
    members = []
    whole = 0
    most = max(limits.size or 0, limits.slack, limits.ratio * packed)
    for info in archive.infolist():
        if not info.filename or info.is_dir() or not wanted(info.filename):
            continue  # a name may begin with a zero byte, where zipfile ends it
        why = limits.excess(info.file_size, info.compress_size)
        if info.flag_bits & 1:
            why = "is locked with a password"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            why = "is compressed in a way that is not read"
        elif not why and whole + info.file_size > most:
            why = f"with it, the zip unpacks to more than {limits.ratio} times its size"
        whole += 0 if why else info.file_size
        members.append(Member(info.filename, why, archive, info))
    return members


@contextmanager
def _one_line(name: str, error: type[TrialIndexError], hint: str) -> Iterator[None]:
    try:
        yield
    except TooLargeError as problem:
        raise error(f"{name} {problem}.", hint="Is it the right file?") from None
    except DamagedError:
        raise error(f"{name} is cut off or damaged.", hint=hint) from None
    except OSError as problem:
        raise error(f"{name} cannot be read: {problem.strerror or problem}.") from None
