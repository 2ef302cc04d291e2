"""A trial is found by any of its names, and a name that nobody has is answered with what to type next."""

from __future__ import annotations

import pytest

from support.helpers import ONE_STORE, ListSource, execute, ids, trial
from support.plugin_cases import plugin, source_class
from trialindex.errors import UnknownTrial
from trialindex.index import Index
from trialindex.plugin.registry import Plugins
from trialindex.storage.names import similar_ids

pytestmark = ONE_STORE

NAMED = (
    trial(
        1,
        id="NCT01234567",
        title="Walks",
        acronym="WALK-ON",
        other_ids=("EUCTR2004-000446-20-HU", "NCT09999999", "WX 12/7", "2005-005175-16"),
        url="https://clinicaltrials.gov/study/NCT01234567",
    ),
    trial(2, id="MINE-2", title="Diaries", acronym="TWIN", url="https://example.org/our-study"),
    trial(3, id="MINE-3", title="Songs", acronym="Twin"),
)


@pytest.fixture
def named(new_index: Index) -> Index:
    new_index.ingest(ListSource(*NAMED))
    return new_index


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("NCT01234567", "NCT01234567"),
        ("nct01234567", "NCT01234567"),
        (" NCT 0123 4567 ", "NCT01234567"),
        ("NCT-01234567", "NCT01234567"),
        ("nct09999999", "NCT01234567"),
        ("2004-000446-20", None),
        ("EUCTR 2004-000446-20-HU", "NCT01234567"),
        ("EudraCT: 2005-005175-16", "NCT01234567"),
        ("EudraCT No. 2005-005175-16", "NCT01234567"),
        ("EudraCT 2005-005175-17", None),
        ("wx12/7", "NCT01234567"),
        ("walk on", "NCT01234567"),
        ("https://clinicaltrials.gov/study/NCT01234567?cond=walks", "NCT01234567"),
        ("https://www.clinicaltrials.gov/ct2/show/nct01234567", "NCT01234567"),
        ("https://example.org/our-study", "MINE-2"),
        ("mine 3", "MINE-3"),
        ("--", None),
        ("", None),
    ],
)
def test_every_name_finds_the_trial(named: Index, name: str, found: str | None) -> None:
    assert (name in named) is (found is not None)
    if found is None:
        with pytest.raises(UnknownTrial):
            named.get(name)
        return
    assert named.get(name).id == found
    assert named.history(name)[-1].trial.id == found
    assert [change.id for change in named.remove([name])] == [found]
    assert found not in ids(named.trials())


def test_a_name_that_two_trials_share_is_said(named: Index) -> None:
    with pytest.raises(UnknownTrial, match=r'"twin" is a name of 2 trials .*: MINE-2; MINE-3\. Give the id'):
        named.get("twin")


def test_a_name_goes_with_its_trial(named: Index) -> None:
    named.ingest(ListSource(trial(1, id="NCT01234567", title="Walks")))
    assert "WALK-ON" not in named
    named.remove(["NCT01234567"])
    assert execute(named, "SELECT name FROM names ORDER BY 1") == [
        ("httpsexampleorgourstudy",),
        ("mine2",),
        ("mine3",),
        ("twin",),
        ("twin",),
    ]
    assert named.check() == []


def test_a_lost_name_is_found_by_the_check_and_mended(named: Index) -> None:
    execute(named, "DELETE FROM names WHERE name = 'walkon'")
    assert [(one.kind, one.trial) for one in named.check()] == [("filters", "NCT01234567")]
    assert all(one.repaired for one in named.check(repair=True))
    assert "walk-on" in named


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("NCT01234568", 'Did you mean "NCT01234567"?'),
        ("NCT1234567", 'Did you mean "NCT01234567"?'),
        ("NCT0123456", 'Did you mean "NCT01234567"?'),
        ("NCT001234567", 'Did you mean "NCT01234567"?'),
        ("NCT01234576", ""),
        ("NCT91234568", ""),
    ],
)
def test_a_suggestion_is_a_digit_or_zeros_away(named: Index, typed: str, suggested: str) -> None:
    with pytest.raises(UnknownTrial) as raised:
        named.get(typed)
    assert suggested in raised.value.hint
    assert ("Did you mean" in raised.value.hint) is bool(suggested)


def test_it_is_said_how_to_fetch_what_is_not_held(named: Index, registered: Plugins) -> None:
    source = source_class("registry")
    source.id_pattern = "NCT[0-9]{8}"
    registered.register(plugin(register_sources=lambda: [source]), "registry")
    with pytest.raises(UnknownTrial) as raised:
        named.get("nct 5555 5555")
    assert raised.value.hint == f"Fetch it: trialindex ingest registry:NCT55555555 --index {named.folder}"
    with pytest.raises(UnknownTrial, match="List what there is: trialindex list"):
        named.get("something else")


def test_similar_ids_are_few_and_never_the_same(store: str) -> None:
    assert "NCT01234567" not in similar_ids("NCT01234567")
    assert similar_ids("x" * 1000) == set()
    assert len(similar_ids("NCT01234567")) < 300
