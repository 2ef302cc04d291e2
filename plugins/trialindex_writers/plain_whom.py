"""Whom of those with an illness a title restricts a trial to: advanced, with a marker, before an operation."""

from __future__ import annotations

import re

from trialindex.trial import Trial
from trialindex_writers.grammar import joined
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_record import remembered

_STAGES = tuple(
    (re.compile(pattern, re.IGNORECASE), said)
    for pattern, said in (
        (r"\badvanced\b", "is advanced"),
        (r"\bmetasta(?:tic|sized)\b(?!-? ?free)", "has spread"),
        (r"\bunresectable|inoperable|non-?resectable", "cannot be removed"),
        (r"\brelapsed\b|\brecurrent\b|\brelapsing\b", "came back"),
        (r"\brefractory\b|resistant\b", "resists treatment"),
        (r"newly diagnosed", "was newly found"),
    )
)
_OPERABLE = re.compile(r"(?<!non-)(?<!non)\b(?:resectable|operable)\b", re.IGNORECASE)
_GENE = r"(?-i:EGFR|KRAS|BRAF|ALK|ROS1|MET|RET|HER2|HER-2|IDH1|FGFR2|BRCA|NRG1|H3 ?K27M)"
_MARKER = r"(?-i:HER2|HER-2|PD-?L1|CLDN18\.2|Claudin ?18\.2|B7-?H3|CD19|CD20|GD2|TROP-?2|NY-ESO-1|HPV|BCMA|GPC3|CD99)"
_CHANGED = re.compile(
    rf"\b({_GENE})(?:[- ](?:gene|exon \d+|G12C|V600E?|activating|sensiti[sz]ing))*"
    r"[- ](?:mutat|mutant|insert|alter|rearrang|fusion|amplif)"
    rf"|\b({_GENE})[- ](?:exon \d+)",
    re.IGNORECASE,
)
_CARRIED = re.compile(
    rf"\b({_MARKER})[ -]*(?:\([^)]*\)[ -]*)?(?:high[- ])?(?:positive|express|over-?express|high\b|low\b)", re.IGNORECASE
)
_LACKED = re.compile(rf"\b({_GENE}|{_MARKER})[ -]*(?:negative|wild[- ]?type)", re.IGNORECASE)
_TREATED = re.compile(
    r"previously[- ]treated|pre-?treated|(?:after|following|progress\w* (?:on|after)|failed|failure (?:of|to)"
    r"|resistan\w* to) "
    r"(?:prior |previous |first-line |standard |the |platinum|EGFR|chemo|osimertinib|PD|immun|treatment)",
    re.IGNORECASE,
)
_UNTREATED = re.compile(r"previously untreated|treatment[- ]na[iï]ve|(?<!pre-)\buntreated\b", re.IGNORECASE)
_BEFORE = re.compile(r"\bneo-?adjuvant|pre-?operative|before (?:surgery|operation|resection)", re.IGNORECASE)
_EARLIER = re.compile(
    r"(?:after|following|prior|previous|receiv\w+|fail\w+|progress\w+)\W+(?:\w+\W+){0,4}(?:neo-?)?adjuvant", re.I
)
_AROUND = re.compile(r"peri-?operative|neo-?adjuvant (?:and|/) ?adjuvant|before and after surgery", re.IGNORECASE)
_AFTER = re.compile(
    r"(?<!neo)(?<!neo-)\badjuvant|post-?operative"
    r"|(?:after|following) (?:complete |curative |surgical )?(?:surgery|resection)",
    re.IGNORECASE,
)
_BIRTH = re.compile(r"post-?partum|post-?natal|after (?:childbirth|birth|delivery)", re.IGNORECASE)


@remembered
def _titles(trial: Trial) -> tuple[str, str]:
    return trial.title, trial.official_title or ""


@remembered
def which(trial: Trial) -> str:
    """Of one cancer, what a title says of it: `` that is advanced and carries the marker HER2``; empty if nothing."""
    illness = about(trial)
    if illness is None or illness.group != "cancer" or illness.several or not illness.had:
        return ""
    title, official = _titles(trial)
    text = f"{title} | {official}"
    known = illness.name.lower()
    stages = [said for rule, said in _STAGES if rule.search(title)]
    stages = stages or [said for rule, said in _STAGES if rule.search(official)]
    if " that " in known or any(word in known for word in ("advanced", "early", "newly")):
        stages = []  # whether a title's "advanced/metastatic" is both or either, it does not say
    said = [joined(stages[:3], "or")] if stages else []
    if _OPERABLE.search(title) and "cannot be removed" not in stages:
        said.append("can be removed by surgery")
    if changed := _CHANGED.search(text):
        said.append(f"has a change in the gene {changed[1] or changed[2]}")
    elif (carried := _CARRIED.search(text)) and not _LACKED.search(text):
        said.append(f"carries the marker {carried[1]}")
    if _TREATED.search(text):
        said.append("was treated before")
    elif _UNTREATED.search(text):
        said.append("was not treated before")
    if not said:
        return ""
    return f" {'and' if ' that ' in known else 'that'} {joined(said[:3])}"


@remembered
def when(trial: Trial) -> str:
    """When in the course of things: `` before an operation``, `` after childbirth``; empty if no title says."""
    text = " | ".join(_titles(trial))
    if trial.study_type != "INTERVENTIONAL" or _EARLIER.search(text):
        return ""
    if _AROUND.search(text):
        return " around an operation"
    if _BEFORE.search(text) and not _AFTER.search(text):
        return " before an operation"
    if _BIRTH.search(text):
        return " after childbirth"
    return " after an operation" if _AFTER.search(text) and not _BEFORE.search(text) else ""


def such(trial: Trial, verb: str) -> str:
    """A verb such as ``shrink lung cancer``, with "in such people" where it is tested in a part of them."""
    illness = about(trial)
    if illness is None or not which(trial):
        return verb
    told = verb.replace(f"people with {illness.name}", "such people", 1)
    return told if told != verb else f"{verb} in such people"
