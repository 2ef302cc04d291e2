"""A trial with everything that an index knows of it: what moves from one index to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from trialindex.plugin.updates import ChangeKind
from trialindex.storage import provenance, record_codec
from trialindex.storage.records import Records
from trialindex.trial import PartialDate, Trial

Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?!\s)$")]
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
    :param generation: of the last change. :param partial: the source delivers less than the registry holds.
    :param revisions: earlier versions, the oldest first.
    :param origins: by source spec, the day on which it was found gone from there, if it was.
    """

    trial: Trial
    hash: str
    generation: Number
    partial: bool
    first_seen: PartialDate
    last_checked: Day
    revisions: tuple[Version, ...] = ()
    origins: dict[str, Day | None] = {}

    @property
    def gone_since(self) -> str | None:
        """The day on which it was found gone from every source."""
        days = [day for day in self.origins.values() if day]
        return max(days) if days and len(days) == len(self.origins) else None


def entries(records: Records) -> Iterator[Entry]:
    """Every trial, in the order they came. :raises IndexDamaged: a record cannot be read."""
    for (num,) in records.rows("SELECT num FROM trials ORDER BY num"):
        if entry := _entry(records, num):
            yield entry


def find(records: Records, trial_id: str) -> Entry | None:
    """The trial with that id, in any spelling of its letters."""
    for (num,) in records.rows("SELECT num FROM trials WHERE id = ?", (trial_id,)):
        return _entry(records, num)
    return None


def _entry(records: Records, num: int) -> Entry | None:
    for stored in records.load([num], raw=True):
        [(digest, generation, partial)] = records.rows(
            "SELECT hash, generation, partial FROM trials WHERE num = ?", (num,)
        )
        earlier = records.rows(
            "SELECT replaced_in, seen, record FROM revisions WHERE trial = ? ORDER BY replaced_in", (num,)
        )
        return Entry(
            trial=msgspec.structs.replace(stored.trial, gone_since=None),
            hash=digest,
            generation=generation,
            partial=bool(partial),
            first_seen=stored.first_seen,
            last_checked=stored.last_checked,
            revisions=tuple(
                Version(replaced_in=n, seen=day, trial=record_codec.decode(record)) for n, day, record in earlier
            ),
            origins=provenance.of(records, num),
        )
    return None


def restore(records: Records, entry: Entry) -> ChangeKind | None:
    """Write the trial as the entry has it, in place of what is held under its id; inside a transaction.

    The vectors of its passages must be there. :returns: what that changed, ``None`` for nothing of its content.
    """
    trial = entry.trial
    kind = records.put(trial, partial=entry.partial, today=entry.last_checked, generation=entry.generation)
    records.write(
        "UPDATE trials SET first_seen = ?, last_checked = ? WHERE id = ?",
        [(entry.first_seen, entry.last_checked, trial.id)],
    )
    [(num,)] = records.rows("SELECT num FROM trials WHERE id = ?", (trial.id,))
    records.write("DELETE FROM revisions WHERE trial = ?", [(num,)])
    records.write(
        "INSERT INTO revisions VALUES (?, ?, ?, ?, ?)",
        (
            (num, one.replaced_in, one.seen, one.trial.content_hash, record_codec.encode(one.trial))
            for one in entry.revisions
        ),
    )
    records.write("DELETE FROM origins WHERE trial = ?", [(num,)])
    records.write("INSERT INTO origins VALUES (?, ?, ?)", ((num, spec, gone) for spec, gone in entry.origins.items()))
    return kind


def merged(one: Entry, other: Entry, generation: int) -> Entry:
    """What two indexes know of one trial, as one entry.

    The fuller record is the current one, then the one that the registry updated later, then the one checked later; the
    other becomes an earlier version. A trial counts as gone from a source only if no index saw it there after that.

    :param generation: of the change; above all those of both.
    """
    last, first = (one, other) if _rank(one) >= _rank(other) else (other, one)
    same = last.hash == first.hash
    replaced = () if same else (Version(replaced_in=generation - 1, seen=first.last_checked, trial=first.trial),)
    return msgspec.structs.replace(
        last,
        generation=generation,
        partial=last.partial and (first.partial or not same),
        first_seen=min(one.first_seen, other.first_seen),
        last_checked=max(one.last_checked, other.last_checked) if same else last.last_checked,
        revisions=_in_order([*first.revisions, *last.revisions, *replaced], last.hash),
        origins={spec: _gone(spec, one, other) for spec in sorted({*one.origins, *other.origins})},
    )


def _rank(entry: Entry) -> tuple[bool, str, str, str]:
    updated = entry.trial.last_updated.date if entry.trial.last_updated else ""
    return not entry.partial, updated, entry.last_checked, entry.hash


def _in_order(versions: list[Version], current: str) -> tuple[Version, ...]:
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


def _gone(spec: str, one: Entry, other: Entry) -> str | None:
    """The day on which the trial was found gone from there, unless the other index saw it there later."""
    marked, beside = (one, other) if (one.origins.get(spec) or "") >= (other.origins.get(spec) or "") else (other, one)
    day = marked.origins.get(spec)
    seen_later = day and spec in beside.origins and not beside.origins[spec] and beside.last_checked > day
    return None if seen_later else day
