"""Wording that no text of ours has: advice, promises, claims of safety or success, markup; and states of a study."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex.trial.sanitize import UNSAFE
from trialindex_llm.record import QUOTATION, Record

_MARKUP = re.compile(
    r"[<>`\\|{}\[\]]|\*\*|__|(?:^|\s)[#*]+\s|&#?\w+;|https?:|www\.|\b[\w-]{1,63}\.(?:com|org|net|gov|io)\b|\S@\S",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:you|your|yours|yourself|we|our|my)\b"
    r"|\brecommend|\badvis|\bsuggest\w* (?:that )?(?:people|patients|taking)"
    r"|\bconsider (?:joining|taking|asking|talking)"
    r"|\b(?:people|patients|they|anyone|everyone|participants) (?:should|ought|must|need to)\b"
    r"|\b(?:talk|speak) (?:to|with)\b|\bask (?:a|the) doctor|\bsign up\b|\bdo(?:n't| not) (?:miss|wait|take|join)"
    r"|\bbest (?:option|choice|treatment)|\bworth (?:joining|trying)",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"\bcur(?:e|es|ed|ing|able)\b|\bguarant|\bmirac|\bbreakthrough|\bproven\b|\bprov(?:e|es) that\b|\bharmless"
    r"|\brisk[- ]free|\bno (?:known )?(?:risks?|side effects?|danger)|\bwithout (?:any )?(?:risks?|side effects?)"
    r"|\bwill (?:\w+ly )?(?:help|improve|work|heal|save|prevent|stop|reduce|benefit|lower|ease|treat|get better|lead)"
    r"|\bpromising\b|\bwonder|\brevolution|\bsafe and effective(?! is)|\blife-?saving\b|\bgame[- ]chang",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"\b(?:is|are|was|were|as|be|been|being|an?|the|and|very|highly|more)"
    r" (?:safe|effective|well[- ]tolerated|beneficial)\b"
    r"|\b(?:works|helps|improves|reduces|prevents|heals|cuts|lowers|saves|benefits|successful(?:ly)?)\b"
    r"|\b(?:is|are|works?|does) better\b|\b(?:has|have) (?:been )?shown\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:whether|if|how|could|may|might|can|would|aims?|to see|find out|test(?:s|ing)|looks? (?:at|for)|measures?"
    r"|asks?|compares?|studies|checks?|hopes?|not (?:yet )?(?:known|stated|sure|certain)|unknown|no better)\b",
    re.IGNORECASE,
)
"""Words after which a claim is a question."""
_STATE = {
    "RECRUITING": r"\b(?:is|are|now|currently|still|be) (?:recruiting|enrolling|open (?:to|for))",
    "COMPLETED": r"\b(?:is|was|has been|been|has) (?:completed|finished|ended)\b",
    "TERMINATED": r"\bstopped early\b|\bterminated\b",
    "WITHDRAWN": r"\bwithdrawn\b|\bnever (?:began|started)\b",
    "SUSPENDED": r"\bsuspended\b|\bon hold\b",
}
_DESIGN = {
    "placebo": (r"\bplacebo|\bdummy\b", r"placebo|sham|dummy|vehicle|sugar pill|saline"),
    "random": (r"\brandomi[sz]|\bby chance\b|\bat random\b", r"\brandomi[sz]|by chance|at random"),
    "blind": (r"\b(?:double|single|triple|quadruple)[- ](?:blind|mask)", r"blind|mask"),
    "open": (r"\bopen[- ]label\b", r"\bopen[- ]?label"),
}
_DENIED = re.compile(r"\b(?:no|not|non|without|never|nor|neither)\b[^.;,]{0,20}$", re.IGNORECASE)


def problems(text: str, record: Record) -> Iterator[str]:
    """Wording that is refused, one line each."""
    for quotation in QUOTATION.finditer(text):
        if not record.quotes(quotation[1]):
            yield f"it quotes what the record does not say ({quotation[0][:60]})"
    unsafe = UNSAFE.search(text)
    text = record.without_names(text)
    if found := unsafe or _MARKUP.search(text):
        yield f'it has markup or signs that do not belong in a sentence ("{found[0].strip()!a}")'
    for kind, pattern in (("it gives advice or speaks to the reader", _ADVICE), ("it promises too much", _PROMISE)):
        if found := pattern.search(text):
            yield f'{kind} ("{found[0]}")'
    for found in _CLAIM.finditer(text):
        if not _OPEN.search(text, 0, found.start()):
            yield f'it claims what no record can state ("{found[0]}")'
    yield from _states(text, record)


def _states(text: str, record: Record) -> Iterator[str]:
    trial = record.trial
    for status, pattern in _STATE.items():
        found = re.search(pattern, text, re.IGNORECASE)
        if found and status not in (trial.status, trial.last_known_status) and not _denied(text, found):
            yield f'it says "{found[0]}", and the record\'s status is {trial.status or "not stated"}'
    stated = {
        "random": trial.allocation == "RANDOMIZED",
        "blind": trial.masking not in (None, "NONE"),
        "open": trial.masking == "NONE",
    }
    for name, (said, where) in _DESIGN.items():
        found = re.search(said, text, re.IGNORECASE)
        if not found or stated.get(name) or _denied(text, found):
            continue
        if not re.search(where, record.everything, re.IGNORECASE):
            yield f'it says "{found[0]}", which the record does not state'


def _denied(text: str, found: re.Match[str]) -> bool:
    return _DENIED.search(text[: found.start()]) is not None
