"""What is read of age and sex in a text, and how it compares with a trial's limits."""

from __future__ import annotations

import pytest

from trialindex.concepts.person import Person, read_person
from trialindex.trial import Trial

AGES = [
    ("34 years old", 34),
    ("a 34-year-old woman", 34),
    ("34 year old", 34),
    ("45yo", 45),
    ("45 yo male", 45),
    ("45 y/o", 45),
    ("72 y/o", 72),
    ("72 y.o. man", 72),
    ("45-yo", 45),
    ("58yr old", 58),
    ("58 yrs old", 58),
    ("6-month-old girl", 0.5),
    ("6 mo old", 0.5),
    ("a baby of 18 months of age", 1.5),
    ("7 months old", 7 / 12),
    ("10 weeks old", 10 * 7 / 365.25),
    ("12-day-old newborn", 12 / 365.25),
    ("3 days old", 3 / 365.25),
    ("48 M", 48),
    ("48M with lupus", 48),
    ("51F", 51),
    ("F 51, lupus", 51),
    ("M/62 with cough", 62),
    ("I am 34", 34),
    ("I'm 34 and tired", 34),
    ("I’m 34 and tired", 34),
    ("im 34, lupus", 34),
    ("she is 70", 70),
    ("he's 9", 9),
    ("my son is 9", 9),
    ("my daughter is 12 and has asthma", 12),
    ("patient is 66", 66),
    ("aged 70", 70),
    ("age 70", 70),
    ("age: 70", 70),
    ("Age = 70", 70),
    ("aged about 70", 70),
    ("70 years of age", 70),
    ("70 year of age", 70),
    ("aged 6 months", 0.5),
    ("age 18 months", 1.5),
    ("I am 34 years old", 34),
    ("a woman of 34", 34),
    ("woman, 34, with lupus", 34),
    ("34, female, lupus", 34),
    ("A 100-year-old man", 100),
    ("2.5 years old", 2.5),
    ("45-year old", 45),
    ("my father, 80 years old, has lupus", 80),
    ("I am 34, my son is 9", 34),
    ("no smoking since age 30, 62 years old now", 62),
    ("diagnosed at age 20, now 34 years old", 34),
    ("onset at 12 years of age; 34 y/o woman", 34),
    ("101-year-old woman", 101),
    ("45 - year - old", 45),
    ("45‑year‑old man", 45),
    ("FORTY. 45 YEARS OLD", 45),
    ("Diagnosed 5 years ago, now 45 years old", 45),
]
NO_AGES = [
    "",
    "severe lupus kidney",
    "70 kg",
    "weighs 70 kg",
    "20 mg of prednisone",
    "I am 70 kg",
    "I am 170 cm tall",
    "I am 34 weeks pregnant",
    "she is 12 weeks pregnant",
    "I am 20% better",
    "I'm 2 months post transplant",
    "for 6 months",
    "over 3 years",
    "diagnosed 5 years ago",
    "5 year history of lupus",
    "5-year survival",
    "2 weeks of fever",
    "stage 3",
    "class 4 lupus nephritis",
    "eGFR 45",
    "creatinine 1.4 mg/dl",
    "BP 120/80",
    "grade 3 M spike",
    "T2 N1 M0",
    "T3N1M0 tumour",
    "ECOG 1",
    "HbA1c 9",
    "phase 2",
    "12 M cells per litre were counted, 5 mM glucose",
    "300 years old",
    "temperature 39 F",
    "fever of 101 F",
    "101F fever",
    "500 mg aged cheese",
    "page 70",
    "dosage 70",
    "average 70",
    "the old mountain",
    "20 m walk",
    "pregnant at 30 weeks",
    "1 day of fever",
    "my mother died at 70 years old",
    "6 days a week",
    "she is 2 years post transplant",
    "he is 3 days out of surgery",
    "I am 5 ft 4",
    "she is 2nd in line",
    "I am 1 of 3 children",
    "diagnosed at age 20",
    "adults 18 to 65 years old",
    "18-65 years old",
    "aged 18 to 65",
    "at least 18 years old",
    "over 60 years old",
    "<18 years old",
    "type 2 female",
]
SEXES = [
    ("34 year old woman", "FEMALE"),
    ("a man with gout", "MALE"),
    ("45 yo male", "MALE"),
    ("45yo F", "FEMALE"),
    ("45 y/o M with gout", "MALE"),
    ("48 M", "MALE"),
    ("51F lupus", "FEMALE"),
    ("F 51, lupus", "FEMALE"),
    ("M/62 with cough", "MALE"),
    ("6-month-old girl", "FEMALE"),
    ("boy with asthma", "MALE"),
    ("I am pregnant", "FEMALE"),
    ("she has lupus", "FEMALE"),
    ("he is 70", "MALE"),
    ("his kidneys fail", "MALE"),
    ("the gentleman has gout", "MALE"),
    ("an elderly lady", "FEMALE"),
    ("my daughter has asthma", "FEMALE"),
    ("my son has asthma", "MALE"),
    ("my wife has lupus", "FEMALE"),
    ("my mother has lupus", "FEMALE"),
    ("my dad has COPD", "MALE"),
    ("my mum has COPD", "FEMALE"),
    ("my mom, 70 years old", "FEMALE"),
    ("my husband snores", "MALE"),
    ("my sister needs a kidney", "FEMALE"),
    ("A woman whose father had gout", "FEMALE"),
    ("her father had gout", "FEMALE"),
    ("his mother had lupus", "MALE"),
    ("female, her brother has lupus", "FEMALE"),
    ("Woman. Man of the house left.", "FEMALE"),
    ("FEMALE", "FEMALE"),
    ("I have lupus and am pregnant, my father has gout", "FEMALE"),
]
NO_SEXES = [
    "",
    "severe lupus kidney",
    "my mother had lupus",
    "my father died of gout",
    "mother had breast cancer",
    "family history: father with gout",
    "maternal grandmother had lupus",
    "history of breast cancer in mother and sister",
    "Crohn's, UC",
    "malebolge femalesque",
    "hepatitis E",
    "T3N1M0 tumour",
    "womanhood",
    "mankind",
    "male pattern baldness",
    "fever of 101 F",
    "my mother died at 70 years old",
    "men and women with lupus",
    "I have lupus, my mother has it too",
    "I am 34 and my husband smokes",
    "both male and female carriers",
]


@pytest.mark.parametrize(("text", "age"), AGES)
def test_an_age_is_read(text: str, age: float) -> None:
    assert read_person(text).age == pytest.approx(age)


@pytest.mark.parametrize("text", NO_AGES)
def test_other_numbers_are_no_age(text: str) -> None:
    assert read_person(text).age is None


@pytest.mark.parametrize(("text", "sex"), SEXES)
def test_a_sex_is_read(text: str, sex: str) -> None:
    assert read_person(text).sex == sex


@pytest.mark.parametrize("text", NO_SEXES)
def test_what_is_said_of_others_is_no_sex(text: str) -> None:
    assert read_person(text).sex is None


def test_a_relatives_age_is_not_the_patients() -> None:
    assert read_person("her mother was 40 years old then; she is 12").age == 12


FITS = [
    ({}, 34, "not stated"),
    ({"minimum_age": 18.0}, 34, "fits"),
    ({"minimum_age": 18.0}, 17.9, "does not fit"),
    ({"minimum_age": 18.0}, 18, "fits"),
    ({"maximum_age": 65.0}, 65, "fits"),
    ({"maximum_age": 65.0}, 66, "does not fit"),
    ({"maximum_age": 65.0}, 0, "fits"),
    ({"minimum_age": 18.0, "maximum_age": 65.0}, 34, "fits"),
    ({"minimum_age": 0.0}, 0, "fits"),
    ({"minimum_age": 6.0, "maximum_age": 17.0}, 17.5, "fits"),  # still 17
    ({"minimum_age": 6.0, "maximum_age": 17.0}, 18, "does not fit"),
    ({"minimum_age": 6.0, "maximum_age": 17.0}, 5.9, "does not fit"),
    ({"maximum_age": 16.5}, 16.8, "does not fit"),
    ({"maximum_age": 0.5}, 0.6, "does not fit"),
    ({"maximum_age": 1.0}, 1.5, "does not fit"),  # a limit of 12 months
]


@pytest.mark.parametrize(("limits", "age", "verdict"), FITS)
def test_an_age_is_compared_with_stated_bounds(limits: dict[str, float], age: float, verdict: str) -> None:
    (fit,) = Person(age=age).fits(Trial(id="a", title="b", **limits))  # type: ignore[arg-type]
    assert (fit.what, fit.verdict) == ("age", verdict)


@pytest.mark.parametrize(
    ("stated", "sex", "verdict"),
    [
        (None, "MALE", "not stated"),
        ("ALL", "MALE", "fits"),
        ("MALE", "MALE", "fits"),
        ("FEMALE", "MALE", "does not fit"),
        ("MALE", "FEMALE", "does not fit"),
    ],
)
def test_a_sex_is_compared_with_the_stated_one(stated: str | None, sex: str, verdict: str) -> None:
    (fit,) = Person(sex=sex).fits(Trial(id="a", title="b", sex=stated))  # type: ignore[arg-type]
    assert (fit.what, fit.verdict) == ("sex", verdict)


def test_nothing_known_gives_no_fits() -> None:
    assert read_person("severe lupus kidney").fits(Trial(id="a", title="b", sex="MALE", minimum_age=18)) == ()


def test_a_fit_says_what_was_given_and_stated() -> None:
    trial = Trial(id="a", title="b", sex="FEMALE", minimum_age=0.5, maximum_age=12)
    age, sex = Person(age=0.25, sex="FEMALE").fits(trial)
    assert (age.given, age.stated) == ("3 months", "from 6 months to 12 years")
    assert (sex.given, sex.stated.lower()) == ("female", "female only")


def test_a_very_long_note_is_read_quickly() -> None:
    note = "The patient has fatigue and joint pain, 20 mg daily, for 6 weeks. " * 3000 + "She is 34 years old."
    assert read_person(note) == Person(34, "FEMALE")


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "unit", [" ", "\n", "1 ", "my ", "mother had ", "at ", "1", "- ", "male and ", "in mother and "]
)
def test_no_text_makes_reading_slow(unit: str) -> None:
    for text in (f"aged{unit * 10_000}x", f"woman{unit * 10_000}x", unit * 10_000):
        read_person(text)
