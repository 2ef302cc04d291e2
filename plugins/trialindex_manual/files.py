"""Files written by hand, in YAML, JSON or TOML, as documents."""

from __future__ import annotations

from pathlib import Path

from trialindex.errors import SourceError
from trialindex_manual.document import Document

LARGEST = 64 * 2**20
"""Bytes; a larger file was not written by hand."""

ENDINGS = (".yaml", ".yml", ".json", ".toml")


def read_path(path: str) -> list[Document]:
    """The document in a file, or those of all files in a folder, but not in the folders in it, by name.

    :raises SourceError: one cannot be read, or is not valid; or the folder holds none.
    """
    given = Path(path).expanduser()
    if not given.is_dir():
        return [read(given)]
    files = sorted(file for file in given.iterdir() if file.suffix.lower() in ENDINGS and not file.name.startswith("."))
    if not files:
        raise SourceError(f"{given} holds no file that ends in {', '.join(ENDINGS)}.")
    return [read(file) for file in files]


def read(path: Path) -> Document:
    """The document in a file; its ending says which language it is in.

    :raises SourceError: it cannot be read, or is not valid; the message names the line.
    """
    if path.suffix.lower() not in ENDINGS:
        raise SourceError(
            f'{path}: files that end in "{path.suffix}" are not read.', hint=f"Endings: {', '.join(ENDINGS)}."
        )
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as problem:
        raise SourceError(f"{path} cannot be read: {problem.strerror or problem}.") from None
    if size > LARGEST:
        raise SourceError(
            f"{path} has {size >> 20} MiB, more than the {LARGEST >> 20} MiB that are read as written by hand.",
            hint="For a file downloaded from a registry use that registry's source: trialindex plugins",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise SourceError(f"{path}:{line}: the file is not UTF-8 text.", hint="Save it as UTF-8.") from None
    return parse(text, str(path), path.suffix.lower())


def parse(text: str, name: str, ending: str) -> Document:
    """The document in a text, in the language that files with this ending are written in.

    :param name: how messages call it.
    :raises SourceError: it is not valid; the message names the line.
    """
    if ending == ".json":
        from trialindex_manual.from_json import parse_json

        return parse_json(text, name)
    if ending == ".toml":
        from trialindex_manual.from_toml import parse_toml

        return parse_toml(text, name)
    from trialindex_manual.from_yaml import parse_yaml

    return parse_yaml(text, name)
