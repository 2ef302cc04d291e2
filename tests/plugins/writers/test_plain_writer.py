"""The built-in writer, on made-up trials of every kind: what a reader sees."""

from __future__ import annotations

from typing import Any

import pytest

from support.plain_cases import KINDS, trial
from trialindex.trial import Arm, Intervention, Outcome, SeriousEvents, Site, Term
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()


def told(section: str = "summary", **fields: Any) -> list[str]:
    """The sentences of one section."""
    plain = WRITER.write(trial(**fields))
    if section == "headline":
        return [plain.headline.text]
    return [sentence.text for sentence in getattr(plain, section)]


def kind(name: str, section: str) -> str:
    return " ".join(sentence.text for sentence in getattr(WRITER.write(KINDS[name]), section))


def drug(name: str, **fields: Any) -> dict[str, Any]:
    """One drug in one arm."""
    return {
        "interventions": (Intervention(name=name, type="DRUG", **fields),),
        "arms": (Arm(label="A", type="EXPERIMENTAL", interventions=(name,)),),
        "allocation": "NA",
        "intervention_model": "SINGLE_GROUP",
    }


# --- what a reader sees ---------------------------------------------------------------------------------------------


def test_a_drug_trial_in_plain_words() -> None:
    plain = WRITER.write(KINDS["drug"])
    assert plain.writer == "plain"
    assert plain.headline.text == "Can zorubicin ease the pain of gouty arthritis? A test in 358 adults"
    assert [sentence.text for sentence in plain.summary] == [
        "This late-stage trial (phase 3) tests whether zorubicin can ease the pain of gouty arthritis.",
        "It plans for 358 adults aged 18 to 75 with gouty arthritis at 2 sites in France and Belgium; chance "
        "decides who gets zorubicin and who a placebo.",
        "It mainly looks at pain; it is open to new people.",
    ]
    assert [sentence.text for sentence in plain.substance] == ["The drug: zorubicin; also called Zorub."]
    assert [sentence.text for sentence in plain.could_lead_to] == [
        "A good result would speak for zorubicin as a way to ease the pain of gouty arthritis."
    ]
    assert [sentence.text for sentence in plain.could_go_wrong] == [
        "Zorubicin may turn out not to help, and rare side effects may show only later.",
        "Some get a placebo instead of zorubicin, and those who take part are not told which.",
    ]
    assert "placebo" in {explanation.term for explanation in plain.glossary}


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("device", "Can StepSense Insole ease the pain of gouty arthritis? A test in 358 adults"),
        ("observational", "A look at pain in gouty arthritis: 358 adults"),
        ("expanded access", "Zorubicin for gouty arthritis: access outside a trial"),
        ("withdrawn", "Zorubicin for gouty arthritis: called off before it began for lack of money"),
        ("stopped", "Zorubicin for gouty arthritis: stopped early"),
        ("children", "Can zorubicin ease the pain of gouty arthritis? A test in 1 girl"),
        ("one group", "Can zorubicin ease the pain of gouty arthritis? A test in 12 adults"),
        ("compared", "Can zorubicin, added to rest, ease the pain of gouty arthritis? A test in 358 adults"),
        ("bare", "A study in people"),
    ],
)
def test_headlines_of_every_kind(name: str, headline: str) -> None:
    assert WRITER.write(KINDS[name]).headline.text == headline


def test_what_is_not_stated_is_said_once() -> None:
    plain = WRITER.write(KINDS["bare"])
    assert [sentence.text for sentence in plain.summary] == [
        "This study looks at something that is not named.",
        "It is for people.",
        "What it mainly looks at is not stated.",
    ]
    assert [sentence.text for sentence in (*plain.could_lead_to, *plain.could_go_wrong)] == [
        "What it could lead to is not stated.",
        "What could go wrong is not stated.",
    ]
    assert plain.substance[0].text == "The record lists no drug or other treatment."
    assert plain.substance[0].fields == ("interventions",)


# --- the kind of thing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Omalizumab", "omalizumab, a lab-made antibody against allergy, can"),
        ("Zorumab", "zorumab, a lab-made antibody, can"),
        ("CD99-CAR-T cells", "immune cells changed in a lab (CD99-CAR-T cells) can"),
        ("Lactobacillus reuteri", "Lactobacillus reuteri, friendly bacteria (probiotics), can"),
        ("Peanut oral immunotherapy", "eating the food in rising amounts (peanut oral immunotherapy) can"),
        (
            "Subcutaneous immunotherapy with mite extract",
            "allergy shots (subcutaneous immunotherapy with mite extract) can",
        ),
        ("Zolmitriptan", "zolmitriptan, a headache drug, can"),
    ],
)
def test_the_kind_of_thing_stands_beside_its_name(name: str, said: str) -> None:
    assert said in told(**drug(name))[0]


def test_a_kind_that_means_cancer_is_told_of_cancer_alone() -> None:
    cancer: dict[str, Any] = {"conditions": ("Lung Cancer",), "title": "A Study in Lung Cancer"}
    for name, kind in (
        ("Zorumab vedotin", "a lab-made antibody that carries a cancer drug"),
        ("CD99-CAR-T cells", "immune cells changed in a lab to attack cancer"),
        ("Nivolumab", "a lab-made antibody that helps the immune system fight cancer"),
    ):
        assert kind in told(**drug(name), **cancer)[0]
        assert "cancer" not in told(**drug(name))[0]


def test_a_class_of_cancer_drugs_is_none_where_there_is_no_cancer() -> None:
    assert "chemotherapy" not in told(**drug("Zorubicin"))[0]
    assert "chemotherapy" in told(**drug("Zorubicin"), conditions=("Breast Cancer",))[0]


def test_a_code_gives_way_in_a_headline() -> None:
    named = drug("ZB-123", other_names=("zorumab",))
    assert told("headline", **named)[0].startswith("Can the antibody zorumab ease")
    assert told("headline", **drug("ZB-123", description="A monoclonal antibody"))[0].startswith("Can an antibody ease")
    assert told("headline", **drug("ZB-123"))[0].startswith("Can a new drug ease")


def test_other_names_are_names() -> None:
    names = (
        "Placebo",
        "na",
        "Experimental",
        "subcutaneous",
        "Seoul Pharma",
        "IgE inhibitor",
        "Cisplatin",
        "Gout",
        "ZB-12",  # a code says nothing beside a name
        "Zorvia",
    )
    assert told("substance", **drug("Zorumab", other_names=names)) == [
        "The drug: zorumab, a lab-made antibody; also called Zorvia."
    ]


# --- the illness, and who has it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (("Chronic Spontaneous Urticaria",), "with long-lasting hives"),
        (("Carcinoma, Non-Small-Cell Lung",), "with lung cancer"),
        (("Recurrent Glioblastoma, IDH-Wildtype",), "with glioblastoma that came back"),
        (("Disk Herniated Lumbar",), "with a slipped disc"),
        (("Dermatitis, Atopic",), "with eczema"),
        (("Severe Asthma",), "with severe asthma"),
        (("Asthma", "Allergic Asthma"), "with allergic asthma"),
        (("Smoking",), "who smoke"),
        (("Crohn's Disease",), "with Crohn's disease"),
    ],
)
def test_illnesses_have_their_everyday_name(conditions: tuple[str, ...], said: str) -> None:
    assert f"adults aged 18 to 75 {said} " in told(conditions=conditions)[1]


def test_the_registrys_own_term_helps_where_the_name_does_not() -> None:
    said = told(conditions=("Zonk",), normalized_conditions=(Term(name="Dermatitis, Atopic", id="MESH:D003876"),))
    assert "with eczema" in said[1]


def test_of_several_illnesses_it_is_about_the_one_that_the_title_names() -> None:
    assert (
        "with cluster headache"
        in told(title="Zorubicin in Cluster Headache", conditions=("Obesity", "Cluster Headache"))[1]
    )


def test_none_of_several_cancers_is_said_of_everybody() -> None:
    cancers = ("Melanoma", "Breast Cancer", "Ovarian Cancer", "Lung Cancer")
    assert (
        "with advanced cancer of several kinds"
        in told(title="Zorubicin in Advanced Solid Tumors", conditions=cancers)[1]
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"healthy_volunteers": True, "inclusion": ("Healthy adults",)},
        {"title": "Zorubicin in Healthy Volunteers"},
        {"primary_purpose": "PREVENTION", "inclusion": ("A parent with gouty arthritis, at high risk",)},
        {
            "study_type": "OBSERVATIONAL",
            "primary_purpose": None,
            "arms": (Arm(label="Patients"), Arm(label="Healthy controls")),
        },
    ],
)
def test_an_illness_that_not_all_have_is_not_said_of_all(fields: dict[str, Any]) -> None:
    said = " ".join([*told("headline", **fields), *told(**fields)])
    assert "with gouty arthritis" not in said.replace("with gouty arthritis or without", "").replace(
        "people with gouty arthritis and others", ""
    )


def test_prevention_is_a_question_of_preventing() -> None:
    fields = {"primary_purpose": "PREVENTION", "outcomes": (Outcome(measure="Incidence of gout"),)}
    assert told("headline", **fields)[0].startswith("Can zorubicin prevent gouty arthritis?")


# --- what has become of it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "first", "last"),
    [
        (
            "NOT_YET_RECRUITING",
            "This late-stage trial (phase 3), not yet open, is to test whether",
            "It is mainly to look",
        ),
        ("RECRUITING", "tests whether", "it is open to new people."),
        ("ACTIVE_NOT_RECRUITING", "tests whether", "it is closed to new people."),
        ("COMPLETED", "tested whether", "looked at pain; it has ended."),
        ("TERMINATED", "; it was stopped early; no reason is given.", "looked at pain."),
        ("WITHDRAWN", "was withdrawn before it began; no reason is given.", "It would mainly have looked at pain."),
        ("SUSPENDED", ", now on hold; no reason is given, is to test", "is mainly to look at pain."),
        ("UNKNOWN", "tests whether", "the registry does not know how far it has come."),
    ],
)
def test_the_first_sentence_says_what_has_become_of_it(status: str, first: str, last: str) -> None:
    said = told(status=status)
    assert first in said[0]
    assert said[-1].endswith(last) or last in said[-1]


def test_a_programme_that_is_over_never_gives_access() -> None:
    (headline,) = told("headline", study_type="EXPANDED_ACCESS", status="NO_LONGER_AVAILABLE")
    assert headline == "Zorubicin for gouty arthritis outside a trial: no longer on offer"
    said = told(study_type="EXPANDED_ACCESS", status="NO_LONGER_AVAILABLE")[0]
    assert said.startswith("This programme, no longer on offer, was set up to give zorubicin outside a trial")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Slow accrual", "the reason given is too few people joining"),
        ("Business decision, not related to safety", "the reason given is a decision of the sponsor"),
        ("Lack of funding", "the reason given is a lack of money"),
        ("Futility analysis", "the reason given is little hope of a benefit"),
        ("The board advised it", "the reason given: “The board advised it”"),
    ],
)
def test_why_it_was_stopped(given: str, said: str) -> None:
    assert said in told(status="TERMINATED", why_stopped=given)[0]


# --- who gets what --------------------------------------------------------------------------------------------------


def test_it_says_what_a_drug_is_added_to_and_compared_with() -> None:
    names = ("Rest", "Zorubicin")
    arms = (
        Arm(label="A", type="EXPERIMENTAL", interventions=names),
        Arm(label="B", type="ACTIVE_COMPARATOR", interventions=("Rest",)),
    )
    rest, drug_ = Intervention(name="Rest", type="OTHER"), Intervention(name="Zorubicin", type="DRUG")
    said = told(interventions=(rest, drug_), arms=arms)
    assert "whether zorubicin, added to rest, can" in said[0]
    assert "chance decides who gets zorubicin and who rest alone" in said[1]


def test_a_placebo_is_never_what_is_tested() -> None:
    arms = (
        Arm(label="A", type="EXPERIMENTAL", interventions=("Zorubicin",)),
        Arm(label="B", type="PLACEBO_COMPARATOR", interventions=("Sodium Chloride 0.9 %",)),
    )
    interventions = (
        Intervention(name="Zorubicin", type="DRUG"),
        Intervention(name="Sodium Chloride 0.9 %", type="DRUG"),
    )
    said = told(interventions=interventions, arms=arms)
    assert "odium" not in said[0]
    assert "who gets zorubicin and who salt water (placebo)" in said[1]
    assert "odium" not in told("substance", interventions=interventions, arms=arms)[0]


def test_chance_is_said_only_of_the_arms_that_it_decides_between() -> None:
    arms = tuple(
        Arm(label=label, type="EXPERIMENTAL", interventions=("Zorubicin",))
        for label in ("Part 1", "Part 2 low", "Part 2 high", "Expansion")
    )
    assert "in a part of the study chance decides" in told(arms=arms)[1]


# --- what could go wrong --------------------------------------------------------------------------------------------


def results(*groups: tuple[str, int, int]) -> dict[str, Any]:
    found = tuple(SeriousEvents(group=title, affected=hit, at_risk=all_) for title, hit, all_ in groups)
    return {"has_results": True, "serious_events": found}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([("Zorubicin", 3, 180), ("Placebo", 1, 178)], "3 of 180 who got zorubicin and to 1 of 178 with placebo"),
        (
            [("Zorubicin", 0, 180), ("Placebo", 0, 178)],
            "The results say of 358 people that nobody had a serious event.",
        ),
        ([("Doses given", 0, 2437), ("Zorubicin", 2, 180)], "happened to 2 of 180 people"),
        ([("Low", 1, 100), ("Middle", 2, 100), ("High", 3, 100)], "happened to 6 of 300 people"),
        ([("First part", 1, 300), ("Second part", 2, 200)], "happened to 1 of 300 people"),
        ([("Odd", 9, 4)], ""),
    ],
)
def test_serious_events_are_of_people_and_of_no_more_than_took_part(
    groups: list[tuple[str, int, int]], said: str
) -> None:
    found = " ".join(told("could_go_wrong", **results(*groups)))
    assert said in found
    assert "2,437" not in found
    assert ("serious event" in found) == bool(said)


def test_groups_without_people_are_left_out() -> None:
    for events in (SeriousEvents(), SeriousEvents(affected=0, at_risk=0), SeriousEvents(affected=2)):
        assert "serious event" not in " ".join(told("could_go_wrong", serious_events=(events,), has_results=True))


@pytest.mark.parametrize("name", KINDS)
def test_a_part_has_few_sentences(name: str) -> None:
    plain = WRITER.write(KINDS[name])
    assert len(plain.substance) == 1
    assert len(plain.could_lead_to) == 1
    assert 1 <= len(plain.could_go_wrong) <= 3
    assert 5 <= len(plain.questions) <= 10


# --- questions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "question"),
    [
        ({}, "How likely am I to get the placebo"),
        ({"eligibility": "Biopsies before and after"}, "How many biopsies would I have"),
        ({"eligibility": "A washout of four weeks"}, "Would I have to stop any of my medicines"),
        ({"eligibility": "No pregnant women"}, "What if I am pregnant"),
        ({"sites": (Site(city="Lyon", country="France"),)}, "How often would I have to come to Lyon"),
        ({"maximum_age": 12.0, "minimum_age": 2.0}, "How is my child asked"),
        (drug("CD99-CAR-T cells"), "How long does it take to make the cells"),
        ({"status": "COMPLETED"}, "Has anything been published"),
        ({"status": "COMPLETED", "has_results": True}, "What do the posted results mean"),
        ({"status": "TERMINATED"}, "Why was it stopped"),
        ({"status": "WITHDRAWN"}, "Is there a trial on gouty arthritis that I could join now?"),
    ],
)
def test_questions_are_chosen_by_what_the_record_states(fields: dict[str, Any], question: str) -> None:
    assert any(said.startswith(question) for said in told("questions", **fields))
    if fields:
        assert not any(
            said.startswith(question) for said in told("questions", allocation="NA", arms=(), interventions=())
        )


# --- measures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "phrase"),
    [
        ("Maximum Observed Serum Concentration (Cmax)", "how the drug moves through the body"),
        ("Serum level of total IgA", "antibodies"),
        ("Change in IGA score", "skin signs of the illness"),
        ("30-day point prevalence abstinence", "drug, drink or tobacco use"),
        ("Overall survival (OS)", "how long people live"),
        ("Graft survival", "how the transplant fares"),
        ("Pulmonary hypertension", ""),
        ("Oxidative stress", ""),
        ("Hearing threshold", "hearing"),
        ("Diagnosis of IgE-mediated food allergy", ""),
        ("Knowledge of anaphylaxis", "what people know"),
        ("IgE-mediated or non-IgE-mediated allergy", ""),
        ("Tolerance to heated milk", "how much of a food people can eat without a reaction"),
        ("Headache AUC on the day", ""),
        ("Weight-bearing at week 6", ""),
        ("Peak nasal inspiratory flow", "how freely air passes the nose"),
        ("IgG4-RD Responder Index", ""),
        ("RV16 viral titer", ""),
        ("Cytokine release syndrome", "side effects"),
        ("FeNO", "a breath value"),
        ("Characteristics of severe eosinophilic asthma", ""),
    ],
)
def test_a_plain_phrase_is_said_only_of_the_thing_itself(measure: str, phrase: str) -> None:
    said = told(outcomes=(Outcome(measure=measure),))[-1]
    assert said == f"It mainly looks at {phrase or f'“{measure}”'}; it is open to new people."


# --- details --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"phases": ("EARLY_PHASE1",)}, "This early trial (early phase 1) tests"),
        ({"phases": ("PHASE2", "PHASE3")}, "This mid- to late-stage trial (phase 2 and 3) tests"),
        ({"phases": ("PHASE4",)}, "This trial of a treatment in use (phase 4) tests"),
        ({"phases": ("NA",)}, "This trial tests"),
        ({"maximum_age": None}, "358 adults with gouty arthritis"),
        ({"minimum_age": 60.0, "maximum_age": None}, "358 adults of 60 and older"),
        ({"minimum_age": None}, "358 people up to 75 years old"),
        ({"minimum_age": 0.0, "maximum_age": None}, "358 people with"),
        ({"minimum_age": 0.5, "maximum_age": 0.75}, "358 babies from 6 to 9 months old"),
        ({"minimum_age": 0.5, "maximum_age": 11.0}, "358 children from 6 months to 11 years old"),
        ({"sex": "FEMALE"}, "358 women aged"),
        ({"sex": "MALE", "minimum_age": 12.0}, "358 men and boys aged"),
        ({"title": "Zorubicin in Pregnant Women", "sex": "FEMALE"}, "358 pregnant women"),
        ({"sites": (Site(name="A hospital"),)}, "at 1 site;"),
        ({"sites": (Site(country="Gambia, The"),)}, "in the Gambia;"),
        (
            {"sites": tuple(Site(country=c) for c in ("Peru", "Chile", "Cuba", "Laos"))},
            "in Peru, Chile and 2 more countries",
        ),
        ({"enrollment": 12345}, "It plans for 12,345 adults"),
        ({"enrollment_type": "ACTUAL", "status": "COMPLETED"}, "In France and Belgium, 358 adults aged 18 to 75"),
        ({"outcomes": (Outcome(measure="Zonk of the (left) knee."),)}, "mainly looks at “Zonk of the knee”;"),
        ({"outcomes": (Outcome(measure="Pain"), Outcome(measure="Zonk"))}, "looks at pain, among other things;"),
        (
            {"intervention_model": "CROSSOVER"},
            "everybody gets zorubicin and a placebo in turn, in an order set by chance.",
        ),
    ],
)
def test_details_of_the_summary(fields: dict[str, Any], said: str) -> None:
    assert said in " ".join(told(**fields))


def test_no_headline_counts_what_it_does_not_name() -> None:
    names = tuple(f"{letter}orumab" for letter in "ABCDEFG")
    interventions = tuple(Intervention(name=name, type="BIOLOGICAL") for name in names)
    (headline,) = told("headline", interventions=interventions, arms=())
    assert headline.startswith("Can several antibodies")
    assert "more" not in headline
