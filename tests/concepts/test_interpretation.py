"""Questions as people type them: what is searched in their place, and what is said of it."""

from __future__ import annotations

import pytest

from trialindex.concepts.interpretation import Interpretation, Interpreter
from trialindex.concepts.recognizer import ConceptRecognizer


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return Interpreter(ConceptRecognizer.load())


# --- typing errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ("astma", "asthma"),
        ("alzhiemers in my mother", "Alzheimer's in my mother"),
        ("glioblastom", "glioblastoma"),
        ("pembrolizumabe for melanoma", "pembrolizumab for melanoma"),
        ("rhumatoid artritis", "rheumatoid arthritis"),
        ("chrons disease", "Crohn's disease"),
        ("breastcancer", "breast cancer"),
        ("my son has autisim", "my son has autism"),
        ("Hemorroids", "Hemorrhoids"),
        ("clinical trials for mucoviscidose", "clinical trials for cystic fibrosis"),  # one word of another language
        ("lung cnacer", "lung cancer"),
    ],
)
def test_typing_errors_are_read_as_they_were_meant(interpreter: Interpreter, asked: str, searched: str) -> None:
    assert interpreter.interpret(asked).text == searched


@pytest.mark.parametrize(
    "asked",
    [
        '"astma" trials',
        "“astma” trials",
        "My name is Lopus and I see Dr. Ashtma in Psoria",
        "write to lupos@example.org or see www.astma.example",
        "what is the best trail for skiing in Austin",
        "my son Ashton, my daughter Anita",
        "breath, beast, timor, lug: words that are near to others",
        "uninfected, prehospital, atraumatic",
        "hypovitaminosis",  # not the hyper- of it
        "NCT01234567 by Lapatinbo",
        "tumours, anaemia, haemophilia, oesophageal",
        "asdkjh qwrtz",
        "",
    ],
)
def test_what_is_right_insisted_on_or_a_name_is_left_as_it_is(interpreter: Interpreter, asked: str) -> None:
    assert interpreter.interpret(asked) == Interpretation(asked, asked)


def test_what_was_mended_is_said_with_the_way_to_insist(interpreter: Interpreter) -> None:
    read = interpreter.interpret("rhumatoid artritis and astma")
    assert [(one.typed, one.read) for one in read.corrections] == [
        ("rhumatoid artritis", "rheumatoid arthritis"),
        ("astma", "asthma"),
    ]
    assert list(read.notes()) == [
        'Searched for rheumatoid arthritis, asthma; you typed "rhumatoid artritis", "astma". '
        "To insist, put it in quotation marks or add --as-written."
    ]


def test_a_word_is_told_by_the_other_that_is_wrong_beside_it(interpreter: Interpreter) -> None:
    assert interpreter.interpret("hwead and nekc cancer").text == "head and neck cancer"


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ("irriatble bower syndrome", "irritable bowel syndrome"),
        ("adbominal ain", "abdominal pain"),
        ("hip cancre", "hip cancer"),  # a word of names is never taken for that of another: lip cancer
        ("old urticaria", "old urticaria"),  # nothing else is wrong, so that this is not either
        ('"old" urficaria', '"old" urticaria'),
        ("hand exzema on an old farm", "hand eczema on an old farm"),
        ("interverteral disk degenerathon", "intervertebral disk degeneration"),  # another name of the same
        ("edmentia", "dementia"),
    ],
)
def test_an_english_word_beside_an_error_that_makes_a_name_with_it_is_one_too(
    interpreter: Interpreter, asked: str, searched: str
) -> None:
    assert interpreter.interpret(asked).text == searched


def test_what_the_index_says_is_no_error_and_what_it_has_more_of_is_meant(interpreter: Interpreter) -> None:
    class Index:
        """An index in which seven trials test zorvatinib."""

        def __len__(self) -> int:
            return 1000

        def trials_with(self, word: str) -> int:
            return 7 if word in {"zorvatinib", "astma"} else 0

        def is_written(self, word: str) -> bool:
            return word == "astma"

        def alike(self, word: str) -> list[str]:
            return ["zorvatinib"] if word.startswith("zo") else []

        def count(self, name: str = "", word: str = "") -> int:
            return 0

    assert interpreter.interpret("zorvatinb", Index()).text == "zorvatinib"
    assert interpreter.interpret("astma", Index()).text == "astma"


# --- abbreviations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ("ms", "multiple sclerosis"),
        ("severe MS, the valve is too tight", "severe mitral stenosis, the valve is too tight"),
        ("dad has PD and levodopa wears off", "dad has Parkinson disease and levodopa wears off"),
        ("PD and peritonitis from the catheter", "peritoneal dialysis and peritonitis from the catheter"),
        ("als with sod1", "amyotrophic lateral sclerosis with sod1"),
        ("Ph+ ALL in relapse", "Ph+ acute lymphoblastic leukemia in relapse"),
    ],
)
def test_abbreviations_are_written_out_as_the_rest_tells(interpreter: Interpreter, asked: str, searched: str) -> None:
    assert interpreter.interpret(asked).text == searched


@pytest.mark.parametrize(
    "asked",
    [
        "all trials as was said",  # small words
        "500 mg a day, a nodule of 6 mm",  # units
        "chronic kidney disease (CKD)",  # written beside it
        'the "MS" of a ship',
        "Ms Smith",
        "help me sleep",
        "X-PD1 80%",  # half of another name
    ],
)
def test_what_only_looks_like_an_abbreviation_is_none(interpreter: Interpreter, asked: str) -> None:
    read = interpreter.interpret(asked)
    assert (read.text, read.readings) == (asked, ())


def test_an_abbreviation_is_said_with_what_else_it_can_mean(interpreter: Interpreter) -> None:
    [note] = interpreter.interpret("MS and walking").notes()
    assert note.startswith("MS read as multiple sclerosis; it can also mean mitral stenosis")


def test_where_nothing_tells_every_usual_meaning_is_searched_and_said(interpreter: Interpreter) -> None:
    read = interpreter.interpret("AD clinical trial")
    assert read.text == "Alzheimer disease or atopic dermatitis clinical trial"
    assert read.readings[0].meanings == ("Alzheimer disease", "atopic dermatitis")
    assert list(read.notes()) == [
        "AD can mean Alzheimer disease or atopic dermatitis: searched for either. Write out what you mean."
    ]


def test_the_index_decides_where_the_question_does_not(interpreter: Interpreter) -> None:
    class Index:
        """An index of trials for eczema."""

        def __len__(self) -> int:
            return 2000

        def trials_with(self, word: str) -> int:
            return 0

        def is_written(self, word: str) -> bool:
            return False

        def alike(self, word: str) -> list[str]:
            return []

        def count(self, name: str = "", word: str = "") -> int:
            return 1500 if name == "atopic dermatitis" else 0

    assert interpreter.interpret("AD clinical trial", Index()).text == "atopic dermatitis clinical trial"


# --- other languages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "searched", "note"),
    [
        (
            "mi madre tiene cancer de pulmon",
            "lung cancer",
            "This question seems to be Spanish. "
            "Understood of it: cancer de pulmon (lung cancer); the rest was not read.",
        ),
        ("肺癌", "lung cancer", "This question seems to be Chinese. Understood of it: 肺癌 (lung cancer)."),
        (
            "والدتي مصابة بسرطان الرئة",
            "lung cancer",
            "This question seems to be Arabic. Understood of it: سرطان الرئة (lung cancer); the rest was not read.",
        ),
        (
            "non-small cell肺癌 EGFR",
            "lung cancer, EGFR",
            "This question seems to be Chinese. Understood of it: 肺癌 (lung cancer), EGFR; the rest was not read.",
        ),
        (
            "guten tag, ich suche eine studie",
            "guten tag, ich suche eine studie",
            "This question seems to be German, and no illness was understood of it. "
            "Name the illness in English or in Latin.",
        ),
        (
            "jag har bröstcancer och vill delta i en studie",
            "jag har bröstcancer och vill delta i en studie",
            "This question seems to be Swedish, and no illness was understood of it. "
            "Name the illness in English or in Latin.",
        ),
        ("linfoma no Hodgkin", "non-Hodgkin lymphoma", ""),
        ("câncer do colo do útero", "cervical cancer", ""),
        ("bauchspeicheldruesenkrebs", "pancreatic cancer", ""),
        ("лечение рассеянного склероза", "multiple sclerosis", ""),
    ],
)
def test_illnesses_are_understood_in_other_languages_and_the_rest_is_said_not_to_be(
    interpreter: Interpreter, asked: str, searched: str, note: str
) -> None:
    read = interpreter.interpret(asked)
    assert read.text == searched
    [said] = read.notes()
    assert said == note or (not note and said.startswith("This question seems to be"))


@pytest.mark.parametrize(
    "asked",
    [
        "psoriasis",
        "lupus",
        "de novo AML in La Paz",
        "von Willebrand disease",
        "Sjögren syndrome, β-thalassaemia",
        "my tía has gout",
        "Guillain-Barré",
        "Ménière's disease",
    ],
)
def test_english_with_a_foreign_word_in_it_is_english(interpreter: Interpreter, asked: str) -> None:
    assert interpreter.interpret(asked).language is None
