"""The built-in writer, on made-up trials of every kind: what a reader sees."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from support.plain_cases import KINDS, SECTIONS, all_slips, grade, sentences, slips, trial
from support.plain_facts import Facts
from trialindex.errors import WriterError
from trialindex.plugin.registry import Plugins
from trialindex.plugin.trial_page import Plain
from trialindex.trial import Arm, Intervention, Outcome, SeriousEvents, Site, Trial
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()
BLANK = {
    field.name: "x" if field.default is msgspec.NODEFAULT else field.default for field in msgspec.structs.fields(Trial)
}


def told(section: str = "summary", **fields: Any) -> list[str]:
    """The sentences of one section."""
    plain = WRITER.write(trial(**fields))
    if section == "headline":
        return [plain.headline.text]
    return [sentence.text for sentence in getattr(plain, section)]


def kind(name: str, section: str) -> str:
    return " ".join(sentence.text for sentence in getattr(WRITER.write(KINDS[name]), section))


# --- what a reader sees ---------------------------------------------------------------------------------------------


def test_a_drug_trial_in_plain_words() -> None:
    plain = WRITER.write(KINDS["drug"])
    assert plain.writer == "plain"
    assert plain.headline.text == "Zorubicin against placebo in 358 adults with gouty arthritis: a late-stage study"
    assert [sentence.text for sentence in plain.summary] == [
        "This late-stage study (phase 3) tests zorubicin against placebo in adults with gouty arthritis.",
        "It is for people of any sex aged from 18 to 75 years, at 2 sites in France and Belgium; the plan is for 358.",
        "Its aim is treatment, and it mainly looks at pain.",
    ]
    assert [sentence.text for sentence in plain.substance] == [
        "The registered drug is zorubicin, also called ZB-12 and Zorub."
    ]
    assert [sentence.text for sentence in plain.could_lead_to] == [
        "Whatever they turn out to be, its results could inform treatment; its topic is gouty arthritis.",
        "A phase 3 study is a larger test of safety and effect; what regulators decide is another matter.",
        "The first main measure is “Change in pain at week 12”, over this time: “12 weeks”.",
        "No results are posted in the registry.",
    ]
    assert [sentence.text for sentence in plain.could_go_wrong] == [
        "Even at this late stage, rare side effects may not be known, and it may turn out not to work.",
        "Chance decides who gets what in the 2 groups; nobody can choose.",
        "Some people get a placebo, which holds no active substance.",
        "Those who take part are not told which treatment they get.",
        "With 358 people, harms that are rare can still be missed.",
        "No results are posted, so no harms are registered.",
    ]
    assert "placebo" in {explanation.term for explanation in plain.glossary}


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("device", "StepSense Insole in 358 adults with gouty arthritis: a treatment study"),
        ("behavioural", "Group counselling in 358 adults: a treatment study on smoking cessation"),
        ("observational", "Pain in 358 adults with gouty arthritis: an observational study"),
        ("expanded access", "Zorubicin for adults with gouty arthritis: access outside a trial"),
        ("withdrawn", "Zorubicin against placebo in adults with gouty arthritis: a late-stage study"),
        ("children", "Zorubicin against placebo in 1 girl with gouty arthritis: a late-stage study"),
        ("healthy", "Zorubicin against placebo in 24 men: an early-stage study on gouty arthritis"),
        ("one group", "Zorubicin in 12 adults with gouty arthritis: an early to mid-stage study"),
        ("compared", "Zorubicin against tacumab in 358 adults with gouty arthritis: a late-stage study"),
        ("bare", "Study in people; topic not stated"),
    ],
)
def test_headlines_of_every_kind(name: str, headline: str) -> None:
    assert WRITER.write(KINDS[name]).headline.text == headline


def test_what_is_not_stated_is_said() -> None:
    plain = WRITER.write(KINDS["bare"])
    assert [sentence.text for sentence in plain.summary] == [
        "This study (phase and type not stated) looks at something that is not stated, in people; "
        "the condition is not stated.",
        "It is for people (sex and age limits not stated); how many and where are not stated.",
        "What it mainly looks at is not stated; its aim is not stated.",
    ]
    assert plain.substance[0].text == "The active substance is not stated."
    assert plain.substance[0].fields == ("interventions",)
    assert all("not " in sentence.text for sentence in sentences(plain))


@pytest.mark.parametrize(
    ("name", "section", "sentence"),
    [
        ("device", "substance", "No drug or biological product is registered; what is: StepSense Insole."),
        ("device", "could_go_wrong", "Some people get a sham, which only looks like the real thing."),
        ("behavioural", "could_go_wrong", "One group or more gets none of what is tested."),
        ("behavioural", "could_go_wrong", "Everybody knows who gets what, which can colour how results are judged."),
        ("observational", "could_go_wrong", "No treatment is assigned: the study watches, and what it finds may have"),
        ("expanded access", "could_go_wrong", "The treatment is given outside a trial, so nothing is compared"),
        ("expanded access", "could_lead_to", "This gives access to a treatment; it is not set up to find out more"),
        ("withdrawn", "could_go_wrong", "withdrawn before it began; the reason given: “No funding”."),
        ("withdrawn", "summary", "nobody was included; where is not stated."),
        ("stopped", "could_go_wrong", "The study was stopped early; the reason given: “The board advised it”."),
        ("stopped", "summary", "; 1 was included."),
        ("children", "summary", "It is for girls aged from 6 months to 11 years,"),
        ("healthy", "summary", "; healthy people may join."),
        ("one group", "could_go_wrong", "At this early to middle stage, much may still be unknown about side effects."),
        ("one group", "could_go_wrong", "There is one group without a comparison, so effects are harder to tell."),
        ("one group", "could_go_wrong", "With 12 people it is small: results can be due to chance"),
        ("compared", "summary", "at 5 sites in the United States, the Republic of Korea and 2 more countries"),
        ("with results", "could_go_wrong", "In the group “Zorubicin”, 3 of 180 had a serious adverse event."),
        ("results, masked", "could_go_wrong", "Results are posted; the harms in them are not stated by group."),
    ],
)
def test_each_kind_says_what_matters(name: str, section: str, sentence: str) -> None:
    assert sentence in kind(name, section)


def test_malformed_results_are_left_out() -> None:
    assert "Odd" not in kind("with results", "could_go_wrong"), "9 of 4 had an event"
    for events in (SeriousEvents(), SeriousEvents(affected=0, at_risk=0), SeriousEvents(affected=2)):
        assert "are not stated by group" in told("could_go_wrong", serious_events=(events,), has_results=True)[-1]


def test_many_groups_of_the_results_are_counted() -> None:
    groups = tuple(SeriousEvents(group=f"G{n}", affected=n, at_risk=9) for n in range(5))
    *_, third, more = told("could_go_wrong", serious_events=groups, has_results=True)
    assert third == "In the group “G2”, 2 of 9 had a serious adverse event."
    assert more == "Serious adverse events are registered for 2 more groups too."


# --- details --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"phases": ("EARLY_PHASE1",)}, "This very early study (early phase 1) tests"),
        ({"phases": ("PHASE2", "PHASE3")}, "This mid- to late-stage study (phase 2 and 3) tests"),
        ({"phases": ("PHASE4",)}, "This after-approval study (phase 4) tests"),
        ({"phases": ()}, "This study (phase not stated) tests"),
        ({"maximum_age": None}, "aged 18 years and older"),
        ({"minimum_age": None}, "aged up to 75 years"),
        ({"minimum_age": 0.0, "maximum_age": None}, "people of any sex of any age"),
        ({"minimum_age": 0.5, "maximum_age": 0.75}, "aged from 6 to 9 months"),
        ({"sex": "FEMALE"}, "It is for women aged"),
        ({"sex": "MALE", "minimum_age": 12.0}, "It is for men and boys aged"),
        ({"sex": None}, "It is for people aged from 18 to 75 years (sex not stated)"),
        ({"sites": (Site(name="A hospital"),)}, "at 1 site, country not stated;"),
        ({"sites": (Site(city="Banjul", country="Gambia, The"),)}, "at 1 site in the Gambia;"),
        ({"sites": (Site(country="Gambia, The"),)}, "aged from 18 to 75 years, in the Gambia;"),
        ({"sites": (Site(name="A hospital", country="Peru"), Site(country="Chile"))}, "years, in Peru and Chile;"),
        ({"enrollment": 12345}, "the plan is for 12,345"),
        ({"enrollment_type": None}, "the number given is 358"),
        ({"outcomes": ()}, "Its aim is treatment; what it mainly looks at is not stated."),
        ({"outcomes": (Outcome(measure="Zonk of the (left) knee."),)}, "mainly looks at “Zonk of the knee”."),
        ({"outcomes": (Outcome(measure="Pain"), Outcome(measure="Zonk"))}, "looks at pain, among other things."),
        ({"conditions": ("Gouty Arthritis", "Pain", "PAIN")}, "gouty arthritis (1 more condition is listed)."),
        ({"conditions": ("Healthy Volunteers",)}, "in healthy adults."),
        ({"conditions": ("Dermatitis, Atopic",)}, "in adults with atopic dermatitis."),
        ({"conditions": ("Crohn's Disease",)}, "in adults with Crohn's disease."),
        ({"conditions": ("B" + "o" * 300,)}, "its topic is “Booo"),
        ({"conditions": ()}, "; the condition is not stated."),
    ],
)
def test_details_of_the_summary(fields: dict[str, Any], said: str) -> None:
    assert said in " ".join(told(**fields))


@pytest.mark.parametrize(
    ("names", "headline"),
    [
        (("rPhleum",), "rPhleum in 358 adults"),
        (("Zorubicin (ZB-12) [trade name]",), "Zorubicin in 358 adults"),
        (("Vitamin A",), "Vitamin A in 358 adults"),
        (("A", "B", "C", "D"), "A, B and 2 more in 358 adults"),
        (("Zorubicin", "ZORUBICIN"), "Zorubicin in 358 adults"),
        (("z" * 80,), "A drug in 358 adults"),
        (
            ("Zorubicin 5 mg: given once a day, in the morning, for as long as a person can bear it",),
            "Zorubicin 5 mg in",
        ),
        (("Xolair®.",), "Xolair in 358 adults"),
        (("((",), "A drug in 358 adults"),
    ],
)
def test_names_are_cut_to_what_names(names: tuple[str, ...], headline: str) -> None:
    interventions = tuple(Intervention(name=name, type="DRUG") for name in names)
    assert told("headline", interventions=interventions, arms=())[0].startswith(headline)


@pytest.mark.parametrize(
    ("measure", "phrase"),
    [
        ("Maximum Observed Serum Concentration (Cmax)", "how the drug moves through the body"),
        ("Serum level of total IgA", "antibodies"),
        ("Change in IGA score", "skin signs of the illness"),
        ("30-day point prevalence abstinence", "drug, drink or tobacco use"),
        ("Prevalence of asthma", "how common it is"),
        ("Overall survival (OS)", "how long people live"),
        ("Graft survival", ""),
        ("Pulmonary hypertension", ""),
        ("Oxidative stress", ""),
        ("Hearing threshold", ""),
        ("Diagnosis of IgE-mediated food allergy", ""),
        ("Knowledge of anaphylaxis", ""),
        ("Probability of immune response", ""),
        ("Headache AUC on the day", ""),
        ("Number of CAR T cells made", ""),
        ("Weight-bearing at week 6", ""),
    ],
)
def test_a_plain_phrase_is_said_only_of_the_thing_itself(measure: str, phrase: str) -> None:
    said = told(outcomes=(Outcome(measure=measure),))[-1]
    assert said == f"Its aim is treatment, and it mainly looks at {phrase or f'“{measure}”'}."


def test_what_both_groups_get_is_not_what_is_tested() -> None:
    names = ("Rest", "Zorubicin")
    arms = (
        Arm(label="A", type="EXPERIMENTAL", interventions=names),
        Arm(label="B", type="ACTIVE_COMPARATOR", interventions=("Rest",)),
    )
    interventions = tuple(Intervention(name=name, type="DRUG") for name in names)
    said = told(interventions=interventions, arms=arms)[0]
    assert "tests Rest and zorubicin in adults" in said, "no comparison can be named, so both are"
    said = told(interventions=(*interventions, Intervention(name="Placebo")), arms=(*arms, KINDS["drug"].arms[1]))[0]
    assert "tests zorubicin against placebo in adults" in said


def test_a_headline_keeps_what_matters_most() -> None:
    long = "Recurrent Basal Cell Carcinoma of the Head and Neck"
    (said,) = told("headline", conditions=(long,))
    assert said == "Zorubicin in 358 adults with recurrent basal cell carcinoma of the head and neck"


# --- what holds for all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_right_and_readable(name: str) -> None:
    plain = WRITER.write(KINDS[name])
    facts = Facts(KINDS[name], plain)
    assert facts.checked > 5
    assert facts.wrong == []
    assert list(all_slips(KINDS[name], plain)) == []
    assert len(plain.summary) == 3
    assert all(getattr(plain, section) for section in SECTIONS)
    assert grade(KINDS[name], plain) <= 11


@pytest.mark.parametrize("name", KINDS)
def test_a_sentence_comes_from_its_fields_and_from_no_other(name: str) -> None:
    assert_fields_hold(KINDS[name])


def assert_fields_hold(record: Trial, *, telling: bool = True) -> None:
    """Without the other fields each sentence is the same; without one of its own it is not.

    :param telling: false for a record with fields that are filled and say nothing, such as a name of two brackets.
    """
    plain = WRITER.write(record)
    for section in ("headline", *SECTIONS):
        for sentence in _section(plain, section):
            assert sentence.fields, sentence.text
            others = [name for name in BLANK if name not in sentence.fields]
            assert sentence.text in _texts(_without(record, *others), section), (sentence, others)
            for field in sentence.fields:
                if telling and getattr(record, field) != BLANK[field]:
                    assert sentence.text not in _texts(_without(record, field), section), (sentence, field)


def _without(record: Trial, *fields: str) -> Trial:
    return msgspec.structs.replace(record, **{field: BLANK[field] for field in fields})


def _section(plain: Plain, section: str) -> list[Any]:
    return [plain.headline] if section == "headline" else list(getattr(plain, section))


def _texts(record: Trial, section: str) -> list[str]:
    return [sentence.text for sentence in _section(WRITER.write(record), section)]


@pytest.mark.parametrize("name", KINDS)
def test_it_says_the_same_every_time(name: str) -> None:
    assert WRITER.write(KINDS[name]) == PlainWriter().write(KINDS[name])


def test_contacts_say_nothing() -> None:
    record = KINDS["with results"]
    assert WRITER.write(record.masked()).summary == WRITER.write(record).summary


# --- the plugin -----------------------------------------------------------------------------------------------------


def test_it_is_found_by_name() -> None:
    assert Plugins().writers.get("plain") is PlainWriter


def test_it_takes_no_argument() -> None:
    with pytest.raises(WriterError, match='"plain" takes no argument, got "x"'):
        PlainWriter("x")


def test_importing_the_package_loads_no_writer() -> None:
    code = "import sys, trialindex_writers; print([m for m in sys.modules if m.startswith('trialindex_writers.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the checks notice ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("358 adults", "385 adults"),
        ("late-stage", "mid-stage"),
        ("(phase 3)", "(phase 2)"),
        ("zorubicin against", "zorubicon against"),
        ("against placebo", "against a sham treatment"),
        ("in adults", "in children"),
        ("in adults", "in 9 adults"),
        ("gouty arthritis", "gouty arthrosis"),
        ("any sex", "one sex"),
        ("people of any sex", "women"),
        ("18 to 75", "18 to 57"),
        ("75 years", "75 months"),
        ("2 sites", "3 sites"),
        ("Belgium", "Brazil"),
        ("France and Belgium", "France"),
        ("the plan is for 358", "358 were included"),
        ("treatment, and", "prevention, and"),
        ("at pain", "at side effects"),
        ("tests", "looks at"),
        ("the plan", "healthy people may join; the plan"),
    ],
)
def test_the_check_of_facts_would_notice(right: str, wrong: str) -> None:
    record = KINDS["drug"]
    plain = WRITER.write(record)
    assert any(right in sentence.text for sentence in (plain.headline, *plain.summary))
    swap = [
        msgspec.structs.replace(sentence, text=sentence.text.replace(right, wrong))
        for sentence in (plain.headline, *plain.summary)
    ]
    changed = msgspec.structs.replace(plain, headline=swap[0], summary=tuple(swap[1:]))
    assert Facts(record, changed).wrong


@pytest.mark.parametrize(
    "text",
    [
        "It is for 1 adults.",
        "It is phase phase 3.",
        "It ends..",
        "It ends, .",
        "It has  two spaces.",
        "It is made of.",
        "It is a study in; it is large.",
        "It is (open.",
        "It is None.",
        "",
        ".",
        "It is an study.",
        "It is a event.",
        "it is small.",
        "It has no end",
        "It is “quoted.",
        "It is NOT_STATED.",
    ],
)
def test_the_sweep_for_slips_would_notice(text: str) -> None:
    assert slips(text, KINDS["drug"])
    assert not slips("It is a study in 1 adult, of 2 sites.", KINDS["drug"])
