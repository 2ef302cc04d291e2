"""Words of a question that say nothing of what it is about."""

from __future__ import annotations

from functools import cache

from trialindex.concepts.tokens import read_words

_FILLERS = """
a about abroad accept accepting across acute adult advanced advice advise again age aged ago all allow already also am
an and another any anybody anymore anyone anything appreciated are area around as ask asking at aunt auntie available
away awful baby babys bad be because become been before being best better between boy boyfriend boys brother brothers
by can cannot cant care center centre child children chronic city clinic clinical colleague come condition could
country cousin cure current currently dad daddy dads daughter daughters day days decade decades desperate desperately
diagnosed diagnosis did didnt disease diseases disorder disorders do doctor doctors does doesnt doing done dont down
drug drugs each early eight eighty elderly eleven else enrol enroll enrolled enter episodic ever every experimental
family far father fathers feel few fiance fiancee fifty find five for forty found four friend frightened from gave get
getting girl girlfriend girls give given go going good got gran grandchild grandchildren granddaughter grandfather
grandma grandmother grandpa grandson granny grateful guy had happening has have having he hello help her here hes hi
him his hope hopeless hopes hoping horrible hospital hospitals hour hours how hundred husband husbands i if ill
illness im in infant info information inlaw into is isnt it its ive join joining just kid kids kind know lady last
late lately latest left less let like live lived lives living locally long look looking lot lots mam mama man many may
me medical medication medicine meds metastatic might mild mo moderate mom moment moms month months more most mother
mothers much mum mummy mums my nan nana nanna near nearby need needed needs neighbor neighbour nephew new newborn
newly nice niece nine ninety no none not nothing now of off old older on once one ones only open option options or
other others our out over own paediatric papa parent parents part participate partner patient patients pediatric
people persistent person place placebo please possible primary problem problems program progressive question recently
recruit recruiting recurrent refractory relapsed relapsing research resistant right ruined ruining said say says
scared schoolboy schoolgirl search secondary see seeking seven seventy sever severe she shes should show sick sign
since sister sisters six sixty so some somebody someone something son sons soon spreading stage started state stepdad
stepdaughter stepfather stepmom stepmother stepson still stop studies study such suffer suffering suggest syndrome
take takes taking teen tell ten terrible test than thank thanks that the their them then there these they theyre thing
things think thirty this those three time to today toddler toddlers told tomorrow tonight too took treat treated
treating treatment treatments trial trials tried try trying twelve twenty twin twins two type uncle uncles
uncontrolled under unresectable until untreated up us use used using very volunteer volunteers want wanted was way we
week weeks well were what whats when where wheres which while who why wife wifes will with without woman women wont
work working works worried worse would wrecking year years yes yesterday yet yo you young youngster your yr yrs
"""
"""Words that people put around the name of what they ask about, and those that say how far it has gone."""


def is_filler(key: str) -> bool:
    """Whether a folded word is one of them."""
    return key in _filler_keys()


@cache
def _filler_keys() -> frozenset[str]:
    return frozenset(read_words(_FILLERS).keys)
