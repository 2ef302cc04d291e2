"""What a question was read as reaches the search, and the answer says it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.helpers import ListSource
from trialindex.index import Index
from trialindex.testing import FakeEncoder
from trialindex.trial import Trial
from trialindex_sentence_transformers.files import is_multilingual

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Vectors


class Encoder(FakeEncoder):
    """Remembers what it was asked for."""

    asked: tuple[str, ...] = ()
    many = False

    @property
    def multilingual(self) -> bool:
        return self.many

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.asked += tuple(texts)
        return super().encode_queries(texts)


@pytest.mark.parametrize(
    ("many", "embedded", "note"),
    [
        (False, "lung cancer", "Understood of it: cancer de pulmon (lung cancer); the rest was not read."),
        (
            True,
            "tengo cancer de pulmon",
            "Understood of it: cancer de pulmon (lung cancer); by meaning the whole question was compared.",
        ),
    ],
)
def test_a_model_for_many_languages_is_asked_as_it_is(tmp_path: Path, many: bool, embedded: str, note: str) -> None:
    encoder = Encoder()
    encoder.many = many
    with Index.create(tmp_path / "index", encoder=encoder) as index:
        index.ingest(ListSource(Trial(id="LUNG", title="Lung cancer"), Trial(id="GOUT", title="Gout")))
        answer = index.query("tengo cancer de pulmon")
    assert embedded in encoder.asked
    assert (answer.query, answer.hits[0].trial.id) == ("tengo cancer de pulmon", "LUNG")
    assert any(note in said for said in answer.notes)
    assert answer.language is not None
    assert answer.language.names == {"cancer de pulmon": "lung cancer"}


def test_as_written_searches_for_what_was_typed(tmp_path: Path) -> None:
    encoder = Encoder()
    with Index.create(tmp_path / "index", encoder=encoder) as index:
        index.ingest(ListSource(Trial(id="LUNG", title="Lung cancer"), Trial(id="GOUT", title="Gout")))
        mended, insisted = index.query("lung cnacer"), index.query("lung cnacer", as_written=True)
    assert [one.read for one in mended.corrections] == ["cancer"]
    assert mended.hits[0].trial.id == "LUNG"
    assert insisted.corrections == ()
    assert encoder.asked.count("lung cnacer") == 2, "once while the other question was read, for nothing"


@pytest.mark.parametrize(
    ("card", "many"),
    [
        ("---\nlanguage:\n- en\n- fr\n---\nA model.", True),
        ("---\nlanguage: multilingual\n---\n", True),
        ("---\nlanguage: en\ntags:\n- multilingual-no\n---\n", False),
        ("A model.\nlanguage: multilingual", False),
        (None, False),
    ],
)
def test_the_card_of_a_model_says_whether_it_reads_many_languages(tmp_path: Path, card: str | None, many: bool) -> None:
    if card is not None:
        (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert is_multilingual(tmp_path) is many
