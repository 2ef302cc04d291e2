"""Placebos that the list of interventions does not tell rightly: those of an earlier study, those that no arm lists."""

from __future__ import annotations

import re

from trialindex.trial import Trial
from trialindex_writers.plain_record import remembered

INACTIVE_ARMS = {"PLACEBO_COMPARATOR", "SHAM_COMPARATOR"}

_EXTENSION = re.compile(r"\bextension\b|\brollover\b|\broll-over\b", re.IGNORECASE)


def of_an_earlier_study(trial: Trial, dull: set[str]) -> bool:
    """Whether placebos are those of the study before, which all who go on into this one leave behind."""
    given = [arm for arm in trial.arms if not dull.isdisjoint(arm.interventions)]
    return bool(
        given
        and _EXTENSION.search(f"{trial.title} {trial.official_title or ''}")
        and trial.allocation != "RANDOMIZED"
        and all(not dull.issuperset(arm.interventions) for arm in given)
    )


_OR_PLACEBO = re.compile(r"\bor (?:a |the )?(?:matching |matched |corresponding )?placebo\b", re.IGNORECASE)


@remembered
def placebo_within(trial: Trial) -> bool:
    """Whether chance gives a placebo to some within every group, as where groups get rising doses "or placebo"."""
    told = [bool(_OR_PLACEBO.search(f"{arm.label} {arm.description or ''}")) for arm in trial.arms]
    return trial.allocation == "RANDOMIZED" and bool(told) and all(told)
