"""The façade: one object for everything an index can do."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from trialindex.errors import (
    EncoderMismatch,
    IndexDamaged,
    IndexEmpty,
    IndexLocked,
    IndexStateError,
    StorageError,
    TrialIndexError,
    UnknownTrial,
    nearest,
)
from trialindex.ingest import Ingest, Reports, Summary
from trialindex.interfaces import Encoder, Source, VectorStore
from trialindex.passages import VERSION as PASSAGES
from trialindex.plugins import ANYTHING, in_short, plugins
from trialindex.search.filters import Filters
from trialindex.search.results import Results
from trialindex.storage import check as checks
from trialindex.storage import derived, manifest
from trialindex.storage.files import folder_size, remove_entries, storage_errors
from trialindex.storage.lock import LOCKS, write_lock
from trialindex.storage.records import NAME as RECORDS
from trialindex.storage.records import Change, Records, Stored
from trialindex.trial import Trial

DEFAULT_ENCODER = "minilm"
DEFAULT_STORE = "faiss"
_PARTS = {RECORDS, f"{RECORDS}-wal", f"{RECORDS}-shm", derived.NAME}
_SMALLEST = 8192
"""Bytes; a smaller database has no tables yet."""


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What an index is and holds. ``sources`` maps each source spec to the ISO day it last ran."""

    path: str
    trials: int
    passages: int
    generation: int
    bytes: int
    manifest: manifest.Manifest
    sources: dict[str, str]
    statuses: dict[str, int]


class Index:
    """A semantic index of clinical trials in a folder. Make one with :meth:`create` or :meth:`open`.

    ::

        from trialindex import Index

        with Index.open("indexes/default") as index:
            for hit in index.query("severe lupus kidney", status="recruiting").hits:
                print(hit.trial.id, hit.trial.title)

    Reading is safe from several threads and while another process writes.
    """

    def __init__(self, folder: Path, description: manifest.Manifest, records: Records) -> None:
        self.folder = folder
        self.manifest = description
        self._records = records
        self._store: type[VectorStore] = plugins().get("store", description.store)
        self._encoder: Encoder | None = None
        self._derived: derived.Derived | None = None
        self._mutex = threading.RLock()

    # --- life ---------------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | Path, *, encoder: str | Encoder = DEFAULT_ENCODER, store: str = DEFAULT_STORE) -> Self:
        """Make an empty index in the folder *path*.

        :param encoder: an encoder spec such as ``minilm`` or ``sentence-transformers:NAME``, or an encoder.
        :param store: name of a vector store.
        :raises IndexStateError: there is an index or something else at *path* already.
        """
        folder = Path(path)
        model = plugins().make("encoder", encoder) if isinstance(encoder, str) else encoder
        plugins().get("store", store)
        description = manifest.Manifest(
            format=manifest.FORMAT,
            created_with=version("trialindex"),
            encoder=model.identity,
            metric="cosine",
            store=store,
            passages=PASSAGES,
        )
        with storage_errors(folder):
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                _refuse_full(folder)
            with write_lock(folder), ExitStack() as undo:
                _refuse_full(folder)  # another process may have been faster
                undo.callback(remove_entries, folder, _is_part)
                remove_entries(folder, _is_part)
                records = Records(folder, create=True)
                undo.callback(records.close)
                index = cls(folder, description, records)
                index._encoder = model
                index._catch_up()
                description.write(folder)  # last: a folder without a manifest is no index yet
                undo.pop_all()
        return index

    @classmethod
    def open(cls, path: str | Path, *, encoder: str | Encoder | None = None) -> Self:
        """Open the index in the folder *path*.

        :param encoder: the encoder to use; it must be the one the index was built with. Needed only when that one was
            made from options of its own.
        :raises IndexNotFound: there is no index. :raises IndexDamaged: part of it is missing or unreadable.
        :raises IndexFormatError: a newer trialindex wrote it. :raises EncoderMismatch: *encoder* is another one.
        """
        folder = Path(path)
        description = manifest.read(folder)
        with ExitStack() as undo:
            records = Records(folder)
            undo.callback(records.close)
            index = cls(folder, description, records)
            if encoder is not None:
                index._use(plugins().make("encoder", encoder) if isinstance(encoder, str) else encoder)
            undo.pop_all()
        return index

    def close(self) -> None:
        self._records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, trial_id: object) -> bool:
        """Whether the index holds a trial with that id, in any spelling of its letters."""
        return isinstance(trial_id, str) and self._records.standing(trial_id) is not None

    def query(
        self,
        text: str,
        *,
        mode: str = "hybrid",
        limit: int = 10,
        page: int = 1,
        contacts: bool = False,
        filters: Filters | None = None,
        **filter_words: Any,
    ) -> Results:
        """Trials ranked by how well they match a description of a patient's condition.

        :param text: a few words or a note of thousands. It stays on this machine.
        :param mode: ``hybrid`` (meaning and words), ``vector`` (meaning) or ``lexical`` (words).
        :param limit: hits a page. :param page: from 1.
        :param contacts: leave the contacts in the trials; without it they are masked.
        :param filters: applied before ranking. Or give them as words: ``status="recruiting"``, ``phase=["2", "3"]``,
            ``sex="female"``, ``age=34``, ``country="France"``, ``near="Lyon, France"``, ``within="100km"``,
            ``study_type``, ``condition``, ``source``, ``updated_since`` (see :meth:`Filters.parse`).
        :raises QueryError: an empty text, or a value that is not understood.
        """
        from trialindex.search.query import answer

        if filters is None:
            filters = Filters.parse(**filter_words)
        elif filter_words:
            raise TypeError(f"give filters, or {', '.join(filter_words)}, not both")
        if not len(self):
            raise IndexEmpty(
                f"the index at {self.folder} holds no trials.",
                hint=f'Bring some in: trialindex ingest ctgov:"lupus nephritis" --index {self.folder}',
            )
        state = self._current()
        with self._records.snapshot() as records:
            return answer(
                text,
                filters,
                mode=mode,
                limit=limit,
                page=page,
                contacts=contacts,
                derived=state,
                records=records,
                encoder=lambda: self.encoder,
            )

    def get(self, trial_id: str, *, contacts: bool = False) -> Trial:
        """The trial with that id.

        :param contacts: leave its contacts and its raw record in; without it they are masked.
        :raises UnknownTrial: the index has none; the message names ids that look alike.
        """
        return self.stored(trial_id, contacts=contacts).trial

    def stored(self, trial_id: str, *, contacts: bool = False) -> Stored:
        """As :meth:`get`, with what the index knows of it: when it was first seen and last checked."""
        trial_id = trial_id.strip()
        with self._records.snapshot() as records:
            found = records.find(trial_id, raw=contacts)
            alike = "" if found else nearest(trial_id, records.similar_ids(trial_id)).partition(" Allowed:")[0]
        if found is None:
            hint = alike if alike.startswith("Did") else "List what there is: trialindex list"
            raise UnknownTrial(f'no trial "{trial_id}" in the index at {self.folder}.', hint=hint)
        return found if contacts else Stored(found.num, found.trial.masked(), found.first_seen, found.last_checked)

    def trials(self, filters: Filters | None = None, *, contacts: bool = False) -> Iterator[Trial]:
        """Every trial that passes the filters, in the order they came; streaming."""
        with self._records.snapshot() as records:
            allowed = (filters or Filters()).allowed(records)
            found = records.all(raw=contacts) if allowed is None else records.load(allowed.tolist(), raw=contacts)
            with closing(found):  # before its connection, when the caller stops half way
                for stored in found:
                    yield stored.trial if contacts else stored.trial.masked()

    def info(self) -> Info:
        """What the index is and holds."""
        with self._records.snapshot() as records:
            rows = records.rows("SELECT coalesce(status, ''), count(*) FROM trials GROUP BY 1 ORDER BY 2 DESC")
            return Info(
                path=str(self.folder),
                trials=len(records),
                passages=records.count_passages(),
                generation=records.generation,
                bytes=folder_size(self.folder),
                manifest=self.manifest,
                sources={spec: ran for spec, (_, ran) in records.source_states().items()},
                statuses={str(status): int(count) for status, count in rows},
            )

    def check(self, *, repair: bool = False) -> list[checks.Finding]:
        """Prove that the index is whole: every record, passage, vector and word index against each other.

        :param repair: make again what can be made from ``records.db``.
        :returns: what is wrong, empty when nothing is; with *repair* each finding says whether it was repaired.
        :raises IndexLocked: another process is writing: what it has not finished is no damage.
        """
        checked = checks.Check(self.folder, self.manifest, self._records, self._store)
        with ExitStack() as locked:
            try:
                locked.enter_context(write_lock(self.folder))
            except StorageError:  # of an index that cannot be written nothing changes
                if repair:
                    raise
            found = checked.repair(lambda: self.encoder) if repair else checked.findings()
        try:
            self.encoder.verify()
        except TrialIndexError as problem:
            found.append(checks.Finding("encoder", str(problem)))
        return found

    @property
    def encoder(self) -> Encoder:
        """The encoder the index was built with.

        :raises EncoderMismatch: the one that is installed under its name is another model.
        """
        with self._mutex:
            if self._encoder is None:
                self._use(plugins().make("encoder", self.manifest.encoder.spec))
            assert self._encoder is not None
            return self._encoder

    # --- writing ------------------------------------------------------------------------------------------------------

    def ingest(self, source: Source | str, *, reports: Reports | None = None, **options: Any) -> Summary:
        """Bring in the trials of a source; what was committed stays, whatever happens.

        :param source: a source, or its spec such as ``ctgov:lupus nephritis`` with the source's options as keywords.
        :param reports: where to say how it goes.
        :raises SourceError: the source could not go on. :raises IndexLocked: another process is writing.
        """
        if options and not isinstance(source, str):
            raise TypeError("options go with a spec, not with a source")
        chosen: Source = plugins().make("source", source, **options) if isinstance(source, str) else source
        with self._writing():
            reports = reports or Reports()
            run = Ingest(chosen, self._records, lambda: self.encoder, reports)
            try:
                return run.run()
            finally:
                self._publish(run.summary.changes, reports)

    def remove(self, trial_ids: Iterable[str], *, reports: Reports | None = None) -> list[Change]:
        """Delete these trials with their history; all of them or, when one is unknown, none.

        :param reports: where to say how it goes.
        :raises UnknownTrial: the index has no such trial.
        """
        with self._writing():
            wanted = [self.stored(trial_id).trial.id for trial_id in trial_ids]
            changes = [Change(trial_id, "removed") for trial_id in dict.fromkeys(wanted)]
            generation = self._records.generation + 1
            with self._records.transaction():
                for change in changes:
                    self._records.remove(change.id, generation)
                self._records.set_generation(generation)
            self._publish(changes, reports or Reports())
        return changes

    # ------------------------------------------------------------------------------------------------------------------

    def _use(self, encoder: Encoder) -> None:
        built, given = self.manifest.encoder, encoder.identity
        if given != built:
            raise EncoderMismatch(
                f"the index at {self.folder} was built with the encoder {built.spec} (sha256 {built.sha256[:12]}…, "
                f"{built.dimension} dimensions), not {given.spec} (sha256 {given.sha256[:12]}…, {given.dimension}).",
                hint="Leave --encoder out, or build another index: "
                f"trialindex ingest … --index NEW --encoder {given.spec}",
            )
        self._encoder = encoder

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with write_lock(self.folder):
            if (derived.newest_generation(self.folder) or 0) > self._records.generation:
                self._catch_up()  # records.db is an older copy: its next generations are others than those derived
            yield

    def _catch_up(self) -> None:
        derived.catch_up(self.folder, self._records, self._store, self.manifest.encoder.dimension)

    def _publish(self, changes: Sequence[Change], reports: Reports) -> None:
        """Bring the derived state up to date and tell the plugins."""
        self._catch_up()
        if changes:
            for name, call in plugins().each("index_updated"):
                try:
                    call(index=self, changes=changes)
                except ANYTHING as problem:
                    reports.note(f'the plugin "{name}" failed after the update, which is kept: {in_short(problem)}.')

    def _current(self) -> derived.Derived:
        """The newest derived state; one that lags behind the records catches up first, if nobody is writing."""
        with self._mutex:
            if derived.newest_generation(self.folder) != self._records.generation:
                # A writer at work will do it; where nothing can be written the last state answers.
                with suppress(IndexLocked, StorageError), write_lock(self.folder):
                    self._catch_up()
            newest = derived.newest_generation(self.folder)
            if self._derived is None or self._derived.generation != newest:
                self._derived = derived.open_newest(self.folder, self._store)
            if self._derived is None:
                raise IndexDamaged(
                    f"the index at {self.folder} has no {derived.NAME} folder and cannot be written to.",
                    hint="Copy the whole folder again, or make it writable.",
                )
            return self._derived


def _refuse_full(folder: Path) -> None:
    """:raises IndexStateError: a new index cannot be made in *folder*."""
    if manifest.is_index(folder):
        raise IndexStateError(f"there is an index at {folder} already.", hint="Open it, or choose another folder.")
    names = {path.name for path in folder.iterdir()} - LOCKS if folder.is_dir() else {""}
    if names and (RECORDS not in names or not all(map(_is_part, names))):
        raise IndexStateError(f"{folder} is not an empty folder.", hint="Choose another one with --index.")
    if not _only_begun(folder):
        manifest.read(folder)  # says what is wrong with half an index


def _is_part(name: str) -> bool:
    """Whether a file of that name, without a manifest, is of an index that was never finished."""
    return name in _PARTS or name.startswith(f".{manifest.NAME}.")


def _only_begun(folder: Path) -> bool:
    """Whether what lies in *folder* is at most what a process left that was killed while it made an index."""
    path = folder / RECORDS
    if not path.exists() or path.stat().st_size < _SMALLEST:
        return True
    with closing(Records(folder)) as records:
        return len(records) == 0
