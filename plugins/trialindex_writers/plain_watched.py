"""Studies that only look: what they look at, and the question that a headline asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trialindex.trial import Trial
from trialindex_writers.plain_aim import measures
from trialindex_writers.plain_allergens import allergen
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_kinds import Kind, kind_in
from trialindex_writers.plain_measures import plain_phrase
from trialindex_writers.plain_record import remembered
from trialindex_writers.plain_told import TESTS, exact_kind, is_cancer, is_looking, tested

_NO_TREATMENT = {
    *("milk", "peanut", "food", "baked milk or egg", "vitamin or mineral", "diet", "friendly bacteria", "skin cream"),
    *("things in the air or soil", "look inside with a tube", "stem cells", "help to change habits", "surgery"),
    *("lab-made protein", "targeted drug", "questions", "natural killer cells", "herbal medicine", "exercise"),
    *("drinking water", "coaching", "advice", "scan marker", "antibody", "vaccine"),
    *("blood protein", "lab-made enzyme"),
}
"""Kinds that a title may name without anybody being treated with them."""
_CAUSE = re.compile(
    r"induced|reactions? to|allerg\w+ to|hypersensitiv\w+ to|sensiti[sz]ed to|side[- ]effect|toxicity|adverse"
    r"|failure of|prior to|before|candidate",
    re.IGNORECASE,
)

_GIVEN = re.compile(
    r"treat|therap|receiv|\bus(?:e|ing|ers?) of\b|undergo|respon(?:se|d)|efficac|effective|\bsafety|\boutcomes?\b"
    r"|registry|patients? on\b|administ|vaccinat|desensiti|immunotherap|surg",
    re.IGNORECASE,
)
"""Words of a title that tell that people get what it names."""


@remembered
def treated(trial: Trial) -> bool:
    """Whether what an observational study names is a treatment, and no sample or test."""
    return any(not is_looking(one) for one in tested(trial))


@remembered
def in_title(trial: Trial) -> Kind | None:
    """The treatment that a title names, of a study that registers none."""
    if trial.study_type != "OBSERVATIONAL" or any(one.kind and one.kind.noun != "samples" for one in tested(trial)):
        return None
    titles = f"{trial.title} {trial.official_title or ''}"
    for title in (trial.title, trial.official_title or ""):
        shut = _CAUSE.search(title) or _NOT_HERE.search(f"{titles} {trial.summary or ''}") or not _GIVEN.search(title)
        found = None if shut else kind_in(title, "nd", cancer=is_cancer(trial))
        if found and found.noun not in _NO_TREATMENT | TESTS:
            illness = about(trial)
            return exact_kind(found, allergen(illness.name) if illness else "")
    return None


@remembered
def test(trial: Trial) -> str:
    """The test that a study looks at: what it registers, or what its title names; empty if neither does."""
    for one in tested(trial):
        if one.kind and one.kind.noun in TESTS and one.kind.noun != "samples":
            return one.kind.alone
    titles = f"{trial.title} {trial.official_title or ''}"
    return next((name for name, rule in _TESTS if rule.search(titles)), "")


_TESTS = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            "a blood test",
            r"basophil activation|mast cell activation test|\bIgE\b.{0,30}(?:assay|test|measure)|lymphocyte",
        ),
        ("a blood test", r"component[- ]resolved|microarray|\bserum|plasma|blood|flow cytometry|ELISA"),
        ("a skin test", r"skin[- ](?:prick|test)|prick[- ]test|patch test"),
        ("an allergy test under watch", r"challenge|provocation"),
        ("a breath test", r"nitric oxide|exhaled|breath"),
        ("a scan", r"\bMRI\b|magnetic resonance|tomograph|ultrasound|imaging|radiolog"),
        ("a set of questions", r"questionnaire|score\b|scale\b|screening tool|algorithm"),
    )
)
_CUES: tuple[tuple[str, str], ...] = (
    (r"prevalence|epidemiolog|how common|frequency of", "How common is {ill}?"),
    (r"incidence", "How many people get {ill}?"),
    (r"risk factors?", "What raises the risk of {ill}?"),
    (r"prognos|foretell", "What foretells how {with_ill} will fare?"),
    (r"genetic|genom|gene\b|genes\b|polymorphism|transcript|\bmRNA\b|mutation", "What can genes tell about {ill}?"),
    (r"microbio|metagenom|bacteri", "What can germs in the body tell about {ill}?"),
    (r"psycholog|anxiety|depress|stress", "What does the mind have to do with {ill}?"),
    (r"quality of life|burden of", "A look at everyday life with {ill}"),
    (
        r"basophil|eosinophil(?!ic)|cytomet|lymphocyt|\bT[- ]cell|\bB[- ]cell|neutrophil|mast cell|monocyte|\bNK\b",
        "What can immune cells tell about {ill}?",
    ),
    (r"\bIgE\b(?!-)|\bIgG|antibod|epitope", "What can antibodies tell about {ill}?"),
    (
        r"biomarker|cytokine|serum|plasma|interleukin|\bmarker|signature",
        "What can signs in the body tell about {ill}?",
    ),
    (r"inflammat|phenotyp|endotyp|immun(?!other)|pathogen|mechanism", "A look at what happens in the body in {ill}"),
    (r"knowledge|\battitude|(?<![\w-])awareness|literacy", "What do people know and think about {ill}?"),
    (r"adheren", "Do {with_ill} keep to their treatment?"),
    (r"survey|questionnaire|preference|perception|perspective", "What do people say about {ill}?"),
    (r"treatment patterns?|practice pattern|prescri", "How is {ill} treated in everyday care?"),
    (r"registry|natural history|follow-?up|long[- ]term|outcome|course", "How do {with_ill} fare over time?"),
    (r"associat|correlat|relation|\blink\b|comorbid", "What goes along with {ill}?"),
)
_BY_MEASURE = {
    "antibodies": "What can antibodies tell about {ill}?",
    "cells of the immune system": "What can immune cells tell about {ill}?",
    "signs in the blood or tissue": "What can signs in the body tell about {ill}?",
    "bacteria in or on the body": "What can germs in the body tell about {ill}?",
    "genes": "What can genes tell about {ill}?",
    "how the immune system reacts": "How does the immune system react in {ill}?",
    "how common it is": "How common is {ill}?",
    "quality of life": "A look at everyday life with {ill}",
    "which treatments people get": "How is {ill} treated in everyday care?",
    "what people know": "What do people know about {ill}?",
    "how long people live": "How long do {with_ill} live?",
    "how well a test works": "A look at a test in {ill}",
    "what a scan shows": "A look at scans in {ill}",
    "how well the lungs work": "How well do the lungs work in {ill}?",
    "flare-ups of the illness": "How often does {ill} flare up?",
    "allergic reactions": "A look at allergic reactions in {ill}",
    "skin tests": "A look at skin tests in {ill}",
    "pain": "A look at pain in {ill}",
    "symptoms": "A look at the symptoms of {ill}",
    "headache attacks": "A look at attacks of {ill}",
    "low mood": "A look at mood in {ill}",
    "sleep": "A look at sleep in {ill}",
}
_COMMON = {"How common is {ill}?", "How many people get {ill}?"}
"""Questions that make no sense where everybody who takes part has the illness."""
_ACCURACY = re.compile(r"diagnos|accura|validat|sensitivity and specific|predictive value", re.IGNORECASE)
_NOT_HERE = re.compile(r"\bmice\b|\bmouse\b|\bin vitro\b|ex vivo|collect blood|blood samples|animal", re.IGNORECASE)
"""Titles of studies that take only samples of people."""
_PREDICTS = re.compile(r"predict|prognos|foretell", re.IGNORECASE)


_VAGUE = re.compile(
    r"(?:an?|two|three|four|five|six|several) (?:new )?(?:treatment|drug|biological|device|procedure|test|behaviou?r"
    r"|food supp|genetic|instrument|airway test|radiation)",
)
"""Names that tell nothing of a treatment."""


def with_illness(ill: str) -> str:
    """``people with asthma``, ``people who smoke``."""
    return {"smoking": "people who smoke", "vaping": "people who vape"}.get(ill, f"people with {ill}")


def watched(trial: Trial, names: list[str], illness: list[str]) -> Iterator[str]:
    """Questions that an observational study asks, the most telling first.

    :param names: what a headline may call the treatments.
    :param illness: what it may call the illness.
    """
    found = about(trial)
    had = bool(found and found.had)
    titles = f"{trial.title} {trial.official_title or ''}"
    kind = in_title(trial)
    if not treated(trial):
        names = []
        for ill in illness if kind else ():
            yield f"A look at {kind.noun if kind.mass else kind.alone} and {ill}" if kind else ""
        if test(trial) and _ACCURACY.search(titles):
            for ill in illness:
                yield f"How well can {test(trial)} show {ill}?"
    for name in names:
        for ill in illness:
            yield (
                f"How do {with_illness(ill)} fare with {name}?" if had else f"How do people fare with {name} for {ill}?"
            )
    for text in _questions(trial, titles):
        for ill in illness if not (found and repeats(text, found.name)) else ():
            yield text.format(ill=ill, with_ill=with_illness(ill))
    for ill in illness:
        yield f"A look at {with_illness(ill)}" if had else f"What can be learnt about {ill}?"
    for name in names:
        yield f"How do people fare with {name}?"


def repeats(text: str, name: str) -> bool:
    """Whether a phrase holds a word of the illness already: "allergic reactions in allergic-like reactions"."""
    if "flare" in text and re.search(r"attack|flare|exacerbation", name):
        return True
    words = {word for word in re.findall(r"[a-z]{4,}", re.sub(r"\{\w+\}", "", text.lower())) if word not in _EMPTY}
    return not words.isdisjoint(re.findall(r"[a-z]{4,}", name.lower()))


_EMPTY = {"illness", "with", "that", "what", "people", "body", "does", "have", "well", "long", "many"}


def leading(trial: Trial) -> tuple[str, ...]:
    """Phrases for what a study looks at before all: its first main measure, or half of them, and not one of many."""
    main = [plain_phrase(o.measure) for o in trial.outcomes if o.kind == "primary" and o.measure.strip()]
    return tuple(phrase for phrase in measures(trial) if phrase == main[0] or main.count(phrase) * 2 >= len(main))


def _questions(trial: Trial, titles: str) -> Iterator[str]:
    """Questions with a gap for the illness: from the title, from the main measures, from the second title."""
    found = about(trial)
    had = bool(found and found.had)
    for title in (trial.title, trial.official_title or ""):
        if _PREDICTS.search(title) and (phrase := next(iter(measures(trial)), "")):
            clause = phrase.startswith(("how ", "whether ", "which ", "what "))
            yield (
                f"Can it be foretold {phrase}? A look at {{ill}}" if clause else f"Can {phrase} be foretold in {{ill}}?"
            )
        yield from (
            text
            for pattern, text in _CUES
            if re.search(pattern, title, re.IGNORECASE) and not (had and text in _COMMON)
        )
        yield from (
            _BY_MEASURE[phrase]
            for phrase in leading(trial)
            if phrase in _BY_MEASURE and not (had and _BY_MEASURE[phrase] in _COMMON)
        )
