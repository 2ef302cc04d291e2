"""What a user types for ``ctgov``, as a request that the registry understands."""

from __future__ import annotations

from typing import Any

import pytest

from trialindex.errors import SourceError
from trialindex_ctgov.request import essie
from trialindex_ctgov.source import CtgovSource


def ids(*numbers: int) -> list[str]:
    return [f"NCT{n:08d}" for n in numbers]


def test_options_given_in_another_order_or_spelling_are_the_same_request() -> None:
    one = CtgovSource("asthma", status=["recruiting", "COMPLETED"], country=["Chile", "Peru"])
    two = CtgovSource(condition="asthma", status="completed,Recruiting", country=["Peru", "Chile"], full=True)
    assert one.spec == two.spec
    assert CtgovSource(everything=True).spec == "ctgov --all"
    assert CtgovSource(ids=ids(*range(1, 400))).spec == CtgovSource(ids=ids(*range(399, 0, -1))).spec
    assert len(CtgovSource(ids=ids(*range(1, 400))).spec) < 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, 'ctgov:"lupus nephritis"'),
        ({"full": True}, "--all"),
        ({"status": ["recruitin"]}, 'Did you mean "recruiting"?'),
        ({"status": ["RECRUITIN_G"]}, "Allowed: not-yet-recruiting"),
        ({"updated_since": "last week"}, "2026-01-31"),
        ({"updated_since": "2026-02-30"}, "2026-01-31"),
        ({"ids": ["NCT123456789"]}, "NCT01234567"),
        ({"ids": ["ISRCTN12345678"]}, "NCT01234567"),
        ({"condition": "[]()"}, "nothing to search for"),
        ({"condition": "x" * 3000}, "too long"),
        ({"country": ['"']}, "is no country"),
        ({"everything": True, "condition": "lupus"}, "--all asks for every trial"),
    ],
)
def test_a_request_that_cannot_be_asked_says_what_to_type(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceError) as problem:
        CtgovSource(**options)
    assert message in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_condition_given_twice_is_refused() -> None:
    with pytest.raises(SourceError, match="twice"):
        CtgovSource("lupus", condition="asthma")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("lupus nephritis", "lupus nephritis"),
        ("tolvaptan [diag:0]", "tolvaptan diag:0"),
        ("kidney (lupus", "kidney lupus"),
        ("kidney) or (lupus", "kidney or lupus"),
        ("(lupus OR sle) AND kidney", "(lupus OR sle) AND kidney"),
        ("lupus ()", "lupus"),
        ("((), lupus)", "(lupus)"),
        (", diabetes,, type 2,", "diabetes, type 2"),
        ('"lupus nephritis', "lupus nephritis"),
        ('"lupus nephritis" "', "lupus nephritis"),
        ('"a (b" c', '"a (b" c'),
        ("AREA[Phase]PHASE3 AND lupus [x]", "AREA[Phase]PHASE3 AND lupus x"),
        ("AREA[StartDate]RANGE[2024-01-01,MAX]", "AREA[StartDate]RANGE[2024-01-01,MAX]"),
        ("relapsed ALL", 'relapsed "ALL"'),
        ("back\\slash", "back slash"),
        ("\0001\0 lupus", "1 lupus"),
    ],
)
def test_free_text_never_breaks_the_search_syntax(typed: str, sent: str) -> None:
    assert essie(typed) == sent
