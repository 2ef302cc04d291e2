"""``manifest.json``: what an index is, so that nothing about it is ever guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from trialindex.errors import EncoderMismatch, IndexDamaged, IndexFormatError, IndexNotFound
from trialindex.plugin.interfaces import EncoderIdentity
from trialindex.storage.files import storage_errors, write_atomically

FORMAT = 1
NAME = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The identity of an index.

    :param format: version of the folder's layout, see ``docs/index-format.md``.
    :param created_with: version of trialindex that made it.
    :param encoder: the model whose vectors it holds.
    :param metric: how vectors are compared; always ``cosine``.
    :param store: spec of the vector store, ``faiss`` or ``faiss:exact``.
    :param passages: version of the rule that cuts a trial into passages.
    """

    format: int
    created_with: str
    encoder: EncoderIdentity
    metric: str
    store: str
    passages: int

    def require_encoder(self, given: EncoderIdentity, folder: Path) -> None:
        """Make sure that an encoder is the one that the index at *folder* was built with.

        :raises EncoderMismatch: it is another one.
        """
        built = self.encoder
        if given != built:
            raise EncoderMismatch(
                f"the index at {folder} was built with the encoder {built.spec} (sha256 {built.sha256[:12]}…, "
                f"{built.dimension} dimensions), not {given.spec} (sha256 {given.sha256[:12]}…, {given.dimension}).",
                hint="Leave --encoder out, or build another index: "
                f"trialindex ingest … --index NEW --encoder {given.spec}",
            )

    def write(self, folder: Path) -> None:
        """Put it in place of the one there is.

        :raises StorageError: the folder cannot be written.
        """
        with storage_errors(folder):
            write_atomically(folder / NAME, msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


def is_index(folder: Path) -> bool:
    """Whether *folder* holds an index, whole or not."""
    return (folder / NAME).is_file()


def read(folder: Path) -> Manifest:
    """The manifest of the index in *folder*.

    :raises IndexNotFound: there is none.
    :raises IndexDamaged: it cannot be read.
    :raises IndexFormatError: a newer trialindex wrote it. An older format can be read, and is not changed.
    """
    path = folder / NAME
    build = f'Build one there: trialindex ingest ctgov:"lupus nephritis" --index {folder}'
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if not folder.exists():
            raise IndexNotFound(f"there is no index at {folder}.", hint=build) from None
        if (folder / "records.db").exists():
            raise IndexDamaged(
                f"the index at {folder} has no {NAME}: it was only half written or half copied.",
                hint="Copy the whole folder again, or move it away and ingest again.",
            ) from None
        raise IndexNotFound(f"{folder} is not an index: it has no {NAME}.", hint=build) from None
    except (NotADirectoryError, IsADirectoryError):
        raise IndexNotFound(f"{folder} is not an index folder.", hint=build) from None
    except OSError as problem:
        raise IndexDamaged(f"{path} cannot be read: {problem.strerror}.", hint="Is it yours to read?") from None
    try:
        written = msgspec.json.decode(data, type=_FormatOnly).format
        if written > FORMAT:
            raise IndexFormatError(
                f"the index at {folder} has format {written}; this trialindex reads up to {FORMAT}.",
                hint="Upgrade: pip install --upgrade trialindex",
            )
        return msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise IndexDamaged(
            f"{path} cannot be read: {problem}.",
            hint="Restore it from a copy, or move the folder away and ingest again.",
        ) from None


class _FormatOnly(msgspec.Struct):
    format: Annotated[int, msgspec.Meta(ge=1)]
