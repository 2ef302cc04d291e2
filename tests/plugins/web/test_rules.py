"""The rules of privacy and security that docs/serving.md names, each by its number there."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.web_cases import HOST, PUBLIC, Browser, Outline, serve
from trialindex.index import Index
from trialindex_web import guard, questions
from trialindex_web.application import make_application
from trialindex_web.serving import bind
from trialindex_web.settings import ServeError, Settings

MARK = "quokkaemia"
"""A word that nobody has: where it turns up, something that was typed turned up."""

PAGES = (
    "/",
    "/trial/EX-0002",
    "/condition/lupus%20nephritis",
    "/watches",
    "/safety",
    "/terms",
    "/privacy",
    "/about",
    "/no",
)


# --- 1, 2: no health words in an address or a title -----------------------------------------------------------------


def test_rule_1_a_question_stands_in_no_address(browser: Browser) -> None:
    answer = browser.submit("/search", {"text": MARK, "near": "Lyon, France"})
    assert answer.status_code == 303
    assert re.fullmatch(r"/r/[\w-]{22}", answer.headers["location"])
    refused = browser.get(f"/search?q={MARK}")
    assert refused.status_code == 405
    assert MARK not in refused.text
    assert "in no address" in refused.text


def test_rule_1_results_are_for_the_browser_that_asked(pages: None, index: Index) -> None:
    with serve(index) as one:
        path = one.search(MARK)
        assert one.get(path).status_code == 200
        assert one.get(path).status_code == 200, "also when it is loaded again"
        one.client.cookies.clear()
        stranger = one.get(path)
        assert stranger.status_code == 404
        assert MARK not in stranger.text


def test_rule_1_a_question_is_forgotten(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    path = browser.search(MARK)
    later = time.monotonic() + questions.LIFETIME + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert browser.get(path).status_code == 404


def test_rule_1_what_is_kept_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "KEPT_QUESTIONS", 3)
    kept = questions.Questions("rules")
    names = [kept.put("me", questions.Question(text=str(number))) for number in range(5)]
    assert [kept.get("me", name) is not None for name in names] == [False, False, True, True, True]


def test_rule_2_the_title_of_results_says_nothing_of_them(browser: Browser) -> None:
    page = browser.get(browser.search(f"{MARK} in lupus")).text
    assert re.findall(r"<title>(.*?)</title>", page) == ["Results"]


# --- 3, 4: nothing is kept or sent by the browser -------------------------------------------------------------------


def test_rule_3_no_copy_is_kept_and_no_other_site_is_told(browser: Browser) -> None:
    for path in (*PAGES, browser.search(MARK)):
        answer = browser.get(path)
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["referrer-policy"] == "no-referrer"
        for link in Outline(answer.text).find("a"):
            if link["href"].startswith("http"):
                assert set(link["rel"].split()) >= {"noopener", "noreferrer"}


def test_rule_4_no_field_is_completed_or_spelt_by_a_service(browser: Browser) -> None:
    for path in ("/", browser.search(MARK), "/trial/EX-0002"):
        page = Outline(browser.get(path).text)
        typed = [field for field in page.find("input") if field.get("type") == "text"] + page.find("textarea")
        assert typed
        for field in typed:
            assert (field["autocomplete"], field["spellcheck"]) == ("off", "false"), field


# --- 5: no log ------------------------------------------------------------------------------------------------------


def test_rule_5_no_log_holds_what_was_typed(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser.get(browser.search(MARK))
    browser.submit("/search", {"text": "x", "near": MARK})
    browser.get(f"/{MARK}?q={MARK}")
    ours = [record for record in caplog.records if record.name.startswith("trialindex")]
    assert any("/r/{name}" in record.getMessage() for record in ours), "the route as it is written, and nothing else"
    for record in caplog.records:
        if not record.name.startswith(("httpx", "httpcore")):  # the browser of the test
            assert MARK not in record.getMessage()


def test_rule_5_an_error_is_logged_without_its_words(
    browser: Browser, index: Index, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"it broke at {MARK}")

    monkeypatch.setattr(Index, "query", fail)
    answer = browser.submit("/search", {"text": MARK})
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert MARK not in answer.text
    said = [record.getMessage() for record in caplog.records if record.name == "trialindex.web"]
    assert any("RuntimeError in fail:" in one for one in said)
    assert MARK not in caplog.text


# --- 6, 7, 8: headers, hosts, forms ---------------------------------------------------------------------------------


def test_rule_6_every_answer_has_the_headers(browser: Browser, visitor: Browser) -> None:
    for path in (*PAGES, "/healthz", "/robots.txt", browser.search("lupus")):
        answer = browser.get(path)
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "strict-transport-security" not in answer.headers
        assert "charset=utf-8" in answer.headers["content-type"]
        assert "server" not in answer.headers
    assert "max-age=31536000" in visitor.get("/").headers["strict-transport-security"]


def test_rule_6_no_page_holds_a_script_or_a_style_of_its_own(browser: Browser) -> None:
    for path in (*PAGES, browser.search("lupus")):
        outline = Outline(browser.get(path).text)
        assert outline.wrong == [], path
        loaded = [one["href"] for one in outline.find("link") if one.get("rel") in ("stylesheet", "icon")]
        assert all(one.startswith(("/static/", "data:,")) for one in loaded)


def test_the_style_is_served_and_may_be_kept(browser: Browser) -> None:
    [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', browser.get("/").text)
    answer = browser.get(style)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/robots.txt"])
@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1", "127.0.0.1:80", "localhost.evil.test:8477", "", f"{HOST}.evil.test"]
)
def test_rule_7_another_host_is_not_answered_for(browser: Browser, path: str, host: str) -> None:
    answer = browser.get(path, Host=host)
    assert answer.status_code == 421
    assert "does not answer for that address" in answer.text


@pytest.mark.parametrize("host", [HOST, "localhost:8477", "LOCALHOST:8477", "[::1]:8477"])
def test_rule_7_its_own_hosts_are_answered_for(browser: Browser, host: str) -> None:
    assert browser.get("/", Host=host).status_code == 200


def test_rule_7_a_public_server_answers_for_its_address_and_ignores_what_is_forwarded(visitor: Browser) -> None:
    assert visitor.get("/").status_code == 200
    assert visitor.get("/", **{"X-Forwarded-Host": "evil.test"}).status_code == 200
    assert "evil.test" not in visitor.get("/", **{"X-Forwarded-Host": "evil.test"}).text
    assert visitor.get("/", Host="evil.test").status_code == 421


def test_rule_7_other_computers_are_kept_out_unless_it_is_said() -> None:
    with pytest.raises(ServeError, match="can be reached from other computers") as told:
        bind("0.0.0.0", 0, public=False)
    assert "--public" in told.value.hint
    with pytest.raises(ServeError, match="it has to be https"):
        Settings.for_address(("127.0.0.1", 1), public=True, base_url="http://trials.example.org")
    with pytest.raises(ServeError, match="go with --public"):
        Settings.for_address(("127.0.0.1", 1), base_url=PUBLIC)


POSTS = ("/search", "/r/x", "/trial/EX-0002/contacts", "/trial/EX-0002/near", "/watches", "/watches/1")


@pytest.mark.parametrize("path", POSTS)
def test_rule_8_a_form_without_our_token_is_refused(browser: Browser, path: str) -> None:
    browser.get("/")
    for fields in ({}, {"token": "x"}, {"token": ""}):
        answer = browser.client.post(path, data={"text": MARK, **fields})
        assert answer.status_code == 403
        assert MARK not in answer.text


def test_rule_8_the_token_of_another_browser_is_refused(browser: Browser) -> None:
    token = browser.token()
    browser.client.cookies.clear()
    assert browser.client.post("/search", data={"text": "lupus", "token": token}).status_code == 403


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "http://127.0.0.1:8478"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": f"http://{HOST}"},
    ],
)
def test_rule_8_a_form_of_another_site_is_refused(browser: Browser, path: str, headers: dict[str, str]) -> None:
    answer = browser.submit(path, {"text": "lupus"}, **headers)
    assert answer.status_code == 403
    assert "another site" in answer.text


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": f"http://{HOST}"}, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}, {"Origin": "null"}],
)
def test_rule_8_our_own_forms_are_taken(browser: Browser, headers: dict[str, str]) -> None:
    assert browser.submit("/search", {"text": "lupus"}, **headers).status_code == 303


def test_rule_8_there_is_one_cookie_that_no_script_and_no_other_site_gets(pages: None, index: Index) -> None:
    with serve(index) as private:
        [cookie] = private.get("/").headers.get_list("set-cookie")
        assert re.fullmatch(r"trialindex=[\w.-]+; HttpOnly; Path=/; SameSite=strict", cookie)
        private.get("/")
        assert "set-cookie" not in private.get("/").headers, "once"
    with serve(index, public=True) as public:
        [cookie] = public.get("/").headers.get_list("set-cookie")
        assert re.fullmatch(r"__Host-trialindex=[\w.-]+; HttpOnly; Path=/; SameSite=strict; Secure", cookie)
        assert "set-cookie" not in public.get("/safety").headers


@pytest.mark.parametrize("given", ["mine", "", "mine.yours", "x" * 5000, "\u00e9.\u00e9"])
def test_rule_8_nobody_chooses_the_name_of_a_session(browser: Browser, given: str) -> None:
    answer = browser.client.get("/", headers={b"Cookie": f"trialindex={given}".encode()})
    assert answer.status_code == 200
    assert f"={given};" not in answer.headers["set-cookie"]


# --- 9, 10: who may, and how much -----------------------------------------------------------------------------------


def test_rule_9_watches_are_for_whoever_started_the_server(browser: Browser) -> None:
    stranger = browser.get("/watches")
    assert stranger.status_code == 403
    assert "Open the address that the terminal shows" in stranger.text
    assert browser.submit("/watches", {"condition": MARK}).status_code == 403
    browser.enter()
    assert browser.get("/watches").status_code == 200
    again = browser.get(browser.entrance)
    assert again.status_code == 404, "the address works once"
    assert browser.get("/enter/guess").status_code == 404


def test_rule_9_another_way_in_is_told_when_one_was_used(pages: None, index: Index) -> None:
    announced: list[str] = []
    settings = Settings.for_address(("127.0.0.1", 8477))
    _, entrance = make_application(index, settings, announced.append)
    assert re.fullmatch(r"/enter/[\w-]{22}", entrance)
    assert announced == []


def test_rule_9_a_public_server_has_no_way_in(visitor: Browser) -> None:
    assert visitor.get(visitor.entrance).status_code == 404
    assert visitor.get("/watches").status_code == 404
    assert visitor.client.post("/watches").status_code == 404


def test_rule_10_too_much_is_refused(browser: Browser) -> None:
    assert browser.submit("/search", {"text": "x" * 20_001}).status_code == 413
    assert browser.submit("/search", {"text": "lupus", "near": "x" * 201}).status_code == 413
    assert browser.submit("/search", {"text": "é" * 200_000}).status_code == 413
    assert browser.submit("/trial/EX-0002/near", {"near": "x" * (guard.BODY + 1)}).status_code == 413
    assert browser.get("/trial/" + "x" * 3000).status_code == 414
    many = browser.client.post("/search", content="&".join(f"a{n}=1" for n in range(500)), headers=FORM)
    assert many.status_code == 400
    assert browser.client.post("/search", content="x", headers={"Content-Length": "-1", **FORM}).status_code == 413


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_rule_10_a_form_has_to_be_one(browser: Browser) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        assert browser.client.post("/search", content=b"text=lupus", headers={"Content-Type": kind}).status_code == 415
    assert browser.client.post("/search", content=b"text=\xff\xfe", headers=FORM).status_code == 400


def test_rule_10_who_asks_too_often_waits_on_a_public_server_alone(visitor: Browser, browser: Browser) -> None:
    statuses = [visitor.submit("/search", {"text": "lupus"}).status_code for _ in range(40)]
    assert statuses[:20] == [303] * 20
    assert statuses[-1] == 429
    assert int(visitor.submit("/search", {"text": "lupus"}).headers["retry-after"]) > 0
    assert [browser.submit("/search", {"text": "lupus"}).status_code for _ in range(40)] == [303] * 40


def test_what_can_be_done_at_an_address_is_named(browser: Browser) -> None:
    for path, methods in (("/api/v1/watches", "GET, HEAD, POST"), ("/search", "POST"), ("/watches", "GET, HEAD, POST")):
        answer = browser.client.request("OPTIONS", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


# --- 15, 16 ---------------------------------------------------------------------------------------------------------


def test_rule_16_search_engines_see_trials_and_nothing_else(browser: Browser, visitor: Browser) -> None:
    assert visitor.get("/robots.txt").text == "User-agent: *\nAllow: /trial/\nDisallow: /\n"
    assert "x-robots-tag" not in visitor.get("/trial/EX-0002").headers
    assert visitor.get("/").headers["x-robots-tag"] == "noindex"
    assert browser.get("/trial/EX-0002").headers["x-robots-tag"] == "noindex"


def test_a_hole_can_be_told_of_where_somebody_is_named(pages: None, index: Index, browser: Browser) -> None:
    assert browser.get("/.well-known/security.txt").status_code == 404
    with serve(index, public=True, security="security@example.org") as public:
        answer = public.get("/.well-known/security.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
        assert fields["Contact"] == "mailto:security@example.org"
        assert fields["Canonical"] == f"{PUBLIC}/.well-known/security.txt"
        assert datetime.fromisoformat(fields["Expires"]) > datetime.now(UTC) + timedelta(days=100)
    for wrong in ("javascript:alert(1)", "http://x.test", "a@b\nContact: c"):
        with pytest.raises(ServeError, match="takes an e-mail address"):
            Settings.for_address(("127.0.0.1", 1), public=True, base_url=PUBLIC, security=wrong)


# --- 17: for everybody ----------------------------------------------------------------------------------------------


def test_rule_17_every_field_has_a_name_and_help_is_always_in_the_same_place(browser: Browser) -> None:
    browser.enter()
    footers = set()
    for path in (*PAGES, browser.search("lupus")):
        text = browser.get(path).text
        page = Outline(text)
        labelled = {one.get("for") for one in page.find("label")}
        for field in page.find("textarea") + page.find("select") + page.find("input"):
            if field.get("type") not in ("hidden", "checkbox", "radio"):
                assert field["id"] in labelled, f"{path}: {field}"
        assert len(page.find("h1")) == 1, path
        assert page.find("html") == [{"lang": "en"}]
        assert page.find("a")[0] == {"class": "skip", "href": "#main"}
        assert 'role="status"' in text or path not in ("/r/",)
        footers.add(text[text.index('<footer class="bottom">') :])
    assert len(footers) == 1


def test_the_documentation_names_the_rules(browser: Browser) -> None:
    page = Path(__file__).parents[3] / "docs" / "serving.md"
    rules = re.findall(r"^(\d+)\. ", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert rules == [str(number) for number in range(1, 18)]


# --- 10, 11, 13, 14: slow clients, whom the server asks, what lies where ----------------------------------------------


def test_rule_10_a_request_that_does_not_come_is_given_up(
    pages: None, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "PATIENCE", 0.05)
    application, _ = make_application(index, Settings.for_address(("127.0.0.1", 8477)))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError("it was waited for")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/search",
        "raw_path": b"/search",
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8477),
        "headers": [(b"host", HOST.encode()), (b"content-length", b"10")],
    }
    asyncio.run(application(scope, receive, send))
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


def test_rule_11_the_server_asks_nobody(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: asked.append(address))
    monkeypatch.setattr(socket.socket, "connect_ex", lambda self, address: asked.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: asked.append(given))
    browser.enter()
    path = browser.search(MARK, near="Lyon, France")
    for each in (*PAGES, path, f"{path}/trials.json", "/feeds/trial/EX-0002.atom", "/api/v1/trials", "/openapi.json"):
        browser.get(each)
    browser.submit("/trial/EX-0002/contacts")
    browser.submit("/watches", {"trial": "EX-0002", "condition": "lupus nephritis"})
    assert "lupus nephritis" in browser.get("/watches").text
    assert asked == []


def test_rule_13_and_14_what_is_watched_lies_apart_and_for_its_owner_alone(browser: Browser, index: Index) -> None:
    browser.enter()
    before = {path.name for path in index.folder.iterdir()}
    browser.submit("/watches", {"question": browser.search(MARK).rpartition("/")[2]})
    assert {path.name for path in index.folder.iterdir()} - before == {"watches.db"}
    store = index.folder / "watches.db"
    assert store.stat().st_mode & 0o077 == 0
    assert MARK.encode() in store.read_bytes()
    browser.submit("/watches/1", {"do": "remove"})
    assert MARK.encode() not in store.read_bytes(), "what is removed is overwritten"
