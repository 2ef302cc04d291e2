"""Bringing trials in: source → records, passages, vectors, in one transaction a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from trialindex import trial as trials_
from trialindex.encoding import encode_documents
from trialindex.errors import SourceError, TrialIndexError
from trialindex.interfaces import Encoder, IngestContext, Source
from trialindex.passages import passages
from trialindex.storage.records import Change, Records
from trialindex.trial import Trial

if TYPE_CHECKING:
    from trialindex.interfaces import Vectors

BATCH = 256
"""Trials a transaction: a few seconds of encoding, which is what an interruption may cost."""


@dataclass
class Summary:
    """What an ingest did.

    :param spec: the source's spec.
    :param changes: every trial that was added or changed, in order.
    :param unchanged: trials that were there already, as they are.
    :param kept: trials not replaced because the index holds a newer or fuller record: ``(id, why)``.
    :param rejected: records that could not be used: ``(where, why)``.
    :param seconds: wall time in all. :param seconds_encoding: of which inside the encoder.
    :param stopped: why it ended early, empty when it did not.
    """

    spec: str
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    seconds_encoding: float = 0.0
    stopped: str = ""

    @property
    def added(self) -> int:
        return sum(change.kind == "added" for change in self.changes)

    @property
    def changed(self) -> int:
        return sum(change.kind == "changed" for change in self.changes)


@dataclass
class Reports:
    """Where an ingest says how it goes; each is optional.

    :param progress: records read so far, and in all when known.
    :param reject: a record was skipped: where, why.
    :param note: one line a user should know.
    """

    progress: Callable[[int, int | None], None] = lambda done, total: None
    reject: Callable[[str, str], None] = lambda where, why: None
    note: Callable[[str], None] = lambda message: None


class Ingest:
    """One run of one source into the records of an index; the caller holds the index's lock.

    :param encoder: called when there are passages without vectors, and not before.
    """

    def __init__(self, source: Source, records: Records, encoder: Callable[[], Encoder], reports: Reports) -> None:
        self._source = source
        self._records = records
        self._encoder = encoder
        self._reports = reports
        self._batch: dict[bytes, Trial] = {}
        self._today = date.today().isoformat()
        self._started = time.perf_counter()
        self.summary = Summary(source.spec)
        self._state: Mapping[str, Any] = records.source_states().get(source.spec, ({}, ""))[0]
        self._context = IngestContext(
            state=self._state, on_progress=reports.progress, on_reject=self._reject, on_note=reports.note
        )

    def run(self) -> Summary:
        """Read the source to its end. What was committed before an error or an interruption stays.

        :raises SourceError: the source could not go on; its message says why.
        """
        try:
            for trial in self._delivered():
                if self._context.pending_state is not None or len(self._batch) >= BATCH:
                    self._commit()
                checked = self._checked(trial)
                if checked is not None:
                    self._add(checked)
            self._commit(finished=True)
        except KeyboardInterrupt:
            self.summary.stopped = "interrupted"
        finally:
            self.summary.seconds = time.perf_counter() - self._started
        return self.summary

    def _delivered(self) -> Iterator[Trial]:
        """The source's trials. When the source fails, what it gave before is committed."""
        try:
            yield from self._source.trials(self._context)
        except TrialIndexError:
            self._commit()
            raise
        except Exception as problem:
            self._commit()
            raise SourceError(
                f'the source "{self._source.name}" failed: {type(problem).__name__}: {problem}.',
                hint="What it gave before is kept. Report it to the source's author.",
            ) from problem

    def _reject(self, where: str, why: str) -> None:
        self.summary.rejected.append((where, why))
        self._reports.reject(where, why)

    def _checked(self, trial: object) -> Trial | None:
        """The trial as it will be stored, or ``None`` when it breaks the contract of a record."""
        if not isinstance(trial, Trial):  # a stranger's source may yield anything
            self._reject(f"a {type(trial).__name__}", f'the source "{self._source.name}" gave it in place of a Trial')
            return None
        try:
            msgspec.json.encode(trial.raw)
            bare = msgspec.structs.replace(trial, raw=None, source=self._source.name)
            return msgspec.structs.replace(trials_.decode(trials_.encode(bare)), raw=trial.raw)
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as problem:
            where = " ".join(str(trial.id).split()) or "a record without an id"
            self._reject(where, f"not a valid record: {problem}")
            return None

    def _add(self, trial: Trial) -> None:
        """Put the trial in the batch, which holds each trial once: another version of one begins a new batch."""
        key = trial.id.encode().lower()  # as the records compare ids: ASCII letters in either case
        earlier = self._batch.get(key)
        if earlier is not None:
            if earlier.content_hash == trial.content_hash:
                self.summary.unchanged += 1
            else:
                self._commit()
        self._batch[key] = trial

    def _commit(self, *, finished: bool = False) -> None:
        """Encode what is new, then write the batch and the source's state together."""
        batch, self._batch = list(self._batch.values()), {}
        state: Mapping[str, Any] | None = self._context.pending_state
        if finished and state is None:
            state = self._state
        if not batch and state is None:
            return
        wanted = [trial for trial in batch if self._accepts(trial)]
        texts = {p.hash: p.text for trial in wanted for p in passages(trial)}
        missing = sorted(self._records.missing_embeddings(texts))
        vectors = self._encode([texts[digest] for digest in missing]) if missing else None
        generation = self._records.generation + 1
        changes: list[Change] = []
        unchanged = 0
        with self._records.transaction():
            if vectors is not None:
                self._records.add_embeddings(missing, vectors)
            for trial in wanted:
                kind = self._records.put(trial, partial=self._source.partial, today=self._today, generation=generation)
                if kind is None:
                    unchanged += 1
                else:
                    changes.append(Change(trial.id, kind))
            if changes:
                self._records.set_generation(generation)
            if state is not None:
                self._records.set_source_state(self._source.spec, state, self._today)
        self._context.pending_state = None
        self._state = state if state is not None else self._state
        self.summary.changes += changes
        self.summary.unchanged += unchanged

    def _accepts(self, trial: Trial) -> bool:
        """Whether the record may replace the one the index holds: never a fuller or a newer one."""
        held = self._records.standing(trial.id)
        if held is None:
            return True
        partial, last_updated, source = held
        new_date = trial.last_updated.date if trial.last_updated else None
        why = ""
        if self._source.partial and not partial:
            why = f"the index holds a fuller record from {source}"
        elif last_updated and new_date and new_date < last_updated[: len(new_date)]:
            why = f"the index holds a newer record, of {last_updated}"
        if why:
            self.summary.kept.append((trial.id, why))
        return not why

    def _encode(self, texts: list[str]) -> Vectors:
        start = time.perf_counter()
        try:
            return encode_documents(self._encoder(), texts)
        finally:
            self.summary.seconds_encoding += time.perf_counter() - start
