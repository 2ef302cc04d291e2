"""Who gets what: on made-up trials of every kind, and over 150 real studies whose roles were written down by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.plain_cases import needs_studies, real_trials
from trialindex.trial import Arm, Intervention, Trial
from trialindex_writers.plain_roles import Roles, chance, roles
from trialindex_writers.plain_things import Thing, is_accessory, is_code, thing

_FILE = Path(__file__).parents[2] / "data/plain/gold.jsonl"
GOLD = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]


def made(
    arms: Mapping[str, tuple[str, ...]], title: str = "A Study", names: tuple[str, ...] = (), **fields: Any
) -> Trial:
    """A trial from its arms, ``{"E: New drug": ("Zorumab", "Placebo")}``; the letter is the type of the arm."""
    kinds = {
        "E": "EXPERIMENTAL",
        "A": "ACTIVE_COMPARATOR",
        "P": "PLACEBO_COMPARATOR",
        "S": "SHAM_COMPARATOR",
        "N": "NO_INTERVENTION",
        "O": "OTHER",
        "-": None,
    }
    given = dict.fromkeys((*names, *(name for group in arms.values() for name in group)))
    return Trial(
        **{
            "id": "X-1",
            "title": title,
            "study_type": "INTERVENTIONAL",
            "allocation": "RANDOMIZED",
            "interventions": tuple(Intervention(name=name, type="DRUG") for name in given),
            "arms": tuple(
                Arm(label=label.partition(": ")[2], type=kinds[label[0]], interventions=group)
                for label, group in arms.items()
            ),
            **fields,
        }
    )


def shown(things: tuple[Thing, ...]) -> list[str]:
    return [one.shown for one in things]


# --- kinds of trials ------------------------------------------------------------------------------------------------


def test_what_only_a_placebo_arm_gets_is_inactive_whatever_it_is_called() -> None:
    for name in ("Saline", "Vehicle", "Maltodextrin", "Oat flour", "Sodium Chloride 0.9 %", "Plain drink"):
        found = roles(made({"E: New": ("Zorumab",), "P: Control": (name,)}))
        assert shown(found.tested) == ["zorumab"]
        assert [one.name for one in found.inactive] == [name]
        assert found.placebo
        assert not found.control


def test_saline_of_a_control_arm_is_inactive_and_saline_that_is_tested_is_not() -> None:
    found = roles(made({"E: New": ("Zorumab",), "A: Control": ("Normal saline",)}))
    assert [one.name for one in found.inactive] == ["Normal saline"]
    found = roles(made({"E: Wash": ("Saline",), "N: Nothing": ()}, title="Saline for a Blocked Nose"))
    assert [one.name for one in found.tested] == ["Saline"]
    assert found.untreated


def test_what_both_get_is_background() -> None:
    found = roles(made({"E: Both": ("Zorumab", "Metformin"), "A: One": ("Metformin",)}))
    assert shown(found.tested) == ["zorumab"]
    assert [one.name for one in found.background] == ["Metformin"]
    assert found.untreated
    assert not found.control


def test_of_two_arms_of_chance_the_one_that_gets_less_is_the_control() -> None:
    arms = {"E: Both": ("Zorumab", "Tacumab"), "E: One": ("Tacumab",)}
    found = roles(made(arms))
    assert (shown(found.tested), shown(found.background)) == (["zorumab"], ["tacumab"])


def test_of_a_first_test_the_arm_that_gets_less_is_none() -> None:
    arms = {"E: Alone": ("ZB-123",), "E: With pembrolizumab": ("ZB-123", "Pembrolizumab")}
    found = roles(made(arms, title="ZB-123 Alone and With Pembrolizumab", allocation="NON_RANDOMIZED"))
    assert (shown(found.tested), shown(found.background)) == (["ZB-123"], ["pembrolizumab"])
    assert not found.untreated


def test_another_drug_is_the_control() -> None:
    arms = {
        "E: New": ("Zorumab", "Cisplatin"),
        "A: Old": ("Tacumab", "Cisplatin"),
        "P: Placebo": ("Placebo", "Cisplatin"),
    }
    found = roles(made(arms))
    assert shown(found.tested) == ["zorumab"]
    assert shown(found.background) == ["cisplatin"]
    assert shown(found.control) == ["tacumab"]
    assert found.placebo


def test_a_placebo_for_each_of_two_drugs_leaves_both_tested() -> None:
    arms = {
        "E: Both": ("Zorumab", "Tacumab"),
        "E: One": ("Tacumab", "Zorumab placebo"),
        "P: None": ("Zorumab placebo", "Tacumab placebo"),
    }
    assert shown(roles(made(arms)).tested) == ["zorumab", "tacumab"]


def test_chemotherapy_beside_a_new_drug_is_background() -> None:
    found = roles(made({"E: All": ("Carboplatin", "ZB-123", "Pemetrexed")}, allocation="NA"))
    assert shown(found.tested) == ["ZB-123"]
    assert shown(found.background) == ["carboplatin", "pemetrexed"]


def test_what_prepares_for_cells_is_background() -> None:
    arms = {"E: Cells": ("Fludarabine", "Cyclophosphamide", "CD99-CAR-T cells")}
    assert shown(roles(made(arms, allocation="NA")).tested) == ["CD99-CAR-T cells"]


def test_samples_scans_and_questionnaires_are_not_tested_beside_what_is() -> None:
    found = roles(made({"E: All": ("Blood sample", "MRI", "Questionnaires", "Zorumab")}, allocation="NA"))
    assert shown(found.tested) == ["zorumab"]


def test_without_an_experimental_arm_the_one_that_is_no_control_is_tested() -> None:
    found = roles(made({"A: Exercise": ("Exercise",), "A: Usual care": ("Advice",)}))
    assert ([t.name for t in found.tested], [t.name for t in found.control]) == (["Exercise"], ["Advice"])
    found = roles(made({"A: Rest": ("Rest",), "A: Walking": ("Walking",)}))
    assert [t.name for t in found.tested] == ["Rest", "Walking"], "two that are compared with each other"


def test_doses_are_one_product() -> None:
    found = roles(made({"E: Low": ("ZB-123 5 mg",), "E: High": ("ZB-123 50 mg",), "P: Placebo": ("Placebo",)}))
    assert shown(found.tested) == ["ZB-123"]


def test_what_is_called_a_control_is_one() -> None:
    found = roles(made({"E: App": ("Zor app",), "E: Second": ("Control app",)}))
    assert ([t.name for t in found.tested], [t.name for t in found.control]) == (["Zor app"], ["Control app"])


def test_watched_treatments_are_told_apart_as_tested_ones_are() -> None:
    arms = {"-: Both": ("Ozone", "Steroid shot"), "-: One": ("Steroid shot",)}
    found = roles(made(arms, study_type="OBSERVATIONAL", allocation=None))
    assert ([t.name for t in found.tested], [t.name for t in found.background]) == (["Ozone"], ["Steroid shot"])


def test_an_illness_that_is_registered_as_an_intervention_is_not_tested() -> None:
    arms = {"-: All": ("Severe Asthma",)}
    record = made(arms, study_type="OBSERVATIONAL", allocation=None)
    record = record.__class__(
        **{**_fields(record), "interventions": (Intervention(name="Severe Asthma", type="OTHER"),)}
    )
    assert roles(record).tested == ()


def _fields(record: Trial) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_without_interventions_nothing_has_a_role() -> None:
    assert roles(made({})) == Roles((), (), (), (), False, False, False, False)


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "others", "text", "better"),
    [
        ("ZB-123", ("zorumab",), "", "zorumab"),
        ("ZB-123", ("Zorumab injection",), "", "ZB-123"),
        ("ZB-123", ("IgE inhibitor", "subcutaneous", "Seoul", "na"), "", "ZB-123"),
        ("ZB123", (), "Zorumab (ZB123) for Gout", "zorumab"),
        ("Zorumab (ZB-123)", (), "", "zorumab"),
        ("ZB-123 (zorumab)", (), "", "zorumab"),
        ("ZB-123 150 mg, once a day", (), "", "ZB-123"),
        ("Zorumab for Injection", (), "", "zorumab"),
        ("Part 1: ZB-123", (), "", "ZB-123"),
        ("ZB12 injection for treatment of advanced malignant tumors", (), "", "ZB12"),
        ("Smartphone app", ("Quit Now",), "", "Quit Now"),
        ("Vitamin D3", ("cholecalciferol",), "", "vitamin D3"),
    ],
)
def test_the_name_to_show(name: str, others: tuple[str, ...], text: str, better: str) -> None:
    assert thing(Intervention(name=name, type="DRUG", other_names=others), (text,)).shown == better


@pytest.mark.parametrize("name", ["MGD009", "AK-112", "BMS-986315", "611", "CNTO 7160", "YH35324", "PF-06444753"])
def test_codes_are_codes(name: str) -> None:
    assert is_code(name)


@pytest.mark.parametrize(
    "name", ["zorumab", "CAR-T cells", "Vitamin D3", "Xolair", "Lactobacillus GG", "IL-2 therapy", "H1 blocker"]
)
def test_names_are_no_codes(name: str) -> None:
    assert not is_code(name)


# --- chance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arms", "fields", "between"),
    [
        ({"E: Zorumab": ("Z",), "P: Placebo": ("P",)}, {}, "all"),
        ({"E: Part 1": ("Z",), "E: Part 2 high": ("Z",), "E: Part 2 low": ("Z",)}, {}, "some"),
        (
            {
                "E: Part A drug": ("Z",),
                "P: Part A placebo": ("P",),
                "E: Part B drug": ("Z",),
                "P: Part B placebo": ("P",),
            },
            {},
            "all",
        ),
        ({"E: Dose A": ("Z",), "E: Dose B": ("Z",), "E: Expansion": ("Z",)}, {}, "some"),
        ({"E: New, cohort 1 and cohort 3": ("Z",), "A: Old in cohort 3": ("Y",)}, {}, "some"),
        ({"E: Women with illness": ("Z",), "N: Normal women": ()}, {}, "none"),
        ({"E: Zorumab": ("Z",)}, {"allocation": "NA"}, "none"),
        ({"E: Zorumab": ("Z",)}, {"allocation": None}, ""),
    ],
)
def test_chance_decides_only_between_arms_that_are_randomised(
    arms: dict[str, tuple[str, ...]], fields: dict[str, Any], between: str
) -> None:
    assert chance(made(arms, **fields)) == between


# --- real studies ---------------------------------------------------------------------------------------------------


@cache
def _studies() -> dict[str, Trial]:
    return {trial.id: trial for trial in real_trials()}


def _names(things: tuple[Thing, ...]) -> set[str]:
    return {one.name for one in things}


@needs_studies
def test_nothing_inactive_is_ever_tested() -> None:
    for gold in GOLD:
        wrong = _names(roles(_studies()[gold["id"]]).tested) & (set(gold["inactive"]) - set(gold["tested"]))
        assert not wrong, (gold["id"], wrong)


@needs_studies
def test_roles_are_those_that_a_person_gave_them() -> None:
    """What is tested in at least 149 of the 150, what it is added to and compared with in 95 %."""
    wrong: dict[str, list[str]] = {"tested": [], "background": [], "compared": []}
    for gold in GOLD:
        trial = _studies()[gold["id"]]
        found = roles(trial)
        registered = {i.name for i in trial.interventions}
        ignored = set(gold["either"]) | {name for name in registered if is_accessory(name)}
        keys = {
            i.name: thing(i, (trial.title, trial.official_title or "", trial.summary or "")).shown
            for i in trial.interventions
        }
        asked = {
            "tested": (set(gold["tested"]), _names(found.tested)),
            "background": (set(gold["background"]), _names(found.background)),
            # an arm of type placebo whose food is another food: the registry calls it inactive, an editor a comparison
            "compared": (set(gold["control"]) | set(gold["inactive"]), _names(found.control) | _names(found.inactive)),
        }
        if found.untreated or found.doses:  # the control gets the background alone, or another dose: it has no own name
            asked["compared"] = (
                set(gold["inactive"]),
                _names(found.inactive) | (_names(found.control) & set(gold["inactive"])),
            )
        for role, (wanted, got) in asked.items():
            wanted, got = ({keys[name] for name in names & registered - ignored} for names in (wanted, got))
            if wanted != got:
                wrong[role].append(f"{gold['id']}: {sorted(wanted)}, not {sorted(got)}")
    assert len(wrong["tested"]) <= 1, wrong["tested"]
    assert len(wrong["background"]) <= 7, wrong["background"]
    assert len(wrong["compared"]) <= 7, wrong["compared"]


@needs_studies
def test_chance_is_what_a_person_read() -> None:
    wanted = {
        "all": {"all"},
        "some": {"some"},
        "none": {"none", ""},
        "not applicable": {"none", ""},
        "not stated": {""},
    }
    wrong = [gold["id"] for gold in GOLD if chance(_studies()[gold["id"]]) not in wanted[gold["randomised"]]]
    assert len(wrong) <= 1, wrong
