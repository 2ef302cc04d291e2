"""The ``feed`` notifier: Atom, as a feed reader and as RFC 4287 see it."""

from __future__ import annotations

import os
import re
import stat
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path

import feedparser
import pytest

from support.notifier_cases import delivery, refusal, update
from trialindex.errors import NotifierError
from trialindex.plugin.trial_page import NOTICE
from trialindex.testing import check_notifier
from trialindex_notifiers.feed import FeedNotifier, entry_id

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    return tmp_path / "news.xml"


def ids(path: Path) -> list[str]:
    """As a feed reader sees them."""
    if not path.exists():
        return []
    read = feedparser.parse(path.read_bytes())
    assert not read.bozo, read.get("bozo_exception")
    return [entry.id for entry in read.entries]


def test_the_feed_keeps_the_contract_and_is_valid_at_each_step(feed: Path) -> None:
    def received() -> list[str]:
        if feed.exists():
            check_atom(feed)
        return ids(feed)

    check_notifier(lambda: FeedNotifier(str(feed)), received)
    assert len(ids(feed)) == 56


def check_atom(path: Path) -> None:
    """The rules of RFC 4287 that bear on what is written here."""
    root = ET.parse(path).getroot()
    assert root.tag == f"{ATOM}feed"
    for parent in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(f"{ATOM}{name}")) == 1
        assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", parent.findtext(f"{ATOM}id") or "")
        assert datetime.fromisoformat(parent.findtext(f"{ATOM}updated") or "").tzinfo
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    entries = root.findall(f"{ATOM}entry")
    assert root.findall(f"{ATOM}*")[-len(entries) :] == entries
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    for entry in entries:
        links = [link.attrib for link in entry.findall(f"{ATOM}link")]
        assert all(link["rel"] == "alternate" and link["href"].startswith("https://") for link in links)
        content = entry.find(f"{ATOM}content")
        assert links or content is not None  # section 4.1.2
        assert content is not None
        assert content.attrib == {"type": "html"}
        assert len(content) == 0


def test_what_a_feed_reader_shows(feed: Path) -> None:
    news = update(1, kind="changed", title="Warmth & <b>care</b>", lines=("enrolment 18 → 30",), asked="my words")
    FeedNotifier(str(feed)).send(delivery(news))
    read = feedparser.parse(feed.read_bytes())
    assert read.version == "atom10"
    [entry] = read.entries
    assert entry.id == entry_id(news)
    assert entry.link == "https://clinicaltrials.gov/study/NCT00000001"
    assert "Changed: Warmth & <b>care</b>" in feed_titles(feed)
    shown = entry.content[0].value
    for words in ("NCT00000001", "enrolment 18 → 30", "5 March 2026", NOTICE, "trialindex watch remove 3"):
        assert words in shown
    assert "my words" not in feed.read_text(encoding="utf-8")
    assert read.feed.updated_parsed[:4] == (2026, 3, 5, 7)


def feed_titles(path: Path) -> list[str | None]:
    root = ET.parse(path).getroot()
    return [title.text for title in root.findall(f"{ATOM}entry/{ATOM}title")]


def test_newest_first_and_no_more_than_asked_for(feed: Path) -> None:
    for number in range(1, 8):
        FeedNotifier(str(feed), keep=5).send(
            delivery(update(number), key=f"d{number}", created=f"2026-03-0{number}T07:00:00+00:00")
        )
    assert ids(feed) == [entry_id(update(number)) for number in (7, 6, 5, 4, 3)]
    FeedNotifier(str(feed), keep=2).send(delivery(update(8), update(9), update(10), key="x"))
    assert ids(feed) == [entry_id(update(8)), entry_id(update(9))]


def test_a_late_delivery_does_not_turn_the_time_of_a_feed_back(feed: Path) -> None:
    FeedNotifier(str(feed)).send(delivery(update(1), created="2026-03-05T07:00:00Z"))
    name = ET.parse(feed).getroot().findtext(f"{ATOM}id")
    FeedNotifier(str(feed)).send(delivery(update(2), key="b", created="2026-03-01T07:00:00Z"))
    root = ET.parse(feed).getroot()
    assert root.findtext(f"{ATOM}updated") == "2026-03-05T07:00:00Z"
    assert root.findtext(f"{ATOM}id") == name


def test_the_same_news_have_the_same_id_in_every_feed(tmp_path: Path) -> None:
    FeedNotifier(str(tmp_path / "a.xml")).send(delivery(update()))
    FeedNotifier(str(tmp_path / "b.xml")).send(delivery(update()))
    assert ids(tmp_path / "a.xml") == ids(tmp_path / "b.xml") == ["urn:uuid:020fbe30-9221-5cdf-82d1-03eb5b775ce2"]


def test_a_damaged_or_foreign_file_is_not_written_over(feed: Path) -> None:
    FeedNotifier(str(feed)).send(delivery(update()))
    whole = feed.read_bytes()
    generator = b"<generator>trialindex</generator>"
    foreign = [
        b"",
        whole[: len(whole) // 2],
        whole[:-1],
        whole.replace(generator, b"<generator>another</generator>"),
        whole.replace(generator, b""),
        whole.replace(b"updated>", b"other>"),
        b"<html><body>hello</body></html>",
        b"<rss version='2.0'><channel><generator>trialindex</generator></channel></rss>",
        b"not XML at all",
        b"<?xml version='1.0' encoding='nonsense'?><feed/>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + whole[whole.index(b"?>") + 2 :],
        bytes(100),
    ]
    for content in foreign:
        feed.write_bytes(content)
        error = refusal(FeedNotifier(str(feed)), delivery(update(2), key="b"))
        assert "is left as it is" in str(error)
        assert not error.permanent
        assert feed.read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="modes of files and links are of POSIX")
def test_the_feed_is_for_its_owner_alone_until_that_one_says_otherwise(feed: Path, tmp_path: Path) -> None:
    FeedNotifier(str(feed)).send(delivery(update(1)))
    assert stat.S_IMODE(feed.stat().st_mode) == 0o600
    feed.chmod(0o644)
    (tmp_path / "link.xml").symlink_to(feed)
    FeedNotifier(str(tmp_path / "link.xml")).send(delivery(update(2), key="b"))
    assert stat.S_IMODE(feed.stat().st_mode) == 0o644
    assert (tmp_path / "link.xml").is_symlink()
    assert len(ids(feed)) == 2


def test_a_kill_in_the_middle_leaves_the_old_feed(feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FeedNotifier(str(feed)).send(delivery(update(1)))
    before = feed.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        FeedNotifier(str(feed)).send(delivery(update(2), key="b"))
    assert feed.read_bytes() == before


@pytest.mark.parametrize("keep", [-1, 10_001])
def test_how_many_a_feed_keeps_has_bounds(feed: Path, keep: int) -> None:
    with pytest.raises(NotifierError, match="--keep"):
        FeedNotifier(str(feed), keep=keep)
