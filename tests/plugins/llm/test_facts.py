"""The checks of what a model writes: a false number, country or phase is always caught, a true text never refused."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from support.llm_server import TRIAL
from support.plain_cases import needs_studies, real_trials
from trialindex.plugin.trial_page import PlainLanguage, Sentence
from trialindex.testing import sample_trials
from trialindex.trial import Arm, Intervention, Outcome, Phase, Site, Trial, TrialDate
from trialindex.trial.countries import country_code
from trialindex.trial.sanitize import UNSAFE
from trialindex_llm.facts import problems
from trialindex_llm.numbers import lasts, numbers, value
from trialindex_llm.record import FIELDS, Record
from trialindex_writers.plain import PlainWriter

EVERY = tuple(sorted(FIELDS))


def wrong(text: str, trial: Trial = TRIAL, *fields: str) -> list[str]:
    return problems([Sentence(text, fields or EVERY)], trial)


def sentences(plain: PlainLanguage) -> list[Sentence]:
    """What the deterministic writer says, but for what rests on the raw record, which no model is given."""
    told = (plain.headline, *plain.summary, *plain.substance, *plain.could_lead_to, *plain.could_go_wrong)
    return [sentence for sentence in told if "raw" not in sentence.fields]


# --- true ------------------------------------------------------------------------------------------------------------

TRUE = """
It is a phase 2 study.
It is a Phase II trial of voclosporin (ISA247).
A hundred and twenty people take part, at three sites in two countries.
The plan is for 120.
There are two groups.
It is for 18- to 65-year-old people.
Adults aged between 18 and 65 can join.
It is not open to people younger than 18 or older than 65.
It starts in November 2025.
It began in 2025.
The result is measured after 52 weeks, which is 12 months or 1 year.
The dose is 23.7 mg, twice a day.
It measures “Complete renal response”.
It is for adults with nephritis from lupus.
It is a double-blind study, and randomised.
Whether voclosporin is safe or works better than placebo is not known.
It could show whether voclosporin helps.
One in each group is not stated.
The study is recruiting.
Voclosporin may not help.
"""


@pytest.mark.parametrize("text", TRUE.strip().splitlines())
def test_a_true_sentence_is_not_refused(text: str) -> None:
    assert wrong(text) == []


# --- false -----------------------------------------------------------------------------------------------------------

FALSE = """
It is a phase 1 study.
It is a phase 1/2 study.
It is an early phase 2 and phase 3 study.
It is a Phase III trial.
It is in its phase four.
A hundred and twenty-one people take part.
One hundred people take part.
The plan is for 65.
It enrols 18.
It includes 2 adult patients.
31 people took part.
It is at 4 sites.
It is in three countries.
It has 3 sites in France.
There are three groups.
It is for people aged 18 to 56 years.
It is for people aged 65 years and older.
It is for adults up to 18 years old.
It is for people older than 65.
It is for people aged 18 months.
It starts in December 2025.
It starts on 3 November 2025.
It ended in 2027.
The result is measured after 53 weeks.
The result is measured after 2 years.
The dose is 24.7 mg.
The dose is 23.7 g.
It helps 50% of people.
It is given thrice a day.
It lasts 1,000 days.
People can join in Germany.
People can join in the USA.
People can join in Georgia.
It is run by French hospitals in Lille.
It tests rituximab.
It tests rituximab's rival, glumpumab.
It tests Lupkynis Forte.
Benlysta is tested too.
Foobarex is tested.
It tests ABC-123.
It tests ISA248.
It is for asthma.
It is for people with diabetes.
It is for people with cancer.
It is for people with colitis.
It may cause vomiting.
The study was stopped early.
The study has been completed.
The study is open-label.
It is single-blind and stopped early.
Dozens of people take part.
A third of the people get placebo.
It measures “the risk of dying”.
It is for type 2 lupus.
You can join.
People should join.
We recommend it.
Talk to your doctor.
Ask a doctor about it.
It is the best option for lupus.
It cures lupus.
It will improve the kidneys.
It is proven.
It has no side effects.
Voclosporin is safe.
Voclosporin is safe and effective.
Voclosporin works.
Voclosporin prevents kidney failure.
It is a breakthrough.
It tests **voclosporin**.
It tests <i>voclosporin</i>.
See www.lupus.example for more.
See https://lupus.example for more.
Write to a@b.example for more.
It tests \x1b[31mvoclosporin.
It tests voclo\u202esporin.
- It tests `voclosporin`.
"""


@pytest.mark.parametrize("text", FALSE.strip("\n").split("\n"))
def test_a_false_sentence_is_refused(text: str) -> None:
    found = wrong(text)
    assert found
    assert all(problem == " ".join(problem.split()) for problem in found), "it goes into a note of one line"


def test_a_number_has_to_stand_in_a_field_that_is_named() -> None:
    assert wrong("It takes 52 weeks.", TRIAL, "outcomes") == []
    assert wrong("It takes 52 weeks.", TRIAL, "title")
    assert wrong("It starts in 2025.", TRIAL, "start_date") == []
    assert wrong("It starts in 2025.", TRIAL, "completion_date")


@pytest.mark.parametrize("field", ["contacts", "officials", "raw", "url", "nothing", ""])
def test_a_field_that_no_sentence_rests_on(field: str) -> None:
    assert wrong("It tests voclosporin.", TRIAL, field)


def test_a_record_that_states_nothing() -> None:
    empty = Trial(id="T-1", title="A study")
    assert wrong("How many take part, where, and in which phase is not stated.", empty) == []
    for text in (
        "12 people take part.",
        "It is in France.",
        "It is a phase 2 study.",
        "It is for people aged 18 years.",
    ):
        assert wrong(text, empty)


def test_a_country_is_the_same_by_all_its_names() -> None:
    trial = replace(TRIAL, sites=(Site(country="Bolivia, Plurinational State of"), Site(country="Korea, Republic of")))
    assert wrong("It is in Bolivia and South Korea.", trial) == []
    assert wrong("It is in Bolivia and East Timor.", trial)


def test_a_name_with_a_number_in_it_is_a_name() -> None:
    trial = replace(TRIAL, interventions=(Intervention(name="mRNA-1273 30 people"),), conditions=("COVID-19",))
    assert wrong("mRNA-1273 30 people is tested against COVID-19.", trial) == []
    assert wrong("mRNA-1274 is tested against COVID-19.", trial)


PLACEBO = replace(
    TRIAL,
    arms=(
        Arm(label="Drug", type="EXPERIMENTAL", interventions=("Voclosporin", "Mycophenolate")),
        Arm(label="Placebo", type="PLACEBO_COMPARATOR", interventions=("Maltodextrin", "Mycophenolate")),
        Arm(label="Steroid", type="ACTIVE_COMPARATOR", interventions=("Prednisolone", "Mycophenolate")),
    ),
    interventions=tuple(
        Intervention(name=name, type="DRUG")
        for name in ("Voclosporin", "Maltodextrin", "Prednisolone", "Mycophenolate")
    ),
)


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("It tests maltodextrin in adults.", "placebo or sham"),
        ("Can Maltodextrin calm nephritis?", "placebo or sham"),
        ("It looks at whether taking prednisolone helps.", "comparison"),
        ("Researchers are testing the drug Mycophenolate.", "background"),
    ],
)
def test_what_is_not_tested_is_not_said_to_be(text: str, role: str) -> None:
    assert any(f"is tested, which is {role} in the record" in problem for problem in wrong(text, PLACEBO))


def test_what_is_tested_is_not_what_it_is_compared_with() -> None:
    told = "It tests voclosporin, compared with prednisolone or a placebo (maltodextrin), added to mycophenolate."
    assert wrong(told, PLACEBO) == []
    assert any("which is tested" in one for one in wrong("Prednisolone is compared with voclosporin.", PLACEBO))
    assert any("which is tested" in one for one in wrong("Some get a placebo called voclosporin.", PLACEBO))


def test_a_promise_is_not_quoted_from_free_text() -> None:
    trial = replace(TRIAL, summary="It will cure everybody with lupus.")
    assert wrong("The record says “It will cure everybody with lupus”.", trial)


def test_every_problem_is_told_once() -> None:
    said = Sentence("It is in Italy, and in Italy.", EVERY)
    assert len(problems([said, said], TRIAL)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,200", 1200),
        ("0.5", 0.5),
        ("twenty-four", 24),
        ("two hundred and ten", 210),
        ("one thousand two hundred", 1200),
        ("three million", 3_000_000),
        ("zero", 0),
    ],
)
def test_numbers_in_words(text: str, expected: float) -> None:
    assert value(text) == expected
    assert [found.value for found in numbers(f"About {text} of them")] == [expected]


def test_numbers_within_words_are_none() -> None:
    assert list(numbers("CD19 and 19F, someone, bone, often, tenfold")) == []


@pytest.mark.parametrize(
    "text", ["52 weeks", "Week 52", "12 months", "12-month", "1 year", "365 days", "weeks 4, 12, 52"]
)
def test_the_same_time_in_other_words(text: str) -> None:
    assert lasts(52, "weeks", text)
    assert not lasts(50, "weeks", text)


# --- changed in one place --------------------------------------------------------------------------------------------

COUNTRIES = ("France", "Spain", "Japan", "Brazil", "Georgia", "United States", "Kenya", "Viet Nam")
PHASES: tuple[tuple[Phase, ...], ...] = (
    *(("EARLY_PHASE1",), ("PHASE1",), ("PHASE1", "PHASE2"), ("PHASE2",), ("PHASE2", "PHASE3")),
    *(("PHASE3",), ("PHASE4",)),
)


@st.composite
def trials(draw: st.DrawFn) -> Trial:
    low = draw(st.integers(1, 60))
    countries = draw(st.lists(st.sampled_from(COUNTRIES), min_size=1, max_size=3, unique=True))
    sites = draw(st.lists(st.sampled_from(countries), max_size=20))
    dose = draw(st.integers(1, 900))
    return Trial(
        id="T-1",
        title=f"Zanulimab {dose} mg in people with lupus nephritis",
        summary=f"Before, {draw(st.integers(1, 900))} people took {dose} mg for {draw(st.integers(2, 60))} weeks.",
        conditions=("Lupus Nephritis",),
        study_type="INTERVENTIONAL",
        phases=draw(st.sampled_from(PHASES)),
        status="RECRUITING",
        enrollment=draw(st.integers(2, 3000)),
        enrollment_type=draw(st.sampled_from(("ACTUAL", "ESTIMATED"))),
        sex="ALL",
        minimum_age=float(low),
        maximum_age=float(draw(st.integers(low + 1, 99))),
        arms=tuple(Arm(label=f"Group {number}") for number in range(draw(st.integers(1, 5)))),
        interventions=(Intervention(name="Zanulimab", type="DRUG", description=f"{dose} mg by mouth"),),
        outcomes=(Outcome(measure="Renal response", time_frame=f"{draw(st.integers(2, 60))} weeks"),),
        sites=tuple(Site(country=country, city="Anywhere") for country in [*countries, *sites]),
        start_date=TrialDate(date=f"20{draw(st.integers(10, 30))}-0{draw(st.integers(1, 9))}"),
    )


def mutants(sentence: Sentence, trial: Trial, chance: random.Random) -> Iterator[Sentence]:
    """The sentence with one number, phase or country changed, once for each of them that it has.

    Left alone are names and quotations of the record, and how many *more* of a list there are.
    """
    own = Record(trial).without_names(sentence.text)
    for match in re.finditer(r"(?<![\w.,-])\d[\d,]*(?![\w.-]*\d)(?! more\b)", own):
        number = int(match[0].replace(",", ""))
        phase = re.search(r"phase (?:\d and )?$", own[: match.start()])
        others = [one for one in range(1, 5) if f"PHASE{one}" not in trial.phases and one != number]
        new = chance.choice(others) if phase else number + chance.choice((1, 2, 5, 10, 100))
        yield Sentence(f"{sentence.text[: match.start()]}{new:,}{sentence.text[match.end() :]}", sentence.fields)
    for country in trial.countries:
        if re.search(rf"\b{re.escape(country)}\b", own):
            stated = {country_code(one) for one in trial.countries}
            new_country = chance.choice([one for one in COUNTRIES if country_code(one) not in stated])
            yield Sentence(sentence.text.replace(country, new_country), sentence.fields)


@settings(deadline=None, max_examples=60)
@given(trials(), st.randoms(use_true_random=False))
def test_one_change_is_always_caught(trial: Trial, chance: random.Random) -> None:
    told = sentences(PlainWriter().write(trial))
    assert problems(told, trial) == []
    changed = [mutant for sentence in told for mutant in mutants(sentence, trial, chance)]
    assert len(changed) >= 3
    assert [mutant.text for mutant in changed if not problems([mutant], trial)] == []


def test_the_deterministic_writer_is_not_refused() -> None:
    # a name that is made of dangerous signs is not the same once they are gone
    clean = [trial for trial in sample_trials() if not any(map(UNSAFE.search, trial.conditions))]
    assert len(clean) > 8
    for trial in clean:
        assert _of_facts(problems(sentences(PlainWriter().write(trial)), trial)) == [], trial.id


def _of_facts(found: list[str]) -> list[str]:
    """What is wrong with numbers, phases, places and the like.

    The deterministic writer has tables of its own, of everyday names and of what kinds of drugs do; a model has none,
    and is refused for a word that the record lacks.
    """
    return [problem for problem in found if not problem.startswith(("it names", "it claims"))]


@needs_studies
def test_over_real_studies() -> None:
    """At most one in a hundred true texts is refused; at most three in a thousand changes go unseen.

    A change is unseen where the record states the new number too, for something of the same kind.
    """
    chance = random.Random(3)
    studies = chance.sample(real_trials(), 160)
    refused, changed, unseen = [], 0, []
    for trial in studies:
        told = sentences(PlainWriter().write(trial))
        # serious events are summed over groups, and sums are not in the record
        single = [one for one in told if "serious_events" not in one.fields]
        refused += [(trial.id, problem) for problem in _of_facts(problems(single, trial))[:1]]
        for mutant in (one for sentence in told for one in mutants(sentence, trial, chance)):
            changed += 1
            unseen += [] if problems([mutant], trial) else [(trial.id, mutant.text)]
    assert len(refused) <= 0.01 * len(studies), refused
    assert len(unseen) <= 0.003 * changed, unseen
