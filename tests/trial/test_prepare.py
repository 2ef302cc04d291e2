"""What an ingest does to every record: texts repaired, criteria that came as one text split and searched."""

from __future__ import annotations

import pytest

from trialindex.trial import Site, Trial, TrialDate, encode
from trialindex.trial.passages import lexical_fields, passages
from trialindex.trial.prepare import prepare
from trialindex.trial.repair import repair, repair_text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        # Markdown
        (r"age \>= 18 and \< 70", "age >= 18 and < 70"),
        (r"a \* b \[c\] \_d\_ \~1 10\^9 x \& y 1\. \- \|", "a * b [c] _d_ ~1 10^9 x & y 1. - |"),
        (r"a\\b", r"a\b"),
        (r"\\>", r"\>"),
        (r"5 \mu g", r"5 \mu g"),
        ("ends in \\", "ends in \\"),
        # HTML
        ("Parkinson&#39;s, &lt;6 months, R&amp;D", "Parkinson's, <6 months, R&D"),
        ("twice escaped: &amp;lt;6, patient&amp;#39;s", "twice escaped: <6, patient's"),
        ("R&D, AT&T; a < b and c > d; x<y>z; p <0.05", "R&D, AT&T; a < b and c > d; x<y>z; p <0.05"),
        ("one<br>two<br/><BR />three &lt;br&gt;four", "one\ntwo\nthree\nfour"),
        ("<p>Adults</p><ul><li>walk</li><li>talk</li></ul>", "Adults\n\n* walk\n\n* talk"),
        ("10<sup>9</sup>/L of CO<sub>2</sub>, <b>bold</b>", "10^9/L of CO2, bold"),
        ("&unknown; &#0; stays text", "&unknown; \ufffd stays text"),
        # Excel
        ("one_x000D_\ntwo_x000D_three", "one\ntwo\nthree"),
        ("gene_x005F_x000D_ is a name", "gene_x000D_ is a name"),
        # UTF-8 read as Windows-1252, Latin-1, Mac Roman
        ("UniversitÃ¤t, patientâ€™s, â‰¥ 18", "Universität, patient’s, ≥ 18"),
        ("Universit√§t M√ºnchen", "Universität München"),
        ("EspaÃ±a", "España"),
        ("à la carte, naïve, ½ – “quoted” √2 É", "à la carte, naïve, ½ – “quoted” √2 É"),
        ("狼疮性肾炎 Ångström ×3 Ð", "狼疮性肾炎 Ångström ×3 Ð"),
        # spaces
        ("18\xa0years\u2009old\u3000x", "18 years old x"),
        ("zero\u200bwidth\ufeff soft\xadhyphen", "zerowidth softhyphen"),
        ("👩🏽\u200d⚕️ می\u200cخواهم", "👩🏽\u200d⚕️ می\u200cخواهم"),
        ("a\r\nb\u2028c\x0bd\x07", "a\nb\nc\nd"),
        ("  blanks \n", "blanks"),
        ("plain text, 5 * 3 = 15", "plain text, 5 * 3 = 15"),
        ("", ""),
    ],
)
def test_a_text_is_put_right(written: str, read: str) -> None:
    assert repair_text(written) == read
    assert repair_text(read) == read or "&" in read or "\\" in read or "_x" in read


def test_every_text_of_a_record_is_put_right_and_what_was_delivered_stays() -> None:
    raw = {"title": "A &amp; B"}
    trial = repair(
        Trial(
            id="X-1",
            title="A &amp; B",
            conditions=("Crohn&#39;s disease", "&nbsp;"),
            sites=(Site(city="S&atilde;o Paulo", country="Brazil"),),
            start_date=TrialDate(date="2024"),
            raw=raw,
        )
    )
    assert (trial.title, trial.conditions) == ("A & B", ("Crohn's disease",))
    assert trial.sites == (Site(city="São Paulo", country="Brazil"),)
    assert trial.raw == {"title": "A &amp; B"}


def test_a_record_with_nothing_to_repair_is_the_same_object() -> None:
    trial = Trial(id="X-1", title="T", conditions=("lupus",), sites=(Site(city="Lyon"),))
    assert prepare(trial) is trial


def test_a_title_of_which_nothing_would_be_left_stays() -> None:
    assert repair(Trial(id="X-1", title="\u200b")).title == "\u200b"


def searched(trial: Trial) -> str:
    return " ".join([*lexical_fields(trial).values(), *(passage.text for passage in passages(trial))])


def test_criteria_in_one_text_are_split_and_searched() -> None:
    text = "Inclusion Criteria: * KRAS G12C mutation * Adults Exclusion Criteria: * Pregnancy"
    trial = prepare(Trial(id="A-1", title="A tablet for a tumour", eligibility=text))
    assert trial.inclusion == ("KRAS G12C mutation", "Adults")
    assert trial.exclusion == ("Pregnancy",)
    assert "KRAS G12C" in searched(trial)
    assert "Pregnancy" not in searched(trial)


def test_lists_that_a_source_gave_stay_as_they_are() -> None:
    text = "Inclusion Criteria: * A Exclusion Criteria: * B"
    given = Trial(id="A-1", title="T", eligibility=text, inclusion=("Adults",))
    assert prepare(given) is given


def test_criteria_that_say_neither_are_searched_and_exclude_nobody() -> None:
    text = (
        "DISEASE CHARACTERISTICS:\n\n* Histologically confirmed osteosarcoma\n* No brain metastases\n\n"
        "PATIENT CHARACTERISTICS:\n\nAge:\n\n* 18 and over"
    )
    trial = prepare(Trial(id="A-1", title="An old trial", eligibility=text))
    assert (trial.inclusion, trial.exclusion) == ((), ())
    assert "Histologically confirmed osteosarcoma" in trial.other_criteria
    assert "osteosarcoma" in lexical_fields(trial)["body"]
    assert [passage.part for passage in passages(trial)] == ["title", "criteria"]


def test_what_stands_before_the_first_heading_is_searched_too() -> None:
    trial = prepare(Trial(id="A-1", title="T", eligibility="Adults with gout.\n\nExclusion Criteria:\n\n* Fever"))
    assert (trial.other_criteria, trial.exclusion) == (("Adults with gout.",), ("Fever",))
    assert "gout" in searched(trial)
    assert "Fever" not in searched(trial)


def test_a_prepared_record_is_one_that_can_be_stored() -> None:
    trial = prepare(Trial(id="X-1", title="a\ud800b &#xD800;", summary="x\ud800\xa0"))
    assert "\ufffd" in encode(trial).decode()
