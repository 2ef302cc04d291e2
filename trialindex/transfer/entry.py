"""A trial with everything that an index knows of it: what moves from one index to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from trialindex.plugin.updates import ChangeKind
from trialindex.storage.provenance import ALL_OTHERS, Origin
from trialindex.storage.records import EarlierVersion, Records, Stored
from trialindex.storage.source_states import Day
from trialindex.trial import PartialDate, Trial

Number = Annotated[int, msgspec.Meta(ge=1, le=1 << 62)]


class Version(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An earlier version of a trial: the generation that replaced it, the last ISO day it was seen, the record."""

    replaced_in: Number
    seen: Day
    trial: Trial


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One trial of an index. Days are ISO dates.

    :param trial: the record, with its raw form and its contacts.
    :param hash: of the record's content, as :attr:`~trialindex.trial.Trial.content_hash` tells it.
    :param generation: of the last change.
    :param partial: the source delivers less than the registry holds.
    :param revisions: earlier versions, the oldest first.
    :param origins: by source spec, what is known of that source of the trial.
    """

    trial: Trial
    hash: str
    generation: Number
    partial: bool
    first_seen: PartialDate
    last_checked: Day
    revisions: tuple[Version, ...] = ()
    origins: dict[str, Origin] = {}

    @property
    def gone_since(self) -> str | None:
        """The day on which it was found gone from every source."""
        days = [origin.gone for origin in self.origins.values() if origin.gone]
        return max(days) if days and len(days) == len(self.origins) else None


def entries(records: Records) -> Iterator[Entry]:
    """Every trial, in the order they came.

    :raises IndexDamaged: a record cannot be read.
    """
    for stored in records.all(raw=True):
        yield _entry(records, stored)


def find(records: Records, trial_id: str) -> Entry | None:
    """The trial with that id, in any spelling of its letters."""
    stored = records.find(trial_id, raw=True)
    return None if stored is None else _entry(records, stored)


def _entry(records: Records, stored: Stored) -> Entry:
    status = records.status_of(stored.trial.id)
    assert status is not None
    return Entry(
        trial=msgspec.structs.replace(stored.trial, gone_since=None),
        hash=status.hash,
        generation=status.generation,
        partial=bool(status.partial),
        first_seen=stored.first_seen,
        last_checked=stored.last_checked,
        revisions=tuple(Version(**version._asdict()) for version in records.earlier_versions(stored.num)),
        origins=records.provenance.origins_of(stored.num),
    )


def restore(records: Records, entry: Entry) -> ChangeKind | None:
    """Write the trial as the entry has it, in place of what is held under its id; inside a transaction.

    :returns: what that changed, ``None`` for nothing of its content.
    """
    trial = entry.trial
    kind = records.put(trial, partial=entry.partial, today=entry.last_checked, generation=entry.generation)
    num = records.put_history(
        trial.id,
        first_seen=entry.first_seen,
        last_checked=entry.last_checked,
        earlier=(EarlierVersion(one.replaced_in, one.seen, one.trial) for one in entry.revisions),
    )
    records.provenance.replace(num, entry.origins)
    return kind


def merge_entries(one: Entry, other: Entry, generation: int) -> Entry:
    """Merge what two indexes know of one trial into one entry.

    The fuller record is the current one, then the one that the registry updated later, then the one checked later; the
    other becomes an earlier version. Of a current record that gives only some fields the others are those of the other
    record. A trial counts as gone from a source only if no index saw it there after that.

    :param generation: of the change; above all those of both.
    """
    last, first = (one, other) if _rank(one) >= _rank(other) else (other, one)
    trial, taken = last.trial, {name for origin in last.origins.values() for name in origin.fields}
    if ALL_OTHERS not in taken:
        trial = msgspec.structs.replace(
            first.trial,
            source=trial.source,
            raw=trial.raw,
            **{name: getattr(trial, name) for name in taken},
        )
    digest = trial.content_hash
    replaced = (
        ()
        if digest == first.hash
        else (Version(replaced_in=generation - 1, seen=first.last_checked, trial=first.trial),)
    )
    same = last.hash == first.hash
    return msgspec.structs.replace(
        last,
        trial=trial,
        hash=digest,
        generation=generation,
        partial=last.partial and first.partial,
        first_seen=min(one.first_seen, other.first_seen),
        last_checked=max(one.last_checked, other.last_checked) if same else last.last_checked,
        revisions=_renumber([*first.revisions, *last.revisions, *replaced], digest),
        origins={spec: _merge_origin(spec, last, first, taken) for spec in sorted({*one.origins, *other.origins})},
    )


def _rank(entry: Entry) -> tuple[bool, str, str, str]:
    updated = entry.trial.last_updated.date if entry.trial.last_updated else ""
    return not entry.partial, updated, entry.last_checked, entry.hash


def _renumber(versions: list[Version], current: str) -> tuple[Version, ...]:
    """Each version once, by the day it was last seen, under numbers that rise; not the current one."""
    found: dict[str, Version] = {}
    number = 0
    for version in sorted(versions, key=lambda version: (version.seen, version.replaced_in)):
        digest = version.trial.content_hash
        if digest != current and digest not in found:
            number = max(version.replaced_in, number + 1)
            bare = msgspec.structs.replace(version.trial, raw=None)
            found[digest] = Version(replaced_in=number, seen=version.seen, trial=bare)
    return tuple(found.values())


def _merge_origin(spec: str, last: Entry, first: Entry, taken: set[str]) -> Origin:
    """What both know of one source: its fields in the current record, and in the other one those that it leaves."""
    left: dict[str, Day] = {}
    if ALL_OTHERS not in taken and spec in first.origins:
        left = {name: day for name, day in first.origins[spec].fields.items() if name not in taken}
    origin = last.origins.get(spec) or msgspec.structs.replace(first.origins[spec], fields={})
    return msgspec.structs.replace(origin, gone=_merge_gone(spec, last, first), fields=left | origin.fields)


def _merge_gone(spec: str, one: Entry, other: Entry) -> str | None:
    """The day on which the trial was found gone from there, unless the other index saw it there later."""
    days = {entry is one: (entry.origins[spec].gone or "") for entry in (one, other) if spec in entry.origins}
    marked, beside = (one, other) if days.get(True, "") >= days.get(False, "") else (other, one)
    day = marked.origins[spec].gone if spec in marked.origins else None
    seen_later = day and spec in beside.origins and not beside.origins[spec].gone and beside.last_checked > day
    return None if seen_later else day
