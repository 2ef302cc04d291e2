"""What a page may say only where the record says it of everybody: wrong statements of the kinds that readers found."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from support.plain_cases import trial
from trialindex.trial import Arm, Intervention, Outcome, Trial
from trialindex_writers.plain import PlainWriter
from trialindex_writers.plain_design import design
from trialindex_writers.plain_measures import plain_phrase
from trialindex_writers.plain_roles import roles


def text(record: Trial) -> str:
    plain = PlainWriter().write(record)
    said = (plain.headline, *plain.summary, *plain.substance, *plain.could_lead_to, *plain.could_go_wrong)
    return "\n".join(one.text for one in said)


def drugs(*names: str, **fields: Any) -> tuple[Intervention, ...]:
    return tuple(Intervention(name=name, type="DRUG", **fields) for name in names)


def groups(*arms: tuple[str, ...], kinds: tuple[str, ...] = ()) -> tuple[Arm, ...]:
    return tuple(
        Arm(label=f"Arm {number}", type=kind, interventions=names)
        for number, (names, kind) in enumerate(zip(arms, kinds or ("EXPERIMENTAL",) * len(arms), strict=True), 1)
    )


def primary(*measures: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(measure=measure, kind="primary") for measure in measures)


def test_what_only_some_groups_get_is_not_what_all_is_added_to() -> None:
    arms = (("Zorumab", "Cisplatin"), ("Zorumab", "Pembrolizumab"), ("Pembrolizumab", "Cisplatin"))
    record = trial(
        title="Zorumab in Womb Cancer",
        conditions=("Endometrial Cancer",),
        interventions=drugs("Zorumab", "Cisplatin", "Pembrolizumab"),
        arms=groups(*arms, kinds=("EXPERIMENTAL", "EXPERIMENTAL", "ACTIVE_COMPARATOR")),
    )
    assert design(record).partly
    said = text(record)
    assert "added to" not in said
    assert "with cisplatin or pembrolizumab" in said or "with chemotherapy or pembrolizumab" in said
    assert "chance decides who joins which of three groups" in said


def test_a_control_that_gets_a_placebo_is_no_group_that_gets_less() -> None:
    arms = (("Zorumab", "Cisplatin"), ("Placebo", "Cisplatin"))
    record = trial(
        interventions=drugs("Zorumab", "Cisplatin", "Placebo"),
        arms=groups(*arms, kinds=("EXPERIMENTAL", "ACTIVE_COMPARATOR")),
    )
    assert not roles(record).untreated
    assert "cisplatin alone" not in text(record).lower()
    assert "both with cisplatin" in text(record)


def test_a_group_that_is_not_told_is_not_hidden() -> None:
    arms = (("Zorumab", "Exercise"), ("Heat", "Exercise"), ("Exercise",))
    record = trial(
        interventions=drugs("Zorumab", "Heat", "Exercise"),
        arms=groups(*arms, kinds=("EXPERIMENTAL", "ACTIVE_COMPARATOR", "ACTIVE_COMPARATOR")),
    )
    assert "chance decides who gets zorumab, Heat or Exercise alone" in text(record)


@pytest.mark.parametrize(
    ("fields", "later"),
    [
        ({"phases": ("PHASE1",)}, True),
        ({"phases": ("PHASE1", "PHASE2")}, False),
        ({"phases": ("PHASE3",)}, False),
        ({"phases": ("PHASE1",), "official_title": "A Study of the Safety and Efficacy of Zorumab"}, False),
    ],
)
def test_help_is_for_later_trials_only_where_none_is_asked_for(fields: dict[str, Any], later: bool) -> None:
    record = trial(interventions=drugs("Zorumab"), arms=(), outcomes=primary("Number of adverse events"), **fields)
    assert ("not yet whether it helps" in text(record)) is later


def test_other_names_are_told_of_one_drug_alone() -> None:
    both = (
        Intervention(name="Zorumab", type="DRUG", other_names=("Zorix",)),
        Intervention(name="Tacumab", type="DRUG"),
    )
    assert "also called Zorix" in text(trial(interventions=both[:1], arms=()))
    assert "also called" not in text(trial(interventions=both, arms=()))


def test_a_thing_and_its_form_are_one() -> None:
    record = trial(interventions=drugs("Substance P", "Substance P injections"), arms=())
    assert [one.shown for one in roles(record).tested] == ["Substance P"]


def test_what_prepares_for_cells_is_not_tested() -> None:
    record = trial(title="MT-027 CAR-T for Brain Tumours", interventions=drugs("MT-027", "Fludarabine"), arms=())
    assert [one.name for one in roles(record).tested] == ["MT-027"]


@pytest.mark.parametrize(
    "measure",
    [
        "Number of allergic reactions to the study drug",
        "Systemic allergic reactions during the build-up phase",
        "Treatment-related anaphylaxis",
        "Allergic reactions after injection",
    ],
)
def test_reactions_to_what_is_given_are_side_effects(measure: str) -> None:
    assert plain_phrase(measure) == "side effects"
    assert plain_phrase("Allergic reactions to peanut at home") == "allergic reactions"


def test_cancer_that_surgery_takes_out_is_looked_at_as_such() -> None:
    record = trial(
        title="Neoadjuvant Zorumab for Lung Cancer",
        conditions=("Lung Cancer",),
        interventions=drugs("Zorumab"),
        arms=(),
        outcomes=primary("Pathological complete response (pCR)"),
    )
    said = text(record)
    assert "before an operation" in said
    assert "how much cancer is left in what surgery takes out" in said
    assert "respond to treatment" not in said


def observed(title: str, **fields: Any) -> str:
    return text(trial(title=title, study_type="OBSERVATIONAL", interventions=(), arms=(), phases=(), **fields))


def test_a_study_that_observes_is_not_said_to_treat_nobody() -> None:
    said = observed("Baked Egg Oral Immunotherapy in Egg Allergy", conditions=("Egg Allergy",))
    assert "nobody is treated" not in said
    assert "gives no treatment" not in said
    assert "It only looks" not in said
    assert "it is registered as a study that only observes" in said


@pytest.mark.parametrize(
    ("title", "guess"),
    [
        ("Predicting Reactions to Cetuximab in Bowel Cancer", "foretell"),
        ("A Survey of Symptoms in Slipped Disc", "do people know"),
        ("Psychological Factors That Influence Hay Fever", "What is life"),
        ("Anti-IgE in Mice and Cells of People With Peanut Allergy", "fare with"),
        ("IgE in Migraine", "play a part"),
    ],
)
def test_a_purpose_that_the_title_does_not_have_is_not_guessed(title: str, guess: str) -> None:
    assert guess not in observed(title, conditions=("Migraine",))


def test_two_illnesses_that_are_both_asked_for_are_had_together() -> None:
    record = trial(
        title="Zorumab for Chronic Sinusitis",
        conditions=("Chronic Sinusitis", "Nasal Polyps"),
        official_title="Zorumab in People With Chronic Sinusitis and Nasal Polyps",
        inclusion=("Chronic sinusitis", "Nasal polyps on endoscopy"),
        interventions=drugs("Zorumab"),
        arms=(),
    )
    assert " or nasal polyps" not in text(record)


def test_of_two_drugs_of_chance_none_is_with_the_other() -> None:
    record = trial(
        title="Two Drugs for Eczema",
        conditions=("Eczema",),
        interventions=drugs("Methotrexate", "Dupilumab"),
        arms=groups(("Methotrexate",), ("Dupilumab",)),
    )
    headline = PlainWriter().write(record).headline.text
    assert " and " not in headline


def test_the_kind_of_another_drug_that_is_described_is_not_taken() -> None:
    both = Intervention(
        name="Pregabalin", type="DRUG", description="150 mg before the operation, or dexamethasone 8 mg"
    )
    assert "steroid" not in text(trial(interventions=(both,), arms=())).lower()


def test_where_only_what_prepares_is_registered_it_is_not_told_as_tested() -> None:
    record = trial(title="MT-027 Cells for Tumours of the Belly", interventions=drugs("Fludarabine"), arms=())
    assert roles(record).tested == ()
    assert "Fludarabine" not in text(record)


def test_two_drugs_registered_as_one_are_two() -> None:
    record = trial(interventions=drugs("Pregabaline (150mg), Dexamethasone (20mg/5ml; 0.2mg/kg)"), arms=())
    assert [one.shown for one in roles(record).tested] == ["Pregabaline", "dexamethasone"]


def test_cells_and_an_antibody_are_not_all_antibodies() -> None:
    both = (*(Intervention(name=f"NK01{n}", type="BIOLOGICAL", description="natural killer cells") for n in (0, 1)),)
    record = trial(interventions=(*both, *drugs("Rituximab")), arms=groups(("NK010", "NK011", "Rituximab")))
    headline = PlainWriter().write(record).headline.text
    assert "antibodies" not in headline
    assert "atural killer cells" in headline


def test_of_fewer_people_than_groups_nobody_is_said_to_have_got_anything() -> None:
    arms = groups(("Zorumab",), ("Placebo",), kinds=("EXPERIMENTAL", "PLACEBO_COMPARATOR"))
    fields: dict[str, Any] = {"interventions": drugs("Zorumab", "Placebo"), "arms": arms, "enrollment_type": "ACTUAL"}
    one = text(trial(enrollment=1, status="TERMINATED", **fields))
    assert "it was set up to compare zorumab with a placebo" in one
    assert "chance decided" not in one
    assert "Some got" not in one
    two = text(trial(enrollment=2, status="TERMINATED", **fields))
    assert "chance decided who got zorumab and who a placebo" in two
    assert "Some got a placebo" in two


@pytest.mark.parametrize("label", ["0.2 mg/kg Zorumab or placebo", "Zorumab or matching placebo, cohort"])
def test_a_placebo_that_only_the_groups_tell_of_is_told(label: str) -> None:
    arms = tuple(Arm(label=f"Cohort {n}", description=label, interventions=("Zorumab",)) for n in (1, 2, 3))
    fields: dict[str, Any] = {"interventions": drugs("Zorumab"), "arms": arms}
    assert "chance decides who gets zorumab and who a placebo" in text(trial(allocation="RANDOMIZED", **fields))
    assert "a placebo" not in text(trial(allocation="NON_RANDOMIZED", **fields))


def test_the_placebo_of_the_study_before_is_nobodys_in_an_extension() -> None:
    arms = (
        Arm(label="Study 1 Zorumab", type="EXPERIMENTAL", interventions=("Zorumab",)),
        Arm(label="Study 1 Placebo", type="EXPERIMENTAL", interventions=("Zorumab", "Placebo")),
    )
    fields: dict[str, Any] = {
        "interventions": drugs("Zorumab", "Placebo"),
        "arms": arms,
        "who_masked": ("PARTICIPANT",),
    }
    said = text(trial(title="An Extension Study of Zorumab in Gout", allocation="NON_RANDOMIZED", **fields))
    assert "placebo" not in said
    assert "Everybody gets zorumab" in said
    assert "placebo" in text(trial(title="A Study of Zorumab in Gout", allocation="NON_RANDOMIZED", **fields))


def test_everybody_gets_it_is_not_said_where_chance_parts_the_groups() -> None:
    arms = groups(("Zorumab",), ("Zorumab",), kinds=("ACTIVE_COMPARATOR", "EXPERIMENTAL"))
    fields: dict[str, Any] = {"interventions": drugs("Zorumab"), "arms": arms, "intervention_model": "SINGLE_GROUP"}
    assert "Everybody" not in text(trial(allocation="RANDOMIZED", **fields))
    assert "Everybody gets zorumab" in text(trial(allocation="NON_RANDOMIZED", **fields))


def test_a_trial_of_stopping_a_treatment_is_told_as_one() -> None:
    stop = Intervention(name="Withdrawal of Zorumab", type="OTHER")
    record = trial(
        interventions=(stop, *drugs("Continued Zorumab")),
        arms=groups((stop.name,), ("Continued Zorumab",), kinds=("EXPERIMENTAL", "ACTIVE_COMPARATOR")),
    )
    said = text(record)
    assert said.startswith("What happens when people with gouty arthritis stop a treatment")
    assert "chance decides who stops and who does not" in said
    assert "as a way to" not in said
    smokers = trial(title="Stopping Tobacco", interventions=(Intervention(name="Tapering of nicotine", type="DRUG"),))
    assert "stop a treatment" not in text(smokers)


def test_what_a_title_joins_with_a_code_is_another_drug() -> None:
    record = trial(
        title="RC-108 Combined With Zorutinib in Cancer",
        interventions=(Intervention(name="RC-108", type="DRUG", other_names=("Zorutinib",)),),
        arms=(),
    )
    assert [one.shown for one in roles(record).tested] == ["RC-108"]
    assert "also called" not in text(record)
    alone = msgspec.structs.replace(record, title="RC-108 in Cancer")
    assert [one.shown for one in roles(alone).tested] == ["zorutinib"]


def test_what_is_counted_in_the_body_is_not_given_to_anybody() -> None:
    fields: dict[str, Any] = {
        "interventions": (Intervention(name="TLRs", type="OTHER", description="A family of proteins"),),
        "arms": (),
        "outcomes": primary("Percentage of neutrophils that express TLR4"),
    }
    assert not roles(trial(primary_purpose="BASIC_SCIENCE", **fields)).tested
    assert roles(trial(primary_purpose="TREATMENT", **fields)).tested


@pytest.mark.parametrize("title", ["Context-Awareness in Gout", "Galvanic Skin Response in Gout"])
def test_words_that_only_look_like_others_ask_nothing(title: str) -> None:
    record = trial(
        title=title, study_type="OBSERVATIONAL", interventions=(), outcomes=primary("Galvanic skin response")
    )
    said = text(record)
    assert "know and think" not in said
    assert "skin tests" not in said


def test_of_many_measures_one_does_not_head_a_study() -> None:
    fields: dict[str, Any] = {
        "study_type": "OBSERVATIONAL",
        "interventions": (),
        "arms": (),
        "title": "The Gout Cohort",
    }
    many = primary(
        "Number of people who get a drug", "Dose of the drug", "Length of treatment", "Number of gout flares"
    )
    assert "flare up" not in PlainWriter().write(trial(outcomes=many, **fields)).headline.text
    one = PlainWriter().write(trial(outcomes=many[-1:], **fields)).headline.text
    assert one.startswith("How often does gouty arthritis flare up?")


def test_severe_is_kept_where_a_title_says_it_of_all() -> None:
    fields: dict[str, Any] = {"conditions": ("Bronchial Asthma",), "interventions": (), "study_type": "OBSERVATIONAL"}
    assert "severe asthma" in text(trial(title="Research on Severe Asthma", **fields))
    assert "severe asthma" not in text(trial(title="Research on Moderate to Severe Asthma", **fields))
    assert (
        "severe asthma" not in text(trial(title="Asthma, and Who Gets Severe Asthma", **fields)).split("its title")[0]
    )


def test_chance_gives_nobody_an_illness() -> None:
    arms = (Arm(label="Treatment group", interventions=("Zorumab",)), Arm(label="Control group"))
    fields: dict[str, Any] = {"interventions": drugs("Zorumab"), "arms": arms, "primary_purpose": "BASIC_SCIENCE"}
    assert "or without" not in text(trial(allocation="RANDOMIZED", **fields))
    assert "or without" in text(trial(allocation="NON_RANDOMIZED", **fields))


@pytest.mark.parametrize(
    ("measure", "phrase"),
    [
        ("Change in 6MWD at week 24", "how far people can walk in six minutes"),
        ("Major adverse cardiac events", "heart attacks, strokes and deaths"),
        ("Glycated hemoglobin at 6 months", "blood sugar"),
        ("Hemoglobin response", "haemoglobin, which carries oxygen in the blood"),
        ("Time to first virologic failure", "how much virus is in the blood"),
        ("RQLQ", "quality of life"),
        ("Length of hospital stay", "how long people stay in hospital"),
        ("Pain in adults with fatigue", "pain"),
        ("Zonk in adults with fatigue", ""),
        ("Opioid consumption in the first day", "how much pain medicine people need"),
    ],
)
def test_measures_of_most_fields_have_a_plain_phrase(measure: str, phrase: str) -> None:
    assert plain_phrase(measure) == phrase


def test_a_drug_that_was_not_marketed_is_no_decision_of_the_sponsor() -> None:
    why = "The study drug was not marketed and not available."
    assert "supply or the product" in text(trial(status="WITHDRAWN", why_stopped=why))


def test_groups_without_a_history_of_the_illness_do_not_have_it() -> None:
    arms = (Arm(label="Group 1", description="No history of gouty arthritis"), Arm(label="Group 2", description="Gout"))
    fields: dict[str, Any] = {"study_type": "OBSERVATIONAL", "interventions": (), "arms": arms}
    asked = ("Gouty arthritis in group 2",)
    mixed = text(trial(healthy_volunteers=True, inclusion=asked, **fields))
    assert "adults aged 18 to 75 with gouty arthritis" not in mixed
    assert "aged 18 to 75 with gouty arthritis" in text(trial(healthy_volunteers=False, inclusion=asked, **fields))


def test_everybody_gets_it_is_not_said_where_groups_get_different_things() -> None:
    arms = groups(("Zorumab",), ("Zorumab", "Tacumab"), ("Tacumab",))
    fields: dict[str, Any] = {"allocation": "NON_RANDOMIZED", "intervention_model": "SINGLE_GROUP"}
    assert "Everybody" not in text(trial(interventions=drugs("Zorumab", "Tacumab"), arms=arms, **fields))


def test_nobody_goes_without_a_test() -> None:
    test = (Intervention(name="Blood test", type="DIAGNOSTIC_TEST"),)
    fields: dict[str, Any] = {"interventions": test, "arms": (), "intervention_model": "SINGLE_GROUP"}
    said = text(trial(primary_purpose="DIAGNOSTIC", allocation="NA", **fields))
    assert "fare without it" not in said


@pytest.mark.parametrize("heading", ["Primary Outcome Measure:", "primary endpoint", "Outcomes"])
def test_a_heading_is_no_measure(heading: str) -> None:
    assert heading.strip(":") not in text(trial(outcomes=primary(heading)))
    assert "What it mainly looks at is not stated" in text(trial(outcomes=primary(heading)))
