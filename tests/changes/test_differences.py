"""What a later version of a trial states otherwise, in the words a person reads."""

from __future__ import annotations

from typing import Any

import pytest

from support.helpers import trial
from trialindex.changes import differences
from trialindex.trial import Arm, Contact, Intervention, Outcome, Site, Status, Term, TrialDate

LYON = Site(city="Lyon", country="France")
WAITING: Status = "NOT_YET_RECRUITING"


def words(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [difference.words for difference in differences(trial(**old), trial(**new))]


def sides(old: dict[str, Any], new: dict[str, Any]) -> tuple[str | None, str | None]:
    [difference] = differences(trial(**old), trial(**new))
    return difference.before, difference.after


# --- one value --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ({"status": "RECRUITING"}, {"status": "COMPLETED"}, "recruiting → completed"),
        ({"status": "RECRUITING"}, {"status": "TERMINATED"}, "recruiting → stopped early"),
        ({}, {"status": "RECRUITING"}, "not stated → recruiting"),
        ({"status": "RECRUITING"}, {}, "recruiting → not stated"),
        ({}, {"why_stopped": "No funds"}, "why it stopped: not stated → No funds"),
        ({"minimum_age": 18.0}, {"minimum_age": 12.0}, "now takes ages 12 and up (was 18 and up)"),
        ({"minimum_age": 18.0}, {"minimum_age": 18.0, "maximum_age": 65.0}, "now takes ages 18 to 65 (was 18 and up)"),
        ({"maximum_age": 9.0}, {"minimum_age": 0.5, "maximum_age": 2.0},
         "now takes ages 6 months to 2 years (was up to 9)"),
        ({}, {"minimum_age": 1.0}, "now takes ages 1 and up (was not stated)"),
        ({"maximum_age": 65.0}, {}, "states no ages any more (was up to 65)"),
        ({"sex": "FEMALE"}, {"sex": "ALL"}, "now takes all sexes (was female only)"),
        ({"sex": "FEMALE"}, {}, "states no sex any more (was female only)"),
        ({"healthy_volunteers": False}, {"healthy_volunteers": True}, "now takes healthy volunteers"),
        ({"healthy_volunteers": True}, {"healthy_volunteers": False}, "no longer takes healthy volunteers"),
        ({}, {"healthy_volunteers": False}, "takes healthy volunteers: not stated → no"),
        ({"enrollment": 18}, {"enrollment": 30}, "enrollment 18 → 30"),
        (
            {"enrollment": 35, "enrollment_type": "ESTIMATED"},
            {"enrollment": 4, "enrollment_type": "ACTUAL"},
            "enrollment 35 (expected) → 4 (actual)",
        ),
        ({"enrollment": 0}, {}, "enrollment 0 → not stated"),
        ({"phases": ("PHASE1",)}, {"phases": ("PHASE2", "PHASE1")}, "phase 1 → phase 1 and 2"),
        ({}, {"phases": ("NA",)}, "phase: not stated → does not apply"),
        ({"sponsor": "A Trust"}, {"sponsor": "B Trust"}, "sponsor: A Trust → B Trust"),
        ({"sponsor_class": "OTHER"}, {"sponsor_class": "INDUSTRY"}, "kind of sponsor: other → industry"),
        ({"has_results": False}, {"has_results": True}, "results posted"),
        (
            {"has_results": False},
            {"has_results": True, "results_first_posted": TrialDate(date="2026-03-03")},
            "results posted on 3 March 2026",
        ),
        ({"has_results": True}, {"has_results": False}, "results are no longer posted"),
        ({}, {"has_results": False}, "results posted: not stated → no"),
        (
            {"primary_completion_date": TrialDate(date="2025-06")},
            {"primary_completion_date": TrialDate(date="2026-03")},
            "main completion June 2025 → March 2026",
        ),
        (
            {"start_date": TrialDate(date="2025-06", type="ESTIMATED")},
            {"start_date": TrialDate(date="2025-06", type="ACTUAL")},
            "start June 2025 (expected) → June 2025 (actual)",
        ),
        ({"masking": "NONE"}, {}, "masking: none, everybody knows who gets what (open label) → not stated"),
        ({"conditions": ("Lupus",)}, {"conditions": ("Lupus", "Gout")}, "condition added: Gout"),
        ({"conditions": ("Lupus", "Gout", "Flu")}, {"conditions": ("Lupus",)}, "conditions removed: Gout; Flu"),
        ({"keywords": ("kidney",)}, {"keywords": ("renal",)}, "keyword: kidney → renal"),
        ({"who_masked": ()}, {"who_masked": ("OUTCOMES_ASSESSOR",)}, "masked party added: outcomes assessor"),
        ({"normalized_conditions": ()}, {"normalized_conditions": (Term(name="Gout", id="MESH:D006073"),)},
         "condition as normalised added: Gout (MESH:D006073)"),
        ({"acronym": None}, {"acronym": "HOPE-1"}, "acronym: not stated → HOPE-1"),
        ({"summary": "One."}, {"summary": "Two."}, "summary changed"),
        ({}, {"description": "Two."}, "description added"),
        ({"description": "Two."}, {}, "description removed"),
        ({"title": "A study of tea"}, {"title": "A study of coffee"}, "title: A study of tea → A study of coffee"),
    ],
)  # fmt: skip
def test_a_value_that_changed(old: dict[str, Any], new: dict[str, Any], said: str) -> None:
    assert words(old, new) == [said]


def test_the_status_last_known_is_told_with_the_status_it_was() -> None:
    old = {"status": WAITING}
    assert words(old, {"status": "UNKNOWN", "last_known_status": WAITING}) == ["not yet recruiting → unknown"]
    other = {"status": "UNKNOWN", "last_known_status": "RECRUITING"}
    assert words(old, other) == ["not yet recruiting → unknown", "last known status: not stated → recruiting"]


def test_a_long_text_shows_what_changed_in_it() -> None:
    filler = " ".join(f"word{n}" for n in range(300))
    before, after = sides({"summary": f"{filler} takes tea {filler}"}, {"summary": f"{filler} takes no tea {filler}"})
    assert before == "… word297 word298 word299 takes tea word0 word1 word2 …"
    assert after == "… word297 word298 word299 takes no tea word0 word1 word2 …"


def test_contacts_are_told_and_never_shown() -> None:
    jane, joan = (Contact(name=name, phone="+1 555 0100") for name in ("Jane Roe", "Joan Doe"))
    site = Site(city="Lyon", contacts=(jane,))
    old = trial(contacts=(jane,), officials=(jane,), sites=(site,))
    new = trial(contacts=(joan,), officials=(), sites=(Site(city="Lyon", contacts=(joan,)),))
    found = differences(old, new)
    assert [d.words for d in found] == [
        "contacts changed",
        "people responsible changed",
        "contacts of the site changed: Lyon",
    ]
    assert not any(secret in str(found) for secret in ("Jane", "Joan", "555"))
    assert differences(old.masked(), new.masked()) == ()


# --- criteria ---------------------------------------------------------------------------------------------------------


def test_a_criterion_that_is_reworded_is_one_difference() -> None:
    old = {"inclusion": ("Weight of 50 kg or more", "Lupus"), "exclusion": ("Treated within the last 4 weeks",)}
    new = {"inclusion": ("Lupus", "Weight of 45 kg or more"), "exclusion": ("Treated within the last 2 weeks", "Gout")}
    assert words(old, new) == [
        "inclusion criterion reworded: Weight of 50 kg or more → Weight of 45 kg or more",
        "exclusion criterion added: Gout",
        "exclusion criterion reworded: Treated within the last 4 weeks → Treated within the last 2 weeks",
    ]


def test_half_of_the_words_make_one_criterion_of_two() -> None:
    """On both sides of the bound: half of the words is a rewording, four ninths are one criterion less and one more."""
    old = {"inclusion": ("Weight of fifty kilograms",)}
    assert words(old, {"inclusion": ("Weight of the heart",)}) == [
        "inclusion criterion reworded: Weight of fifty kilograms → Weight of the heart"
    ]
    assert words(old, {"inclusion": ("Weight of the heart measured",)}) == [
        "inclusion criterion added: Weight of the heart measured",
        "inclusion criterion removed: Weight of fifty kilograms",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Age ≥ 18", "Age ≤ 18"),
        ("HER2+ cancer", "HER2 cancer"),
        ("a score of -2.5", "a score of 2.5"),
        ("1.5 mg", "15 mg"),
        (".5 mg", "5 mg"),
        ("10⁹ cells", "109 cells"),
        ("a loss of 5%", "a loss of 5"),
        ("one to two", "one or two"),
        ("Sjögren", "Sjogren"),
    ],
)
def test_signs_that_carry_meaning_are_no_noise(old: str, new: str) -> None:
    assert len(words({"inclusion": (old,)}, {"inclusion": (new,)})) in (1, 2)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Age ≥ 18", "age >=18."),
        ("10⁹ cells", "10^9 cells"),
        ("1,000 steps", "1000 steps"),
        (".5 mg", "0.5  mg"),
        ("non-small cell", "Non Small\ncell"),
        ("the patient's kin", "the patient’s kin"),
        ("Sjo\u0308gren", "SJÖGREN"),
        ("ﬁne", "fine"),
        ("Aspirin®", "Aspirin"),
        ("ages 18 - 65", "ages 18–65"),
    ],
)
def test_dress_is_noise(old: str, new: str) -> None:
    for field in ("inclusion", "conditions"):
        assert words({field: (old,)}, {field: (new,)}) == []
    assert words({"summary": old}, {"summary": new}) == []


WHOLE = """\
Inclusion Criteria:

1. Has lupus:
   * of the skin
   * of the kidney
2. Aged 18

Exclusion Criteria:

* Gout
"""


def test_criteria_that_are_cut_differently_are_the_same() -> None:
    one = {
        "eligibility": WHOLE,
        "inclusion": ("Has lupus:\nof the skin\nof the kidney", "Aged 18"),
        "exclusion": ("Gout",),
    }
    other = {
        "eligibility": WHOLE,
        "inclusion": ("Has lupus:", "of the skin", "of the kidney", "Aged 18"),
        "exclusion": (),
    }
    assert words(one, other) == words(other, one) == []
    del one["eligibility"], other["eligibility"]
    other["exclusion"] = ("Gout",)
    assert words(one, other) == words(other, one) == []
    assert words(one, {**other, "inclusion": ("Has lupus:", "of the skin", "Aged 18")}) != []


def test_a_criterion_that_is_not_in_the_same_whole_text_is_told() -> None:
    old, new = ({"eligibility": WHOLE, "inclusion": inclusion} for inclusion in (("Aged 18",), ("Aged 18", "Is happy")))
    assert words(old, new) == ["inclusion criterion added: Is happy"]


def test_another_order_and_other_bullets_are_the_same_criteria() -> None:
    other = (
        "INCLUSION CRITERIA\n- Aged 18.\n- Has lupus\n a) of the skin\n b) of the kidney\nExclusion criteria\n- gout"
    )
    old = {
        "eligibility": WHOLE,
        "inclusion": ("Has lupus:\nof the skin\nof the kidney", "Aged 18"),
        "exclusion": ("Gout",),
    }
    new = {
        "eligibility": other,
        "inclusion": ("Aged 18.", "Has lupus\nof the skin\nof the kidney"),
        "exclusion": ("gout",),
    }
    assert words(old, new) == []


def test_what_is_said_around_the_criteria_is_told_once() -> None:
    one = {"eligibility": WHOLE, "inclusion": ("Aged 18",)}
    other = {"eligibility": f"All of these must be met.\n\n{WHOLE}", "inclusion": ("Aged 18",)}
    assert words(one, other) == ["text about who can take part changed"]
    assert words({}, one) == ["inclusion criterion added: Aged 18", "text about who can take part added"]
    changed = {"eligibility": WHOLE.replace("18", "21"), "inclusion": ("Aged 21",)}
    assert words(one, changed) == ["inclusion criterion reworded: Aged 18 → Aged 21"]


def test_many_criteria_are_summed_up_and_all_kept() -> None:
    names = ("Gout", "Asthma", "Malaria", "Measles")
    [difference] = differences(trial(), trial(exclusion=names))
    assert difference.words == "4 exclusion criteria added"
    assert difference.after == "; ".join(names)


# --- sites ------------------------------------------------------------------------------------------------------------


def opened(**parts: Any) -> Site:
    return Site(**{"city": "Lyon", "country": "France", "status": "RECRUITING", **parts})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([], [LYON], ["site added: Lyon, France"]),
        ([], [Site(city="Lyon", country="France", status="WITHDRAWN")],
         ["site added: Lyon, France, withdrawn before it began"]),
        ([LYON], [], ["site removed: Lyon, France"]),
        ([LYON], [LYON, LYON], ["site added: Lyon, France"]),
        ([Site(city="Rome", country="Italy")], [LYON, Site(city="Rome", country="Italy")],
         ["site added: Lyon, France (none in France before)"]),
        ([LYON, Site(city="Rome", country="Italy")], [LYON], ["site removed: Rome, Italy (none left in Italy)"]),
        ([opened(status=WAITING)], [opened()], ["Lyon, France: not yet recruiting → recruiting"]),
        ([opened(status=WAITING), opened(city="Rome", country="Italy")],
         [opened(), opened(city="Rome", country="Italy")],
         ["Lyon, France: not yet recruiting → recruiting (none recruited in France before)"]),
        ([opened()], [opened(status="SUSPENDED")], ["Lyon, France: recruiting → suspended"]),
        ([opened(name="Hă\"Pital Foch")], [opened(name="Hôpital Foch")],
         ['site: Hă"Pital Foch, Lyon, France → Hôpital Foch, Lyon, France']),
        ([opened(name="A", postal_code="69001")], [opened(name="A", postal_code="69002")],
         ["site: A, Lyon, France (69001) → A, Lyon, France (69002)"]),
        ([opened(name="Foch")], [opened(name="Curie")],
         ["site added: Curie, Lyon, France, recruiting", "site removed: Foch, Lyon, France"]),
        ([opened(latitude=45.0)], [opened(latitude=45.5)], ["position on the map of the site changed: Lyon, France"]),
    ],
)  # fmt: skip
def test_a_site_that_changed(old: list[Site], new: list[Site], said: list[str]) -> None:
    assert words({"sites": tuple(old)}, {"sites": tuple(new)}) == said


def test_many_sites_are_summed_up_by_country_and_all_kept() -> None:
    cities = [("Lyon", "France"), ("Berlin", "Germany"), ("Rome", "Italy"), ("Milan", "Italy")]
    many = tuple(Site(city=city, country=country, status=WAITING) for city, country in cities)
    [difference] = differences(trial(), trial(sites=many))
    assert difference.words == "4 sites added in France, Germany and Italy"
    assert (difference.before, difference.after) == (None, "Lyon, France; Berlin, Germany; Rome, Italy; Milan, Italy")
    open_now = tuple(opened(city=city, country=country) for city, country in cities)
    assert words({"sites": many}, {"sites": open_now}) == [
        "4 sites in France, Germany and Italy: not yet recruiting → recruiting"
    ]
    far = tuple(Site(city="X", country=f"Land {n}") for n in range(6))
    assert words({}, {"sites": far}) == ["6 sites added in Land 0, Land 1, Land 2, Land 3 and 2 more countries"]


# --- arms, interventions, outcomes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "old", "new", "said"),
    [
        ("arms", [], [Arm(label="Tea", type="EXPERIMENTAL")], "arm added: Tea (experimental)"),
        ("arms", [Arm(label="Tea"), Arm(label="Milk")], [Arm(label="Milk")], "arm removed: Tea"),
        ("arms", [Arm(label="Green tea daily")], [Arm(label="Green tea weekly")],
         "arm renamed: Green tea daily → Green tea weekly"),
        ("arms", [Arm(label="Tea", description="A cup")], [Arm(label="Placebo", description="A cup")],
         "arm renamed: Tea → Placebo"),
        ("arms", [Arm(label="Tea", interventions=("A",))], [Arm(label="Tea", interventions=("B", "A"))],
         'arm "Tea": intervention added: B'),
        ("arms", [Arm(label="Tea", description="A cup")], [Arm(label="Tea", description="A pot")],
         'arm "Tea": description changed'),
        ("interventions", [Intervention(name="Tea")], [Intervention(name="Tea", type="DRUG")],
         'intervention "Tea": type not stated → drug'),
        ("interventions", [Intervention(name="Tea")], [Intervention(name="Tea", other_names=("Chai", "Cha"))],
         'intervention "Tea": other names added: Chai; Cha'),
        ("outcomes", [Outcome(measure="Pain", time_frame="12 weeks")], [Outcome(measure="Pain", time_frame="24 weeks")],
         'primary outcome "Pain": time frame 12 weeks → 24 weeks'),
        ("outcomes", [Outcome(measure="Pain")], [Outcome(measure="Pain", kind="secondary")],
         'outcome "Pain": kind primary → secondary'),
        ("outcomes", [Outcome(measure="Pain at rest")], [Outcome(measure="Pain at night")],
         "primary outcome reworded: Pain at rest → Pain at night"),
        ("outcomes", [], [Outcome(measure="Pain", kind="other")], "other outcome added: Pain"),
        ("outcomes", [], [Outcome(measure=m, kind="secondary") for m in ("Pain", "Sleep", "Mood", "Cost")],
         "4 secondary outcomes added"),
    ],
)  # fmt: skip
def test_a_part_that_changed(field: str, old: list[Any], new: list[Any], said: str) -> None:
    assert words({field: tuple(old)}, {field: tuple(new)}) == [said]


# --- order, and what is untrusted -------------------------------------------------------------------------------------


def test_what_matters_most_comes_first() -> None:
    old = trial(status="RECRUITING", sites=(LYON,), minimum_age=18.0, enrollment=9, phases=("PHASE1",), title="Tea")
    new = trial(
        status="SUSPENDED", why_stopped="FDA", sites=(LYON, Site(country="Italy")), minimum_age=12.0, enrollment=8,
        phases=("PHASE2",), title="Coffee", has_results=True, contacts=(Contact(name="J"),), keywords=("k",),
        outcomes=(Outcome(measure="Pain"),), arms=(Arm(label="A"),), inclusion=("Lupus",),
    )  # fmt: skip
    found = differences(old, new)
    assert [d.field for d in found] == [
        *("status", "why_stopped", "minimum_age", "inclusion", "sites", "has_results", "phases", "arms", "outcomes"),
        *("enrollment", "title", "keywords", "contacts"),
    ]
    assert all(1 <= d.weight <= 100 for d in found)


def test_hostile_text_stays_on_one_clean_line() -> None:
    evil = "\x1b[2J{0}\u202e\r\nX" * 30
    new = trial(
        title=evil, why_stopped=evil, inclusion=(evil,), sites=(Site(name=evil, country=evil), LYON), summary=evil,
        conditions=(evil,), arms=(Arm(label=evil, description=evil),), outcomes=(Outcome(measure=evil),), masking=evil,
        normalized_conditions=(Term(name=evil),), sponsor=evil, other_ids=(evil,), url=evil, enrollment_type="ACTUAL",
    )  # fmt: skip
    for found in (differences(trial(sites=(LYON,)), new), differences(new, trial(sites=(LYON,)))):
        assert len(found) >= 14
        for difference in found:
            for line in filter(None, (difference.words, difference.before, difference.after)):
                assert line.isprintable()
            assert len(difference.words) < 1500
