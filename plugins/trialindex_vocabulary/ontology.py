"""``disease-ontology`` and ``phenotype-ontology``: ontologies as the user downloaded them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from trialindex.errors import PluginError, StorageError
from trialindex.plugin.interfaces import Concept, Vocabulary
from trialindex.plugin.vocabulary_entries import Association
from trialindex_vocabulary.formats import Edition
from trialindex_vocabulary.projects import DISEASES, PHENOTYPES, Project

_FORMAT = 1


class Ontology(Vocabulary):
    """An ontology as the user downloaded it, compiled into one file.

    The file is a line of JSON that says what it holds, then the concepts as MessagePack, then the associations if there
    are any.
    """

    project: ClassVar[Project]

    @property
    def path(self) -> Path:
        """Where the compiled file is, or would be."""
        from platformdirs import user_data_path

        return user_data_path("trialindex") / "vocabularies" / f"{self.name}.msgpack"

    @property
    def where(self) -> str:
        return str(self.path) if self.path.exists() else f"not here yet; type: {self.project.download}"

    @property
    def version(self) -> str | None:
        """The date of the release and a digest of its concepts.

        :raises PluginError: the file is damaged.
        """
        head = self._head()
        return None if head is None else str(head["version"])

    def _head(self) -> dict[str, Any] | None:
        try:
            with self.path.open("rb") as file:
                head: dict[str, Any] = json.loads(file.readline(10_000))
            if head["format"] > _FORMAT:
                newer = f"Upgrade trialindex, or type: {self.project.download}"
                raise self._error("was written by a newer trialindex", newer)
            return head if head["version"] else None
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise self._error(f"cannot be read: {problem.strerror}", self._again) from problem
        except (ValueError, TypeError, KeyError):
            raise self._error("is damaged", self._again) from None

    def concepts(self) -> Iterator[Concept]:
        """The terms of the downloaded edition.

        :raises PluginError: the file is damaged.
        """
        for name, names, ident, broader in self._part(0, list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]):
            yield Concept(name, names, ident, self.project.kind, broader)

    def _part(self, number: int, rows: Any) -> Any:
        """The concepts, or the associations; nothing where there is none of it."""
        import msgspec

        head = self._head()
        if head is None:
            return []
        try:
            with self.path.open("rb") as file:
                file.readline()
                body = file.read()
            border = head.get("concepts", len(body))
            part = (body[:border], body[border:])[number]
            return msgspec.msgpack.decode(part, type=rows) if part or not number else []
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, TypeError):
            raise self._error("is damaged", self._again) from None

    @property
    def _again(self) -> str:
        return f"Type: {self.project.download}"

    def _error(self, what: str, hint: str) -> PluginError:
        return PluginError(f"the vocabulary {self.name} at {self.path} {what}.", hint=hint)

    def keep(self, edition: Edition, origin: str) -> None:
        """Put *edition* in the place of what was there; a kill leaves the one or the other.

        :param origin: the file or the address that it came from.
        :raises StorageError: the user's data folder cannot be written.
        """
        from msgspec import msgpack

        concepts = msgpack.encode([(c.name, c.names, c.id, c.broader) for c in edition.concepts])
        body = concepts
        if edition.associations:
            body += msgpack.encode([(one.illness, one.finding, one.share) for one in edition.associations])
        digest = hashlib.sha256(body).hexdigest()[:8]
        named = re.search("[0-9]{4}-[0-9]{2}-[0-9]{2}", origin.replace("\\", "/").rpartition("/")[2])
        stated = edition.version or (named[0] if named else "undated")
        head = {
            "format": _FORMAT,
            "version": f"{stated}+{digest}",
            "from": origin,
            "on": datetime.now(UTC).date().isoformat(),
            "concepts": len(concepts),
        }
        path = self.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{self.name}-", delete=False) as file:
                try:
                    file.write(json.dumps(head).encode() + b"\n" + body)
                    file.flush()
                    os.fsync(file.fileno())
                    file.close()
                    Path(file.name).replace(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
        except OSError as problem:
            raise StorageError(
                f"cannot write {path}: {problem.strerror or problem}.",
                hint="Free some space, or set XDG_DATA_HOME to a folder that can be written.",
            ) from problem


class DiseaseOntology(Ontology):
    """The Human Disease Ontology (CC0 1.0, https://disease-ontology.org)."""

    name = DISEASES.name
    summary = "The Human Disease Ontology: some 12,000 diseases with their synonyms; downloaded by a command."
    project = DISEASES


class PhenotypeOntology(Ontology):
    """The Human Phenotype Ontology (https://hpo.jax.org), with the findings of some 8,000 rare illnesses."""

    name = PHENOTYPES.name
    summary = "The Human Phenotype Ontology: some 18,000 findings with clinical and lay names; downloaded by a command."
    project = PHENOTYPES

    def associations(self) -> Iterator[Association]:
        """Which illnesses have which of the terms, where that was downloaded too.

        :raises PluginError: the file is damaged.
        """
        for illness, finding, share in self._part(1, list[tuple[str, str, float]]):
            yield Association(illness, finding, share)


ONTOLOGIES: dict[str, type[Ontology]] = {one.name: one for one in (DiseaseOntology, PhenotypeOntology)}
