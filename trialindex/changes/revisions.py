"""The versions of a trial that an index has seen, read from ``records.db``."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from trialindex.changes import differences
from trialindex.plugin.messages import Difference
from trialindex.storage.records import Records, Stored
from trialindex.trial import Trial


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a trial, as an index came to know it. Days are ISO dates.

    :param number: from 1, the oldest.
    :param since: from when it stood, as far as is known: the registry's own date of it (``last_updated``, which may be
        a month or a year only), else the last day on which the version before was seen; of the first version, the day
        on which the trial was first seen.
    :param seen: the last day on which it was seen; of the version there is now, the day of the last check.
    :param generation: the generation of the index that brought it; ``None`` for the first of several versions, of which
        that is not kept.
    :param trial: the record, without its raw form; masked unless contacts were asked for.
    :param differences: what it states otherwise than the version before, most important first; empty for the first
        version, and for one that brought nothing but noise.
    """

    number: int
    since: str
    seen: str
    generation: int | None
    trial: Trial
    differences: tuple[Difference, ...] = ()


def revisions(records: Records, stored: Stored, *, contacts: bool) -> tuple[Revision, ...]:
    """Every version of a trial, the newest last.

    :param stored: the version there is now, unmasked: that contacts changed is told, the contacts are not.
    :raises IndexDamaged: an earlier version cannot be read.
    """
    earlier = list(records.earlier_versions(stored.num))
    status = records.status_of(stored.trial.id)
    assert status is not None
    trials = [*(version.trial for version in earlier), msgspec.structs.replace(stored.trial, raw=None)]
    seen = [*(version.seen for version in earlier), stored.last_checked]
    changes = [(), *(differences(old, new) for old, new in pairwise(trials))]
    return tuple(
        Revision(
            number=at + 1,
            since=trial.last_updated.date if trial.last_updated else seen[at - 1] if at else stored.first_seen,
            seen=seen[at],
            generation=earlier[at - 1].replaced_in if at else None if earlier else status.generation,
            trial=trial if contacts else trial.masked(),
            differences=changes[at],
        )
        for at, trial in enumerate(trials)
    )
