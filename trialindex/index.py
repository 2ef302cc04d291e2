"""The façade: one object for everything an index can do."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

import msgspec

from trialindex.concepts.loading import load_interpreter, load_recognizer
from trialindex.errors import IndexEmpty, IndexLocked, StorageError
from trialindex.page.build import DEFAULT_WRITER, card
from trialindex.plugin import registry
from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, describe_error
from trialindex.plugin.interfaces import Encoder, EncoderIdentity, Reader, Reranker, Source, Writer
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.proposals import DEFAULT_READER
from trialindex.plugin.registry import Plugins
from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import TrialPage
from trialindex.plugin.updates import Change
from trialindex.search.browsing import Browser
from trialindex.search.filters import Filters, FilterWords
from trialindex.search.names import find_trial
from trialindex.search.places import Place
from trialindex.search.reranking import DEPTH as RERANK_DEPTH
from trialindex.storage import derived, manifest
from trialindex.storage.files import remove_entries, storage_errors
from trialindex.storage.lock import write_lock
from trialindex.storage.partial_index import is_leftover, require_empty
from trialindex.storage.provenance import Origin
from trialindex.storage.records import Records, Stored
from trialindex.storage.store_spec import StoreSpec
from trialindex.trial import Trial
from trialindex.trial.passages import VERSION as PASSAGES

if TYPE_CHECKING:
    from trialindex.changes.revisions import Revision
    from trialindex.ingest.request import Request, Shard
    from trialindex.ingest.run import Summary
    from trialindex.search.searcher import Searcher
    from trialindex.search.settings import RankingSettings
    from trialindex.storage.check import Findings
    from trialindex.storage.info import Info

_log = logging.getLogger(__name__)

DEFAULT_ENCODER = "minilm"
DEFAULT_STORE = "faiss"


class Index(Browser):
    """A semantic index of clinical trials in a folder. Make one with :meth:`create` or :meth:`open`.

    ::

        from trialindex import Index

        with Index.open("indexes/default") as index:
            for hit in index.query("severe lupus kidney", status="recruiting").hits:
                print(hit.trial.id, hit.trial.title)

    Reading is safe from several threads and while another process writes.
    """

    def __init__(self, folder: Path, description: manifest.Manifest, records: Records, plugins: Plugins) -> None:
        self.folder = folder
        self.plugins = plugins
        self.manifest = description
        self._records = records
        self._store = StoreSpec.find(description.store, plugins)
        self._encoder: Encoder | None = None
        self._derived: derived.Derived | None = None
        self._mutex = threading.RLock()

    # --- life ---------------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        encoder: str | Encoder | EncoderIdentity = DEFAULT_ENCODER,
        store: str = DEFAULT_STORE,
        plugins: Plugins | None = None,
    ) -> Self:
        """Make an empty index in the folder *path*.

        :param encoder: an encoder spec such as ``minilm`` or ``sentence-transformers:NAME``, or an encoder; its
            identity is enough for an index that is filled with what was encoded elsewhere.
        :param store: a vector store spec such as ``faiss`` or ``faiss:exact``.
        :param plugins: where specs are looked up; those of this process unless given.
        :raises IndexStateError: there is an index or something else at *path* already.
        """
        folder = Path(path)
        plugins = plugins or registry.plugins()
        model = plugins.encoders.make(encoder) if isinstance(encoder, str) else encoder
        identity = model if isinstance(model, EncoderIdentity) else model.identity
        StoreSpec.find(store, plugins).create(identity.dimension)  # refuses a spec that cannot be used
        description = manifest.Manifest(
            format=manifest.FORMAT,
            created_with=version("trialindex"),
            encoder=identity,
            metric="cosine",
            store=store,
            passages=PASSAGES,
        )
        with storage_errors(folder):
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                require_empty(folder)
            with write_lock(folder), ExitStack() as undo:
                require_empty(folder)  # another process may have been faster
                undo.callback(remove_entries, folder, is_leftover)
                remove_entries(folder, is_leftover)
                records = Records(folder, create=True)
                undo.callback(records.close)
                index = cls(folder, description, records, plugins)
                index._encoder = None if isinstance(model, EncoderIdentity) else model
                index._catch_up()
                undo.callback((folder / manifest.NAME).unlink, missing_ok=True)
                description.write(folder)  # last: a folder without a manifest is no index yet
                undo.pop_all()
        return index

    @classmethod
    def open(cls, path: str | Path, *, encoder: str | Encoder | None = None, plugins: Plugins | None = None) -> Self:
        """Open the index in the folder *path*.

        :param encoder: the encoder to use; it must be the one the index was built with. Needed only when that one was
            made from options of its own.
        :param plugins: where specs are looked up; those of this process unless given.
        :raises IndexNotFound: there is no index.
        :raises IndexDamaged: part of it is missing or unreadable.
        :raises IndexFormatError: a newer trialindex wrote it.
        :raises EncoderMismatch: *encoder* is another one.
        """
        folder = Path(path)
        plugins = plugins or registry.plugins()
        description = manifest.read(folder)
        with ExitStack() as undo:
            records = Records(folder)
            undo.callback(records.close)
            index = cls(folder, description, records, plugins)
            if encoder is not None:
                index._use(plugins.encoders.make(encoder) if isinstance(encoder, str) else encoder)
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
        """Whether the index holds a trial with that id or other name."""
        return isinstance(trial_id, str) and bool(self._records.ids_named(trial_id))

    @property
    def generation(self) -> int:
        """The number of the state that is asked: every commit that changes a trial, or brings vectors, raises it."""
        return self._records.generation

    @property
    def is_replaced(self) -> bool:
        """Whether another index, or none, has taken the place of this one in its folder, so that it is to be opened
        anew.
        """
        return self._records.database.is_replaced

    def query(
        self,
        text: str,
        *,
        mode: str = "hybrid",
        limit: int = 10,
        page: int = 1,
        contacts: bool = False,
        explain: bool = False,
        as_written: bool = False,
        anyway: bool = False,
        reader: str | Reader | None = DEFAULT_READER,
        reranker: str | Reranker | None = None,
        rerank_depth: int = RERANK_DEPTH,
        ranking: RankingSettings | None = None,
        filters: Filters | None = None,
        **filter_words: Unpack[FilterWords],
    ) -> Results:
        """Trials ranked by how well they match a description of a patient's condition.

        :param text: a few words or a note of thousands. It stays on this machine, unless *reader* sends it elsewhere.
        :param mode: ``hybrid`` (meaning and words), ``vector`` (meaning) or ``lexical`` (words).
        :param limit: hits a page.
        :param page: from 1.
        :param contacts: leave the contacts in the trials; without it they are masked.
        :param explain: say in ``understood`` what was understood of the text.
        :param as_written: search for just what was typed, and mend and translate nothing.
        :param anyway: give hits also where nothing was understood of the text.
        :param reader: proposes what else to search for, or its spec; ``None`` for none.
        :param reranker: a model that puts the first *rerank_depth* trials in its order, or its spec.
        :param ranking: how trials are ranked, in place of the settings that were measured.
        :param filters: applied before ranking. Or give them as words: ``status="recruiting"``, ``phase=["2", "3"]``,
            ``age=34``, ``near="Lyon, France"``, ``within="100km"``; :meth:`Filters.parse` has them all.
        :raises QueryError: an empty text, or a value that is not understood.
        :raises PluginError: the reader or the reranker is unknown, or fails.
        """
        from trialindex.search.proposals import find_reader
        from trialindex.search.query import Page, Reranking, search

        if filters is None:
            filters = Filters.parse(**filter_words)
        elif filter_words:
            raise TypeError(f"give filters, or {', '.join(filter_words)}, not both")
        wanted = Page(limit, page, contacts, explain, as_written, anyway)
        chosen = None if as_written else find_reader(reader, self.plugins)
        reranking = None
        if reranker is not None:
            model = self.plugins.rerankers.make(reranker) if isinstance(reranker, str) else reranker
            reranking = Reranking(model, rerank_depth)
        if self._records.is_empty:
            raise IndexEmpty(
                f"the index at {self.folder} holds no trials.",
                hint=f'Bring some in: trialindex ingest ctgov:"lupus nephritis" --index {self.folder}',
            )
        with self.searcher(ranking) as searcher:
            return search(searcher, text, mode, filters, wanted, reranking, chosen)

    @contextmanager
    def searcher(self, ranking: RankingSettings | None = None) -> Iterator[Searcher]:
        """The newest state of the index, open for searching: for what measures or extends the search."""
        from trialindex.search.searcher import Searcher
        from trialindex.search.settings import RankingSettings

        state = self._current()
        with self._records.snapshot() as records:
            yield Searcher(
                derived=state,
                records=records,
                encoder=lambda: self.encoder,
                recognizer=lambda: load_recognizer(self.plugins),
                interpreter=lambda: load_interpreter(self.plugins),
                settings=ranking or RankingSettings(),
                plugins=self.plugins,
            )

    def get(self, trial_id: str, *, contacts: bool = False) -> Trial:
        """The trial with that id, or another of its names: another id, its acronym, the address of its page.

        :param contacts: leave its contacts and its raw record in; without it they are masked.
        :raises UnknownTrial: the index has none, or several have the name; the message says what to type next.
        """
        return self.stored(trial_id, contacts=contacts).trial

    def stored(self, trial_id: str, *, contacts: bool = False) -> Stored:
        """As :meth:`get`, with what the index knows of it: when it was first seen and last checked."""
        with self._records.snapshot() as records:
            found = find_trial(records, trial_id, self.plugins, raw=contacts)
        return found if contacts else Stored(found.num, found.trial.masked(), found.first_seen, found.last_checked)

    def card(
        self,
        trial_id: str,
        *,
        writer: Writer | str = DEFAULT_WRITER,
        contacts: bool = False,
        near: Place | str | None = None,
    ) -> TrialPage:
        """The page of the trial with that id; :func:`trialindex.page.build.card` says what it may be given and raises.

        :raises UnknownTrial: the index has none, or several have the name; the message says what to type next.
        """
        stored = self.stored(trial_id, contacts=contacts)
        return card(
            stored.trial,
            seen=stored.seen,
            origins={spec: origin.fields for spec, origin in self.origins(stored.trial.id).items()},
            writer=writer,
            contacts=contacts,
            near=near,
            recognizer=load_recognizer(self.plugins),  # read once a process
            plugins=self.plugins,
        )

    def origins(self, trial_id: str) -> dict[str, Origin]:
        """The source specs that a trial came from, each with the fields that are from there, and the day of each.

        :raises UnknownTrial: the index has none, or several have the name; the message says what to type next.
        """
        with self._records.snapshot() as records:
            return records.provenance.origins_of(find_trial(records, trial_id, self.plugins).num)

    def history(self, trial_id: str, *, contacts: bool = False) -> tuple[Revision, ...]:
        """Every version of a trial that the index has seen, the newest, which is the current one, last.

        Each says what it states otherwise than the one before, in words. That contacts changed is said, masked or not.

        :param contacts: leave the contacts in the trials; without it they are masked. Raw records are never in them.
        :raises UnknownTrial: the index has none, or several have the name; the message says what to type next.
        """
        from trialindex.changes.revisions import revisions

        with self._records.snapshot() as records:
            return revisions(records, find_trial(records, trial_id, self.plugins), contacts=contacts)

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
        from trialindex.storage.info import describe_index

        with self._records.snapshot() as records:
            return describe_index(self.manifest, records, self._store)

    def check(self, *, repair: bool = False, listener: ProgressListener | None = None) -> Findings:
        """Prove that the index is whole: every record, passage, vector and word index against each other.

        :param repair: make again what can be made from ``records.db``, and embed what an ingest left without vectors.
        :param listener: where to say how it goes: its ``progress`` is told the trials.
        :returns: what is wrong, empty when nothing is; with *repair* each finding says whether it was repaired. What
            was gone through is in its ``performed``.
        :raises IndexLocked: another process is writing: what it has not finished is no damage.
        """
        from trialindex.ingest.embedding import Embedding
        from trialindex.storage.check import check_index

        listener = listener or ProgressListener()
        parts = (self.folder, self.manifest, self._records, self._store, listener.progress)
        embed = Embedding(self._records, lambda: self.encoder, listener).run
        found = check_index(*parts, encoder=lambda: self.encoder, embed=embed, repair=repair)
        self.manifest = manifest.read(self.folder)
        return found

    def requests(self) -> dict[str, Request | None]:
        """For each source spec how to ask for it again; ``None`` where there is nothing to ask."""
        from trialindex.ingest.request import Request

        with self._records.snapshot() as records:
            known = {spec: source.request for spec, source in records.sources.all().items()}
        return {spec: None if request is None else Request.from_json(request) for spec, request in known.items()}

    @contextmanager
    def snapshot(self) -> Iterator[Records]:
        """The records as they are now, whatever is committed meanwhile: for what the core builds on an index."""
        with self._records.snapshot() as records:
            yield records

    @property
    def encoder(self) -> Encoder:
        """The encoder the index was built with.

        :raises EncoderMismatch: the one that is installed under its name is another model.
        """
        with self._mutex:
            if self._encoder is None:
                self._use(self.plugins.encoders.make(self.manifest.encoder.spec))
            assert self._encoder is not None
            return self._encoder

    # --- writing ------------------------------------------------------------------------------------------------------

    def ingest(
        self,
        source: Source | str,
        *,
        listener: ProgressListener | None = None,
        request: Request | None = None,
        shard: Shard | str | None = None,
        **options: Any,
    ) -> Summary:
        """Bring in the trials of a source; what was committed stays, whatever happens.

        :param source: a source, or its spec such as ``ctgov:lupus nephritis`` with the source's options as keywords.
        :param listener: where to say how it goes.
        :param request: how ``trialindex sync`` can ask a source again that is given as an object.
        :param shard: take only this part of the trials, ``2/8`` for the second of eight; for several machines.
        :raises SourceError: the source could not go on.
        :raises IndexLocked: another process is writing.
        """
        from trialindex.ingest.request import Request, Shard
        from trialindex.ingest.run import Ingest

        if options and not isinstance(source, str):
            raise TypeError("options go with a spec, not with a source")
        chosen = self.plugins.sources.make(source, **options) if isinstance(source, str) else source
        if isinstance(source, str):
            request = Request.create(self.plugins, source, options, self.folder)
        part = Shard.parse(shard) if isinstance(shard, str) else shard
        if request is not None and part is not None:
            request = msgspec.structs.replace(request, shard=part)
        with self._writing():
            listener = listener or ProgressListener()
            run = Ingest(chosen, self._records, lambda: self.encoder, listener, request, part, self._catch_up)
            try:
                return run.run()
            finally:
                self._publish(run.summary.changes, listener)

    def remove(self, trial_ids: Iterable[str], *, listener: ProgressListener | None = None) -> list[Change]:
        """Delete these trials with their history; all of them or, when one is unknown, none.

        :param listener: where to say how it goes.
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
            self._publish(changes, listener or ProgressListener())
        return changes

    @contextmanager
    def writing(self, listener: ProgressListener | None = None) -> Iterator[tuple[Records, list[Change]]]:
        """The records, to be changed by what the core builds on an index, under the index's lock.

        What is changed is put into the list, and published when the block ends without an error.

        :raises IndexLocked: another process is writing.
        """
        changes: list[Change] = []
        with self._writing():
            yield self._records, changes
            self._publish(changes, listener or ProgressListener())

    def forget_request(self, spec: str) -> None:
        """Ask the source of that spec no more when the others are refreshed; its trials stay."""
        with self._writing(), self._records.transaction():
            self._records.sources.forget_request(spec)

    # ------------------------------------------------------------------------------------------------------------------

    def _use(self, encoder: Encoder) -> None:
        self.manifest.require_encoder(encoder.identity, self.folder)
        _log.debug("the encoder is %s, revision %s", encoder.identity.spec, encoder.identity.revision)
        self._encoder = encoder

    @contextmanager
    def _writing(self) -> Iterator[None]:
        from trialindex.storage.migrate import migrate

        with write_lock(self.folder):
            self.manifest = migrate(self.folder, manifest.read(self.folder), self._records)
            if (derived.newest_generation(self.folder) or 0) > self._records.generation:
                self._catch_up()  # records.db is an older copy: its next generations are others than those derived
            yield

    def _catch_up(self) -> None:
        derived.catch_up(self.folder, self._records, self._store, self.manifest.encoder.dimension)

    def _publish(self, changes: Sequence[Change], listener: ProgressListener) -> None:
        """Bring the derived state up to date and tell the plugins."""
        self._catch_up()
        if changes:
            for name, call in self.plugins.each("index_updated"):
                try:
                    call(index=self, changes=changes)
                except PLUGIN_EXCEPTIONS as problem:
                    listener.note(
                        f'the plugin "{name}" failed after the update, which is kept: {describe_error(problem)}.'
                    )

    def _current(self) -> derived.Derived:
        """The newest derived state; one that lags behind the records catches up first, if nobody is writing."""
        with self._mutex:
            if derived.newest_generation(self.folder) != self._records.generation:
                # A writer at work will do it; where nothing can be written the last state answers.
                with suppress(IndexLocked, StorageError), write_lock(self.folder):
                    self._catch_up()
            self._derived = derived.reopen(self._derived, self.folder, self._store)
            return self._derived
