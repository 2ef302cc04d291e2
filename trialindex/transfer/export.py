"""Whole indexes into an archive and out of one. Nothing is ever encoded again for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from trialindex.errors import EncoderMismatch, IndexDamaged, IndexFormatError, IndexLocked, IndexStateError
from trialindex.index import Index
from trialindex.ingest.request import Request
from trialindex.plugin.interfaces import EncoderIdentity
from trialindex.plugin.updates import Change
from trialindex.storage import manifest
from trialindex.storage.files import remove_entries, storage_errors
from trialindex.storage.lock import write_lock
from trialindex.storage.records import Records
from trialindex.storage.source_states import SourceState
from trialindex.transfer import archive
from trialindex.transfer.archive import About
from trialindex.transfer.entry import entries, restore
from trialindex.trial.passages import VERSION as PASSAGES

Progress = Callable[[int, int | None], None]


def no_progress(done: int, total: int | None) -> None:
    """Show no progress."""


# --- archives ---------------------------------------------------------------------------------------------------------


def export_archive(index: Index, path: str | Path, *, progress: Progress = no_progress) -> int:
    """Write everything of *index* into the file *path*, which is replaced only when all of it is there.

    :param progress: told how many trials are done, and how many there are.
    :returns: how many trials it holds.
    :raises IndexDamaged: a record cannot be read, or a vector is missing.
    :raises StorageError: the disk is full, say.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with index.snapshot() as records, storage_errors(target.parent):
        about = _about(index, records)
        require_vectors(records, f"the index at {index.folder}", "Mend it: trialindex check --repair")

        def trials() -> Iterator[Any]:
            for done, entry in enumerate(entries(records), start=1):
                yield entry
                progress(done, about.trials)

        try:
            vectors = records.passages.encoded_vectors(about.encoder.dimension)
            archive.write(part, about, vectors, trials(), records.sources.all())
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise IndexStateError(f"cannot write {target}.", hint="Name a file in a folder that exists.") from None
        finally:
            part.unlink(missing_ok=True)
    return about.trials


def import_archive(
    path: str | Path, folder: str | Path, *, store: str | None = None, progress: Progress = no_progress
) -> int:
    """Make the index that was exported into the file *path* again, in *folder*: the same in all it holds and answers.

    :param store: another vector store than it had.
    :returns: how many trials it holds.
    :raises IndexDamaged: the file is no archive, or damaged.
    :raises IndexFormatError: a newer trialindex wrote it.
    :raises IndexStateError: there is an index in *folder* that holds trials. Whatever is raised, nothing was changed.
    """
    with archive.open_archive(Path(path)) as read:
        about = read.about
        require_passage_version(about.passages, str(path))
        opened = open_or_create(Path(folder), about.encoder, store or about.store)
        with opened as index, index.writing() as (records, changes):
            require_encoder(about.encoder, Path(path), index)
            if len(index) or index.info().sources:
                raise IndexStateError(
                    f"the index at {folder} holds trials already.",
                    hint="Import into a new one with --index, then: trialindex merge NEW --index WHOLE",
                )
            with storage_errors(Path(folder)), records.transaction():
                for hashes, found in read.vectors():
                    records.passages.put_vectors(hashes, found, about.generation)
                for done, entry in enumerate(read.trials(), start=1):
                    if restore(records, entry) != "added":
                        raise ValueError(f"the trial {entry.trial.id} is in it twice")
                    changes.append(Change(entry.trial.id, "added"))
                    progress(done, about.trials)
                for spec, known in read.sources().items():
                    _require_request(known)
                    records.sources.store(spec, known)
                records.set_generation(about.generation)
                records.set_lineage(about.lineage)
                if records.waiting.count() != about.waiting:
                    raise ValueError(f"{records.waiting.count():,} passages have no vector, not {about.waiting:,}")
    return about.trials


def _require_request(known: SourceState) -> None:
    """Make sure that a source's request can be read.

    :raises msgspec.ValidationError: it says how to ask for a source again in a way that nobody can read.
    """
    if known.request is not None:
        msgspec.convert(known.request, Request)


def _about(index: Index, records: Records) -> About:
    described = index.manifest
    return About(
        archive=archive.FORMAT,
        created_with=version("trialindex"),
        encoder=described.encoder,
        metric=described.metric,
        passages=described.passages,
        store=described.store,
        generation=records.generation,
        lineage=records.lineage,
        trials=len(records),
        vectors=records.passages.count_vectors(),
        waiting=records.waiting.count(),
    )


def require_vectors(records: Records, where: str, hint: str) -> None:
    """Make sure that every passage has a vector, or waits for one.

    :raises IndexDamaged: a vector is lost.
    """
    if lost := records.passages.count_lost_vectors():
        raise IndexDamaged(f"{where} lacks the vectors of {lost:,} passages.", hint=hint)


def require_passage_version(passages: int, where: str) -> None:
    """Make sure that trials are cut into passages by our rule.

    :raises IndexFormatError: trials are cut into passages by another rule than ours.
    """
    if passages != PASSAGES:
        raise IndexFormatError(
            f"{where} cuts its trials into passages by rule {passages}, this trialindex by rule {PASSAGES}.",
            hint="Use the same version of trialindex on both sides.",
        )


# --- the index that is filled -----------------------------------------------------------------------------------------


@contextmanager
def open_or_create(folder: Path, encoder: EncoderIdentity, store: str) -> Iterator[Index]:
    """The index in *folder*, made when there is none; if the block fails, one that was made is taken away again."""
    if manifest.is_index(folder):
        with Index.open(folder) as index:
            yield index
        return
    before = {path.name for path in folder.iterdir()} if folder.is_dir() else None
    with Index.create(folder, encoder=encoder, store=store) as index:
        try:
            yield index
        except BaseException:
            with suppress(IndexLocked), write_lock(folder):  # else another process has begun to fill it
                if not len(index):
                    index.close()
                    remove_entries(folder, lambda name: before is None or name not in before)
            if before is None:
                with suppress(OSError):
                    folder.rmdir()
            raise


def require_encoder(expected: EncoderIdentity, where: Path, index: Index) -> None:
    """Make sure that two indexes were built with the same encoder.

    :raises EncoderMismatch: *index* was built with another encoder than the one *where*.
    """
    encoder = index.manifest.encoder
    if encoder != expected:
        raise EncoderMismatch(
            f"{where} was built with the encoder {expected.spec} (sha256 {expected.sha256[:12]}…), "
            f"the index at {index.folder} with {encoder.spec} (sha256 {encoder.sha256[:12]}…).",
            hint="Only what one encoder made goes together.",
        )
