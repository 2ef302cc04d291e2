"""Telling each watch what is new and what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from trialindex.changes import differences
from trialindex.errors import TrialIndexError
from trialindex.plugin.messages import NewsKind, Update
from trialindex.storage import provenance
from trialindex.storage.records import Records
from trialindex.trial import Trial, display, sanitize
from trialindex.watching.matching import Found, Matching, View
from trialindex.watching.store import Member, Watches, digest
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.index import Index

COUNTRIES = 5
"""How many countries the news of a trial lists."""

_UNKNOWN = "what changed cannot be shown: the index no longer has the earlier record"


def begin(index: Index, watch: Watch) -> tuple[Watch, list[Member]]:
    """A watch as it starts: from the present state of the index, with the trials that it is about now."""
    with index.snapshot() as records:
        view = Matching(index, records).view(watch, 0)
        begun = msgspec.structs.replace(watch, told=view.generation, lineage=records.lineage, added=_today())
    return begun, [_member(found) for found in view.found.values()]


def tell(index: Index, watches: Watches, note: Callable[[str], None] = lambda message: None) -> list[Update]:
    """Find out what each watch has not been told yet, record it as told, and queue it for every notifier.

    All of it is one transaction: whatever ends the process, news is either recorded and queued, or found again.

    :param note: told in one line of a watch that cannot be followed.
    """
    told: list[Update] = []
    if not watches.exist:
        return told
    with watches.transaction(), index.snapshot() as records:
        matching = Matching(index, records)
        for watch in watches.all():
            if watch.paused or (watch.told, watch.lineage) == (records.generation, records.lineage):
                continue
            try:
                telling = _Telling(watches, watch, matching)
            except TrialIndexError as problem:
                note(f"watch {watch.num} cannot be followed: {problem}")
                continue
            telling.note()
            told += telling.news
        watches.record(told)
    return told


class _Telling:
    """What one watch is told now.

    :raises TrialIndexError: the watch cannot be compared with the index.
    """

    def __init__(self, watches: Watches, watch: Watch, matching: Matching) -> None:
        self._watches = watches
        self._watch = watch
        self._records: Records = matching.records
        followed = watch.lineage == self._records.lineage and watch.told <= self._records.generation
        self._since = watch.told if followed else 0  # else the index was made anew, or restored from an older copy
        self._view: View = matching.view(watch, self._since)
        self._members = watches.members(watch.num)
        self.news: list[Update] = [*self._of_found(), *self._of_others()]

    def note(self) -> None:
        """Keep what the watch knows from now on; inside a transaction."""
        num, found, looked_at = self._watch.num, self._view.found, self._view.looked_at
        heard = {update.trial.lower() for update in self.news}
        gone = {update.trial for update in self.news if update.kind == "removed"}
        left = {member.trial for trial, member in self._members.items() if trial in looked_at and trial not in found}
        self._watches.drop_members(num, gone | left)
        self._watches.put_members(num, [_member(one) for trial, one in found.items() if trial in heard])
        self._watches.advance(num, self._view.generation, self._records.lineage)

    def _of_found(self) -> Iterator[Update]:
        for trial, found in self._view.found.items():
            member = self._members.get(trial)
            if member is None:
                if found.fresh:
                    facts = _facts(found.trial)
                    yield self._update("new", found.trial, found.hash, found.checked, self._why(found), facts)
            elif member.hash != found.hash and (lines := self._changed(member, found.trial)):
                yield self._update("changed", found.trial, found.hash, found.checked, self._why(found), lines)

    def _of_others(self) -> Iterator[Update]:
        """News of trials that the watch was told of and is no longer about."""
        marked = {trial.lower() for trial in provenance.marked(self._records)}
        some_gone = not self._since or bool(self._records.dropped_since("trial", self._since))
        for trial, member in self._members.items():
            if trial in self._view.found:
                continue
            if trial in marked:
                why = "You were told of it before; its registry no longer has it."
                yield self._update("removed", _bare(member), member.hash, _today(), why, ())
            elif trial in self._view.looked_at:
                stored = self._records.find(member.trial)
                if stored is not None and (lines := self._changed(member, stored.trial)):
                    why = "You were told of it before; it no longer fits this watch."
                    now = stored.trial
                    yield self._update("changed", now, now.content_hash, stored.last_checked, why, lines)
            elif some_gone and self._records.standing(member.trial) is None:
                why = "You were told of it before; it was taken out of the index."
                yield self._update("removed", _bare(member), member.hash, _today(), why, ())

    def _changed(self, member: Member, now: Trial) -> tuple[str, ...]:
        """What the trial states otherwise than when the watch was last told of it; empty when only noise changed."""
        before = self._records.earlier(member.trial, member.hash)
        if before is None:
            return (_UNKNOWN,)
        return tuple(difference.words for difference in differences(before, now))

    def _update(
        self, kind: NewsKind, trial: Trial, hash_now: str, when: str, why: str, lines: tuple[str, ...]
    ) -> Update:
        watch = self._watch
        return Update(
            key=digest(self._watches.identity, watch.num, trial.id, kind, hash_now, self._view.generation),
            watch=watch.num,
            kind=kind,
            trial=trial.id,
            title=sanitize.one_line(trial.title),
            when=when,
            url=trial.url,
            asked=watch.asked,
            why=why,
            lines=tuple(map(sanitize.one_line, lines)),
        )

    def _why(self, found: Found) -> str:
        if self._watch.kind == "trial":
            return "This is a trial that you watch."
        if self._watch.kind == "condition":
            return "It names a condition that you watch, or a kind of it."
        return (
            f"It is number {found.rank} among the results of a question that you watch, "
            f"with a similarity of {found.similarity:.2f}."
        )


def _facts(trial: Trial) -> tuple[str, ...]:
    """What a reader asks first of a trial that is new to them."""
    facts = (
        ("status", display.status(trial.status)),
        ("phase", display.phase(trial.phases)),
        ("conditions", display.listed(trial.conditions, COUNTRIES)),
        ("takes", display.who(trial.minimum_age, trial.maximum_age, trial.sex)),
        ("countries", display.listed(trial.countries, COUNTRIES)),
    )
    return tuple(f"{what}: {words}" for what, words in facts)


def _bare(member: Member) -> Trial:
    return Trial(id=member.trial, title=member.title, url=member.url)


def _member(found: Found) -> Member:
    return Member(found.trial.id, found.hash, sanitize.one_line(found.trial.title), found.trial.url)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
