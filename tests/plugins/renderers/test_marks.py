"""The words that matched are marked in the formats that can."""

from __future__ import annotations

import pytest

from trialindex.plugin.interfaces import RenderOptions
from trialindex.plugin.registry import plugins
from trialindex.plugin.results import Hit, Match, Results
from trialindex.trial import Trial
from trialindex_renderers.view import marked

MATCH = Match(part="summary", text="A <b>lupus</b> study & more_lupus of Lupus", words=("lupus", "Lupus"))
ANSWER = Results(
    query="lupus", mode="hybrid", filters={}, searched=1, total=1, page=1, limit=10, generation=1,
    hits=(Hit(rank=1, score=1.0, parts={}, trial=Trial(id="A", title="A study"), match=MATCH),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("table", "A <b>\033[1mlupus\033[0m</b> study & more_lupus of \033[1mLupus\033[0m"),
        ("markdown", "A \\<b>**lupus**\\</b> study & more\\_**lupus** of **Lupus**"),
        ("html", "A &lt;b&gt;<mark>lupus</mark>&lt;/b&gt; study &amp; more_<mark>lupus</mark> of <mark>Lupus</mark>"),
        ("json", '"words": [\n          "lupus",\n          "Lupus"\n        ]'),
    ],
)
def test_marks(name: str, shown: str) -> None:
    drawn = "".join(plugins().renderers.get(name)(RenderOptions(width=100, color=True)).results(ANSWER))
    if name == "table":
        shown = shown.replace("more_lupus", "more_\033[1mlupus\033[0m")
    assert shown in drawn


def test_without_colour_a_terminal_shows_plain_text() -> None:
    drawn = "".join(plugins().renderers.get("table")(RenderOptions(width=100)).results(ANSWER))
    assert "\033" not in drawn


def test_a_word_inside_another_is_not_marked() -> None:
    assert marked("all allergy (all)", ("all",), "[{}]".format) == "[all] allergy ([all])"
