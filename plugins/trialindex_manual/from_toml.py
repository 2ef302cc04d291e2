"""TOML as plain values."""

from __future__ import annotations

import re
import tomllib

from trialindex.errors import SourceError
from trialindex_manual.document import Document


def parse_toml(text: str, name: str) -> Document:
    """A TOML document.

    :raises SourceError: it is not valid TOML.
    """
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        why, _, position = str(problem).partition(" (at ")
        line = re.match(r"line (\d+)", position)
        raise SourceError(f"{name}{f':{line[1]}' if line else ''}: not valid TOML: {why}.") from None
    except RecursionError:
        raise SourceError(f"{name}: nested too deeply.") from None
    return Document(name, value)
