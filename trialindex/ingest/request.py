"""How a source is asked for, and asked again: its spec and options, and the part of it that one machine takes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from trialindex.plugin.registry import split_spec
from trialindex.storage.names import id_key

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Source
    from trialindex.plugin.registry import Plugins


class Shard(msgspec.Struct, frozen=True):
    """One of several parts of a source, each for another machine: the trials whose id hashes into it.

    :param number: from 1.
    :param count: of all parts.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``2/8`` → the second of eight.

        :raises ValueError: it is none; the message says how to write it.
        """
        match = re.fullmatch(r"\s*(\d{1,4})\s*/\s*(\d{1,4})\s*", text)
        shard = cls(int(match[1]), int(match[2])) if match else None
        if shard is None or not 1 <= shard.number <= shard.count:
            raise ValueError(f'"{text}" is not a shard; write 1/8 to 8/8 for the parts of eight machines')
        return shard

    def __contains__(self, trial_id: str) -> bool:
        """Whether the trial belongs to it: on every machine the same, in any spelling of the id's letters."""
        digest = hashlib.sha256(id_key(trial_id)).digest()
        return int.from_bytes(digest[:8]) % self.count == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def spec(self, source_spec: str) -> str:
        """The spec of this part of the source with that spec."""
        return f"{source_spec} --shard {self}"


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a source was asked for, so that it can be asked again.

    :param name: of the source.
    :param argument: what follows the colon.
    :param options: those that were given, as plain JSON values, without those for one run and without secrets.
    :param folder: where it was typed, for names of files: a path as seen from the index folder.
    :param file: the argument was the name of a file or folder.
    :param shard: only this part of the source.
    """

    name: str
    argument: str = ""
    options: dict[str, Any] = {}
    folder: str = ""
    file: bool = False
    shard: Shard | None = None

    @classmethod
    def create(cls, plugins: Plugins, spec: str, options: Mapping[str, Any], index: Path) -> Request | None:
        """The request for *spec* with *options*; ``None`` if an option has a value that cannot be written down.

        :param index: the folder of the index that is to remember it.
        :raises PluginError: there is no such source.
        """
        name, argument = split_spec(spec)
        source = plugins.sources.get(name)
        left_out = {*source.once, *(option.name for option in source.options if option.hide_input)}
        given = {key: value for key, value in options.items() if key not in left_out and value not in (None, ())}
        try:
            values = msgspec.to_builtins(given, enc_hook=_path_name)
            file = bool(argument) and Path(argument).expanduser().exists()
            request = cls(name, argument, values, _relative_folder(index), file)
            msgspec.json.encode(request)  # a name of a file is not always Unicode
        except (msgspec.MsgspecError, TypeError, ValueError):
            return None
        return request

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Request:
        """The request that :meth:`to_json` gave.

        :raises msgspec.ValidationError: it is none.
        """
        return msgspec.convert(values, cls)

    def to_json(self) -> dict[str, Any]:
        """The request as JSON values."""
        values: dict[str, Any] = msgspec.to_builtins(self)
        return values

    def make_source(self, plugins: Plugins, **options: Any) -> Source:
        """Make the source anew.

        :param options: in place of those that are remembered.
        :raises SourceError: it cannot be used as it was.
        :raises PluginError: it is not installed any more.
        """
        return plugins.sources.make(f"{self.name}:{self.argument}", **(options or self.options))


def _path_name(value: Any) -> str:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value)} cannot be written as JSON")


def _relative_folder(index: Path) -> str:
    """The current folder as a path from that of the index, which tells nobody where that lies."""
    try:
        return os.path.relpath(Path.cwd(), index.resolve())
    except ValueError:  # on Windows: another drive
        return str(Path.cwd())
