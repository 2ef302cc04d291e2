"""Several indexes into one. Nothing is ever encoded again for it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from trialindex.errors import IndexStateError
from trialindex.index import Index
from trialindex.plugin.updates import Change, ChangeKind
from trialindex.storage.records import Records
from trialindex.transfer.archive import SourceState
from trialindex.transfer.entry import Entry, entries, find, merged, restore
from trialindex.transfer.export import (
    Show,
    filled,
    nothing,
    remember,
    require_encoder,
    require_rule,
    require_vectors,
    sources,
    vectors,
)

_SHARD = re.compile(r"(?P<whole>.+) --shard (?P<number>\d{1,4})/(?P<count>\d{1,4})", re.DOTALL)


@dataclass
class Merged:
    """What a merge did: every trial that was added or changed, and what a user should know of the sources."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def merge(
    parts: Iterable[str | Path], folder: str | Path, *, store: str | None = None, progress: Show = nothing
) -> Merged:
    """Bring the trials of several indexes, with all that is known of them, into the one in *folder*.

    It is made when there is none. Where two have the same trial, the fuller and then the newer record is the current
    one and the other an earlier version; a trial was first seen when the first of them saw it. The parts of a source
    that was shared out with ``--shard`` become the whole source again when all are there and ended at the same state.

    :param store: vector store of an index that is made.
    :param progress: told how many trials are done, and how many there are in the parts.
    :raises EncoderMismatch: two were built with different encoders. Whatever is raised, nothing was changed.
    """
    target = Path(folder)
    done = Merged()
    with ExitStack() as opened:
        given = [opened.enter_context(Index.open(part)) for part in parts]
        if not given:
            raise IndexStateError("there is nothing to merge.", hint="Name the folders of the parts.")
        first = given[0].manifest
        for part in given:
            require_rule(part.manifest.passages, f"the index at {part.folder}")
            require_encoder(first.encoder, given[0].folder, part)
            if part.folder.resolve() == target.resolve():
                raise IndexStateError(f"{target} is among its own parts.", hint="Leave it out: its trials stay.")
        whole = opened.enter_context(filled(target, first.encoder, store or first.store))
        require_encoder(first.encoder, given[0].folder, whole)
        require_rule(whole.manifest.passages, f"the index at {target}")
        total = sum(map(len, given))
        with whole.writing() as (records, changes):
            with records.transaction():
                _merge(records, whole, given, done, lambda count: progress(count, total))
            changes += done.changes
    return done


def _merge(records: Records, whole: Index, parts: list[Index], done: Merged, progress: Callable[[int], None]) -> None:
    with ExitStack() as opened:
        views = [(part, opened.enter_context(part.snapshot())) for part in parts]
        states, became = _together(
            [
                _rebased(sources(records), whole.folder, whole.folder),
                *(_rebased(sources(view), part.folder, whole.folder) for part, view in views),
            ],
            done.notes.append,
        )
        for shard, spec in became.items():
            records.write("UPDATE OR IGNORE origins SET spec = ? WHERE spec = ?", [(spec, shard)])
            for table in ("origins", "sources", "requests", "sweeps"):
                records.write(f"DELETE FROM {table} WHERE spec = ?", [(shard,)])  # noqa: S608
        for spec, state in states.items():
            remember(records, spec, state)
        generation = records.generation + sum(view.generation for _, view in views) + 1
        count = 0
        for part, view in views:
            keep = "INSERT OR IGNORE INTO vectors VALUES (?, ?)"
            records.write(keep, vectors(view, part.manifest.encoder, part.folder))
            require_vectors(view, f"the index at {part.folder}", "Mend it: trialindex check --repair")
            for entry in entries(view):
                if kind := _add(records, entry, became, generation):
                    done.changes.append(Change(entry.trial.id, kind))
                count += 1
                progress(count)
    if done.changes:
        records.set_generation(generation)


def _add(records: Records, entry: Entry, became: dict[str, str], generation: int) -> ChangeKind | None:
    """Bring in one trial of a part. :returns: what that changed."""
    specs = {became.get(spec, spec): gone for spec, gone in entry.origins.items()}
    entry = msgspec.structs.replace(entry, origins=specs, generation=generation)
    here = find(records, entry.trial.id)
    chosen = merged(here, entry, generation) if here else entry
    kind = restore(records, chosen)
    if kind is None and here and bool(here.gone_since) != bool(chosen.gone_since):
        records.write("UPDATE trials SET generation = ? WHERE id = ?", [(generation, entry.trial.id)])
        return "changed"
    return kind


def _rebased(sources: dict[str, SourceState], old: Path, new: Path) -> dict[str, SourceState]:
    """The sources as the index in the folder *new* remembers them: a request's folder is as seen from the index."""

    def request(known: SourceState) -> dict[str, Any] | None:
        if not known.request or not known.request.get("folder"):
            return known.request
        with suppress(ValueError):  # on Windows: another drive
            there = os.path.normpath(old.resolve() / known.request["folder"])
            return {**known.request, "folder": os.path.relpath(there, new.resolve())}
        return known.request

    return {spec: msgspec.structs.replace(known, request=request(known)) for spec, known in sources.items()}


def _together(
    known: list[dict[str, SourceState]], note: Callable[[str], None]
) -> tuple[dict[str, SourceState], dict[str, str]]:
    """What the merged index remembers of each source, and which specs of shards became that of the whole."""
    became: dict[str, str] = {}
    specs = sorted({spec for one in known for spec in one})
    found = {spec: _agreed(spec, [one[spec] for one in known if spec in one], note) for spec in specs}
    shards: dict[tuple[str, int], dict[int, str]] = {}
    for spec in specs:
        if match := _SHARD.fullmatch(spec):
            shards.setdefault((match["whole"], int(match["count"])), {})[int(match["number"])] = spec
    for (whole, count), parts in shards.items():
        if missing := [f"{number}/{count}" for number in range(1, count + 1) if number not in parts]:
            note(f"{whole}: the shards {', '.join(missing)} are missing; the others stay sources of their own.")
            continue
        states = [found[spec] for spec in parts.values()]
        if any(state.state != states[0].state for state in states):
            note(f"{whole}: its shards ended at different states, so they stay {count} sources; each is synced alone.")
            continue
        requests = [{**(state.request or {}), "shard": ""} for state in states]
        same = all(request == requests[0] for request in requests) and all(state.request for state in states)
        one = msgspec.structs.replace(
            _agreed(whole, states, note),
            request=requests[0] if same else None,
            asked=any(state.asked for state in states),
        )
        for spec in parts.values():
            del found[spec]
            became[spec] = whole
        found[whole] = _agreed(whole, [one, found[whole]], note) if whole in found else one
    return found, became


def _agreed(spec: str, states: list[SourceState], note: Callable[[str], None]) -> SourceState:
    """One state for a source that several indexes know.

    Where they ended differently nobody but the source can tell which is the older; it is asked from the beginning.
    """
    if len(states) == 1:
        return states[0]
    same = all(state.state == states[0].state for state in states)
    if not same:
        note(
            f"{spec}: the indexes ended at different states; the next sync asks for all of it again, encoding nothing."
        )
    swept = [state.swept for state in states]
    return SourceState(
        state=states[0].state if same else {},
        ran=min(state.ran for state in states),
        swept=min(day for day in swept if day) if all(swept) else None,
        asked=any(state.asked for state in states),
        request=next((state.request for state in states if state.request), None),
    )
