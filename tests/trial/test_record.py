"""The trial record: what is written is read again, and what counts as a change."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialindex.testing import sample_trials
from trialindex.trial import (
    Contact,
    Site,
    Trial,
    TrialDate,
    decode,
    encode,
    format_age,
    from_mapping,
    parse_age,
    to_mapping,
    walk_text,
)

TRIALS = sample_trials(20)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda t: t.id)
def test_a_trial_survives_being_written_and_read(trial: Trial) -> None:
    assert decode(encode(trial)) == trial
    assert from_mapping(json.loads(json.dumps(to_mapping(trial)))) == trial


def test_defaults_are_not_written() -> None:
    assert json.loads(encode(Trial(id="a", title="b"))) == {"id": "a", "title": "b"}


def test_the_hash_of_a_trial_is_the_same_in_every_version() -> None:
    # Indexes hold these hashes: a change of this number means that every trial of every index counts as changed.
    trial = Trial(id="EX-1", title="A title", minimum_age=0.5, sites=(Site(city="Zürich"),), phases=("PHASE1",))
    assert trial.content_hash == "f660044d596536543a2c37d989428ea346aad0be8a31631c36bcd7c5271f9c72"


def test_the_hash_ignores_what_is_no_change() -> None:
    trial = TRIALS[9]
    same = msgspec.structs.replace(trial, source="elsewhere", as_of="2031-01-01", raw={"anything": [1, 2]})
    assert same.content_hash == trial.content_hash


NO_CHANGE = {"source", "as_of", "gone_since", "raw"}


@pytest.mark.parametrize("field", [f for f in Trial.__struct_fields__ if f not in NO_CHANGE])
def test_the_hash_sees_a_change_of_every_field(field: str) -> None:
    trial = TRIALS[9]
    assert msgspec.structs.replace(trial, **{field: "something else"}).content_hash != trial.content_hash


@pytest.mark.parametrize("trial", TRIALS, ids=lambda t: t.id)
def test_masked_drops_every_contact(trial: Trial) -> None:
    with_contacts = msgspec.structs.replace(
        trial,
        contacts=(Contact(name="SECRET", phone="SECRET", email="SECRET"),),
        officials=(Contact(name="SECRET", role="SECRET", affiliation="SECRET"),),
        sites=(*trial.sites, Site(city="Lyon", contacts=(Contact(email="SECRET"),))),
        raw={"deep": [{"SECRET": "SECRET"}]},
    )
    masked = with_contacts.masked()
    assert with_contacts.has_contacts
    assert not masked.has_contacts
    assert "SECRET" not in list(walk_text(masked))
    assert "SECRET" not in encode(masked).decode()
    assert [site.city for site in masked.sites] == [site.city for site in with_contacts.sites]


def test_masking_keeps_everything_else() -> None:
    kept = set(Trial.__struct_fields__) - {"contacts", "officials", "sites", "raw"}
    assert "title" in kept
    for trial in TRIALS:
        masked = trial.masked()
        for field in kept:
            assert getattr(masked, field) == getattr(trial, field)


@pytest.mark.parametrize(
    "bad",
    [
        {"id": "", "title": "t"},
        {"id": " a", "title": "t"},
        {"id": "a\n", "title": "t"},
        {"id": "a\nb", "title": "t"},
        {"id": "x" * 101, "title": "t"},
        {"id": "a", "title": ""},
        {"id": "a"},
        {"id": "a", "title": "t", "phase": "PHASE1"},
        {"id": "a", "title": "t", "phases": "PHASE1"},
        {"id": "a", "title": "t", "status": "recruiting"},
        {"id": "a", "title": "t", "minimum_age": -1},
        {"id": "a", "title": "t", "maximum_age": 151},
        {"id": "a", "title": "t", "enrollment": -5},
        {"id": "a", "title": "t", "last_updated": {"date": "2024-13"}},
        {"id": "a", "title": "t", "last_updated": {"date": "2024-05-17\n"}},
        {"id": "a", "title": "t", "last_updated": {"date": "17.05.2024"}},
        {"id": "a", "title": "t", "sites": [{"latitude": 91}]},
        {"id": "a", "title": "t", "sites": [{"longitude": -181}]},
    ],
)
def test_a_record_that_breaks_the_contract_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        from_mapping(bad)


@pytest.mark.parametrize(("date", "precision"), [("2024", "year"), ("2024-05", "month"), ("2024-05-17", "day")])
def test_a_date_knows_its_precision(date: str, precision: str) -> None:
    assert TrialDate(date=date).precision == precision


def test_countries_come_once_and_in_order() -> None:
    sites = tuple(Site(country=country) for country in ("Spain", None, "France", "Spain"))
    assert Trial(id="a", title="b", sites=sites).countries == ("Spain", "France")


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("18 Years", 18),
        ("1 Year", 1),
        ("6 Months", 0.5),
        ("52 weeks", 52 * 7 / 365.25),
        ("1 Day", 1 / 365.25),
        ("24 Hours", 1 / 365.25),
        ("30 Minutes", 30 / (365.25 * 24 * 60)),
        ("34", 34),
        (" 18 years ", 18),
        ("N/A", None),
        ("", None),
        ("None", None),
        ("6M", 0.5),
        ("730D", 730 / 365.25),
        ("18Y", 18),
        ("NO LIMIT", None),
        ("no maximum age", None),
        ("0 N/A (No limit)", None),
        ("20years-old", 20),
        (">= 20age old", 20),
        ("18(Year)", 18),
        ("19 Year(s)", 19),
        ("18 years old", 18),
        ("6 weeks of age", 42 / 365.25),
    ],
)
def test_ages_are_read(text: str, years: float | None) -> None:
    assert parse_age(text) == (None if years is None else pytest.approx(years))


@pytest.mark.parametrize("text", ["adult", "18-65", "-5 years", "18 Jahre", "1e3", "eighteen", "18 elephants"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an age"):
        parse_age(text)


@settings(deadline=None)
@given(st.integers(1, 1000), st.sampled_from(["years", "months", "weeks", "days", "hours", "minutes"]))
def test_format_age_says_what_parse_age_read(number: int, unit: str) -> None:
    years = parse_age(f"{number} {unit}")
    assert years is not None
    assert parse_age(format_age(years)) == pytest.approx(years, rel=1e-9)


@pytest.mark.parametrize(
    ("years", "text"),
    [(0.5, "6 months"), (18, "18 years"), (1, "1 year"), (1 / 12, "1 month"), (7 / 365.25, "1 week"), (0, "0 years")],
)
def test_an_age_is_written_in_its_largest_exact_unit(years: float, text: str) -> None:
    assert format_age(years) == text


@settings(deadline=None)
@given(st.floats(0.001, 150))
def test_any_age_is_written_so_that_it_is_read_again(years: float) -> None:
    assert parse_age(format_age(years)) == pytest.approx(years, rel=1e-4)
