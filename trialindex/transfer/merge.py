"""Several indexes into one. Nothing is ever encoded again for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from trialindex.errors import IndexStateError
from trialindex.index import Index
from trialindex.plugin.updates import Change, ChangeKind
from trialindex.storage.info import EMBED_THE_REST, describe_embedded
from trialindex.storage.records import Records
from trialindex.storage.source_states import SourceState
from trialindex.transfer.entry import Entry, entries, find, merge_entries, restore
from trialindex.transfer.export import (
    Progress,
    no_progress,
    open_or_create,
    require_encoder,
    require_passage_version,
    require_vectors,
)


@dataclass
class Merged:
    """What a merge did: every trial that was added or changed, and what a user should know of the sources."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def merge(
    parts: Iterable[str | Path], folder: str | Path, *, store: str | None = None, progress: Progress = no_progress
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
            require_passage_version(part.manifest.passages, f"the index at {part.folder}")
            require_encoder(first.encoder, given[0].folder, part)
            if part.folder.resolve() == target.resolve():
                raise IndexStateError(f"{target} is among its own parts.", hint="Leave it out: its trials stay.")
        merged = opened.enter_context(open_or_create(target, first.encoder, store or first.store))
        require_encoder(first.encoder, given[0].folder, merged)
        require_passage_version(merged.manifest.passages, f"the index at {target}")
        total = sum(map(len, given))
        with merged.writing() as (records, changes):
            with records.transaction():
                _merge(records, merged, given, done, lambda count: progress(count, total))
            changes += done.changes
    return done


def _merge(records: Records, merged: Index, parts: list[Index], done: Merged, progress: Callable[[int], None]) -> None:
    with ExitStack() as opened:
        views = [(part, opened.enter_context(part.snapshot())) for part in parts]
        states, renamed = merge_source_states(
            [
                relocate_requests(records.sources.all(), merged.folder, merged.folder),
                *(relocate_requests(view.sources.all(), part.folder, merged.folder) for part, view in views),
            ],
            done.notes.append,
        )
        for shard, spec in renamed.items():
            records.provenance.rename_spec(shard, spec)
            records.sources.remove(shard)
        for spec, state in states.items():
            records.sources.store(spec, state)
        generation = records.generation + sum(view.generation for _, view in views) + 1
        count = 0
        arrived = False
        for part, view in views:
            vectors = view.passages.encoded_vectors(part.manifest.encoder.dimension)
            arrived |= records.passages.copy_vectors(vectors, generation)
            require_vectors(view, f"the index at {part.folder}", "Mend it: trialindex check --repair")
            for entry in entries(view):
                if kind := _add(records, entry, renamed, generation):
                    done.changes.append(Change(entry.trial.id, kind))
                count += 1
                progress(count)
    if done.changes or arrived:
        records.set_generation(generation)
    if waiting := records.waiting.count_trials():
        done.notes.append(f"{describe_embedded(len(records), waiting)}. {EMBED_THE_REST}.")


def _add(records: Records, entry: Entry, renamed: dict[str, str], generation: int) -> ChangeKind | None:
    """Bring in one trial of a part.

    :returns: what that changed.
    """
    specs = {renamed.get(spec, spec): origin for spec, origin in entry.origins.items()}
    entry = msgspec.structs.replace(entry, origins=specs, generation=generation)
    held = find(records, entry.trial.id)
    chosen = merge_entries(held, entry, generation) if held else entry
    kind = restore(records, chosen)
    if kind is None and held and bool(held.gone_since) != bool(chosen.gone_since):
        records.touch(entry.trial.id, generation)
        return "changed"
    return kind


def relocate_requests(sources: dict[str, SourceState], old: Path, new: Path) -> dict[str, SourceState]:
    """The sources of the index in the folder *old* for one in *new*: a request's folder is as seen from the index."""

    def relocate(request: dict[str, Any] | None) -> dict[str, Any] | None:
        if not request or not request.get("folder"):
            return request
        with suppress(ValueError):  # on Windows: another drive
            there = os.path.normpath(old.resolve() / request["folder"])
            return {**request, "folder": os.path.relpath(there, new.resolve())}
        return request

    return {spec: msgspec.structs.replace(known, request=relocate(known.request)) for spec, known in sources.items()}


def merge_source_states(
    indexes: list[dict[str, SourceState]], note: Callable[[str], None]
) -> tuple[dict[str, SourceState], dict[str, str]]:
    """What the merged index remembers of each source.

    :param indexes: what each index remembers of each.
    :param note: told in one line what a user should know.
    :returns: the states by spec, and which specs of shards became that of the whole source.
    """
    specs = sorted({spec for index in indexes for spec in index})
    states = {spec: reconcile_state(spec, [index[spec] for index in indexes if spec in index], note) for spec in specs}
    renamed: dict[str, str] = {}
    for (whole, count), shards in _shards(states).items():
        if missing := [f"{number}/{count}" for number in range(1, count + 1) if number not in shards]:
            note(f"{whole}: the shards {', '.join(missing)} are missing; the others stay sources of their own.")
            continue
        parts = [states[spec] for spec in shards.values()]
        if any(part.state != parts[0].state for part in parts):
            note(f"{whole}: its shards ended at different states, so they stay {count} sources; each is synced alone.")
            continue
        requests = [{key: value for key, value in (part.request or {}).items() if key != "shard"} for part in parts]
        same = all(request == requests[0] for request in requests) and all(part.request for part in parts)
        joined = msgspec.structs.replace(
            reconcile_state(whole, parts, note), request=requests[0] if same else None, shard=None
        )
        for spec in shards.values():
            del states[spec]
            renamed[spec] = whole
        states[whole] = reconcile_state(whole, [joined, states[whole]], note) if whole in states else joined
    return states, renamed


def _shards(states: dict[str, SourceState]) -> dict[tuple[str, int], dict[int, str]]:
    """The specs of the shards of each source, by their number; the source by its spec and into how many it is cut."""
    found: dict[tuple[str, int], dict[int, str]] = {}
    for spec, known in states.items():
        if known.shard:
            found.setdefault((known.shard.spec, known.shard.count), {})[known.shard.number] = spec
    return found


def reconcile_state(spec: str, states: list[SourceState], note: Callable[[str], None]) -> SourceState:
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
    return SourceState(
        state=states[0].state if same else {},
        ran=min(state.ran for state in states),
        swept=min(state.swept for state in states),
        request=next((state.request for state in states if state.request), None),
        shard=states[0].shard,
    )
