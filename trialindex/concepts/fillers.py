"""Words of a question that say nothing of what it is about."""

from __future__ import annotations

from functools import cache

from trialindex.concepts.tokens import read_words

_FILLERS = """
a about abroad accept accepting across acute adult advanced age aged ago all allow also am an and another any anybody
anyone anything are area around as ask asking at available away baby bad be because become been before being best better
between boy brother by can cannot care center centre child children chronic city clinic clinical come condition could
country cure current currently daughter day days diagnosed diagnosis did disease diseases disorder disorders do doctor
doctors does doing done down drug drugs each early elderly else enroll episodic ever every experimental family far
father feel few find for friend from gave get getting girl give given go going good got grandfather grandmother guy had
happening has have having he hello help her here hi him his hospital hospitals how husband i if ill illness im in infant
into is it its join joining just kid kids kind know lady last late lately latest left less let like live living locally
long look looking lot lots man many may me medical medication medicine meds metastatic might mild moderate mom month
months more most mother much mum my near nearby need needed needs new newborn newly nice no none not nothing now of off
old older on once one ones only open option options or other others our out over own paediatric parent parents part
participate patient patients pediatric people persistent person place placebo please possible primary problem problems
program progressive question recently recruit recruiting recurrent refractory relapsed relapsing research resistant
right said say says search secondary see seeking severe she should show sick sign since sister so some somebody someone
something son soon spreading stage started state still stop studies study such suffer suffering suggest syndrome take
takes taking teen tell test than thanks that the their them then there these they thing things think this those time to
told too took treat treated treating treatment treatments trial trials tried try trying two type uncontrolled under
unresectable until untreated up us use used using very volunteer volunteers want wanted was way we week weeks well were
what when where which while who why wife will with without woman women work working works worse would year years yes yet
you young your
"""
"""Words that people put around the name of what they ask about, and those that say how far it has gone."""


def is_filler(key: str) -> bool:
    """Whether a folded word is one of them."""
    return key in _filler_keys()


@cache
def _filler_keys() -> frozenset[str]:
    return frozenset(read_words(_FILLERS).keys)
