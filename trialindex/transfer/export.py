"""Whole indexes into an archive and out of one. Nothing is ever encoded again for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from trialindex.errors import EncoderMismatch, IndexDamaged, IndexFormatError, IndexLocked, IndexStateError
from trialindex.index import Index
from trialindex.ingest.run import Request
from trialindex.plugin.interfaces import EncoderIdentity
from trialindex.plugin.updates import Change
from trialindex.storage import manifest, vector_codec
from trialindex.storage.files import remove_entries, storage_errors
from trialindex.storage.lock import write_lock
from trialindex.storage.records import Records
from trialindex.storage.vector_codec import batches
from trialindex.transfer import archive
from trialindex.transfer.archive import About, SourceState
from trialindex.transfer.entry import entries, restore
from trialindex.trial.passages import VERSION as PASSAGES

Show = Callable[[int, int | None], None]


def nothing(done: int, total: int | None) -> None:
    """Show no progress."""


# --- archives ---------------------------------------------------------------------------------------------------------


def export_archive(index: Index, path: str | Path, *, progress: Show = nothing) -> int:
    """Write everything of *index* into the file *path*, which is replaced only when all of it is there.

    :param progress: told how many trials are done, and how many there are.
    :returns: how many trials it holds.
    :raises IndexDamaged: a record cannot be read, or a vector is missing. :raises StorageError: the disk is full, say.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with index.snapshot() as records, storage_errors(target.parent):
        about = _about(index, records)
        require_vectors(records, str(index.folder), "Mend it: trialindex check --repair")

        def trials() -> Iterator[Any]:
            for done, entry in enumerate(entries(records), start=1):
                yield entry
                progress(done, about.trials)

        try:
            archive.write(part, about, vectors(records, about.encoder, index.folder), trials(), sources(records))
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise IndexStateError(f"cannot write {target}.", hint="Name a file in a folder that exists.") from None
        finally:
            part.unlink(missing_ok=True)
    return about.trials


def import_archive(path: str | Path, folder: str | Path, *, store: str | None = None, progress: Show = nothing) -> int:
    """Make the index that was exported into the file *path* again, in *folder*: the same in all it holds and answers.

    :param store: another vector store than it had.
    :returns: how many trials it holds.
    :raises IndexDamaged: the file is no archive, or damaged. :raises IndexFormatError: a newer trialindex wrote it.
    :raises IndexStateError: there is an index in *folder* that holds trials. Whatever is raised, nothing was changed.
    """
    with archive.open_archive(Path(path)) as read:
        about = read.about
        require_rule(about.passages, str(path))
        with filled(Path(folder), about.encoder, store or about.store) as index, index.writing() as (records, changes):
            require_encoder(about.encoder, Path(path), index)
            if len(index) or index.info().sources:
                raise IndexStateError(
                    f"the index at {folder} holds trials already.",
                    hint="Import into a new one with --index, then: trialindex merge NEW --index WHOLE",
                )
            with storage_errors(Path(folder)), records.transaction():
                for hashes, found in read.vectors():
                    records.add_embeddings(hashes, found)
                for done, entry in enumerate(read.trials(), start=1):
                    if restore(records, entry) != "added":
                        raise ValueError(f"the trial {entry.trial.id} is in it twice")
                    changes.append(Change(entry.trial.id, "added"))
                    progress(done, about.trials)
                for spec, known in read.sources().items():
                    remember(records, spec, known)
                records.set_generation(about.generation)
                if about.lineage:
                    records.write("UPDATE meta SET value = ? WHERE key = 'id'", [(about.lineage,)])
                require_vectors(records, str(path), "Export it again.")
    return about.trials


def _about(index: Index, records: Records) -> About:
    described = index.manifest
    [(vectors,)] = records.rows("SELECT count(*) FROM vectors")
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
        vectors=vectors,
    )


def vectors(records: Records, encoder: EncoderIdentity, folder: Path) -> Iterator[tuple[bytes, bytes]]:
    """Every hash with its vector, encoded. :raises IndexDamaged: one is damaged."""
    with closing(
        records.rows("SELECT hash, vector FROM vectors ORDER BY hash")
    ) as held:  # before its connection, when one is damaged
        for rows in batches(held):
            keys = [key for key, _ in rows]
            blobs = [vector for _, vector in rows]
            if not vector_codec.decode(blobs, encoder.dimension)[1].all() or any(
                len(key) != archive.HASH_BYTES for key in keys
            ):
                raise IndexDamaged(
                    f"the index at {folder} holds a damaged vector.", hint="Mend it: trialindex check --repair"
                )
            yield from zip(keys, blobs, strict=True)


def require_vectors(records: Records, where: str, hint: str) -> None:
    """:raises IndexDamaged: a passage has no vector."""
    sql = "SELECT count(*) FROM passages LEFT JOIN vectors USING (hash) WHERE vector IS NULL"
    [(missing,)] = records.rows(sql)
    if missing:
        raise IndexDamaged(f"{where} lacks the vectors of {missing:,} passages.", hint=hint)


def require_rule(passages: int, where: str) -> None:
    """:raises IndexFormatError: trials are cut into passages by another rule than ours."""
    if passages != PASSAGES:
        raise IndexFormatError(
            f"{where} cuts its trials into passages by rule {passages}, this trialindex by rule {PASSAGES}.",
            hint="Use the same version of trialindex on both sides.",
        )


# --- what is remembered of the sources --------------------------------------------------------------------------------


def sources(records: Records) -> dict[str, SourceState]:
    """What is remembered of each source, by its spec."""
    requests = records.source_requests()
    swept = dict(records.rows("SELECT spec, ran FROM sweeps"))
    return {
        spec: SourceState(
            state=state,
            ran=ran,
            swept=swept.get(spec),
            asked=spec in requests,
            request=msgspec.json.decode(requests[spec] or "null") if spec in requests else None,
        )
        for spec, (state, ran) in sorted(records.source_states().items())
    }


def remember(records: Records, spec: str, known: SourceState) -> None:
    """Remember it, inside a transaction."""
    records.set_source_state(spec, known.state, known.ran)
    if known.asked:
        request = None if known.request is None else msgspec.convert(known.request, Request)
        text = None if request is None else msgspec.json.encode(request).decode()
        records.write("INSERT OR REPLACE INTO requests VALUES (?, ?)", [(spec, text)])
    if known.swept:
        records.write("INSERT OR REPLACE INTO sweeps VALUES (?, ?)", [(spec, known.swept)])


# --- the index that is filled -----------------------------------------------------------------------------------------


@contextmanager
def filled(folder: Path, encoder: EncoderIdentity, store: str) -> Iterator[Index]:
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
    """:raises EncoderMismatch: *index* was built with another encoder than the one *where*."""
    encoder = index.manifest.encoder
    if encoder != expected:
        raise EncoderMismatch(
            f"{where} was built with the encoder {expected.spec} (sha256 {expected.sha256[:12]}…), "
            f"the index at {index.folder} with {encoder.spec} (sha256 {encoder.sha256[:12]}…).",
            hint="Only what one encoder made goes together.",
        )
