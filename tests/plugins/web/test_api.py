"""What a program asks and is answered."""

from __future__ import annotations

import json
from typing import Any

import feedparser
import httpx2
import jsonschema
import msgspec
import pytest

from support.helpers import ListSource, trial
from support.hostile_cases import ATTACKS, controls, filled
from support.web_cases import HOST, Browser
from trialindex.index import Index
from trialindex.testing.samples import CONTACT

SEARCH = "/api/v1/search"
TRIALS = "/api/v1/trials"


def post(browser: Browser, path: str, body: Any, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return browser.client.post(path, content=content, headers={"Content-Type": "application/json", **headers})


def check(browser: Browser, name: str, value: Any) -> None:
    """The value is what the description of the API says."""
    document = browser.get("/openapi.json").json()
    schema = {**document["components"]["schemas"][name], "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def test_a_question_is_answered(browser: Browser, index: Index) -> None:
    answer = post(browser, SEARCH, {"text": "lupus nephritis", "limit": 3, "explain": True})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found["schema"] == "trialindex.results/1"
    assert [hit["trial"]["id"] for hit in found["hits"]] == [
        hit.trial.id for hit in index.query("lupus nephritis", limit=3).hits
    ]
    assert found["understood"] is not None
    check(browser, "SearchAnswer", found)


@pytest.mark.parametrize("limit", [1, 5, 12, 100])
def test_walking_by_cursors_is_the_whole_list(browser: Browser, index: Index, limit: int) -> None:
    whole = [hit.trial.id for hit in index.query("lupus", limit=100).hits]
    asked: dict[str, Any] = {"text": "lupus", "limit": limit}
    walked: list[str] = []
    for _ in range(20):
        page = post(browser, SEARCH, asked).json()
        walked += [hit["trial"]["id"] for hit in page["hits"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert walked == whole
    assert len(walked) == 12

    listed: list[str] = []
    path = f"{TRIALS}?limit={limit}"
    for _ in range(20):
        page = browser.get(path).json()
        listed += [one["id"] for one in page["trials"]]
        if page["next"] is None:
            break
        path = f"{TRIALS}?limit={limit}&cursor={page['next']}"
    assert listed == [one.id for one in index.trials()]


def test_a_cursor_is_for_its_question_and_its_state_of_the_index(browser: Browser, index: Index) -> None:
    cursor = post(browser, SEARCH, {"text": "lupus", "limit": 2}).json()["next"]
    assert "lupus" not in cursor
    for body, status in (
        ({"text": "asthma", "limit": 2, "cursor": cursor}, 400),
        ({"text": "lupus", "limit": 3, "cursor": cursor}, 400),
        ({"text": "lupus", "limit": 2, "cursor": cursor[:-2]}, 400),
        ({"text": "lupus", "limit": 2, "cursor": "é"}, 400),
        ({"text": "lupus", "limit": 2, "cursor": ""}, 400),
    ):
        assert post(browser, SEARCH, body).status_code == status, body
    assert browser.get(f"{TRIALS}?cursor={cursor}").status_code == 400
    index.ingest(ListSource(trial(1)))
    stale = post(browser, SEARCH, {"text": "lupus", "limit": 2, "cursor": cursor})
    assert stale.status_code == 410
    assert "Ask again" in stale.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "no JSON"),
        (b"{", 400, "no JSON"),
        (b"\xff", 400, "no JSON"),
        (b"[" * 100_000, 400, "no JSON"),
        ([], 422, "A field"),
        ({}, 422, "text"),
        ({"text": ""}, 422, "text"),
        ({"text": "  "}, 422, "text"),
        ({"text": 7}, 422, "text"),
        ({"text": "x" * 20_001}, 422, "text"),
        ({"text": "x", "limit": 0}, 422, "limit"),
        ({"text": "x", "limit": 101}, 422, "limit"),
        ({"text": "x", "limit": "many"}, 422, "limit"),
        ({"text": "x", "limit": 1.5}, 422, "limit"),
        ({"text": "x", "explain": 1}, 422, "explain"),
        ({"text": "x", "mode": "quokkaemia"}, 422, "mode"),
        ({"text": "x", "quokkaemia": 1}, 422, "A field"),
        ({"text": "x", "age": "very old"}, 422, "is not an age"),
        ({"text": "x", "country": "Atlantis"}, 422, "no trial in this index has the country"),
        ({"text": "x", "within": "5km"}, 422, "a distance needs a place"),
        ({"text": "x", "status": [""]}, 422, "a filter is empty"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(browser: Browser, body: Any, status: int, said: str) -> None:
    answer = post(browser, SEARCH, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert said in problem["detail"]
    assert "quokkaemia" not in answer.text, "the field is named, and not its value"
    check(browser, "Problem", problem)


def test_a_whole_number_may_be_written_with_a_point(browser: Browser) -> None:
    assert post(browser, SEARCH, b'{"text": "x", "limit": 2.0}').json()["limit"] == 2


def test_other_requests_are_refused(browser: Browser) -> None:
    assert browser.get(f"{SEARCH}?text=lupus").status_code == 405
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = browser.client.post(SEARCH, content=b'{"text":"lupus"}', headers={"Content-Type": kind})
        assert answer.status_code == 415
    for headers in ({"Origin": "http://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert post(browser, SEARCH, {"text": "lupus"}, **headers).status_code == 403
    assert post(browser, SEARCH, {"text": "lupus"}, Origin=f"http://{HOST}").status_code == 200
    assert "access-control-allow-origin" not in post(browser, SEARCH, {"text": "lupus"}).headers
    wrong = browser.get(TRIALS, Host="evil.test")
    assert wrong.status_code == 421
    for path in (f"{TRIALS}?age=34", f"{TRIALS}?limit=0", f"{TRIALS}?limit=x", f"{TRIALS}?status=hopeful"):
        assert browser.get(path).status_code == 422
    assert browser.get(f"{TRIALS}/EX-9999").status_code == 404
    assert browser.get(f"{TRIALS}/EX-9999/changes").status_code == 404
    assert browser.get("/api/v1/nothing").headers["content-type"] == "application/problem+json"


def test_a_trial_has_its_page_its_changes_and_those_like_it(browser: Browser, index: Index) -> None:
    index.ingest(ListSource(msgspec.structs.replace(index.get("EX-0002"), status="COMPLETED"), spec="sample"))
    page = browser.get(f"{TRIALS}/ex-0002").json()
    assert page["schema"] == "trialindex.trial/1"
    assert page["trial"]["id"] == "EX-0002"
    assert page["plain"]["summary"]
    changes = browser.get(f"{TRIALS}/EX-0002/changes").json()
    assert [version["number"] for version in changes["versions"]] == [1, 2]
    assert any("completed" in one["words"] for one in changes["versions"][1]["differences"])
    check(browser, "ChangesAnswer", changes)
    similar = browser.get(f"{TRIALS}/EX-0002/similar?limit=3").json()
    assert [one["trial"]["id"] for one in similar["similar"]] == [
        one.trial.id for one in index.similar("EX-0002", limit=3)
    ]
    check(browser, "SimilarAnswer", similar)


def test_trials_are_listed_and_counted(browser: Browser, index: Index) -> None:
    recruiting = browser.get(f"{TRIALS}?status=recruiting&limit=100").json()
    assert [one["id"] for one in recruiting["trials"]] == [
        one.id for one in index.trials() if one.status == "RECRUITING"
    ]
    assert recruiting["searched"] == len(recruiting["trials"])
    check(browser, "TrialsAnswer", recruiting)
    counted = post(browser, "/api/v1/facets", {"status": "recruiting"}).json()
    assert counted["facets"]["status"] == {"RECRUITING": recruiting["searched"]}
    check(browser, "FacetsAnswer", counted)


def test_no_contact_is_answered(browser: Browser, index: Index) -> None:
    [with_contacts] = [one.id for one in index.trials(contacts=True) if CONTACT in one.contacts]
    every = [
        browser.get(f"{TRIALS}?limit=100"),
        browser.get(f"{TRIALS}/{with_contacts}"),
        browser.get(f"{TRIALS}/{with_contacts}/changes"),
        browser.get(f"{TRIALS}/{with_contacts}/similar?limit=100"),
        post(browser, SEARCH, {"text": "a study", "limit": 100}),
        browser.get(f"/feeds/trial/{with_contacts}.atom"),
    ]
    for answer in every:
        assert answer.status_code == 200
        assert str(CONTACT.email) not in answer.text
        assert str(CONTACT.phone) not in answer.text


def test_what_did_not_change_is_not_sent_again(browser: Browser, index: Index) -> None:
    for path in (f"{TRIALS}/EX-0002", TRIALS, f"{TRIALS}/EX-0002/changes", "/feeds/trial/EX-0002.atom"):
        first = browser.get(path)
        again = browser.get(path, **{"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""
    tag = browser.get(TRIALS).headers["etag"]
    index.ingest(ListSource(trial(1)))
    assert browser.get(TRIALS, **{"If-None-Match": tag}).status_code == 200


def test_the_description_names_every_route(browser: Browser, visitor: Browser) -> None:
    paths = browser.get("/openapi.json").json()["paths"]
    assert len(paths) == 8
    page = browser.get("/api").text
    for path in paths:
        assert f"<code>{path}</code>" in page
    assert not any("watches" in path for path in visitor.get("/openapi.json").json()["paths"])
    assert visitor.get("/api/v1/watches").status_code == 404


# --- watches --------------------------------------------------------------------------------------------------------


def test_the_owner_watches_by_page_and_by_program(browser: Browser, index: Index) -> None:
    stranger = browser.get("/api/v1/watches")
    assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, "Bearer")
    assert post(browser, "/api/v1/watches", {"trial": "EX-0002"}).status_code == 401
    browser.enter()
    assert browser.submit("/watches", {"trial": "ex-0002", "this": "1"}).status_code == 303
    question = browser.search("lupus of the kidney").rpartition("/")[2]
    assert browser.submit("/watches", {"question": question}).status_code == 303
    made = post(browser, "/api/v1/watches", {"condition": "lupus nephritis"})
    assert made.status_code == 201
    check(browser, "WatchView", made.json())
    page = browser.get("/watches").text
    for said in ("The trial EX-0002", "The question lupus of the kidney", "The condition lupus nephritis"):
        assert said in page
    again = post(browser, "/api/v1/watches", {"condition": "lupus nephritis"})
    assert again.status_code == 422
    assert "is for the same" in again.json()["detail"]
    listed = browser.get("/api/v1/watches").json()
    check(browser, "WatchesAnswer", listed)
    assert [one["kind"] for one in listed["watches"]] == ["trial", "query", "condition"]
    for one in listed["watches"]:
        assert browser.client.delete(f"/api/v1/watches/{one['num']}").status_code == 204
    assert browser.client.delete("/api/v1/watches/1").status_code == 404
    assert browser.get("/api/v1/watches").json() == {"watches": [], "news": []}


def test_a_watch_can_be_paused_and_removed_on_the_page(browser: Browser) -> None:
    browser.enter()
    browser.submit("/watches", {"condition": "lupus nephritis"})
    assert browser.submit("/watches/1", {"do": "pause"}).status_code == 303
    assert "; paused" in browser.get("/watches").text
    assert browser.submit("/watches/1", {"do": "resume"}).status_code == 303
    assert "; paused" not in browser.get("/watches").text
    assert browser.submit("/watches/1", {"do": "dance"}).status_code == 400
    assert browser.submit("/watches/1", {"do": "remove"}).status_code == 303
    assert "Removed: the condition lupus nephritis" in browser.get("/watches").text
    assert browser.submit("/watches/1", {"do": "remove"}).status_code == 404


def test_the_news_of_a_watch_are_on_the_page_and_in_its_feed(browser: Browser, index: Index) -> None:
    from trialindex.watching import Watches, find_updates

    browser.enter()
    browser.submit("/watches", {"condition": "lupus nephritis"})
    index.ingest(
        ListSource(trial(77, conditions=("Lupus Nephritis",), title="Walking with lupus", status="RECRUITING"))
    )
    with Watches(index.folder) as watches:
        assert len(find_updates(index, watches)) == 1
    page = browser.get("/watches").text
    assert "Walking with lupus" in page
    [feed] = [part.partition('"')[0] for part in page.split('href="') if part.startswith("/feeds/watch/")]
    browser.client.cookies.clear()
    answer = browser.get(feed)
    assert answer.status_code == 200
    parsed = feedparser.parse(answer.text)
    assert not parsed.bozo
    assert [entry.title for entry in parsed.entries] == ["New: Walking with lupus"]
    assert parsed.entries[0].link.endswith("/trial/T-77")
    assert browser.get(feed.replace(".atom", "0.atom")).status_code == 404
    assert browser.get("/feeds/watch/1-0.atom").status_code == 404
    browser.enter_again()
    browser.submit("/watches/1", {"do": "remove"})
    assert browser.get(feed).status_code == 404, "it ends with the watch"


# --- feeds ------------------------------------------------------------------------------------------------------------


def test_feeds_of_a_trial_and_of_a_condition(browser: Browser, index: Index) -> None:
    index.ingest(ListSource(msgspec.structs.replace(index.get("EX-0002"), status="COMPLETED"), spec="sample"))
    feed = feedparser.parse(browser.get("/feeds/trial/EX-0002.atom").text)
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == ["Changed", "First seen"]
    assert "completed" in feed.entries[0].content[0].value
    assert len({entry.id for entry in feed.entries}) == 2
    condition = feedparser.parse(browser.get("/feeds/condition/lupus%20nephritis.atom").text)
    assert not condition.bozo
    assert [entry.title for entry in condition.entries][-1] == "1 study that came in and is not new", "it is over"
    index.ingest(ListSource(msgspec.structs.replace(index.get("EX-0002"), status="SUSPENDED"), spec="sample"))
    condition = feedparser.parse(browser.get("/feeds/condition/lupus%20nephritis.atom").text)
    assert "Home exercise for people with lupus nephritis" in [entry.title for entry in condition.entries]
    assert browser.get("/feeds/condition/zzyzx.atom").status_code == 404
    assert browser.get("/feeds/trial/EX-9999.atom").status_code == 404


@pytest.mark.parametrize("attack", [text for name, text in ATTACKS.items() if name != "half pairs"])
def test_no_feed_and_no_answer_does_what_a_record_says(browser: Browser, index: Index, attack: str) -> None:
    index.ingest(ListSource(filled(attack, id="H-1", title=attack, conditions=("Badness", attack)), spec="enemy"))
    for path in ("/feeds/trial/H-1.atom", "/feeds/condition/badness.atom"):
        text = browser.get(path).text
        assert controls(text) == []
        assert not feedparser.parse(text).bozo
    for answer in (
        browser.get(f"{TRIALS}/H-1"),
        browser.get(f"{TRIALS}?limit=100"),
        post(browser, SEARCH, {"text": f"{attack} x", "limit": 100}),
    ):
        assert answer.status_code == 200
        assert answer.text.isascii()
        assert controls(answer.text) == []
