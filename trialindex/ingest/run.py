"""Bringing trials in: source → records and passages, in one transaction a batch; vectors follow behind.

Trials are committed as fast as the source gives them, and are found by their words from then on. When it has no more to
give, what waits for vectors is embedded.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import msgspec

from trialindex.errors import SourceError, TrialIndexError
from trialindex.ingest.combine import combine, given_fields, stated_fields
from trialindex.ingest.embedding import CHUNK, Embedding
from trialindex.ingest.request import Request, Shard
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import Encoder, IngestContext, Source
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.updates import Change
from trialindex.storage.names import id_key
from trialindex.storage.provenance import Delivery
from trialindex.storage.records import Records
from trialindex.storage.source_states import ShardOf, SourceState
from trialindex.trial import Trial, decode, display, encode
from trialindex.trial.prepare import prepare
from trialindex.trial.sanitize import replace_surrogates

_log = logging.getLogger(__name__)

BATCH = 1024
"""Trials a transaction: few enough for little memory."""

PUBLISH_SECONDS = 60.0
"""Between two times that what was committed is made searchable during a run."""
FIRST_SECONDS = 2.0
"""From the start of a run to the first time, of an index that has no answers yet."""
PUBLISH_SHARE = 0.04
"""The part of the time of embedding that this may take: the larger the index, the rarer it is done."""
READING_SHARE = 0.25
"""The same of the time of reading, which is short: what is put into the word index then is not put there again."""

MAX_REASONS = 1000
"""Different reasons for leaving values empty that a summary tells apart."""


@dataclass
class Summary:
    """What an ingest did.

    :param spec: the source's spec.
    :param changes: every trial that was added or changed, in order.
    :param unchanged: trials that were there already, as they are.
    :param kept: trials not replaced because the index holds a newer record: ``(id, why)``.
    :param rejected: records that could not be used: ``(where, why)``.
    :param dropped: values that could not be used and were left empty: how many, by why.
    :param seconds: wall time in all.
    :param seconds_encoding: of which inside the encoder.
    :param encoded: texts that were encoded.
    :param unembedded: trials of the index that still wait for vectors, so that they are found by their words alone.
    :param stopped: why it ended early, empty when it did not.
    """

    spec: str
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    seconds_encoding: float = 0.0
    encoded: int = 0
    unembedded: int = 0
    stopped: str = ""

    @property
    def added(self) -> int:
        return sum(change.kind == "added" for change in self.changes)

    @property
    def changed(self) -> int:
        return sum(change.kind == "changed" for change in self.changes)


class _Given(NamedTuple):
    """A trial as the source delivered it. *excerpt*: its input held only some fields."""

    trial: Trial
    excerpt: bool


class _Planned(NamedTuple):
    """The record that is to be stored, whether it is a partial one, and what is remembered of the delivery."""

    trial: Trial
    partial: bool
    delivery: Delivery


class Ingest:
    """One run of one source into the records of an index; the caller holds the index's lock.

    :param encoder: called when there are passages without vectors, and not before; what it raises changes nothing.
    :param request: how the source can be asked for again, if it can.
    :param shard: take only this part of what the source delivers.
    :param publish: makes what is committed searchable; called now and then during a long run.
    """

    def __init__(
        self,
        source: Source,
        records: Records,
        encoder: Callable[[], Encoder],
        listener: ProgressListener,
        request: Request | None = None,
        shard: Shard | None = None,
        publish: Callable[[], None] = lambda: None,
    ) -> None:
        self._source = source
        self._spec = source.spec if shard is None else shard.spec(source.spec)
        self._shard = shard
        self._request = None if request is None else request.to_json()
        _check_spec(self._spec)
        self._records = records
        self._left = records.waiting.count()
        self._encoder = encoder
        self._has_encoder = False
        self._embedding = Embedding(records, encoder, listener, lambda: self._publish_when_due(PUBLISH_SHARE))
        self._listener = listener
        self._batch: dict[bytes, _Given] = {}
        self._today = date.today().isoformat()
        self._started = time.perf_counter()
        self._publish = publish
        self._publish_at = self._started + (FIRST_SECONDS if records.is_empty else PUBLISH_SECONDS)
        self.summary = Summary(self._spec)
        known = records.sources.get(self._spec)
        self._state: Mapping[str, Any] = known.state if known else {}
        self._context = IngestContext(
            state=self._state,
            on_progress=listener.progress,
            on_reject=self._reject,
            on_drop=self._drop,
            on_note=listener.note,
        )

    def run(self) -> Summary:
        """Read the source to its end, then embed what waits. What was committed stays, whatever ends it.

        :raises SourceError: the source could not go on; its message says why. What it gave before is embedded.
        :raises EncoderError: the encoder failed; the trials that it left are found by their words.
        """
        try:
            for trial in self._delivered():
                if self._context.pending_state is not None or len(self._batch) >= BATCH:
                    self._commit()
                excerpt = self._source.partial or (trial is not None and trial is self._context.excerpted)
                checked = self._checked(trial)
                if checked is not None and (self._shard is None or checked.id in self._shard):
                    self._add(checked, excerpt)
            self._commit(finished=True)
            self._embed()
        except KeyboardInterrupt:
            self.summary.stopped = "interrupted"
        finally:
            self.summary.seconds = time.perf_counter() - self._started
        self.summary.unembedded = self._records.waiting.count_trials()
        return self.summary

    def _embed(self) -> None:
        """Encode what has no vector yet, also what an earlier run left so."""
        if self._left:
            self._listener.note(f"What an earlier ingest left is embedded too: {display.count(self._left, 'passage')}.")
        try:
            self._embedding.run()
        finally:
            self.summary.encoded = self._embedding.encoded
            self.summary.seconds_encoding = self._embedding.seconds
            _log.info("embedded %d passages in %.1f s", self._embedding.encoded, self._embedding.seconds)

    def _delivered(self) -> Iterator[Trial]:
        """The source's trials. When the source fails, what it gave before is committed and embedded."""
        hint = "What it gave before is kept. Report it to the source's author."
        try:
            with plugin_errors(f'the source "{self._source.name}"', SourceError, hint):
                yield from self._source.trials(self._context)
        except TrialIndexError as problem:
            self._commit()
            if self._records.waiting.count() > CHUNK:  # it takes a while
                self._listener.note(f"{problem} What it gave before is embedded first.")
            self._embed()
            raise

    def _reject(self, where: str, why: str) -> None:
        self.summary.rejected.append((where, why))
        self._listener.reject(where, why)

    def _drop(self, where: str, why: str) -> None:
        if why not in self.summary.dropped:
            if len(self.summary.dropped) >= MAX_REASONS:
                why = "more values, each for a reason of its own"
            self._listener.drop(where, why)
        self.summary.dropped[why] += 1

    def _checked(self, trial: object) -> Trial | None:
        """The trial as it will be stored, or ``None`` when it breaks the contract of a record."""
        if not isinstance(trial, Trial):  # a stranger's source may yield anything
            self._reject(f"a {type(trial).__name__}", f'the source "{self._source.name}" gave it in place of a Trial')
            return None
        try:
            msgspec.json.encode(trial.raw)
            bare = msgspec.structs.replace(trial, raw=None, gone_since=None, source=self._source.name)
            return msgspec.structs.replace(prepare(decode(encode(bare))), raw=trial.raw)
        except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as problem:
            where = " ".join(str(trial.id).split()) or "a record without an id"
            self._reject(where, f"not a valid record: {problem}")
            return None

    def _add(self, trial: Trial, excerpt: bool) -> None:
        """Put the trial in the batch, which holds each trial once: another version of one begins a new batch."""
        key = id_key(trial.id)
        earlier = self._batch.get(key)
        if earlier is not None:
            if earlier.trial.content_hash == trial.content_hash:
                self.summary.unchanged += 1
            else:
                self._commit()
        self._batch[key] = _Given(trial, excerpt)

    def _commit(self, *, finished: bool = False) -> None:
        """Write the batch and the source's state together."""
        batch, self._batch = list(self._batch.values()), {}
        state: Mapping[str, Any] | None = self._context.pending_state
        if finished and state is None:
            state = self._state
        if not batch and state is None:
            return
        planned = [self._plan(given) for given in batch]
        changing = [change for change in planned if change.delivery.accepted]
        generation = self._records.generation + 1
        changes: list[Change] = []
        with self._records.transaction():
            for change in changing:
                kind = self._records.put(change.trial, partial=change.partial, today=self._today, generation=generation)
                if kind is not None:
                    changes.append(Change(change.trial.id, kind))
            known = {change.id for change in changes}
            deliveries = [change.delivery for change in planned]
            back = self._records.provenance.record_seen(self._spec, deliveries, self._today, generation)
            changes += [Change(trial_id, "changed") for trial_id in back if trial_id not in known]
            known.update(back)
            if changes:
                self._records.set_generation(generation)
            if state is not None:
                self._remember(state)
            self._require_encoder()
        self._context.pending_state = None
        self._state = state if state is not None else self._state
        self.summary.changes += changes
        self.summary.unchanged += sum(change.trial.id not in known for change in changing)
        message = "the source %s: %d of %d trials are new or changed, generation %d"  # its spec is what somebody typed
        _log.debug(message, self._source.name, len(changes), len(batch), self._records.generation)
        self._publish_when_due(READING_SHARE)

    def _require_encoder(self) -> None:
        """Make sure before the first trial is committed that there is an encoder for it, and not after the last one."""
        if not self._has_encoder and self._records.waiting.count() > self._left:
            self._encoder()
            self._has_encoder = True

    def _publish_when_due(self, share: float) -> None:
        """An index that is filled for hours answers meanwhile.

        :param share: the part of the time that this may take.
        """
        begun = time.perf_counter()
        if begun >= self._publish_at:
            self._publish()
            done = time.perf_counter()
            self._publish_at = done + max(PUBLISH_SECONDS, (done - begun) / share)

    def _remember(self, state: Mapping[str, Any]) -> None:
        """Keep where the source stopped; a request that is not known overrules none that is."""
        known = self._records.sources.get(self._spec)
        shard = self._shard
        self._records.sources.store(
            self._spec,
            SourceState(
                state=dict(state),
                ran=self._today,
                swept=known.swept if known else self._today,
                request=self._request or (known.request if known else None),
                shard=ShardOf(self._source.spec, shard.number, shard.count) if shard else None,
            ),
        )

    def _plan(self, given: _Given) -> _Planned:
        """What becomes of a delivered record: it replaces the one that the index holds, or the fields that it gives do.

        Not so one that is older than what the index holds, and one that the source delivered before, which is no news.
        """
        trial, digest = given.trial, given.trial.content_hash
        held = self._records.status_of(trial.id)
        if held is None:
            fields = stated_fields(trial) if given.excerpt else None
            return _Planned(trial, given.excerpt, Delivery(trial.id, digest, fields, True))
        new_date = trial.last_updated.date if trial.last_updated else None
        if held.last_updated and new_date and new_date < held.last_updated[: len(new_date)]:
            self.summary.kept.append((trial.id, f"the index holds a newer record, of {held.last_updated}"))
            return _Planned(trial, given.excerpt, Delivery(trial.id, digest, (), False))
        own = self._records.provenance.origins_of(held.num).get(self._spec)
        fields = given_fields(trial, own) if given.excerpt else None
        delivery = Delivery(trial.id, digest, fields, True)
        if own and own.hash == digest and held.hash != digest:  # it says what it said before
            return _Planned(self._stored_trial(trial.id), held.partial, delivery)
        if fields is not None:
            combined = combine(self._stored_trial(trial.id), trial, fields, partial=held.partial)
            return _Planned(combined, held.partial, delivery)
        return _Planned(trial, False, delivery)

    def _stored_trial(self, trial_id: str) -> Trial:
        stored = self._records.find(trial_id, raw=True)
        assert stored is not None
        return stored.trial


def _check_spec(spec: str) -> None:
    """Make sure that the spec of a source can be kept.

    :raises SourceError: the index cannot keep it, and to keep another could mix up two sources.
    """
    try:
        spec.encode()
    except UnicodeEncodeError:
        what = f'"{replace_surrogates(spec)}" holds what is no Unicode text.'
        raise SourceError(what, hint="Type it again; if it names a file, rename that in plain letters.") from None
