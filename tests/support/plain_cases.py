"""What the tests of the writer of plain language share: its measure, its sweep for slips, and trials to tell of.

The rules of measure and sweep are those of docs/plain-language.md; nothing here uses the writer's own helpers.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.paths import SHARED
from trialindex.plugin.trial_page import PlainLanguage, Sentence
from trialindex.trial import Arm, Intervention, Outcome, SeriousEvents, Site, Term, Trial

STUDIES = SHARED / "ctgov-v2" / "studies.jsonl.gz"
needs_studies = pytest.mark.skipif(not STUDIES.is_file(), reason="the shared data are not here")

SECTIONS = ("summary", "substance", "could_lead_to", "could_go_wrong", "questions")


@cache
def real_trials(path: Path = STUDIES) -> tuple[Trial, ...]:
    """The real studies, read once a process."""
    from trialindex.trial.prepare import prepare
    from trialindex_ctgov.parse import parse_study

    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return tuple(prepare(parse_study(json.loads(line), "ctgov")) for line in lines)


def sentences(plain: PlainLanguage) -> list[Sentence]:
    """Every sentence, the headline first."""
    return [plain.headline, *(sentence for section in SECTIONS for sentence in getattr(plain, section))]


def read(plain: PlainLanguage) -> str:
    """Headline and summary as they are measured: the headline is a sentence."""
    return " ".join([f"{plain.headline.text}.", *(sentence.text for sentence in plain.summary)])


# --- names ----------------------------------------------------------------------------------------------------------

_PAUSE = re.compile(r"\s*(?:;|,|:|\.\s|\s[-–—]\s)\s*")
_WHOM = re.compile(r"\s+(?:in|of)\s+(?:the\s+)?(?:adult|child|infant|patient|people|subject|participant|teen)\w*$")
_WIDE = str.maketrans("（）［］，；：", "()[],;:")


def names(trial: Trial) -> list[str]:
    """The names of illnesses and treatments in the record, in every cut that may stand in a text, longest first."""
    registered = [*trial.conditions, *(term.name for term in trial.normalized_conditions)]
    for intervention in trial.interventions:
        registered += [intervention.name, *intervention.other_names]
    found: set[str] = set()
    for name in registered:
        line = " ".join(re.sub(r"[®™©\"“”„«»`*_|<>!?]", " ", name.translate(_WIDE)).split())
        bare = line
        for _ in range(3):
            bare = re.sub(r"\s*[(\[{][^()\[\]{}]*[)\]}]", "", bare)
        bare = re.sub(r"(?<=\w)\.(?=\s)|[()\[\]{}]", "", bare)
        parts = [part for part in _PAUSE.split(bare) if part]
        cuts = [line, bare, *parts[:1], " ".join(reversed(parts))]
        found |= {_WHOM.sub("", cut).strip(" .,;:-–—/+&=~'’‘\\") for cut in cuts}
        found |= {cut.strip(" .,;:-–—/+&=~'’‘\\") for cut in cuts}
    return sorted((name for name in found if len(name) > 1), key=len, reverse=True)


def without_names(text: str, trial: Trial, word: str = "illness") -> str:
    """The text with each name of the record replaced by one word of two syllables."""
    for name in names(trial):
        pattern = r"\s+".join(map(re.escape, name.split()))
        text = re.sub(rf"(?<!\w){pattern}(?!\w)", word, text, flags=re.IGNORECASE)
    return text


def grade(trial: Trial, plain: PlainLanguage) -> float:
    """The Flesch–Kincaid grade of headline and summary, names counted as one word of two syllables."""
    import textstat

    return float(textstat.flesch_kincaid_grade(without_names(read(plain), trial)))


# --- slips ----------------------------------------------------------------------------------------------------------

_SLIPS = {
    "one of many": r"(?<![\d,.])1 (?:adults|children|people|women|men|girls|boys|sites|countries|groups|conditions"
    r"|years|months|weeks|days|were)\b",
    "doubled word": r"\b(?!illness\b)(\w+) \1\b",
    "doubled mark": r"[.,;:]\s*[.,;:]|\?\.|  ",
    "space before a mark": r"\s[.,;:)]|\(\s",
    "dangling word": r"\b(?:of|in|with|for|and|or|at|to|against|from|on|by|the|an?)\s*(?:[.,;:)]|$)",
    "empty value": r"\b(?:None|nan|null|True|False)\b",
    "empty brackets": r"\(\s*\)|“\s*”|\{|\}",
    "a code": r"\b[A-Z]+_[A-Z0-9_]+\b",
    "a for an": r"\ba (?!illness)(?=[aeio])",
    "an for a": r"\ban (?![aeiou])",
}


def slips(text: str, trial: Trial, *, stop: bool = True) -> list[str]:
    """What is wrong with a sentence, the record's names and what is quoted from it apart."""
    plain = without_names(re.sub(r"“[^“”]+”", "“illness”", text), trial)
    found = [what for what, pattern in _SLIPS.items() if re.search(pattern, plain)]
    if not text.strip() or text != text.strip():
        found.append("empty or padded")
    if stop != text.endswith("."):
        found.append("full stop")
    if any(text.count(left) != text.count(right) for left, right in ("()", "[]", "“”")):
        found.append("unbalanced")
    if not re.match(r"[A-Z0-9]|[^\x00-\x7f]|[a-z]+[A-Z]|illness", text):
        found.append("small start")
    if "\n" in text or re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", text):
        found.append("control character")
    return found


def all_slips(trial: Trial, plain: PlainLanguage) -> Iterator[tuple[str, str]]:
    """Every slip, and the text that has it."""
    for sentence in sentences(plain):
        for slip in slips(
            sentence.text, trial, stop=sentence is not plain.headline and not sentence.text.endswith("?")
        ):
            yield slip, sentence.text
    if len(plain.headline.text) > 90:
        yield "long headline", plain.headline.text


# --- trials ---------------------------------------------------------------------------------------------------------


def trial(**fields: Any) -> Trial:
    """A late-stage drug trial against placebo; *fields* replace what it states."""
    return Trial(
        **{
            "id": "NCT00000001",
            "title": "Zorubicin for Ankle Gout",
            "study_type": "INTERVENTIONAL",
            "phases": ("PHASE3",),
            "status": "RECRUITING",
            "primary_purpose": "TREATMENT",
            "allocation": "RANDOMIZED",
            "intervention_model": "PARALLEL",
            "masking": "DOUBLE",
            "who_masked": ("PARTICIPANT", "INVESTIGATOR"),
            "enrollment": 358,
            "enrollment_type": "ESTIMATED",
            "sex": "ALL",
            "minimum_age": 18.0,
            "maximum_age": 75.0,
            "healthy_volunteers": False,
            "conditions": ("Gouty Arthritis",),
            "normalized_conditions": (Term(name="Arthritis, Gouty", id="MESH:D015210"),),
            "interventions": (
                Intervention(name="Zorubicin", type="DRUG", other_names=("ZB-12", "Zorub")),
                Intervention(name="Placebo", type="DRUG"),
            ),
            "arms": (
                Arm(label="A", type="EXPERIMENTAL", interventions=("Zorubicin",)),
                Arm(label="B", type="PLACEBO_COMPARATOR", interventions=("Placebo",)),
            ),
            "outcomes": (Outcome(measure="Change in pain at week 12", time_frame="12 weeks"),),
            "sites": (Site(city="Lyon", country="France"), Site(city="Ghent", country="Belgium")),
            "has_results": False,
            **fields,
        }
    )


KINDS: dict[str, Trial] = {
    "drug": trial(),
    "device": trial(
        phases=("NA",),
        interventions=(Intervention(name="StepSense Insole", type="DEVICE"),),
        arms=(
            Arm(label="A", type="EXPERIMENTAL", interventions=("StepSense Insole",)),
            Arm(label="B", type="SHAM_COMPARATOR"),
        ),
    ),
    "behavioural": trial(
        phases=("NA",),
        masking="NONE",
        who_masked=(),
        conditions=("Smoking Cessation",),
        interventions=(Intervention(name="Group Counselling", type="BEHAVIORAL"),),
        arms=(
            Arm(label="A", type="EXPERIMENTAL", interventions=("Group Counselling",)),
            Arm(label="B", type="NO_INTERVENTION"),
        ),
    ),
    "observational": trial(
        study_type="OBSERVATIONAL",
        phases=(),
        primary_purpose=None,
        allocation=None,
        intervention_model=None,
        masking=None,
        who_masked=(),
        interventions=(),
        arms=(),
    ),
    "expanded access": trial(
        study_type="EXPANDED_ACCESS",
        status="AVAILABLE",
        phases=(),
        primary_purpose=None,
        allocation=None,
        intervention_model=None,
        masking=None,
        who_masked=(),
        enrollment=None,
        enrollment_type=None,
        outcomes=(),
        arms=(),
        sites=(),
    ),
    "withdrawn": trial(status="WITHDRAWN", enrollment=0, enrollment_type="ACTUAL", why_stopped="No funding.", sites=()),
    "stopped": trial(status="TERMINATED", enrollment=1, enrollment_type="ACTUAL", why_stopped='The "board" advised it'),
    "children": trial(minimum_age=0.5, maximum_age=11.0, sex="FEMALE", enrollment=1),
    "healthy": trial(phases=("PHASE1",), healthy_volunteers=True, sex="MALE", maximum_age=45.0, enrollment=24),
    "one group": trial(
        phases=("PHASE1", "PHASE2"),
        allocation="NA",
        intervention_model="SINGLE_GROUP",
        masking="NONE",
        who_masked=(),
        enrollment=12,
        interventions=(Intervention(name="Zorubicin", type="DRUG"),),
        arms=(Arm(label="A", type="EXPERIMENTAL", interventions=("Zorubicin",)),),
    ),
    "compared": trial(
        interventions=(
            Intervention(name="Zorubicin", type="DRUG"),
            Intervention(name="Tacumab", type="BIOLOGICAL"),
            Intervention(name="Rest", type="OTHER"),
        ),
        arms=(
            Arm(label="A", type="EXPERIMENTAL", interventions=("Zorubicin", "Rest")),
            Arm(label="B", type="ACTIVE_COMPARATOR", interventions=("Tacumab", "Rest")),
        ),
        sites=tuple(
            Site(name="A hospital", country=c)
            for c in ("United States", "Korea, Republic of", "France", "Peru", "France")
        ),
    ),
    "with results": trial(
        has_results=True,
        serious_events=(
            SeriousEvents(group="Zorubicin", affected=3, at_risk=180),
            SeriousEvents(group="Placebo", affected=0, at_risk=1),
            SeriousEvents(group="Odd", affected=9, at_risk=4),
        ),
    ),
    "results, masked": trial(has_results=True),
    "bare": Trial(id="X-1", title="A study"),
}
"""One made-up trial of each kind."""
