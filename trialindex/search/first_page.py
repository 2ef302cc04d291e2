"""The order of the first ten: among trials equally close, those first that were asked for and can be joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trialindex.plugin.results import Level
from trialindex.search.closeness import Assessor, level
from trialindex.search.constraints import Constraints, tests
from trialindex.search.filters import Filters
from trialindex.search.rankings import Candidate
from trialindex.trial import Trial
from trialindex.trial.statuses import access_rank

if TYPE_CHECKING:
    from trialindex.storage.records import Stored


EQUAL = 2.0
"""Standard deviations of a score within which trials match about as well, as for an age that does not fit."""


def joinable_first(
    candidates: Sequence[Candidate], stored: Mapping[int, Stored], constraints: Constraints, assessor: Assessor
) -> list[Candidate]:
    """The candidates, and those that are equally close in another order.

    Equally close are neighbours of one level that score within :data:`EQUAL`: a trial that is only related never comes
    before one that is about the condition because it is open. Among them come first, each outweighing all that follow:
    no placebo, if none is wanted; what tests a treatment that is asked for; what has the status and the phase that
    are; what takes people now, then later.

    :param stored: the trials by their numbers.
    """
    wanted = _filters(constraints)

    def turn(candidate: Candidate) -> tuple[int, ...]:
        trial = stored[candidate.num].trial
        return (
            gives_placebo(trial) and not constraints.placebo,
            not tests(trial, constraints.treatments),
            _unmet(trial, wanted),
            trial.gone_since is not None,
            access_rank(trial.status),
        )

    runs: list[tuple[Level, list[Candidate]]] = []
    for candidate in candidates:
        if candidate.num not in stored:  # removed since it was found
            continue
        near = level(assessor.closeness(candidate, stored[candidate.num].trial))
        if runs and runs[-1][0] == near and runs[-1][1][0].score - candidate.score <= EQUAL:
            runs[-1][1].append(candidate)
        else:
            runs.append((near, [candidate]))
    return [candidate for _, run in runs for candidate in sorted(run, key=turn)]


def gives_placebo(trial: Trial) -> bool:
    """Whether some who take part are given a placebo."""
    named = any("placebo" in intervention.name.casefold() for intervention in trial.interventions)
    return named or any(arm.type == "PLACEBO_COMPARATOR" for arm in trial.arms)


def _filters(constraints: Constraints) -> Filters:
    """The status and the phase that are asked for, as filters."""
    status = [told.filters["status"] for told in constraints.told if "status" in told.filters]
    phase = [one for told in constraints.told for one in told.filters.get("phase", ())]  # type: ignore[union-attr]
    return Filters.parse(status=status, phase=phase)  # type: ignore[arg-type]


def _unmet(trial: Trial, wanted: Filters) -> int:
    """How many of these the trial does not meet."""
    status = bool(wanted.status) and trial.status not in wanted.status
    return status + (bool(wanted.phase) and not set(wanted.phase) & set(trial.phases))
