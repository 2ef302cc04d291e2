"""The built-in writer: what holds for trials of every kind, and that the checks of it would notice."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from support.plain_asking import assert_fields_hold
from support.plain_cases import KINDS, SECTIONS, all_slips, grade, sentences, slips
from support.plain_facts import Facts
from trialindex.errors import WriterError
from trialindex.plugin.registry import Plugins
from trialindex_writers.plain import PlainWriter

WRITER = PlainWriter()

# --- what holds for all ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_right_and_readable(name: str) -> None:
    plain = WRITER.write(KINDS[name])
    facts = Facts(KINDS[name], plain)
    assert facts.checked > 1
    assert facts.wrong == []
    assert list(all_slips(KINDS[name], plain)) == []
    assert 2 <= len(plain.summary) <= 3
    assert all(getattr(plain, section) for section in SECTIONS)
    assert grade(KINDS[name], plain) <= 11


@pytest.mark.parametrize("name", KINDS)
def test_a_sentence_names_the_fields_without_which_it_is_another(name: str) -> None:
    assert_fields_hold(KINDS[name])


@pytest.mark.parametrize("name", KINDS)
def test_it_says_the_same_every_time(name: str) -> None:
    assert WRITER.write(KINDS[name]) == PlainWriter().write(KINDS[name])


def test_contacts_say_nothing() -> None:
    record = KINDS["with results"]
    assert WRITER.write(record.masked()).summary == WRITER.write(record).summary


# --- the plugin -----------------------------------------------------------------------------------------------------


def test_it_is_found_by_name() -> None:
    assert Plugins().writers.get("plain") is PlainWriter


def test_it_takes_no_argument() -> None:
    with pytest.raises(WriterError, match='"plain" takes no argument, got "x"'):
        PlainWriter("x")


def test_importing_the_package_loads_no_writer() -> None:
    code = "import sys, trialindex_writers; print([m for m in sys.modules if m.startswith('trialindex_writers.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the checks notice ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("358 adults", "385 adults"),
        ("(phase 3)", "(phase 2)"),
        ("tests whether", "tested whether"),
        ("358 adults aged", "358 healthy adults aged"),
        ("18 to 75", "18 to 57"),
        ("2 sites", "3 sites"),
        ("France and Belgium", "France and Brazil"),
        ("is open to new people", "has ended"),
        ("whether zorubicin", "whether placebo"),
    ],
)
def test_the_check_of_facts_would_notice(right: str, wrong: str) -> None:
    record = KINDS["drug"]
    plain = WRITER.write(record)
    assert any(right in sentence.text for sentence in (plain.headline, *plain.summary))
    swap = [
        msgspec.structs.replace(sentence, text=sentence.text.replace(right, wrong))
        for sentence in (plain.headline, *plain.summary)
    ]
    changed = msgspec.structs.replace(plain, headline=swap[0], summary=tuple(swap[1:]))
    assert Facts(record, changed).wrong


@pytest.mark.parametrize(
    "text",
    [
        "It is for 1 adults.",
        "It is phase phase 3.",
        "It ends..",
        "It ends, .",
        "It has  two spaces.",
        "It is made of.",
        "It is a study in; it is large.",
        "It is (open.",
        "It is None.",
        "",
        ".",
        "It is an study.",
        "It is a event.",
        "it is small.",
        "It has no end",
        "It is “quoted.",
        "It is NOT_STATED.",
    ],
)
def test_the_sweep_for_slips_would_notice(text: str) -> None:
    assert slips(text, KINDS["drug"])
    assert not slips("It is a study in 1 adult, of 2 sites.", KINDS["drug"])


def test_sentences_are_what_is_swept() -> None:
    plain = WRITER.write(KINDS["drug"])
    assert len(sentences(plain)) == 1 + sum(len(getattr(plain, section)) for section in SECTIONS)
