"""What is new for each watch, and what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from trialindex.changes import differences
from trialindex.errors import TrialIndexError
from trialindex.plugin.messages import NewsKind, Update
from trialindex.storage.records import Records
from trialindex.storage.watch_rows import Member
from trialindex.trial import Trial, display, sanitize
from trialindex.trial.statuses import ENDED, access_rank
from trialindex.watching.matching import Matcher, MatchingTrial, WatchView
from trialindex.watching.store import Watches, digest
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.index import Index

COUNTRIES = 5
"""Countries and conditions that an update names."""
NEW_DAYS = 90
"""A trial that was first posted longer ago is no news when the index gets it."""
LISTED = 100
"""Trials that a backlog names; the others are counted."""
_KINDS: tuple[NewsKind, ...] = ("new", "changed", "removed", "backlog")

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
                finder = UpdateFinder(watches.identity, watch, watches.members(watch.num), matcher)
            except TrialIndexError as problem:
                note(f"watch {watch.num} cannot be followed: {problem}")
                continue
            watches.drop_members(watch.num, finder.departed)
            watches.put_members(watch.num, finder.reported)
            watches.advance(watch.num, finder.generation, finder.lineage)
            updates += finder.updates
        updates = in_order(updates)
        watches.record(updates)
    return updates


def in_order(updates: Iterable[Update]) -> list[Update]:
    """The updates in the order in which they are told: new trials first, and of each kind those that recruit."""
    return sorted(updates, key=lambda update: (_KINDS.index(update.kind), access_rank(update.status)))


class UpdateFinder:
    """The updates of one watch, and what it knows from now on.

    :param identity: of the store that keeps the watch.
    :param members: the trials that the watch knows, by id in small letters.
    :raises TrialIndexError: the watch cannot be compared with the index.
    """

    def __init__(self, identity: str, watch: Watch, members: Mapping[str, Member], matcher: Matcher) -> None:
        self._identity = identity
        self._watch = watch
        self._records: Records = matcher.records
        same = watch.lineage == self._records.lineage and watch.last_generation <= self._records.generation
        self._since = watch.last_generation if same else 0  # another index, or one restored from an older copy
        self._view: WatchView = matcher.view(watch, self._since)
        self._members = members
        self._backlog: list[MatchingTrial] = []
        self.updates: list[Update] = [*self._matching(), *self._departed()]
        if self._backlog:
            self.updates.append(self._backlog_update())

    @property
    def generation(self) -> int:
        """The generation of the index up to which the updates were found."""
        return self._view.generation

    @property
    def lineage(self) -> str:
        """The lineage of the records that :attr:`generation` counts."""
        return self._records.lineage

    @property
    def departed(self) -> set[str]:
        """The trials that the watch does not know any more."""
        matches, considered = self._view.matches, self._view.considered
        removed = {update.trial for update in self.updates if update.kind == "removed"}
        return removed | {
            member.trial for trial, member in self._members.items() if trial in considered and trial not in matches
        }

    @property
    def reported(self) -> list[Member]:
        """The trials that the watch was told of, as it knows them now."""
        updated = {update.trial.lower() for update in self.updates}
        updated |= {match.trial.id.lower() for match in self._backlog}
        return [_member(match) for trial, match in self._view.matches.items() if trial in updated]

    def _matching(self) -> Iterator[Update]:
        """Of the trials that match the watch."""
        for trial, match in self._view.matches.items():
            member = self._members.get(trial)
            if member is None:
                if match.fresh and not self._is_news(match.trial):
                    self._backlog.append(match)
                elif match.fresh:
                    yield self._update(
                        "new", match.trial, match.hash, match.checked, self._why(match), _facts(match.trial)
                    )
            elif member.hash != match.hash and (lines := self._difference_lines(member, match.trial)):
                yield self._update("changed", match.trial, match.hash, match.checked, self._why(match), lines)

    def _is_news(self, trial: Trial) -> bool:
        """Whether a trial that comes to the watch is new: not over, and posted lately or in the index before."""
        if self._watch.kind == "trial":
            return True
        return is_news(trial, _today()) or (trial.status not in ENDED and self._was_held(trial))

    def _was_held(self, trial: Trial) -> bool:
        """Whether the index had the trial before it was changed last."""
        status = self._records.status_of(trial.id)
        return status is not None and any(True for _ in self._records.earlier_versions(status.num))

    def _backlog_update(self) -> Update:
        """All trials that came into the index and are not new, in one."""
        trials = sorted((match.trial for match in self._backlog), key=lambda trial: access_rank(trial.status))
        ended = sum(trial.status in ENDED for trial in trials)
        counts = ((len(trials) - ended, f"first posted more than {NEW_DAYS} days ago"), (ended, "that ended"))
        parts = ", ".join(f"{number:,} {what}" for number, what in counts if number)
        lines = [f"{trial.id}, {display.status(trial.status)}: {trial.title}" for trial in trials[:LISTED]]
        if (more := len(trials) - LISTED) > 0:
            lines.append(f"and {more:,} more")
        asked = "are among the results of a question" if self._watch.kind == "query" else "name a condition"
        return Update(
            key=digest(self._identity, self._watch.num, "backlog", self._view.generation),
            watch=self._watch.num,
            kind="backlog",
            trial="",
            title=f"{display.count(len(trials), 'study', 'studies')} that came into the index: {parts}",
            count=len(trials),
            when=_today(),
            asked=self._watch.label,
            why=f"They {asked} that you watch.",
            lines=tuple(map(sanitize.one_line, lines)),
        )

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
            key=digest(self._identity, watch.num, trial.id, kind, hash_now, self._view.generation),
            watch=watch.num,
            kind=kind,
            trial=trial.id,
            title=sanitize.one_line(trial.title),
            when=when,
            url=trial.url,
            status=trial.status,
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


def is_news(trial: Trial, day: str) -> bool:
    """Whether a trial that comes into the index is new: not over, and not posted long ago as far as its date tells.

    :param day: the ISO day on which it came.
    """
    if trial.status in ENDED:
        return False
    if trial.first_posted is None:
        return True
    posted = trial.first_posted.date
    cutoff = (date.fromisoformat(day) - timedelta(days=NEW_DAYS)).isoformat()
    return posted >= cutoff[: len(posted)]


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
