"""Numbers in prose are those of the code: each stands beside its constant here, and moves with it."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from support.paths import ROOT

NUMBERS = [
    ("docs/architecture.md", "batch of {:,} ─►", "trialindex.ingest.run.BATCH"),
    ("docs/architecture.md", "A batch ends after {:,} trials", "trialindex.ingest.run.BATCH"),
    ("docs/architecture.md", "one SQLite transaction, every {} texts", "trialindex.ingest.embedding.CHUNK"),
    ("docs/architecture.md", "vectors are committed every {} texts", "trialindex.ingest.embedding.CHUNK"),
    ("docs/architecture.md", "What the last {} filters left", "trialindex.search.searcher.FILTER_CACHE_SIZE"),
    ("docs/index-format.md", "committed after every {} texts", "trialindex.ingest.embedding.CHUNK"),
    ("docs/large-indexes.md", "at most {} texts are encoded again", "trialindex.ingest.embedding.CHUNK"),
    ("docs/architecture.md", "first after {:.0f} seconds", "trialindex.ingest.run.FIRST_SECONDS"),
    ("docs/architecture.md", "take more than {:.0%} of the time of reading", "trialindex.ingest.run.READING_SHARE"),
    ("docs/architecture.md", "or {:.0%} of the time of embedding", "trialindex.ingest.run.PUBLISH_SHARE"),
    ("docs/watching.md", "among the first {} results", "trialindex.watching.watch.TOP"),
    ("docs/watching.md", "at least {:.2f} (`--level`)", "trialindex.watching.watch.LEVEL"),
    ("docs/watching.md", "first posted more than {} days ago", "trialindex.watching.updates.NEW_DAYS"),
    ("docs/notifiers.md", "one mail of all its news: {} at most", "trialindex_notifiers.texts.DIGEST"),
    ("docs/notifiers.md", "Long texts are cut at {:,} characters", "trialindex_notifiers.texts._LONGEST"),
    ("docs/notifiers.md", "after {} changes\n", "trialindex_notifiers.texts._CHANGES"),
    ("docs/renderers.md", "A trial's page names {} sites", "trialindex_renderers.markdown.SITES"),
    ("docs/cli.md", "so many first results count.  [default: {}]", "trialindex.watching.watch.TOP"),
    ("docs/cli.md", "[default: {}]", "trialindex.index.DEFAULT_ENCODER"),
    ("docs/cli.md", "[default: {}]", "trialindex.index.DEFAULT_STORE"),
]


@pytest.mark.parametrize(("page", "words", "constant"), NUMBERS, ids=[f"{n[0]} {n[2]}" for n in NUMBERS])
def test_a_number_in_prose_is_that_of_the_code(page: str, words: str, constant: str) -> None:
    module, _, name = constant.rpartition(".")
    expected = words.format(getattr(import_module(module), name))
    text = (ROOT / page).read_text(encoding="utf-8")
    assert " ".join(expected.split()) in " ".join(text.split()), f"{page} should say: {expected}"


def test_the_rooms_of_the_architecture_are_those_of_the_contract() -> None:
    """The table lists every folder and file of the contract, in its order."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    order = project["tool"]["importlinter"]["contracts"][0]["layers"]
    layers = [name for layer in order for name in re.split(r"\s*:\s*", layer) if name != "__main__"]
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Rooms")[1].split("\n\n")[2]
    assert re.findall(r"^\| `(\w+)(?:/|\.py)`", table, re.MULTILINE) == layers


def test_every_dependency_has_its_reason() -> None:
    """The table of the architecture names each package of the base, and no other."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[<>=\[]", one)[0] for one in project["dependencies"]}
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Dependencies, and why")[1]
    rows = re.findall(r"^\| ([a-z][\w, -]*) \|", table.split("\n## ")[0], re.MULTILINE)
    named = {name for row in rows if row != "package" for name in row.split(", ")}
    assert named == needed
