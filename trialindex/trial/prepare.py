"""A record as an index keeps it, whichever source it is from."""

from __future__ import annotations

import msgspec

from trialindex.trial.criteria import split_criteria
from trialindex.trial.record import Trial
from trialindex.trial.repair import repair


def prepare(trial: Trial) -> Trial:
    """The trial with its texts repaired, and with criteria that came as one text split into lists.

    A source that gives the lists itself keeps them. An ingest calls this once for each record.
    """
    trial = repair(trial)
    if not trial.eligibility or trial.inclusion or trial.exclusion or trial.other_criteria:
        return trial
    criteria = split_criteria(trial.eligibility)
    return msgspec.structs.replace(
        trial, inclusion=criteria.inclusion, exclusion=criteria.exclusion, other_criteria=criteria.neither
    )
