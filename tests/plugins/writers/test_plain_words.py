"""What the writer leaves unsaid where a record does not tell it: combinations, aims, who was treated."""

from __future__ import annotations

from typing import Any

import pytest

from support.plain_cases import trial
from trialindex.trial import Arm, Intervention, Outcome
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()


def page(**fields: Any) -> str:
    """All that is said of a trial."""
    plain = WRITER.write(trial(**fields))
    parts = (plain.summary, plain.substance, plain.could_lead_to, plain.could_go_wrong)
    return " ".join([plain.headline.text, *(sentence.text for part in parts for sentence in part)])


def arms(*groups: tuple[str, tuple[str, ...]]) -> dict[str, Any]:
    """Interventions and arms from the type of each arm and the names in it."""
    names = dict.fromkeys(name for _, group in groups for name in group)
    return {
        "interventions": tuple(Intervention(name=name, type="DRUG") for name in names),
        "arms": tuple(Arm(label=f"Group {n}", type=kind, interventions=g) for n, (kind, g) in enumerate(groups)),
    }


WATCHED: dict[str, Any] = {
    "study_type": "OBSERVATIONAL",
    "phases": (),
    "primary_purpose": None,
    "allocation": None,
    "intervention_model": None,
    "interventions": (),
    "arms": (),
    "title": "Zorubicin Levels in Gouty Arthritis",
}


# --- several combinations -------------------------------------------------------------------------------------------


def test_added_to_is_said_only_of_what_all_groups_get() -> None:
    said = page(
        **arms(
            ("EXPERIMENTAL", ("Zorumab", "Tacumab")),
            ("EXPERIMENTAL", ("Zorumab", "Pembrolizumab")),
            ("ACTIVE_COMPARATOR", ("Pembrolizumab",)),
        )
    )
    assert "added to" not in said
    assert "zorumab, a lab-made antibody, and tacumab, a lab-made antibody, in different combinations," in said or (
        "zorumab and tacumab, two lab-made antibodies" in said
    )
    assert "chance decides who joins which of three groups, and some groups get pembrolizumab" in said


def test_a_placebo_on_top_of_a_drug_is_not_a_placebo_alone() -> None:
    said = page(
        **arms(
            ("EXPERIMENTAL", ("Zorumab", "Tacumab")),
            ("ACTIVE_COMPARATOR", ("Vulumab", "Placebo")),
            ("ACTIVE_COMPARATOR", ("Tacumab", "Placebo")),
        )
    )
    assert "chance decides who joins which of three groups" in said
    assert "instead of" not in said
    assert "In some of the groups people get a placebo" in said


def test_of_two_groups_the_one_with_placebo_is_no_third() -> None:
    said = page(**arms(("EXPERIMENTAL", ("Zorumab", "Tacumab")), ("PLACEBO_COMPARATOR", ("Tacumab", "Placebo"))))
    assert "added to tacumab" in said
    assert "chance decides who gets zorumab and who a placebo." in said
    assert "instead of zorumab, both with tacumab" in said


def test_a_drug_that_some_get_alone_is_tested_too() -> None:
    groups = arms(("EXPERIMENTAL", ("Atezolizumab",)), ("EXPERIMENTAL", ("Atezolizumab", "Zorumab")))
    said = page(**groups, allocation="NON_RANDOMIZED", conditions=("Lung Cancer",), title="Before Surgery")
    assert "added to" not in said
    assert "atezolizumab" in said.split("can ")[1].lower() or "atezolizumab" in said.lower()
    assert "there are two groups, and chance does not decide" in said


def test_drugs_that_are_compared_are_joined_by_or() -> None:
    groups = arms(("ACTIVE_COMPARATOR", ("Methotrexate",)), ("ACTIVE_COMPARATOR", ("Dupilumab",)))
    said = WRITER.write(trial(**groups)).headline.text
    assert said.startswith("Methotrexate or dupilumab for gouty arthritis: which works better?")


def test_another_name_is_never_given_to_several() -> None:
    groups = arms(("EXPERIMENTAL", ("Zorumab", "Tacumab")))
    two = tuple(Intervention(name=i.name, type="DRUG", other_names=("Zorvia",)) for i in groups["interventions"])
    assert "also called" not in page(**{**groups, "interventions": two})


def test_the_kind_of_a_drug_is_not_that_of_its_neighbour() -> None:
    name = "Pregabaline (150mg), Dexamethasone (20mg)"
    said = page(**arms(("EXPERIMENTAL", (name,)), ("PLACEBO_COMPARATOR", ("Placebo",))))
    assert "steroid" not in said.split("Dexamethasone")[0].split("dexamethasone")[0]


def test_cells_that_only_a_group_is_named_for_are_what_is_tested() -> None:
    drug = Intervention(name="Fludarabine", type="DRUG")
    group = Arm(
        label="ZB027 Cell Injection (chimeric antigen receptor T cells)",
        type="EXPERIMENTAL",
        interventions=("Fludarabine",),
    )
    said = page(interventions=(drug,), arms=(group,), allocation="NA", intervention_model="SINGLE_GROUP")
    assert "immune cells" in said
    assert "Chemotherapy harms" not in said


# --- what it wants to find out --------------------------------------------------------------------------------------


def test_help_is_for_later_only_where_nothing_asks_for_it_now() -> None:
    safety = Outcome(measure="Number of adverse events")
    late = {"phases": ("PHASE1",), "outcomes": (safety,)}
    assert "not yet whether it helps" in page(**late)
    asked = page(**{**late, "outcomes": (safety, Outcome(measure="Change in pain", kind="secondary"))})
    assert "not yet whether it helps" not in asked
    assert "whether it helps is looked at too" in asked
    assert "later trials" not in page(phases=("PHASE3",), outcomes=(safety,))


def test_reactions_to_an_allergen_treatment_are_its_harm() -> None:
    groups = arms(("EXPERIMENTAL", ("Grass pollen allergen immunotherapy",)), ("PLACEBO_COMPARATOR", ("Placebo",)))
    reactions = (Outcome(measure="Systemic allergic reactions"),)
    said = page(**groups, conditions=("Grass Pollen Allergy",), title="A Dose Study", outcomes=reactions)
    assert "prevent allergic reactions" not in said
    assert "safe" in said


def test_a_feasibility_study_asks_whether_it_can_be_done() -> None:
    said = page(
        title="Feasibility of Zorubicin in Gout", outcomes=(Outcome(measure="Feasibility"), Outcome(measure="Pain"))
    )
    assert "Zorubicin for people with gouty arthritis: can it be done?" in said
    assert "ease" not in said


def test_a_study_that_looks_quotes_the_aim_of_those_who_registered_it() -> None:
    said = page(
        **WATCHED, summary="Gout is common. The aim of this study is to compare the blood of two groups. It ends."
    )
    assert "its aim, in the researchers' words: “to compare the blood of two groups”." in said


def test_without_an_aim_it_quotes_the_title() -> None:
    assert "; its title: “Zorubicin Levels in Gouty Arthritis”." in page(**WATCHED)


@pytest.mark.parametrize("summary", ["Gout is treated with zorubicin.", "We give zorubicin to all."])
def test_nothing_is_said_of_treatment_that_a_text_may_tell_otherwise(summary: str) -> None:
    said = page(**WATCHED, summary=summary)
    assert "no treatment" not in said
    assert "nobody" not in said.lower()
    assert "only looks" not in said


@pytest.mark.parametrize(
    ("title", "headline"),
    [
        ("Predicting Pain in Gout", "Can pain be foretold in gouty arthritis?"),
        ("A Questionnaire for Gout", "What do people say about gouty arthritis?"),
        ("Psychological Factors in Gout", "What does the mind have to do with gouty arthritis?"),
        ("T Cell Changes in Gout", "What can immune cells tell about gouty arthritis?"),
        ("Prevalence of Gout in the Community", "A look at pain in gouty arthritis"),
    ],
)
def test_no_aim_is_guessed_from_a_word_of_the_title(title: str, headline: str) -> None:
    assert WRITER.write(trial(**{**WATCHED, "title": title})).headline.text.startswith(headline)


# --- who takes part -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Zorubicin in Advanced or Recurrent Lung Cancer", "with lung cancer that is advanced or came back, at"),
        ("Zorubicin in HER2-Positive Lung Cancer", "with lung cancer that carries the marker HER2, at"),
        ("Zorubicin in Lung Cancer With EGFR Exon 20 Insertion", "that has a change in the gene EGFR, at"),
        ("Zorubicin in Previously Treated Lung Cancer", "that was treated before, at"),
        ("Zorubicin in Resectable Lung Cancer", "that can be removed by surgery, at"),
        ("Zorubicin in Lung Cancer", "adults aged 18 to 75 with lung cancer at"),
    ],
)
def test_a_title_restricts_who_takes_part(title: str, said: str) -> None:
    assert said in page(title=title, conditions=("Lung Cancer",))


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Neoadjuvant Zorubicin for Lung Cancer", "before an operation."),
        ("Adjuvant Zorubicin for Lung Cancer", "after an operation."),
        ("Zorubicin for Lung Cancer After Neoadjuvant Therapy", "lung cancer."),
    ],
)
def test_a_title_tells_when_it_is_given(title: str, said: str) -> None:
    plain = WRITER.write(trial(title=title, conditions=("Lung Cancer",)))
    assert plain.summary[0].text.endswith(said)


def test_illnesses_that_come_together_are_joined_by_and() -> None:
    fields = {"conditions": ("Asthma", "Nasal Polyps"), "inclusion": ("Asthma or nasal polyps",)}
    assert "asthma and nasal polyps" in page(title="Asthma With Nasal Polyps", **fields)
    assert "asthma, nasal polyps or both" in page(title="Asthma and Nasal Polyps", **fields)


def test_a_mother_of_a_child_with_an_illness_does_not_have_it() -> None:
    said = page(title="Quality of Life of Mothers of Children With Gout", sex="FEMALE")
    assert "358 mothers" in said
    assert "women with" not in said


def test_follow_up_is_no_treatment() -> None:
    new = Arm(label="App", type="EXPERIMENTAL", interventions=("Zorubicin",))
    old = Arm(label="Regular follow-up group", type="NO_INTERVENTION")
    said = page(arms=(new, old), interventions=(Intervention(name="Zorubicin", type="OTHER"),))
    assert "who usual follow-up" in said
    assert "usual treatment" not in said


def test_a_stop_that_was_not_for_safety_says_so() -> None:
    why = "Corporate business decision. Not due to safety or efficacy concerns."
    assert "a decision of the sponsor, not safety" in page(status="TERMINATED", why_stopped=why)
