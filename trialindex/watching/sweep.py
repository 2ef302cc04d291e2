"""Sweeps: which trials a source no longer has. They are marked, and never deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from trialindex.errors import SourceError
from trialindex.index import Index
from trialindex.ingest.request import Shard
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.progress import ProgressListener
from trialindex.plugin.updates import Change
from trialindex.storage.names import id_key

INTERVAL_DAYS = 30
"""Between two sweeps of a source that are made without being asked for."""
MAX_SHARE = 0.1
MAX_COUNT = 3
"""So much of a source, or so many of its trials, may go in one sweep; if more seem gone, the registry is in trouble."""


@dataclass
class SweepResult:
    """What a sweep of one source result.

    :param spec: the source's spec.
    :param held: how many trials came from it.
    :param able: whether the source can tell at all which trials it has.
    :param gone: ids of the trials that it no longer has, and that were not marked yet.
    :param back: ids of those that were marked and that it has again.
    :param refused: why nothing was marked, in a line; empty when all was.
    """

    spec: str
    held: int = 0
    able: bool = True
    gone: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    refused: str = ""


def is_due(index: Index, spec: str) -> bool:
    """Whether the last sweep of that source, or the first reading of it, is :data:`INTERVAL_DAYS` days ago.

    It is too where that day is still to come, because the clock was set back.
    """
    with index.snapshot() as records:
        known = records.sources.get(spec)
    return known is not None and not 0 <= (date.today() - date.fromisoformat(known.swept)).days < INTERVAL_DAYS


def reconcile(
    index: Index,
    source: Source,
    *,
    shard: Shard | None = None,
    force: bool = False,
    listener: ProgressListener | None = None,
) -> SweepResult:
    """Ask a source which of its trials it still has, and mark those that are gone; one that is back is unmarked.

    All of it is one transaction after the source has told everything: a sweep that fails marks nothing.

    :param shard: the part of the source that the index holds.
    :param force: mark them even if they are more than :data:`MAX_SHARE` of what the index has from the source.
    :raises SourceError: the source could not tell.
    :raises IndexLocked: another process is writing.
    """
    listener = listener or ProgressListener()
    result = SweepResult(source.spec if shard is None else shard.spec(source.spec))
    with index.snapshot() as records:
        held = records.provenance.trials_of(result.spec)
    result.held = len(held)
    present = _present_keys(source, held, listener) if held else set()
    if present is None:
        result.able = False
        return result
    result.gone = sorted(one for one, marked in held.items() if not marked and id_key(one) not in present)
    result.back = sorted(one for one, marked in held.items() if marked and id_key(one) in present)
    live = sum(not marked for marked in held.values())
    if result.gone and not force and (not present or len(result.gone) > max(MAX_COUNT, MAX_SHARE * live)):
        seem = f"{len(result.gone):,} of {live:,} trials seem to be gone"
        result.refused = f"{seem}, which is too many to believe; nothing was marked."
        return result
    day = date.today().isoformat()
    with index.writing(listener) as (records, changes), records.transaction():
        generation = records.generation + 1
        changed = records.provenance.mark_gone(result.spec, result.gone, result.back, day, generation)
        records.sources.record_sweep(result.spec, day)
        if changed:
            records.set_generation(generation)
        changes += [Change(one, "changed") for one in changed]
    return result


def _present_keys(source: Source, held: dict[str, bool], listener: ProgressListener) -> set[bytes] | None:
    """The keys of the ids that the source has now; ``None`` if it cannot tell.

    :raises SourceError: it fails.
    """
    context = IngestContext(on_progress=listener.progress, on_note=listener.note)
    hint = "Nothing was marked. Report it to the source's author."
    with plugin_errors(f'the source "{source.name}"', SourceError, hint):
        present = source.ids(context, frozenset(held))
        return None if present is None else {id_key(str(one)) for one in present}
