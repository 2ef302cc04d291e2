"""JSON as plain values."""

from __future__ import annotations

import json
from typing import Any

from trialindex.errors import SourceError
from trialindex_manual.document import Document


def parse_json(text: str, name: str) -> Document:
    """A JSON document.

    :raises SourceError: it is not valid JSON, or repeats a key.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as problem:
        raise SourceError(f"{name}:{problem.lineno}: not valid JSON: {problem.msg}.") from None
    except (ValueError, RecursionError) as problem:
        why = "nested too deeply" if isinstance(problem, RecursionError) else problem
        raise SourceError(f"{name}: not valid JSON: {why}.") from None
    return Document(name, value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f'"{next(key for key in keys if keys.count(key) > 1)}" is twice in one object')
    return result
