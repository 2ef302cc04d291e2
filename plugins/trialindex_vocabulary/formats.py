"""Files in which ontologies come: OBO, OBO graphs (JSON), and JSON lines.

OBO follows the OBO Flat File Format 1.4 (https://owlcollab.github.io/oboformat/doc/GO.format.obo-1_4.html), JSON the
OBO Graphs specification (https://github.com/geneontology/obographs). Only what a vocabulary needs is read.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trialindex.errors import SourceError
from trialindex.plugin.interfaces import Concept
from trialindex.plugin.vocabulary_entries import Association
from trialindex_vocabulary.projects import DISEASES, Project

LARGEST = 200 << 20
"""Bytes; an OBO file has about 8 to 11 million, JSON 30 million."""
_MISSING = 0.1
"""Which part of the broader terms may be missing from a file that is whole."""


@dataclass(frozen=True)
class Edition:
    """One release of an ontology.

    :param version: as the file states it, usually a date; ``None`` if it states none.
    :param associations: which illness has which of the concepts, where a second file tells.
    """

    version: str | None
    concepts: tuple[Concept, ...]
    associations: tuple[Association, ...] = ()


def read_edition(data: bytes, where: str, project: Project = DISEASES) -> Edition:
    """The edition that a file holds, plain or compressed with gzip, in whichever of the three formats.

    :param where: what the file is called in messages.
    :param project: whose it is.
    :raises SourceError: it is none of these, is cut off, is too large, holds no term, or is another ontology.
    """
    text = read_text(data, where, project)
    start = text[:2000].lstrip()
    if start.startswith("<"):
        raise SourceError(f"{where} is a web page or XML, not an ontology in OBO or JSON.", hint=project.get_it)
    try:
        if start.startswith("{"):
            version, concepts = _from_json(text)
        elif start.startswith(("format-version:", "[Term]", "!")) or "\n[Term]" in text:
            version, concepts = _from_obo(text, where, project)
        else:
            raise SourceError(f"{where} is neither an OBO file nor JSON.", hint=project.get_it)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as problem:
        raise SourceError(
            f"{where} cannot be read: {_short(problem)}; it is damaged or cut off.", hint=project.get_it
        ) from None
    if not concepts:
        raise SourceError(f"{where} holds no terms.", hint=project.get_it)
    if project.root:
        concepts = _below(project.root, concepts)
        if not concepts:
            raise SourceError(f"{where} is not the {project.title}: it has no {project.root}.", hint=project.get_it)
    kept = (concept if concept.kind == project.kind else replace(concept, kind=project.kind) for concept in concepts)
    return Edition(_date(version if isinstance(version, str) else None), tuple(kept))


def _below(root: str, concepts: Sequence[Concept]) -> list[Concept]:
    """The concepts that are a kind of *root*, near or far, without itself."""
    kinds: dict[str, list[str]] = {}
    for concept in concepts:
        for broader in concept.broader:
            kinds.setdefault(broader, []).append(concept.id or "")
    found, waiting = set(), [root]
    while waiting:
        for kind in kinds.get(waiting.pop(), ()):
            if kind not in found:
                found.add(kind)
                waiting.append(kind)
    return [concept for concept in concepts if concept.id in found]


def read_text(data: bytes, where: str, project: Project) -> str:
    """The text of a file, unpacked.

    :raises SourceError: it is too large, is cut off, or is no text.
    """
    from trialindex.plugin.unpack import DamagedError, Limits, Unpacked

    try:
        with Unpacked(io.BytesIO(data), Limits(slack=2 * LARGEST)) as file:
            data = file.read(LARGEST + 1)
    except DamagedError:
        raise SourceError(
            f"{where} is cut off or damaged: its compression does not end.", hint=project.get_it
        ) from None
    if len(data) > LARGEST:
        raise SourceError(
            f"{where} is larger than {LARGEST >> 20} MB, which the {project.title} is not.", hint=project.get_it
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"{where} is not text in UTF-8.", hint=project.get_it) from None


def _short(problem: Exception) -> str:
    from trialindex.trial.sanitize import excerpt

    return excerpt(f"{type(problem).__name__}: {problem}", 120)


def _date(version: str | None) -> str | None:
    """``doid/releases/2026-07-31/doid.obo`` → ``2026-07-31``."""
    found = re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", version or "")
    if found or not version:
        return found[0] if found else None
    from trialindex.trial.sanitize import excerpt

    return excerpt(version, 40) or None


def _concept(ident: str, name: str, synonyms: Iterable[tuple[str, str]], broader: Iterable[str]) -> Concept:
    """A term of an ontology as a concept.

    :param synonyms: with their scopes. What is wider than the term, or only related to it, does not find it.
    """
    names = dict.fromkeys(text for text, scope in synonyms if scope in ("EXACT", "NARROW") and _well_behaved(text))
    names.pop(name, None)
    above = [broader] if isinstance(broader, str) else broader
    return Concept(
        _line(name), tuple(map(_line, names)), _line(ident), "disease", tuple(dict.fromkeys(map(_line, above)))
    )


def _well_behaved(text: str) -> bool:
    """Abbreviations of two letters mean something else too often: *HD*, *CM*."""
    return len(text.strip()) > 2


def _line(text: object) -> str:
    """The text clean and on one line.

    :raises TypeError: it is no text.
    """
    from trialindex.trial.sanitize import one_line

    if not isinstance(text, str):  # JSON may hold anything
        raise TypeError(f"{type(text).__name__} where a text was expected")
    return one_line(text)


# --- OBO ------------------------------------------------------------------------------------------------------------

_SYNONYM = re.compile(r'"((?:[^"\\]|\\.)*)"\s+(EXACT|NARROW|BROAD|RELATED)\b')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": " ", "W": " ", "t": " "}


def _from_obo(text: str, where: str, project: Project) -> tuple[str | None, list[Concept]]:
    if not text.endswith("\n"):
        raise SourceError(f"{where} is cut off: its last line does not end.", hint=project.get_it)
    header, *stanzas = re.split(r"(?m)^(?=\[\w+\][^\n]*$)", text)
    version = re.search(r"(?m)^data-version:\s*(.+?)\s*$", header)
    concepts = [concept for stanza in stanzas if (concept := _stanza(stanza)) is not None]
    known = {concept.id for concept in concepts}
    broader = [one for concept in concepts for one in concept.broader]
    missing = sum(one not in known for one in broader)
    if missing > _MISSING * len(broader):
        raise SourceError(
            f"{where} is cut off: {missing:,} of the {len(broader):,} broader terms that it names are not in it.",
            hint=project.get_it,
        )
    return version[1] if version else None, concepts


def _stanza(stanza: str) -> Concept | None:
    """The concept of a ``[Term]`` that is not obsolete."""
    head, *lines = stanza.splitlines()
    if not head.startswith("[Term]"):
        return None
    ident = name = ""
    synonyms: list[tuple[str, str]] = []
    broader: list[str] = []
    for line in lines:
        tag, _, value = line.partition(": ")
        if tag == "id":
            ident = _value(value)
        elif tag == "name":
            name = _value(value)
        elif tag == "synonym":
            if match := _SYNONYM.match(value):
                synonyms.append((_unescaped(match[1]), match[2]))
        elif tag == "is_a":
            broader.append(_value(value))
        elif tag == "is_obsolete" and _value(value) == "true":
            return None
    return _concept(ident, name, synonyms, broader) if ident and name else None


def _value(text: str) -> str:
    """A value without what may trail it: a ``! comment`` and ``{modifiers}``."""
    return _unescaped(re.split(r"(?:^|(?<=\s))(?:!|\{[^{}]*\}\s*(?:!|$))", text, maxsplit=1)[0]).strip()


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text) if "\\" in text else text


# --- JSON -----------------------------------------------------------------------------------------------------------

_SCOPES = {"hasExactSynonym": "EXACT", "hasNarrowSynonym": "NARROW"}


def _from_json(text: str) -> tuple[str | None, list[Concept]]:
    """An OBO graph if the first line or the whole is one, else JSON lines."""
    first, _, _ = text.lstrip().partition("\n")
    try:
        whole = not isinstance(json.loads(first), dict) or '"graphs"' in first
    except ValueError:
        whole = True  # it goes on over several lines
    if whole:
        return _from_graph(json.loads(text))
    return None, [concept for concept in map(_from_record, _records(text)) if concept is not None]


def _from_graph(document: dict[str, Any]) -> tuple[str | None, list[Concept]]:
    graph = document["graphs"][0]
    broader: dict[str, list[str]] = {}
    for edge in graph.get("edges", ()):
        if edge["pred"] == "is_a":
            broader.setdefault(edge["sub"], []).append(_curie(edge["obj"]))
    concepts = []
    for node in graph["nodes"]:
        meta = node.get("meta", {})
        if node.get("type", "CLASS") == "CLASS" and node.get("lbl") and not meta.get("deprecated"):
            synonyms = [(one["val"], _SCOPES.get(one["pred"], "")) for one in meta.get("synonyms", ())]
            concepts.append(_concept(_curie(node["id"]), node["lbl"], synonyms, broader.get(node["id"], ())))
    return graph.get("meta", {}).get("version"), concepts


def _curie(iri: str) -> str:
    """``http://purl.obolibrary.org/obo/DOID_0080162`` → ``DOID:0080162``."""
    return iri.rpartition("/")[2].replace("_", ":", 1)


def _records(text: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError:
                raise ValueError(f"line {number} is no JSON") from None


def _from_record(record: dict[str, Any]) -> Concept | None:
    """A line ``{"id", "name", "synonyms", "is_a"}``; a synonym is a text, or ``{"text", "scope"}``."""
    if record.get("is_obsolete") or not record.get("name"):
        return None
    synonyms = [
        (one, "EXACT") if isinstance(one, str) else (one["text"], one.get("scope", "EXACT"))
        for one in record.get("synonyms") or ()
    ]
    return _concept(record["id"], record["name"], synonyms, record.get("is_a") or ())
