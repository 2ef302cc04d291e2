"""``phenotype.hpoa``: which rare illnesses have which findings of the Human Phenotype Ontology.

The format is that of https://obophenotype.github.io/human-phenotype-ontology/annotations/phenotype_hpoa/: a line an
annotation, its fields between tabs, comments after ``#``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trialindex.errors import SourceError
from trialindex.plugin.vocabulary_entries import Association
from trialindex.trial.sanitize import one_line
from trialindex_vocabulary.formats import Edition, read_text
from trialindex_vocabulary.projects import Project

_FIELDS = ("database_id", "disease_name", "qualifier", "hpo_id", "frequency", "aspect")
_OLDER = {"databaseid": "database_id", "diseasename": "disease_name", "hpo_id": "hpo_id"}
"""Names of fields in files from before 2023, in small letters."""
_SHARES = {"HP:0040280": 1.0, "HP:0040281": 0.9, "HP:0040282": 0.55, "HP:0040283": 0.17, "HP:0040284": 0.025}
"""Terms for how often, by the middle of what they say: always, 80 to 99 %, 30 to 79 %, 5 to 29 %, less."""
_UNSTATED = 0.4
"""How often a finding is met of which that is not stated: a judgement."""


def read_annotations(data: bytes, where: str, edition: Edition, project: Project) -> tuple[Association, ...]:
    """The findings of each illness, of those whose term is in *edition*, each once; none that an illness lacks.

    :param where: what the file is called in messages.
    :raises SourceError: it is no such file, is cut off, or tells of other terms.
    """
    text = read_text(data, where, project)
    lines = [line for line in text.splitlines() if line.strip()]
    heads = [number for number, line in enumerate(lines) if _head(line)]
    if not heads:
        raise SourceError(f"{where} is no {project.annotations}: it has no line of headings.", hint=project.get_it)
    if not text.endswith("\n"):
        raise SourceError(f"{where} is cut off: its last line does not end.", hint=project.get_it)
    names = _head(lines[heads[0]])
    known = {concept.id: concept.name for concept in edition.concepts}
    rows = list(_rows(lines[heads[0] + 1 :], names, where, project))
    found = {
        (row["disease_name"], known[row["hpo_id"]]): share
        for row in rows
        if row["hpo_id"] in known and row["qualifier"] != "NOT" and (share := _share(row["frequency"])) > 0
    }
    if not found:
        raise SourceError(f"{where} tells of no term of the {project.title}.", hint=project.get_it)
    return tuple(Association(illness, finding, share) for (illness, finding), share in sorted(found.items()))


def _head(line: str) -> list[str]:
    """The names of the fields, if the line is that of the headings; else none."""
    names = [name.strip().lower() for name in line.lstrip("#").split("\t")]
    names = [_OLDER.get(name, name) for name in names]
    return names if set(_FIELDS) <= set(names) else []


def _rows(lines: list[str], names: list[str], where: str, project: Project) -> Iterator[Mapping[str, str]]:
    for line in lines:
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(names):
            shown = one_line(line)[:60]
            raise SourceError(
                f'{where} is damaged: "{shown}" has {len(cells)} fields of {len(names)}.', hint=project.get_it
            )
        row = dict(zip(names, map(str.strip, cells), strict=True))
        if row["aspect"] in {"P", ""} and row["disease_name"]:
            yield {**row, "disease_name": _illness(row["disease_name"]), "qualifier": row["qualifier"].upper()}


def _illness(name: str) -> str:
    """``MARFAN SYNDROME; MFS`` → ``Marfan syndrome``."""
    line = one_line(name).split(";")[0].strip()
    return line.capitalize() if line.isupper() else line


def _share(stated: str) -> float:
    """In what part it is met: of a term, ``45%``, ``12/30``; 0 of what is excluded."""
    if not stated:
        return _UNSTATED
    if stated.startswith("HP:"):
        return _SHARES.get(stated, 0.0)
    if found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", stated):
        return min(float(found[1]) / 100, 1.0)
    if (found := re.fullmatch(r"(\d+)\s*/\s*(\d+)", stated)) and int(found[2]):
        return min(int(found[1]) / int(found[2]), 1.0)
    return _UNSTATED
