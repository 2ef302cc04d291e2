"""Differences between real versions of real studies, against a walker that knows nothing of the code under test.

The walker compares the registry's JSON leaf by leaf. Each leaf that changed must be told by a difference of the field
it goes into, and each difference must have a leaf that changed.
"""

from __future__ import annotations

import gzip
import json
import random
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from support.paths import SHARED
from trialindex.changes import differences
from trialindex.plugin.messages import Difference
from trialindex.trial.prepare import prepare
from trialindex_ctgov.parse import parse_study

DATA = SHARED / "ctgov-v2"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")

STAMPS = {
    "protocolSection.statusModule.statusVerifiedDate",
    "protocolSection.statusModule.lastUpdateSubmitDate",
    "protocolSection.statusModule.lastUpdatePostDateStruct",
    "derivedSection.miscInfoModule.versionHolder",
}
"""When the record was looked at."""

NOT_KEPT = {
    "protocolSection.armsInterventionsModule.interventions.armGroupLabels",  # the arms say it the other way round
    "protocolSection.designModule.designInfo.interventionModelDescription",
    "protocolSection.ipdSharingStatementModule",
}
"""What a trial has no field for; nothing can be told of it."""

CRITERIA = {"inclusion", "exclusion", "eligibility"}
FIELDS: dict[str, set[str]] = {
    "armsInterventionsModule.armGroups": {"arms"},
    "armsInterventionsModule.interventions": {"interventions"},
    "contactsLocationsModule.centralContacts": {"contacts"},
    "contactsLocationsModule.locations": {"sites"},
    "contactsLocationsModule.overallOfficials": {"officials"},
    "descriptionModule.briefSummary": {"summary"},
    "descriptionModule.detailedDescription": {"description"},
    "designModule.enrollmentInfo.count": {"enrollment"},
    "designModule.enrollmentInfo.type": {"enrollment", "enrollment_type"},
    "eligibilityModule.eligibilityCriteria": CRITERIA,
    "identificationModule.acronym": {"acronym"},
    "identificationModule.briefTitle": {"title"},
    "identificationModule.officialTitle": {"official_title"},
    "outcomesModule": {"outcomes"},
    "referencesModule.references": {"references"},
    "referencesModule.seeAlsoLinks": {"links"},
    "sponsorCollaboratorsModule.collaborators": {"collaborators"},
    "statusModule.completionDateStruct": {"completion_date"},
    "statusModule.expandedAccessInfo.hasExpandedAccess": {"has_expanded_access"},
    "statusModule.expandedAccessInfo.nctId": {"expanded_access_id"},
    "statusModule.lastKnownStatus": {"last_known_status", "status"},
    "statusModule.overallStatus": {"status"},
    "statusModule.primaryCompletionDateStruct": {"primary_completion_date"},
    "statusModule.startDateStruct": {"start_date"},
    "statusModule.whyStopped": {"why_stopped"},
}
"""By path in the protocol section: the fields of which one must be told."""

NAMED = ("facility", "city", "country", "label", "measure", "briefTitle", "acronym", "whyStopped", "name", "count")
"""Leaves whose value itself must stand in what is told."""


def plain(value: Any) -> str:
    """The letters and digits of a value, by other means than the code under test."""
    text = unicodedata.normalize("NFKC", str(value)).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def kept(value: Any, path: str = "") -> Any:
    """A study without its stamps and without what a trial has no field for."""
    if isinstance(value, dict):
        below = {key: f"{path}.{key}" if path else key for key in value}
        return {key: kept(value[key], at) for key, at in below.items() if at not in STAMPS and at not in NOT_KEPT}
    return [kept(item, path) for item in value] if isinstance(value, list) else value


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf: its path, without a place in a list, and its value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif plain(value):
        yield path, plain(value)


def shape(value: Any) -> Any:
    """A value that is equal to another in which only the order of lists differs."""
    if isinstance(value, dict):
        return tuple(sorted((key, shape(item)) for key, item in value.items()))
    if isinstance(value, list):
        return tuple(sorted((shape(item) for item in value), key=repr))
    return plain(value)


def changed(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
    """Each leaf that one version has more often than the other."""
    old, new = kept(old), kept(new)
    sides = [Counter(leaves(side)) for side in (old, new)]
    found = [*(sides[0] - sides[1]).elements(), *(sides[1] - sides[0]).elements()]
    assert bool(found) == (shape(old) != shape(new)), "the leaves changed places: the walker would miss it"
    return found


def fields_of(path: str) -> set[str]:
    if path == "hasResults":
        return {"has_results"}
    inside = path.removeprefix("protocolSection.")
    return next(fields for start, fields in FIELDS.items() if inside == start or inside.startswith(f"{start}."))


@pytest.fixture(scope="module")
def sequences() -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    with gzip.open(DATA / "revisions.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            version = json.loads(line)
            found[version["nctId"]].append(version["study"])
    return found


def tell(old: dict[str, Any], new: dict[str, Any]) -> tuple[Difference, ...]:
    return differences(prepare(parse_study(old, "ctgov")), prepare(parse_study(new, "ctgov")))


def compared(pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> Counter[str]:
    """What was compared; fails on a leaf that is not told and on a difference without a leaf."""
    count: Counter[str] = Counter()
    for old, new in pairs:
        found, real = tell(old, new), changed(old, new)
        fields = {difference.field for difference in found}
        possible = set().union(*(fields_of(path) for path, _ in real))
        assert [(path, leaf) for path, leaf in real if not fields_of(path) & fields] == [], "missed"
        assert [difference.words for difference in found if difference.field not in possible] == [], "invented"
        count.update(pairs=1, leaves=len(real), told=len(found), silent=not found)
    return count


def test_every_real_difference_is_told_and_none_invented(sequences: dict[str, list[dict[str, Any]]]) -> None:
    count = compared(pair for versions in sequences.values() for pair in pairwise(versions))
    assert len(sequences) == 33
    assert count == {"pairs": 42, "leaves": 1377, "told": 132, "silent": 4}


def test_backwards_and_over_several_versions_as_well(sequences: dict[str, list[dict[str, Any]]]) -> None:
    back = [(new, old) for versions in sequences.values() for old, new in pairwise(versions)]
    far = [(versions[0], versions[-1]) for versions in sequences.values() if len(versions) > 2]
    assert compared([*back, *far])["pairs"] == 49


def test_the_values_that_changed_stand_in_what_is_told(sequences: dict[str, list[dict[str, Any]]]) -> None:
    checked = 0
    for versions in sequences.values():
        for old, new in pairwise(versions):
            said = plain(" ".join(f"{d.words} {d.before} {d.after}" for d in tell(old, new)))
            for path, leaf in changed(old, new):
                *_, parent, name = path.split(".")
                if name in NAMED and not parent.lower().endswith(("contacts", "officials")):
                    checked += 1
                    assert leaf in said, path
    assert checked > 100


def test_a_real_study_in_another_order_and_dress_is_the_same() -> None:
    rng = random.Random(5)

    def disturbed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: disturbed(item) for key, item in value.items()}
        if isinstance(value, list):
            return [disturbed(item) for item in rng.sample(value, len(value))]
        return value

    with gzip.open(DATA / "studies.jsonl.gz", "rt", encoding="utf-8") as lines:
        studies = [json.loads(line) for line in lines]
    assert len(studies) > 500
    for study in studies:
        assert tell(study, disturbed(study)) == (), study["protocolSection"]["identificationModule"]["nctId"]
