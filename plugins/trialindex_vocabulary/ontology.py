"""``disease-ontology``: the Human Disease Ontology, as the user downloaded it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from trialindex.errors import PluginError, StorageError
from trialindex.plugin.interfaces import Concept, Vocabulary
from trialindex_vocabulary.formats import Edition

NAME = "disease-ontology"
DOWNLOAD = f"trialindex vocabulary download {NAME}"
_FORMAT = 1
_AGAIN = f"Type: {DOWNLOAD}"


class DiseaseOntology(Vocabulary):
    """The Human Disease Ontology (CC0 1.0, https://disease-ontology.org), compiled into one file.

    The file is a line of JSON that says what it holds, then the concepts as MessagePack.
    """

    name = NAME
    summary = "The Human Disease Ontology: some 12,000 diseases with their synonyms; downloaded by a command."

    @property
    def path(self) -> Path:
        """Where the compiled file is, or would be."""
        from platformdirs import user_data_path

        return user_data_path("trialindex") / "vocabularies" / f"{NAME}.msgpack"

    @property
    def where(self) -> str:
        return str(self.path) if self.path.exists() else f"not here yet; type: {DOWNLOAD}"

    @property
    def version(self) -> str | None:
        """The date of the release and a digest of its concepts.

        :raises PluginError: the file is damaged.
        """
        try:
            with self.path.open("rb") as file:
                head = json.loads(file.readline(10_000))
            if head["format"] > _FORMAT:
                raise self._error("was written by a newer trialindex", f"Upgrade trialindex, or type: {DOWNLOAD}")
            return str(head["version"])
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise self._error(f"cannot be read: {problem.strerror}", _AGAIN) from problem
        except (ValueError, TypeError, KeyError):
            raise self._error("is damaged", _AGAIN) from None

    def concepts(self) -> Iterator[Concept]:
        """The terms of the downloaded edition.

        :raises PluginError: the file is damaged.
        """
        import msgspec

        if self.version is None:
            return
        rows = list[tuple[str, tuple[str, ...], str, tuple[str, ...]]]
        try:
            with self.path.open("rb") as file:
                file.readline()
                found = msgspec.msgpack.decode(file.read(), type=rows)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            raise self._error("is damaged", _AGAIN) from None
        for name, names, ident, broader in found:
            yield Concept(name, names, ident, "disease", broader)

    def _error(self, what: str, hint: str) -> PluginError:
        return PluginError(f"the vocabulary {NAME} at {self.path} {what}.", hint=hint)

    def keep(self, edition: Edition, origin: str) -> None:
        """Put *edition* in the place of what was there; a kill leaves the one or the other.

        :param origin: the file or the address that it came from.
        :raises StorageError: the user's data folder cannot be written.
        """
        from msgspec import msgpack

        body = msgpack.encode([(c.name, c.names, c.id, c.broader) for c in edition.concepts])
        digest = hashlib.sha256(body).hexdigest()[:8]
        named = re.search("[0-9]{4}-[0-9]{2}-[0-9]{2}", origin.replace("\\", "/").rpartition("/")[2])
        stated = edition.version or (named[0] if named else "undated")
        head = {
            "format": _FORMAT,
            "version": f"{stated}+{digest}",
            "from": origin,
            "on": datetime.now(UTC).date().isoformat(),
        }
        path = self.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{NAME}-", delete=False) as file:
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
