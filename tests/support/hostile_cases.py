"""What an enemy would write into a record, and the means to put it everywhere."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from trialindex.trial import Arm, Contact, Intervention, Outcome, Site, Term, Trial, TrialDate

ATTACKS = {
    "clear the screen": "\x1b[2J\x1b[H",
    "window title": "\x1b]0;owned\x07",
    "link of a terminal": "\x1b]8;;https://evil.test\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "8-bit controls": "\x9b2J\x9d0;owned\x9c\x90q\x9c",
    "overstrike": "safe\x08\x08\x08\x08evil\rover",
    "turned around": "\u202eevil\u202c \u2066x\u2069 \u200fy\u061c",
    "invisible": "a\u200bb\u2060c\ufeffd\u00ade\U000e0041\ufff9",
    "line breaks": "one\u2028two\u2029three\x85four\x0bfive\x0csix\r\nseven",
    "NUL": "a\x00b",
    "half pairs": "\ud800 \udfff \ud83d",
    "not characters": "\ufffe\uffff\U0010ffff",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "end of what holds it": "</title></style></textarea></script>--></summary></p><svg/onload=alert(1)>]]>",
    "entity": "&lt;script&gt; &#60;b&#62; &amp;amp;",
    "markdown link": "[click](javascript:alert(1)) ![x](https://evil.test/x.png) <https://evil.test> [a]: evil",
    "markdown blocks": "# heading\n\n---\n\n| a | b |\n|--|--|\n```\n<b>x</b>\n~~~\n1. x\n- y\n    code",
    "template": "{{ 7 * 7 }}{% for x in y %}{# #}${7*7}%(x)s{0.__class__}",
    "formula": '=HYPERLINK("https://evil.test","x")',
    "formula after blanks": " \t\r\n=1+1",
    "formula, wide": "＝1+1",
    "command": '+cmd|" /C calc"!A0;@SUM(1);-2+3',
    "cells": 'a"b;c,d\te|f\r\n=g',
    "header": "x\r\nBcc: victim@evil.test\r\n\r\nbody\n.\n",
    "query": "'; DROP TABLE trials; --",
    "path": "../../../etc/passwd",
}
"""Each by what it is meant to do."""

EVERYTHING = " ".join(ATTACKS.values())
STORABLE = {name: text for name, text in ATTACKS.items() if name != "half pairs"}
"""JSON cannot hold half of a pair, so that no record that is stored does."""
WHOLE = " ".join(STORABLE.values())


def filled(text: str, number: int = 1, **fields: Any) -> Trial:
    """A trial with *text* in every place that holds text."""
    person = Contact(name=text, role=text, affiliation=text, phone=text, email=text)
    site = Site(
        name=text,
        city=text,
        state=text,
        postal_code=text,
        country=text,
        latitude=45.0,
        longitude=4.0,
        status="RECRUITING",
        contacts=(person,),
    )
    values: dict[str, Any] = {
        "id": f"H-{number}",
        "title": text or "untitled",
        "url": text,
        "official_title": text,
        "acronym": text,
        "other_ids": (text,),
        "summary": text,
        "description": text,
        "conditions": (text,),
        "normalized_conditions": (Term(name=text, id=text),),
        "keywords": (text,),
        "study_type": "INTERVENTIONAL",
        "phases": ("PHASE2",),
        "status": "TERMINATED",
        "why_stopped": text,
        "primary_purpose": text,
        "allocation": text,
        "intervention_model": text,
        "observational_model": text,
        "time_perspective": text,
        "masking": text,
        "who_masked": (text,),
        "enrollment": 10,
        "eligibility": text,
        "inclusion": (text,),
        "exclusion": (text,),
        "study_population": text,
        "arms": (Arm(label=text, type=text, description=text, interventions=(text,)),),
        "interventions": (
            Intervention(name=text, type="DRUG", description=text, other_names=(text,)),
            Intervention(name=text, type=text, description=text),
        ),
        "outcomes": (Outcome(measure=text, time_frame=text, description=text),),
        "sites": (site,),
        "contacts": (person,),
        "officials": (person,),
        "sponsor": text,
        "sponsor_class": text,
        "collaborators": (text,),
        "start_date": TrialDate(date="2024-05"),
        "raw": {text: [text, {"x": text}]},
    }
    return Trial(**{**values, **fields})


REST = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What no output may hold. A terminal's colours are looked at apart."""

COLOUR = re.compile("\x1b\\[[0-9;]*m")


def controls(text: str, *, colour: bool = False) -> list[str]:
    """The characters of *text* that steer a terminal or mislead a reader."""
    return REST.findall(COLOUR.sub("", text) if colour else text)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The block fails when it takes more of the CPU; Python's regular expressions heed the alarm too."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("no alarm on this system")

    def late(number: int, frame: object) -> None:
        raise AssertionError(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
