"""Pages of real studies, told by the writer that is built in. Skipped where the shared data are not at hand."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import islice

import pytest
from jsonschema import Draft202012Validator

from support.paths import SHARED as DATA
from support.renderer_cases import RENDERERS, renderer
from trialindex import card
from trialindex.plugin.trial_page import TrialPage
from trialindex.trial import Trial
from trialindex.trial.prepare import prepare
from trialindex.trial.sanitize import one_line
from trialindex_ctgov.parse import parse_study
from trialindex_renderers.schema import schemas

STUDIES = DATA / "ctgov-v2" / "studies.jsonl.gz"
EVERY = 12

pytestmark = pytest.mark.skipif(not STUDIES.exists(), reason="the shared data are not at hand")


@pytest.fixture(scope="module")
def studies() -> list[Trial]:
    """Some eighty of them, contacts and raw records included."""
    with gzip.open(STUDIES, "rt", encoding="utf-8") as lines:
        found = [prepare(parse_study(json.loads(line), "ctgov")) for line in islice(lines, 0, None, EVERY)]
    assert len(found) > 50
    return found


@pytest.fixture(scope="module")
def cards(studies: list[Trial]) -> list[TrialPage]:
    """Their pages as the core makes them when contacts were asked for: to hold them back is tested here."""
    return [card(trial, contacts=True, near="Chicago") for trial in studies]


def secrets(trial: Trial) -> Iterator[str]:
    people = [*trial.contacts, *trial.officials, *(person for site in trial.sites for person in site.contacts)]
    yield from (text for person in people for text in (person.email, person.phone) if text)


@pytest.mark.parametrize("name", RENDERERS)
def test_no_page_of_a_real_study_tells_a_contact_unasked(name: str, cards: list[TrialPage]) -> None:
    one = renderer(name, width=80)
    assert sum(1 for page in cards for _ in secrets(page.trial)) > 50
    for page in cards:
        drawn = "".join(one.trial(page))
        assert [secret for secret in secrets(page.trial) if secret in drawn] == []


def test_real_pages_follow_their_schema(cards: list[TrialPage]) -> None:
    validator = Draft202012Validator(schemas()["trial-v1.json"])
    for page in cards[::4]:
        validator.validate(json.loads("".join(renderer("json", contacts=True).trial(page))))


def test_every_site_and_criterion_of_a_real_study_is_on_its_page(cards: list[TrialPage]) -> None:
    for page in cards[::2]:
        told = json.loads("".join(renderer("json").trial(page)))["locations"]
        assert sum(len(country["locations"]) for country in told) == len(page.trial.sites)
        drawn = "".join(renderer("markdown", sources=True).trial(page))
        text = " ".join(drawn.replace("\\", "").split())
        for criterion in (*page.trial.inclusion, *page.trial.exclusion):
            first = one_line(criterion.splitlines()[0]).lstrip("*•-– ").replace("\\", "")
            assert " ".join(first.split()) in text


def test_adverse_events_of_a_real_study_are_told_though_the_record_is_masked(studies: list[Trial]) -> None:
    told = 0
    for trial in studies:
        events = ((trial.raw or {}).get("resultsSection") or {}).get("adverseEventsModule") or {}
        if any(group.get("seriousNumAtRisk") for group in events.get("eventGroups", ())):
            page = card(trial)
            assert page.trial.raw is None
            said = " ".join(one.text.lower() for one in page.plain.could_go_wrong)
            told += "a serious event happened to" in said or "nobody had a serious event" in said
    assert told > 5
