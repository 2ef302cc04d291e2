"""Invented trials and texts. No id, person, place of contact or sentence in here belongs to a registry."""

from __future__ import annotations

import random
from collections.abc import Sequence

from trialindex.plugin.results import EligibilityCheck, Hit, Match, Results
from trialindex.trial import (
    STATUSES,
    Arm,
    Contact,
    Intervention,
    Outcome,
    Phase,
    Sex,
    Site,
    Status,
    Term,
    Trial,
    TrialDate,
)

HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e<script>alert('EX')</script>\r{{ 7 * 7 }}\x00"
"""Text that clears a terminal, renames its window, turns reading around, and is a script where markup is read."""

CONTACT = Contact(
    name="Robin Exemplar",
    role="CONTACT",
    affiliation="Exemplar Desk",
    phone="+00 555 0100",
    email="robin@exemplar.test",
)


def sample_trials(n: int = 12) -> list[Trial]:
    """*n* invented trials, ``EX-0001`` and on; the same ones every time.

    The first eight each have something that goes wrong easily: nothing but an id and a title; no age bounds; an age in
    days; hostile text in every field; contacts everywhere; hundreds of sites; several scripts; the longest texts. The
    others are ordinary.
    """
    rng = random.Random(20)  # noqa: S311
    trials = [make(number) for number, make in enumerate(_EDGES, start=1)]
    trials += [_ordinary(number, rng) for number in range(len(trials) + 1, n + 1)]
    return trials[:n]


def sample_results(trials: Sequence[Trial]) -> Results:
    """An answer with these trials as hits, in their order."""
    hits = [
        Hit(
            rank=rank,
            score=1 / (60 + rank),
            parts={"vector": 1 - rank / 100, "vector_rank": rank, "lexical": 9.0 / rank, "lexical_rank": rank},
            trial=trial,
            match=Match(part="summary", text=trial.summary or trial.title),
            fits=(EligibilityCheck(what="age", verdict="not stated", given="34 years", stated="not stated"),),
            distance_km=12.5 if trial.sites else None,
            nearest_site=trial.sites[0] if trial.sites else None,
            first_seen="2024-03-01",
        )
        for rank, trial in enumerate(trials, start=1)
    ]
    return Results(
        query=f"severe lupus kidney {HOSTILE}",
        mode="hybrid",
        filters={"status": "recruiting", "condition": HOSTILE},
        searched=len(hits),
        total=len(hits),
        page=1,
        limit=max(10, len(hits)),
        hits=tuple(hits),
        generation=1,
        notes=(f"This answer is invented. {HOSTILE}",),
    )


def sample_texts(n: int = 240, seed: int = 1) -> list[str]:
    """*n* different invented clinical texts, from three words to some two hundred; each *seed* has its own."""
    rng = random.Random(seed)  # noqa: S311
    texts: dict[str, None] = {}
    while len(texts) < n:
        sentences = [_sentence(rng) for _ in range(rng.choice((1, 1, 2, 4, 8, 13)))]
        text = rng.choice((f"{rng.choice(_DEGREES)} {rng.choice(_CONDITIONS)}", *([" ".join(sentences)] * 5)))
        texts[text] = None
    return list(texts)


# --- trials with an edge --------------------------------------------------------------------------------------------


def _id(number: int) -> str:
    return f"EX-{number:04}"


def _bare(number: int) -> Trial:
    return Trial(id=_id(number), title="A trial of which nothing else is known", source="example")


def _no_age_bounds(number: int) -> Trial:
    return Trial(
        id=_id(number),
        title="Home exercise for people with lupus nephritis",
        source="example",
        summary="People of any age with lupus nephritis train at home for six months and report how tired they are.",
        conditions=("Lupus Nephritis",),
        status="RECRUITING",
        sex="ALL",
        sites=(Site(name="Example Clinic", city="Lyon", country="France", latitude=45.75, longitude=4.85),),
    )


def _newborns(number: int) -> Trial:
    return Trial(
        id=_id(number),
        title="Warm wraps for newborns in the first day of life",
        source="example",
        summary="Newborns are wrapped or held, and their temperature is taken every hour.",
        conditions=("Hypothermia, Newborn",),
        status="COMPLETED",
        phases=("NA",),
        minimum_age=0.0,
        maximum_age=1 / 365.25,
        enrollment=0,
        start_date=TrialDate(date="1999"),
        completion_date=TrialDate(date="2001-02", type="ACTUAL"),
    )


def _hostile(number: int) -> Trial:
    return Trial(
        id=_id(number),
        title=f"A title that means harm {HOSTILE}",
        source="example",
        url="javascript:alert('EX')",
        official_title=HOSTILE,
        acronym='"=1+1',
        other_ids=(HOSTILE,),
        summary=f"A summary that means harm {HOSTILE}",
        description=f"| a | table |\n\n# A heading\n\n```\n{HOSTILE}",
        conditions=(f"Lupus {HOSTILE}", "=HYPERLINK(1)"),
        normalized_conditions=(Term(name=HOSTILE, id="MESH:D000000"),),
        condition_ancestors=(Term(name=HOSTILE, id=HOSTILE),),
        normalized_interventions=(Term(name=HOSTILE, id=HOSTILE),),
        intervention_ancestors=(Term(name=HOSTILE, id=HOSTILE),),
        keywords=(HOSTILE, "-1", "@x"),
        why_stopped=HOSTILE,
        status="TERMINATED",
        inclusion=(HOSTILE,),
        exclusion=(HOSTILE,),
        eligibility=HOSTILE,
        arms=(Arm(label=HOSTILE, description=HOSTILE),),
        interventions=(Intervention(name=HOSTILE, description=HOSTILE, other_names=(HOSTILE,)),),
        outcomes=(Outcome(measure=HOSTILE, time_frame=HOSTILE),),
        sites=(Site(name=HOSTILE, city=HOSTILE, country=HOSTILE),),
        sponsor=HOSTILE,
        collaborators=(HOSTILE,),
    )


def _contacts(number: int) -> Trial:
    return Trial(
        id=_id(number),
        title="Rest or movement after a broken wrist",
        source="example",
        summary="Adults with a broken wrist are drawn by lot to rest it or to move it early.",
        conditions=("Wrist Fracture",),
        status="RECRUITING",
        contacts=(CONTACT,),
        officials=(CONTACT,),
        sites=(Site(name="Example Hospital", city="Porto", country="Portugal", contacts=(CONTACT,)),),
        raw={"contact": {"name": CONTACT.name, "phone": CONTACT.phone, "email": CONTACT.email}},
    )


def _many_sites(number: int) -> Trial:
    states: tuple[Status | None, ...] = ("RECRUITING", "COMPLETED", None)
    sites = tuple(
        Site(name=f"Site {i}", city=f"City {i}", country=_COUNTRIES[i % len(_COUNTRIES)], status=states[i % 3])
        for i in range(300)
    )
    return Trial(
        id=_id(number),
        title="One tablet or two for high blood pressure",
        source="example",
        conditions=("Hypertension",),
        status="ACTIVE_NOT_RECRUITING",
        phases=("PHASE2", "PHASE3"),
        enrollment=12000,
        sites=sites,
    )


def _scripts(number: int) -> Trial:
    return Trial(
        id=_id(number),
        title="Étude 狼疮性肾炎 Волчаночный нефрит التهاب الكلية 👩🏽‍⚕️ e\u0301",
        source="example",
        summary="ループス腎炎の患者。 Größe ≥ 1,5 µg/mL, p < 0.05.",
        conditions=("Lupus érythémateux disséminé",),
        sites=(Site(name="中山医院", city="Guangzhou", country="China"), Site(city="São Paulo", country="Brazil")),
    )


def _long(number: int) -> Trial:
    text = " ".join(sample_texts(60, seed=2))
    return Trial(
        id=_id(number),
        title=text[:400],
        source="example",
        summary=text,
        description="x" * 5000,
        conditions=tuple(_CONDITIONS),
        inclusion=tuple(sample_texts(40, seed=3)),
        exclusion=tuple(sample_texts(40, seed=4)),
    )


_EDGES = (_bare, _no_age_bounds, _newborns, _hostile, _contacts, _many_sites, _scripts, _long)


def _ordinary(number: int, rng: random.Random) -> Trial:
    condition, treatment = rng.choice(_CONDITIONS), rng.choice(_TREATMENTS)
    phase: Phase = rng.choice(("PHASE1", "PHASE2", "PHASE3", "PHASE4"))
    sex: Sex = rng.choice(("ALL", "ALL", "ALL", "FEMALE", "MALE"))
    status = rng.choice(STATUSES)
    start = f"{rng.randint(2005, 2025)}-{rng.randint(1, 12):02}"
    return Trial(
        id=_id(number),
        title=f"{treatment.capitalize()} for {condition}",
        source="example",
        summary=" ".join(_sentence(rng) for _ in range(3)),
        conditions=(condition,),
        study_type="INTERVENTIONAL",
        phases=(phase,),
        status=status,  # type: ignore[arg-type]
        sex=sex,
        minimum_age=float(rng.choice((2, 12, 18, 18, 50))),
        maximum_age=rng.choice((None, 65.0, 80.0)),
        enrollment=rng.randint(8, 900),
        inclusion=(_sentence(rng), _sentence(rng)),
        exclusion=(_sentence(rng),),
        interventions=(Intervention(name=treatment, type="DRUG"),),
        outcomes=(Outcome(measure=rng.choice(_OUTCOMES), time_frame="6 months"),),
        sites=(Site(name="Example Hospital", city="Exampleton", country=rng.choice(_COUNTRIES), status="RECRUITING"),),
        sponsor="Example University",
        start_date=TrialDate(date=start),
    )


# --- sentences ------------------------------------------------------------------------------------------------------


def _sentence(rng: random.Random) -> str:
    return rng.choice(_SENTENCES).format(
        condition=rng.choice(_CONDITIONS),
        other=rng.choice(_CONDITIONS),
        degree=rng.choice(_DEGREES),
        treatment=rng.choice(_TREATMENTS),
        control=rng.choice(_CONTROLS),
        people=rng.choice(_PEOPLE),
        outcome=rng.choice(_OUTCOMES),
        number=rng.randint(2, 90),
        dose=rng.choice((5, 10, 25, 50, 100, 375, 1000)),
    )


_SENTENCES = (
    "We compare {treatment} with {control} in {people} who have {degree} {condition}.",
    "{people} with {condition} receive {treatment} for {number} weeks.",
    "Half of them take {treatment} at {dose} mg a day, the other half {control}.",
    "What we look at first is {outcome} after {number} weeks.",
    "Anyone with {degree} {condition} that came back after {treatment} can join.",
    "People who also have {other}, or who were given {treatment} in the last {number} days, cannot take part.",
    "It is not known whether {treatment} helps when {condition} and {other} occur together.",
    "A doctor has confirmed {condition} by biopsy, imaging or a blood test within {number} months.",
    "Blood is drawn on days 1, 8 and {number} to follow the amount of {treatment} in the body.",
    "My mother has {degree} {condition}; she was treated with {treatment} and it stopped working.",
    "The patient is a {number}-year-old with {condition}, on {treatment}, who now shows signs of {other}.",
    "Kidney function must be an eGFR above {number} mL/min/1.73 m2 and platelets above {dose} x 10^9/L.",
    "An open-label study of {dose} mg of {treatment} given by vein every {number} days.",
    "The second aim is to see how {outcome} differs between {people} and others.",
    "Charts of {people} with {condition} seen over {number} years are reviewed; nobody is treated for the study.",
)
_DEGREES = (
    "severe",
    "mild",
    "refractory",
    "newly diagnosed",
    "chronic",
    "early",
    "recurrent",
    "stage IV",
    "long-standing",
)
_CONDITIONS = (
    "lupus nephritis",
    "systemic lupus erythematosus",
    "IgA nephropathy",
    "rheumatoid arthritis",
    "multiple sclerosis",
    "Crohn's disease",
    "type 2 diabetes",
    "type 1 diabetes",
    "non-small cell lung cancer",
    "HER2-positive breast cancer",
    "acute myeloid leukaemia",
    "diffuse large B-cell lymphoma",
    "glioblastoma",
    "prostate cancer",
    "pancreatic cancer",
    "melanoma",
    "heart failure with reduced ejection fraction",
    "atrial fibrillation",
    "ischaemic stroke",
    "hypertension",
    "asthma",
    "COPD",
    "cystic fibrosis",
    "sickle cell disease",
    "haemophilia A",
    "Duchenne muscular dystrophy",
    "Parkinson's disease",
    "Alzheimer's disease",
    "major depressive disorder",
    "schizophrenia",
    "opioid use disorder",
    "migraine",
    "epilepsy",
    "hepatitis B",
    "HIV infection",
    "tuberculosis",
    "malaria",
    "COVID-19",
    "sepsis",
    "pre-eclampsia",
    "endometriosis",
    "atopic dermatitis",
    "psoriasis",
    "knee osteoarthritis",
    "osteoporosis",
    "glaucoma",
    "end-stage kidney disease",
    "obesity",
    "insomnia",
    "autism spectrum disorder",
)
_TREATMENTS = (
    "rituximab",
    "belimumab",
    "mycophenolate mofetil",
    "cyclophosphamide",
    "methotrexate",
    "pembrolizumab",
    "trastuzumab",
    "carboplatin",
    "metformin",
    "insulin glargine",
    "semaglutide",
    "dapagliflozin",
    "apixaban",
    "aspirin",
    "atorvastatin",
    "salbutamol",
    "dupilumab",
    "levetiracetam",
    "levodopa",
    "sertraline",
    "cognitive behavioural therapy",
    "a home exercise programme",
    "acupuncture",
    "stem cell transplantation",
    "CAR T cells",
    "natural killer cells",
    "radiotherapy",
    "laparoscopic surgery",
    "deep brain stimulation",
    "vitamin D",
    "an mRNA vaccine",
    "a smartphone diary",
)
_CONTROLS = ("placebo", "standard care", "no treatment", "a waiting list", "the same drug by mouth", "sham stimulation")
_PEOPLE = (
    "Adults",
    "Children aged 2 to 11",
    "Adolescents",
    "Pregnant women",
    "Men over 50",
    "Older adults in care homes",
    "Premature infants",
    "Healthy volunteers",
    "Women after menopause",
    "Veterans",
    "Kidney transplant recipients",
)
_OUTCOMES = (
    "overall survival",
    "pain on a scale of 0 to 10",
    "time to the next relapse",
    "complete renal response",
    "HbA1c",
    "quality of life",
    "the number of hospital stays",
    "walking distance in six minutes",
    "serious adverse events",
    "systolic blood pressure",
    "forced expiratory volume in one second",
    "sleep at night",
)
_COUNTRIES = ("France", "Portugal", "Japan", "Kenya", "Brazil", "United States", "India", "Türkiye", "Australia")
