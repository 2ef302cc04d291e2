"""What has become of a trial: planned, open, closed, ended, stopped or never begun, and why it stopped."""

from __future__ import annotations

import re
from typing import NamedTuple

from trialindex.trial import Trial
from trialindex_writers.grammar import quoted
from trialindex_writers.plain_record import remembered


class Fate(NamedTuple):
    """What has become of a trial.

    :param state: ``planned``, ``open``, ``invited``, ``closed``, ``ended``, ``stopped``, ``held``, ``withdrawn``,
        ``unknown``, ``offered`` or ``gone`` (access outside a trial), or empty.
    :param over: whether nobody new can join and it is told in the past.
    :param said: how a summary ends: ``it is open to new people``.
    """

    state: str
    over: bool
    said: str


_FATES = {
    "NOT_YET_RECRUITING": Fate("planned", False, "it is not open yet"),
    "RECRUITING": Fate("open", False, "it is open to new people"),
    "ENROLLING_BY_INVITATION": Fate("invited", False, "it takes people by invitation only"),
    "ACTIVE_NOT_RECRUITING": Fate("closed", False, "it is closed to new people"),
    "COMPLETED": Fate("ended", True, "it has ended"),
    "TERMINATED": Fate("stopped", True, ""),
    "SUSPENDED": Fate("held", False, ""),
    "WITHDRAWN": Fate("withdrawn", True, ""),
    "UNKNOWN": Fate("unknown", False, "the registry does not know how far it has come"),
    "AVAILABLE": Fate("offered", False, "it is on offer now"),
    "TEMPORARILY_NOT_AVAILABLE": Fate("held", False, ""),
    "NO_LONGER_AVAILABLE": Fate("gone", True, "it is no longer available"),
    "APPROVED_FOR_MARKETING": Fate("gone", True, ""),
}


@remembered
def fate(trial: Trial) -> Fate:
    """What has become of the trial."""
    return _FATES.get(trial.status or "", Fate("", False, ""))


_REASONS = (
    (
        r"futil|unlikely to be met|no benefit|lack of (?:efficacy|benefit|effect)|ineffective",
        "little hope of a benefit",
    ),
    (
        r"(?<!not )(?<!no )(?:based on|review of|due to|because of) .{0,30}safety|^safety|safety concerns? led|toxicit",
        "a look at safety",
    ),
    (r"\bPI\b|investigator (?:left|decision)|\bleft\b", "a decision or change of the researchers"),
    (r"fund|financ|grant|money", "a lack of money"),
    (
        r"enrol|accru|recruit|inclusion|lack of (?:participants|patients|interest)|insufficient (?:number|subjects)"
        r"|no (?:subjects|patients)|number of (?:patients|subjects)|participants were",
        "too few people joining",
    ),
    (r"covid|pandemic|sars-cov", "the COVID-19 pandemic"),
    (r"not (?:been )?marketed|not available|unavailab|shortage", "a problem with the supply or the product"),
    (
        r"business|strateg|company|sponsor|priorit|portfolio|corporate|commercial|development plan",
        "a decision of the sponsor",
    ),
    (r"device upgrade|supply|not available|manufactur|drug suppl", "a problem with the supply or the product"),
    (r"\bIRB\b|ethic|\bFDA\b|authorit|regulat|disapproved|approval", "a decision of an authority or ethics board"),
    (r"design|protocol|amend", "a change of plan"),
)


@remembered
def reason(trial: Trial) -> str:
    """Why it was stopped, in a few plain words, or in the registrant's where no rule knows them; empty if unstated."""
    given = (trial.why_stopped or "").strip()
    if not given or re.fullmatch(r"(?:finished|completed.*|n/?a|other|unknown)\.?", given, re.IGNORECASE):
        return ""
    safe = re.search(
        r"(?:not|un)[- ]?(?:due to|related|for|driven|based on).{0,30}(?:safety|concern)", given, re.IGNORECASE
    )
    if safe:
        given = re.sub(r"[^.;,]*(?:safety|efficacy)[^.;,]*", "", given, flags=re.IGNORECASE) or "business decision"
        if re.search(r"business|sponsor|strateg|company|decision", f"{trial.why_stopped}", re.IGNORECASE):
            given = "business decision"
    for pattern, said in _REASONS:
        if re.search(pattern, given, re.IGNORECASE):
            return f"{said}, not safety" if safe else said
    return quoted(given, 80)
