"""The JSON Schemas of what ``json`` and ``jsonl`` write, made from the records themselves.

``python -m trialindex_renderers.schema docs/schema`` writes the files; a test checks that they are current.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec

from trialindex.plugin.results import Results
from trialindex.plugin.trial_page import Country, PlainLanguage
from trialindex.trial import Term, Trial
from trialindex_renderers.documents import HIT, RESULTS, TRIAL, TRIALS, HitLine


class Seen(msgspec.Struct, omit_defaults=True):
    """What the index knows of a trial: ISO dates, those that are known."""

    first_seen: str | None = None
    last_updated: str | None = None
    last_checked: str | None = None


class TrialDocument(msgspec.Struct):
    """One trial; where many trials are written there is nothing but the trial.

    :param seen: what the index knows of it.
    :param plain: the trial in plain words; each sentence names the fields of the record that it was made from.
    :param conditions_normalized: the conditions in terms of vocabularies, each once.
    :param locations: the sites by country: those that recruit first, and of those the nearest.
    :param near: the place that distances are from; null if none was given.
    :param notice: what the plain words are, and what they are not.
    :param safety: what to do before deciding anything.
    :param disclaimer: who answers for the record.
    """

    schema: Literal["trialindex.trial/1"]
    trial: Trial
    seen: Seen | None = None
    plain: PlainLanguage | None = None
    conditions_normalized: list[Term] | None = None
    locations: list[Country] | None = None
    near: str | None = None
    notice: str | None = None
    safety: str | None = None
    disclaimer: str | None = None


class TrialsDocument(msgspec.Struct):
    """Many trials without a query."""

    schema: Literal["trialindex.trials/1"]
    trials: list[Trial]


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas (draft 2020-12) of everything that ``json`` and ``jsonl`` write, by file name.

    They allow fields that they do not name: a later version of trialindex may add some without raising the number.
    """
    return {
        "results-v1.json": _schema(Results, RESULTS),
        "hit-v1.json": _schema(HitLine, HIT),
        "trial-v1.json": _schema(TrialDocument, TRIAL),
        "trials-v1.json": _schema(TrialsDocument, TRIALS),
    }


def _schema(cls: type[msgspec.Struct], name: str) -> dict[str, Any]:
    defs: dict[str, Any] = _tidy(msgspec.json.schema(cls)["$defs"])
    # The main definition is the document itself, and holds the name of the schema first.
    main = defs.pop(cls.__name__)
    properties = {"schema": {"const": name}, **{k: v for k, v in main["properties"].items() if k != "schema"}}
    required = ["schema", *(key for key in main["required"] if key != "schema")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": name,
        "description": main["description"],
        "type": "object",
        "properties": properties,
        "required": required,
        "$defs": dict(sorted(defs.items())),
    }


def _tidy(value: Any) -> Any:
    """The generated schema without what differs between versions of the generator or forbids later additions."""
    if isinstance(value, list | tuple):
        return [_tidy(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _tidy(item) for key, item in value.items() if not _is_noise(key, item)}
    if isinstance(kept.get("description"), str):
        text, *params = re.split(r":param (\w+):", kept["description"].replace("``", "`"))
        kept["description"] = " ".join(text.split())
        for name, said in zip(params[::2], params[1::2], strict=True):
            kept["properties"][name]["description"] = " ".join(said.split())
    return kept


def _is_noise(key: str, value: Any) -> bool:
    # A property may be called "title" too; only the keyword holds a string.
    return (
        key == "default"
        or (key, value) == ("additionalProperties", False)
        or (key == "title" and isinstance(value, str))
    )


def files() -> dict[str, str]:
    """The text of every schema file, by name."""
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas().items()}


if __name__ == "__main__":
    for name, text in files().items():
        Path(sys.argv[1], name).write_text(text, encoding="utf-8")
