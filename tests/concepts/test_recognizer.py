"""Finding illnesses in what people write, and what the text asserts of them."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plugin_cases import plugin
from support.terms_cases import CONCEPTS, TERMS, disease
from support.timing import cost
from trialindex.concepts import recognizer as module
from trialindex.concepts.recognizer import ConceptRecognizer, Mention
from trialindex.concepts.tokens import name_variants, natural_order, normalize
from trialindex.errors import PluginError
from trialindex.plugin.interfaces import Concept, Vocabulary
from trialindex.plugin.registry import Plugins


def found(text: str) -> list[str]:
    """What is found that says something, as it stands in the text."""
    return [mention.text for mention in TERMS.find(text) if not mention.general]


# --- found, or not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lupus nephritis since 2019", ["lupus nephritis"]),
        ("LUPUS NEPHRITIS", ["LUPUS NEPHRITIS"]),
        ("lupus-nephritis", ["lupus-nephritis"]),
        ("lupus\nnephritis", ["lupus\nnephritis"][:0]),  # two short lines are two things
        ("My doctor says that what I have in my kidneys is called lupus\nnephritis.", ["lupus\nnephritis"]),
        ("chronic kidney disease", ["chronic kidney disease"]),  # the longest, not "kidney disease"
        ("two chronic kidney diseases", ["chronic kidney diseases"]),
        ("disease of the kidneys. Disease", []),
        ("crohn disease, crohns disease, Crohn’s disease", ["crohn disease", "crohns disease", "Crohn’s disease"]),
        ("sjogrens syndrome", ["sjogrens syndrome"]),
        ("Sjo\u0308gren syndrome", ["Sjo\u0308gren syndrome"]),
        ("anaemia and ANÆMIA", ["anaemia", "ANÆMIA"]),
        ("β-thalassaemia", ["β-thalassaemia"]),
        ("diabetes", ["diabetes"]),
        ("diabete", ["diabete"]),
        ("septic, no: sepsi", []),
        ("cancer of the breast; cancer of breast", ["cancer of the breast", "cancer of breast"]),
        ("type II diabetes and diabetes type 2", ["type II diabetes", "diabetes type 2"]),
        ("diabetes, type 2", ["diabetes, type 2"]),
        ("covid19, COVID 19, covid-19", ["covid19", "COVID 19", "covid-19"]),
        ("preeclampsia or pre eclampsia or pre-eclampsia", ["preeclampsia", "pre eclampsia", "pre-eclampsia"]),
        ("nonsmall cell lung cancer", ["nonsmall cell lung cancer"]),
        ("T.B. in 1990", ["T.B."[:-1]]),
        ("hepatitis t b", []),
        ("seen in A&E", ["A&E"][:0]),  # a department is no illness
        ("lupus (nephritis)", []),
        ("The lupus. Nephritis followed", []),
        ("htn, HTN, Htn", ["htn", "HTN", "Htn"]),
        ("her ckd is worse", ["ckd"]),
        ("ms", []),
        ("Ms. Smith was seen for 20 ms", []),
        ("relapsing MS", ["MS"]),
        ("MS-275 was given", []),
        ("we all know; All patients; as a cat that aids", []),
        ("ALL in first remission", ["ALL"]),
        ("ALL PATIENTS WERE SEEN", []),
        ("PATIENT HAS ASTHMA", ["ASTHMA"]),
        ("PD-L1 positive", []),
        ("ten tens", []),
        ("my aids", []),
        ("AIDS since 1994", ["AIDS"]),
        ("i have pots", ["pots"]),
        ("HER2+ breast cancer", ["HER2", "breast cancer"]),
        ("", []),
        (" \n\t ", []),
        ("\ud800 asthma \udfff", ["asthma"]),
        ("as\u00adthma", ["as\u00adthma"]),
    ],
)
def test_what_is_found(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_a_mention_points_at_the_text_and_says_what_it_means() -> None:
    [mention] = TERMS.find("Had a heart attack.")
    assert (mention.start, mention.end, mention.text) == (6, 18, "heart attack")
    assert mention.names == ("myocardial infarction",)
    assert [concept.id for concept in mention.concepts] == ["EX:myocardial-infarction", None]


@pytest.mark.parametrize(
    "text",
    [
        "SLE, and a heart attack in 2010",
        "no lupus, but a heart attack",
        "asthma (-), stroke",
        "lupus was ruled out; stroke",
        "Mother had lupus. History of stroke, possible asthma",
        "free of asthma except for lupus",
    ],
)
def test_meanings_are_the_names_of_what_is_found_and_not_denied(text: str) -> None:
    found = [one for one in TERMS.find(text) if not one.negated]
    assert TERMS.meanings(text) == {normalize(name) for one in found for name in one.names}


def test_what_says_too_little_is_marked() -> None:
    text = "cancer is a disease; h/o t.b."
    assert {m.text: m.general for m in TERMS.find(text)} == {"cancer": True, "disease": True, "h/o": True, "t.b": False}


def test_a_word_that_two_vocabularies_know_has_both_meanings_and_the_ontology_first() -> None:
    recognizer = ConceptRecognizer(
        [Concept("common cold", ("cold",), kind="lay"), disease("obstructive lung disease", "COLD")]
    )
    assert [mention.names for mention in recognizer.find("a cold")] == [("common cold",)]
    assert [mention.names for mention in recognizer.find("severe COLD")] == [
        ("obstructive lung disease", "common cold")
    ]


# --- one name, and kinds of it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Lupus Erythematosus, Systemic", "systemic lupus erythematosus"),
        ("Nephritis, Lupus", "lupus nephritis"),
        ("Diabetes Mellitus, Type 2", "type 2 diabetes mellitus"),
        ("Carcinoma, Breast", "breast cancer"),
        ("Leukemia, Lymphoblastic, Acute", "acute lymphoblastic leukemia"),
        ("Chronic Kidney Disease (CKD)", "chronic kidney disease"),
        ("heart attacks", "myocardial infarction"),
        ("Breast Cancer", "breast cancer"),
        ("breast cancer in women", None),
        ("ALL", "acute lymphoblastic leukemia"),
        ("all", None),
        ("", None),
        ("(MS)", "multiple sclerosis"),
    ],
)
def test_a_condition_is_normalised(condition: str, expected: str | None) -> None:
    concept = TERMS.lookup(condition)
    assert (concept and concept.name) == expected


def test_an_ontology_wins_over_a_word_list_for_the_same_condition() -> None:
    concept = TERMS.lookup("heart attack")
    assert concept is not None
    assert concept.id == "EX:myocardial-infarction"


def test_narrower_is_every_kind_nearest_first() -> None:
    cancer = TERMS.lookup("cancer")
    assert cancer is not None
    assert [concept.name for concept in TERMS.narrower(cancer)] == [
        "breast cancer",
        "lung cancer",
        "acute lymphoblastic leukemia",
        "triple-negative breast cancer",
        "ductal breast cancer",
        "non-small cell lung cancer",
    ]
    assert [concept.name for concept in TERMS.narrower(Concept("breast carcinoma", kind="lay"))] == [
        "triple-negative breast cancer",
        "ductal breast cancer",
    ]
    assert TERMS.narrower(disease("asthma")) == []
    assert TERMS.narrower(Concept("nothing known")) == []


def test_narrower_ends_where_an_ontology_goes_in_circles() -> None:
    recognizer = ConceptRecognizer(
        [disease("a", id="1", broader="3"), disease("b", id="2", broader="1"), disease("c", id="3", broader="2")]
    )
    assert [concept.name for concept in recognizer.narrower(disease("a", id="1"))] == ["b", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I had a heart attack and HTN", ["myocardial infarction", "hypertension"]),
        ("myocardial infarction", []),
        ("no heart attack", []),
        ("mother had a heart attack", []),
        ("h/o cancer", []),
        ("anaemia", ["anemia"]),
        ("HTN and hypertension, htn", []),
        ("", []),
    ],
)
def test_a_text_is_expanded_by_names_that_it_does_not_use(text: str, expected: list[str]) -> None:
    assert TERMS.synonyms(text) == expected


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kidneys", "kidney"),
        ("biopsies", "biopsy"),
        ("rashes", "rash"),
        ("headaches", "headache"),
        ("abscesses", "abscess"),
        ("metastases", "metastasis"),
        ("UTIs", "UTI"),
        ("teeth", "tooth"),
        ("oedema", "edema"),
        ("tumours", "TUMOR"),
        ("Parkinson's", "parkinsons"),
        ("Behçet’s", "behcet"),
        ("stage IV", "Stage 4"),
        ("straße", "STRASSE"),
    ],
)
def test_these_are_the_same_word(one: str, other: str) -> None:
    assert normalize(one) == normalize(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("POTS", "pot"), ("lupus", "lupu"), ("sepsis", "sepsi"), ("IV", "4"), ("HER2+", "HER2"), ("AIDS", "aid")],
)
def test_these_are_not(one: str, other: str) -> None:
    assert normalize(one) != normalize(other)


def test_the_ways_to_write_a_name() -> None:
    assert set(name_variants("IL-6")) == {"il 6", "il6"}
    assert "erythematosus systemic lupus" not in set(name_variants("Lupus Erythematosus, Systemic"))
    assert natural_order("Leukemia, Myeloid, Acute") == "Acute Myeloid Leukemia"
    assert natural_order("deafness, ataxia, and cataract") == "deafness, ataxia, and cataract"


# --- anything ---------------------------------------------------------------------------------------------------------

_PIECES = [
    *(name for concept in CONCEPTS for name in (concept.name, *concept.names)),
    *(
        "no",
        "denies",
        "history of",
        "my mother had",
        "in her sister",
        "ruled out",
        "negative",
        "but",
        "or",
        "and",
        "was",
    ),
    *(
        "PMH:",
        "FH:\n",
        "\n",
        "\n\n",
        ". ",
        ", ",
        "; ",
        ": ",
        " - ",
        "(",
        ")",
        "-",
        "/",
        "'s",
        "’",
        "+",
        "1.",
        "* ",
        "I am",
    ),
]
_TEXTS = st.lists(
    st.one_of(st.sampled_from(_PIECES), st.text(max_size=6), st.text(alphabet=string.printable, max_size=6)),
    max_size=40,
).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(_TEXTS | st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    mentions = TERMS.find(text)
    last = 0
    for mention in mentions:
        assert last <= mention.start < mention.end <= len(text)
        assert mention.text == text[mention.start : mention.end]
        assert mention.concepts
        last = mention.end
    assert TERMS.find(text) == mentions
    assert TERMS.meanings(text) == {normalize(name) for one in mentions if not one.negated for name in one.names}
    TERMS.lookup(text)
    assert all(isinstance(name, str) for name in TERMS.synonyms(text))


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_what_a_name_folds_to_does_not_change_when_it_is_folded_in_upper_case(name: str) -> None:
    assert normalize(name.strip()) == normalize(name)
    assert next(name_variants(name)) == normalize(name)


@pytest.mark.parametrize(
    "piece", ["history of ", "no ", "ALL ", "asthma and ", "\n", "PMH:\n", "a-", "mother had ", ". "]
)
def test_a_long_text_takes_time_in_proportion(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    assert cost(lambda: list(TERMS.find(text)), runs=1) < 1000


def test_a_note_of_three_hundred_words_is_read_in_a_moment() -> None:
    note = (
        "A 52-year-old woman with a history of HTN, type II diabetes and Crohn's disease presents with three weeks of "
        "chest pain. No fever, chills or cough. She denies asthma. Her mother had breast cancer. HIV negative. "
    ) * 9
    assert len(note.split()) >= 300
    assert cost(lambda: list(TERMS.find(note)), runs=5) < 3


# --- loaded from plugins ----------------------------------------------------------------------------------------------


class Words(Vocabulary):
    """A vocabulary that counts how often it is read."""

    name = "words"
    summary = "For tests."
    edition: str | None = "1"
    known: tuple[Concept, ...] = (disease("asthma", "wheezing"),)
    read = 0

    @property
    def version(self) -> str | None:
        return type(self).edition

    def concepts(self) -> Iterator[Concept]:
        type(self).read += 1
        yield from self.known


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> type[Words]:
    for name in ("edition", "known", "read"):
        monkeypatch.setattr(Words, name, getattr(Words, name))
    return Words


def with_plugin(*vocabularies: Any) -> Plugins:
    plugins = Plugins(discover=False)
    plugins.register(plugin(register_vocabularies=lambda: list(vocabularies)), "wordy")
    return plugins


def kept() -> list[Path]:
    from platformdirs import user_cache_path

    return sorted((user_cache_path("trialindex") / "concepts").glob("*"))


def test_terms_come_from_every_vocabulary_and_are_built_once(words: type[Words]) -> None:
    plugins = with_plugin(words)
    for _ in range(3):
        recognizer = ConceptRecognizer.load(plugins)
        assert [mention.names for mention in recognizer.find("wheezing")] == [("asthma",)]
        assert len(recognizer) == 1
    assert words.read == 1
    assert len(kept()) == 1


def test_another_edition_is_built_anew_and_replaces_the_old(words: type[Words]) -> None:
    plugins = with_plugin(words)
    ConceptRecognizer.load(plugins)
    before = kept()
    words.edition, words.known = "2", (disease("stroke"),)
    assert ConceptRecognizer.load(plugins).lookup("stroke")
    assert ConceptRecognizer.load(plugins).lookup("asthma") is None
    assert len(kept()) == 1
    assert kept() != before


def test_a_vocabulary_that_is_not_at_hand_takes_no_part(words: type[Words]) -> None:
    words.edition = None
    recognizer = ConceptRecognizer.load(with_plugin(words))
    assert len(recognizer) == 0
    assert words.read == 0
    assert recognizer.find("asthma") == []


@pytest.mark.parametrize("damage", [b"", b"\x92\x90", b"not what was written", b"\x92\x91\xc4\x01a\x81\xa1k\xa1v"])
def test_a_damaged_cache_is_built_anew(words: type[Words], damage: bytes) -> None:
    ConceptRecognizer.load(with_plugin(words))
    [path] = kept()
    path.write_bytes(damage)
    assert ConceptRecognizer.load(with_plugin(words)).lookup("wheezing")
    assert words.read == 2
    assert path.read_bytes() != damage


def test_a_cache_that_cannot_be_written_costs_only_time(words: type[Words], own_paths: Path) -> None:
    (own_paths / "cache").write_text("a file where a folder should be", encoding="utf-8")
    for reads in (1, 2):
        assert ConceptRecognizer.load(with_plugin(words)).lookup("wheezing")
        assert words.read == reads


@pytest.mark.parametrize("broken", ["__init__", "version", "concepts"])
def test_a_vocabulary_that_fails_is_named(words: type[Words], broken: str) -> None:
    def fail(self: object) -> Any:
        raise ZeroDivisionError("oh")

    cls = type("Broken", (words,), {"name": "broken", broken: property(fail) if broken == "version" else fail})
    with pytest.raises(PluginError, match='the vocabulary "broken" failed: ZeroDivisionError: oh'):
        ConceptRecognizer.load(with_plugin(cls))
    assert kept() == []


def test_loading_needs_no_numpy_and_importing_no_msgspec() -> None:
    import subprocess
    import sys

    code = "import sys, trialindex.concepts.recognizer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "msgspec", "platformdirs", "sqlite3"} & set(done.stdout.split())


def test_what_is_public() -> None:
    assert module.Mention is Mention
    assert Mention(0, 1, "x", ()).names == ()
