"""What is new for each watch, and what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from trialindex.changes import differences
from trialindex.errors import TrialIndexError
from trialindex.plugin.messages import NewsKind, Update
from trialindex.storage.records import Records
from trialindex.trial import Trial, display, sanitize
from trialindex.watching.matching import Matcher, MatchingTrial, WatchView
from trialindex.watching.store import Member, Watches, digest
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.index import Index

COUNTRIES = 5
"""Countries and conditions that an update names."""

_UNKNOWN = "what changed cannot be shown: the index no longer has the earlier record"


def baseline(index: Index, watch: Watch) -> tuple[Watch, list[Member]]:
    """What a new watch starts from: the watch at the present generation, and the trials that match it now."""
    with index.snapshot() as records:
        view = Matcher(index, records).view(watch, 0)
        started = msgspec.structs.replace(
            watch, last_generation=view.generation, lineage=records.lineage, added=_today()
        )
    return started, [_member(match) for match in view.matches.values()]


def find_updates(index: Index, watches: Watches, note: Callable[[str], None] = lambda message: None) -> list[Update]:
    """Find what is new for each watch since its last generation, record it, and queue it for every notifier.

    All of it is one transaction: whatever ends the process, an update is either recorded and queued, or found again.

    :param note: called with one line for each watch that cannot be compared with the index.
    """
    updates: list[Update] = []
    if not watches.exist:
        return updates
    with watches.transaction(), index.snapshot() as records:
        matcher = Matcher(index, records)
        for watch in watches.all():
            if watch.paused or (watch.last_generation, watch.lineage) == (records.generation, records.lineage):
                continue
            try:
                finder = UpdateFinder(watches, watch, matcher)
            except TrialIndexError as problem:
                note(f"watch {watch.num} cannot be followed: {problem}")
                continue
            finder.save()
            updates += finder.updates
        watches.record(updates)
    return updates


class UpdateFinder:
    """The updates of one watch.

    :raises TrialIndexError: the watch cannot be compared with the index.
    """

    def __init__(self, watches: Watches, watch: Watch, matcher: Matcher) -> None:
        self._watches = watches
        self._watch = watch
        self._records: Records = matcher.records
        same = watch.lineage == self._records.lineage and watch.last_generation <= self._records.generation
        self._since = watch.last_generation if same else 0  # another index, or one restored from an older copy
        self._view: WatchView = matcher.view(watch, self._since)
        self._members = watches.members(watch.num)
        self.updates: list[Update] = [*self._matching(), *self._departed()]

    def save(self) -> None:
        """Record what the watch knows from now on; inside a transaction."""
        num, matches, considered = self._watch.num, self._view.matches, self._view.considered
        updated = {update.trial.lower() for update in self.updates}
        removed = {update.trial for update in self.updates if update.kind == "removed"}
        departed = {
            member.trial for trial, member in self._members.items() if trial in considered and trial not in matches
        }
        self._watches.drop_members(num, removed | departed)
        self._watches.put_members(num, [_member(match) for trial, match in matches.items() if trial in updated])
        self._watches.advance(num, self._view.generation, self._records.lineage)

    def _matching(self) -> Iterator[Update]:
        """Of the trials that match the watch."""
        for trial, match in self._view.matches.items():
            member = self._members.get(trial)
            if member is None:
                if match.fresh:
                    yield self._update(
                        "new", match.trial, match.hash, match.checked, self._why(match), _facts(match.trial)
                    )
            elif member.hash != match.hash and (lines := self._difference_lines(member, match.trial)):
                yield self._update("changed", match.trial, match.hash, match.checked, self._why(match), lines)

    def _departed(self) -> Iterator[Update]:
        """Of the trials that were reported before and match the watch no longer."""
        marked = {trial.lower() for trial in self._records.provenance.gone_trials()}
        some_gone = not self._since or bool(self._records.dropped_since("trial", self._since))
        for trial, member in self._members.items():
            if trial in self._view.matches:
                continue
            if trial in marked:
                why = "You were told of it before; its registry no longer has it."
                yield self._update("removed", _stub(member), member.hash, _today(), why, ())
            elif trial in self._view.considered:
                stored = self._records.find(member.trial)
                if stored is not None and (lines := self._difference_lines(member, stored.trial)):
                    why = "You were told of it before; it no longer fits this watch."
                    now = stored.trial
                    yield self._update("changed", now, now.content_hash, stored.last_checked, why, lines)
            elif some_gone and self._records.status_of(member.trial) is None:
                why = "You were told of it before; it was taken out of the index."
                yield self._update("removed", _stub(member), member.hash, _today(), why, ())

    def _difference_lines(self, member: Member, now: Trial) -> tuple[str, ...]:
        """What the trial states otherwise than in its last update, in words; empty when only noise changed."""
        before = self._records.version_with_hash(member.trial, member.hash)
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
            asked=watch.label,
            why=why,
            lines=tuple(map(sanitize.one_line, lines)),
        )

    def _why(self, match: MatchingTrial) -> str:
        if self._watch.kind == "trial":
            return "This is a trial that you watch."
        if self._watch.kind == "condition":
            return "It names a condition that you watch, or a kind of it."
        return (
            f"It is number {match.rank} among the results of a question that you watch, "
            f"with a similarity of {match.similarity:.2f}."
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


def _stub(member: Member) -> Trial:
    return Trial(id=member.trial, title=member.title, url=member.url)


def _member(match: MatchingTrial) -> Member:
    return Member(match.trial.id, match.hash, sanitize.one_line(match.trial.title), match.trial.url)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
