"""YAML as plain values with their lines: no object is made from a tag, and aliases cannot grow without bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trialindex.errors import SourceError
from trialindex.trial.from_values import Place
from trialindex_manual.document import Document


def parse_yaml(text: str, name: str) -> Document:
    """A YAML document; several in one text are a list.

    :raises SourceError: it is not valid YAML, or holds a tag, a repeated key or aliases that grow too large.
    """
    import yaml

    built = _Built(name, 10_000 + 10 * len(text))
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            built.take(event)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        why = problem.problem or problem.context or "it cannot be read"
        tab = "tab " in why or "\\t" in why
        raise SourceError(f"{where}: not valid YAML: {why}.", hint="Indent with spaces." if tab else "") from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise SourceError(f"{name}:{line}: not valid YAML: it holds a control character.") from None
    except UnicodeEncodeError:
        raise SourceError(f"{name}: not valid YAML: it holds half of a pair of characters.") from None
    if len(built.documents) == 1:
        return Document(name, built.documents[0], {place[1:]: line for place, line in built.lines.items()})
    return Document(name, built.documents, built.lines)


_NULLS = {"", "~", "null", "Null", "NULL"}
_TAGS = {f"tag:yaml.org,2002:{tag}" for tag in ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")}
_DEEPEST = 50


@dataclass
class _Open:
    """A list or mapping that is being read: where it is, the key that waits for its value, how large all was before."""

    value: Any
    place: Place
    anchor: str | None
    before: int
    key: str | None = None


class _Built:
    """Plain values from the events of a YAML parser, with their lines.

    PyYAML's own way to values goes through its composer, which overflows the C stack on a deeply nested text.

    :param limit: how many values there may be, aliases counted in full, so that what reads them stays in bounds.
    """

    def __init__(self, name: str, limit: int) -> None:
        self.documents: list[Any] = []
        self.lines: dict[Place, int] = {}
        self._name = name
        self._limit = limit
        self._count = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}

    def take(self, event: Any) -> None:
        """The next event.

        :raises SourceError: it is one that is not allowed.
        """
        line = event.start_mark.line + 1
        if getattr(event, "tag", None) not in _TAGS | {None, "!"}:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self._error(line, f"the tag {tag} is not allowed here")
        match type(event).__name__:
            case "DocumentStartEvent":
                self._anchors.clear()
            case "ScalarEvent":
                is_key = bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is None
                null = event.implicit[0] and event.value in _NULLS and not is_key
                self._add(None if null else event.value, line, event.anchor, 1)
            case "AliasEvent":
                if event.anchor not in self._anchors:
                    raise self._error(line, f"*{event.anchor} is not known here, or holds itself")
                value, size = self._anchors[event.anchor]
                self._add(value, line, None, size)
            case "SequenceStartEvent" | "MappingStartEvent":
                if len(self._open) == _DEEPEST:
                    raise self._error(line, "nested too deeply")
                place = self._next_place()
                self.lines.setdefault(place, line)
                value = [] if type(event).__name__ == "SequenceStartEvent" else {}
                self._open.append(_Open(value, place, event.anchor, self._count))
            case "SequenceEndEvent" | "MappingEndEvent":
                done = self._open.pop()
                self._add(done.value, self.lines[done.place], done.anchor, 1, self._count - done.before)

    def _next_place(self) -> Place:
        if not self._open:
            return (len(self.documents),)
        outer = self._open[-1]
        return (*outer.place, len(outer.value) if isinstance(outer.value, list) else outer.key or "")

    def _add(self, value: Any, line: int, anchor: str | None, size: int, inside: int = 0) -> None:
        self._count += size
        if self._count > self._limit:
            raise self._error(line, "aliases (*name) make this too large")
        if anchor is not None:
            self._anchors[anchor] = (value, size + inside)
        if not self._open:
            self.lines.setdefault((len(self.documents),), line)
            self.documents.append(value)
            return
        outer = self._open[-1]
        if isinstance(outer.value, list):
            self.lines.setdefault(self._next_place(), line)
            outer.value.append(value)
        elif outer.key is not None:
            outer.value[outer.key] = value
            outer.key = None
        elif not isinstance(value, str):
            raise self._error(line, "the name of a field must be a word")
        elif value in outer.value:
            raise self._error(line, f'"{value}" is in line {self.lines[(*outer.place, value)]} already')
        else:
            outer.key = value
            self.lines[(*outer.place, value)] = line

    def _error(self, line: int, why: str) -> SourceError:
        return SourceError(f"{self._name}:{line}: {why}.")
