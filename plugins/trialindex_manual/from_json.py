"""JSON as plain values with their lines."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from trialindex.errors import SourceError
from trialindex.trial.from_values import Place
from trialindex_manual.document import Document, nearest_line


def parse_json(text: str, name: str) -> Document:
    """A JSON document. :raises SourceError: it is not valid JSON, or repeats a key."""
    lines = functools.cache(lambda: _json_lines(text))
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as problem:
        raise SourceError(f"{name}:{problem.lineno}: not valid JSON: {problem.msg}.") from None
    except (ValueError, RecursionError) as problem:
        why = "nested too deeply" if isinstance(problem, RecursionError) else problem
        raise SourceError(f"{name}: not valid JSON: {why}.") from None
    return Document(name, value, lambda place: nearest_line(lines(), place))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f'"{next(key for key in keys if keys.count(key) > 1)}" is twice in one object')
    return result


_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def _json_lines(text: str) -> dict[Place, int]:
    """The line of every place in a valid JSON text."""
    lines: dict[Place, int] = {}
    place: list[Any] = []
    inside: list[str] = []
    line, end, key_next = 1, 0, False
    for token in _JSON_TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        word, end = token[0], token.start()
        if word in "{[":
            lines.setdefault(tuple(place), line)
            inside.append(word)
            place.append(0)
            key_next = word == "{"
        elif word in "}]":
            inside.pop()
            place.pop()
            key_next = False
        elif word == ",":
            key_next = inside[-1] == "{"
            place[-1] = place[-1] if key_next else place[-1] + 1
        elif word == ":":
            key_next = False
        else:
            if key_next:
                place[-1] = json.loads(word)
            lines.setdefault(tuple(place), line)
    return lines
