"""Finding out which trials a source no longer has. They are marked, and never deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from trialindex.errors import SourceError
from trialindex.index import Index
from trialindex.ingest.run import Reports, Shard
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import IngestContext, Source
from trialindex.plugin.updates import Change
from trialindex.storage import provenance

EVERY = 30
"""Days between two sweeps of a source that are made without being asked for."""
SHARE = 0.1
FEW = 3
"""So much of a source, or so many of its trials, may go in one sweep; when it is more, the registry is in trouble."""


@dataclass
class Swept:
    """What a sweep of one source found.

    :param spec: the source's spec. :param held: how many trials came from it.
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


def due(index: Index, spec: str) -> bool:
    """Whether the last sweep of that source, or the first reading of it, is :data:`EVERY` days ago.

    It is too where that day is still to come, because the clock was set back.
    """
    with index.snapshot() as records:
        last = provenance.last_sweep(records, spec)
    return last is not None and not 0 <= (date.today() - date.fromisoformat(last)).days < EVERY


def sweep(
    index: Index,
    source: Source,
    *,
    shard: Shard | None = None,
    many: bool = False,
    reports: Reports | None = None,
) -> Swept:
    """Ask a source which of its trials it still has, and mark those that are gone; one that is back is unmarked.

    All of it is one transaction after the source has told everything: a sweep that fails marks nothing.

    :param shard: the part of the source that the index holds.
    :param many: mark them even if they are more than a tenth of what the index has from the source.
    :raises SourceError: the source could not tell. :raises IndexLocked: another process is writing.
    """
    reports = reports or Reports()
    found = Swept(source.spec if shard is None else shard.spec(source.spec))
    with index.snapshot() as records:
        held = provenance.held(records, found.spec)
    found.held = len(held)
    there = _there(source, held, reports) if held else set()
    if there is None:
        found.able = False
        return found
    found.gone = sorted(one for one, marked in held.items() if not marked and provenance.key(one) not in there)
    found.back = sorted(one for one, marked in held.items() if marked and provenance.key(one) in there)
    live = sum(not marked for marked in held.values())
    if found.gone and not many and (not there or len(found.gone) > max(FEW, SHARE * live)):
        found.refused = (
            f"{len(found.gone):,} of {live:,} trials seem to be gone, which is too many to believe; nothing was marked."
        )
        return found
    day = date.today().isoformat()
    with index.writing(reports) as (records, changes), records.transaction():
        generation = records.generation + 1
        changed = provenance.mark(records, found.spec, found.gone, found.back, day, generation)
        provenance.swept(records, found.spec, day)
        if changed:
            records.set_generation(generation)
        changes += [Change(one, "changed") for one in changed]
    return found


def _there(source: Source, held: dict[str, bool], reports: Reports) -> set[bytes] | None:
    """What the source has now; ``None`` if it cannot tell. :raises SourceError: it fails."""
    context = IngestContext(on_progress=reports.progress, on_note=reports.note)
    hint = "Nothing was marked. Report it to the source's author."
    with plugin_errors(f'the source "{source.name}"', SourceError, hint):
        told = source.ids(context, frozenset(held))
        return None if told is None else {provenance.key(str(one)) for one in told}
