"""What the page of results says of the question: how close, what was read, and what can be taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from support.web_cases import Browser, Outline, serve
from trialindex import sample_index
from trialindex.plugin.proposals import Proposal
from trialindex_readers.rules import RulesReader


@pytest.fixture
def reader(sample_cache: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser at the bundled sample, with the encoder and the words that people have."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(sample_cache))
    with sample_index() as index, serve(index) as made:
        yield made


def ask_again(reader: Browser, path: str, *changed: tuple[str, str]) -> str:
    """Press a button of the form on the page of results; the path of the new ones."""
    answer = reader.submit(path, [*reader.fields(path, path), ("text", text_of(reader, path)), *changed])
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def text_of(reader: Browser, path: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", reader.get(path).text, re.DOTALL)
    assert found is not None
    return found[1]


def chips(page: str) -> list[str]:
    """What the chips say."""
    return [
        " ".join(re.sub(r"<[^>]+>", " ", one).split())
        for one in re.findall(r'<ul class="chips">(.*?)</ul>', page, re.S)
    ]


def test_when_no_trial_is_about_it_the_page_begins_with_that(reader: Browser) -> None:
    page = reader.get(reader.search("progeria")).text
    said = "No trial in here is about progeria. The closest are about"
    assert said in page
    assert page.index(said) < page.index("Only loosely alike") < page.index("<article")
    assert page.count('class="divider"') == 1
    assert Outline(page).wrong == []


def test_what_is_about_it_comes_before_what_is_loosely_alike(reader: Browser) -> None:
    path = reader.search("cystic fibrosis")
    levels = []
    for number in (1, 2, 3):
        levels += re.findall(r"<dt>How close</dt><dd>(.*?)</dd>", reader.get(f"{path}?page={number}").text)
    order = ["About your condition", "Related to your condition", "Only loosely alike"]
    assert levels[0] == order[0]
    assert levels == sorted(levels, key=order.index)


def test_nothing_understood_is_said_and_can_be_shown_anyway(reader: Browser) -> None:
    path = reader.search("asdf qwertz blub")
    page = reader.get(path).text
    assert "Nothing of this was understood" in page
    assert "No trial is shown." in page
    assert "<article" not in page
    page = reader.get(ask_again(reader, path, ("anyway", "1"))).text
    assert "What follows is only loosely alike." in page
    assert page.count("<article") == 10
    assert 'name="anyway" value="1">Show' not in page


def test_a_typing_error_is_mended_unless_somebody_insists(reader: Browser) -> None:
    path = reader.search("lupsu nephritis")
    page = reader.get(path).text
    assert "Searched for lupus; you typed" in page
    assert "--as-written" not in page
    page = reader.get(ask_again(reader, path, ("as_written", "1"))).text
    assert "Searched for lupus" not in page
    assert 'type="hidden" name="as_written" value="1"' in page, "also when the question is changed next"


def test_filters_are_chips_that_can_be_taken_out(reader: Browser) -> None:
    path = reader.search("lupus", age="34", sex="female", near="Lyon, France", within="500km", status="recruiting")
    page = reader.get(path).text
    assert [re.sub(" × – take this filter out ?", "; ", one) for one in chips(page)][-1].split("; ")[:4] == [
        "age 34",
        "female",
        "within 500km of Lyon, France",
        "Recruiting",
    ]
    for field in ("near", "age", "sex", "status"):
        path = ask_again(reader, path, ("clear", field))
        assert f'name="clear" value="{field}"' not in reader.get(path).text
    assert 'name="clear"' not in reader.get(path).text


def test_what_was_understood_can_be_taken_out_and_put_back(reader: Browser) -> None:
    path = reader.search("lupus and asthma")
    assert 'name="drop" value="asthma"' in reader.get(path).text
    without = ask_again(reader, path, ("drop", "asthma"))
    page = reader.get(without).text
    assert 'name="drop" value="asthma"' not in page
    assert 'name="restore" value="asthma"' in page
    assert 'name="drop" value="asthma"' in reader.get(ask_again(reader, without, ("restore", "asthma"))).text


def test_age_sex_and_place_can_be_taken_out_of_a_text(reader: Browser) -> None:
    path = reader.search("I am 34 years old, a woman with lupus, and I live in Lyon, no diabetes")
    page = reader.get(path).text
    assert "add --as-written" not in page
    assert 'name="as_written" value="1"' in page, "what was ruled out can be searched for"
    for drop in ("I am 34 years old", "woman", "I live in Lyon"):
        assert f'name="drop" value="{drop}"' in reader.get(path).text
        path = ask_again(reader, path, ("drop", drop))
    page = reader.get(path).text
    [understood] = re.findall(r'<ul class="chips">(.*?)</ul>', page.partition("Change the question")[0], re.DOTALL)[:1]
    assert "lupus" in understood
    for gone in ("34 years</", "female", "lives in"):
        assert gone not in understood


def test_what_a_reader_proposes_is_shown_as_words_that_were_searched_for_and_can_be_left_out(
    reader: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed = [Proposal("Parkinson's disease", ("tremor at rest", "<b>gait</b>"))]
    monkeypatch.setattr(RulesReader, "propose", lambda self, text, terms: proposed)
    path = reader.search("a tremor at rest and a shuffling gait")
    page = reader.get(path).text
    assert "Also searched: Parkinson&#39;s disease (tremor at rest, &lt;b&gt;gait&lt;/b&gt;). These are words" in page
    assert "no diagnosis" in page
    assert "--as-written" not in page
    assert not any("Parkinson" in chip for chip in chips(page))
    assert "Also searched" not in reader.get(ask_again(reader, path, ("as_written", "1"))).text
