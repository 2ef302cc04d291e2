"""The ``file`` notifier."""

from __future__ import annotations

import json
import os
import re
from typing import Any, BinaryIO, ClassVar

import click

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery
from trialindex_notifiers import files, texts

_JSON_START = b'{"key":'
_JSON_KEY = re.compile(rb'\{"key":("(?:[^"\\]|\\.)*")')
_TEXT_START = b"=" * texts.WIDTH + b"\n"


class FileNotifier(Notifier):
    """News at the end of a file: file:PATH.

    One JSON object a line, or with --text what a person reads. The file is made for its owner alone (0600), and what
    was written is on the disk before trialindex goes on. News that come a second time are not written again.
    """

    name: ClassVar[str] = "file"
    summary: ClassVar[str] = "News at the end of a file, one JSON object a line."
    local: ClassVar[bool] = True
    options: ClassVar[tuple[click.Option, ...]] = (
        click.Option(["--text"], is_flag=True, help="Write what a person reads, in place of JSON."),
    )

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        self._path = files.whole_path(argument, "file:PATH")
        files.check_place(self._path)
        self._text = bool(options.get("text"))

    def send(self, delivery: Delivery) -> None:
        with files.lock_file(self._path):
            existed = self._path.exists()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, files.PRIVATE)
            with os.fdopen(descriptor, "r+b", buffering=1 << 16) as file:
                self._check_ours(file)
                new = _new_text(file, delivery) if self._text else _new_lines(file, delivery)
                file.seek(0, os.SEEK_END)
                file.write(new)
                file.flush()
                os.fsync(file.fileno())
            if not existed:
                files.sync_folder(self._path.parent)

    def _check_ours(self, file: BinaryIO) -> None:
        """Make sure that the file is one that this notifier writes.

        :raises NotifierError: the file begins with something that this notifier does not write.
        """
        start = _TEXT_START if self._text else _JSON_START
        found = file.read(len(start))
        file.seek(0)
        if not start.startswith(found):
            other = "Leave --text out" if found.startswith(_JSON_START) else "Add --text"
            known = found.startswith((_JSON_START, _TEXT_START[: len(_JSON_START)]))
            raise NotifierError(
                f"{self._path} holds something else than news {'as text' if self._text else 'as JSON lines'}.",
                hint=f"{other}, or name another file." if known else "Name another file, or move that one away.",
            )


def _new_lines(file: BinaryIO, delivery: Delivery) -> bytes:
    """The lines that the file does not have yet. One pass over the file: what is kept of it is only what is sought."""
    about = {"delivery": texts.key(delivery), "created": texts.stamp(delivery)}
    wanted = {
        _encoded(update.key): _encoded(texts.update_data(update, asked=True) | about | texts.ending([update])) + b"\n"
        for update in delivery.updates
    }
    line, end = b"\n", 0
    for line in file:
        end += len(line)
        if (found := _JSON_KEY.match(line)) and found[1] in wanted and _is_complete(line):
            del wanted[found[1]]
    cut_off = not _is_complete(line) and line[: len(_JSON_START)] == _JSON_START[: len(line)]
    return _joined(file, line, end, cut_off, b"".join(wanted.values()))


def _new_text(file: BinaryIO, delivery: Delivery) -> bytes:
    """The message, unless the line with its key, which is its last, is in the file."""
    mark = texts.mark(delivery).encode("ascii")
    line, end = b"\n", 0
    for line in file:
        end += len(line)
        if line.rstrip(b"\r\n") == mark:
            return b""
    message = _TEXT_START + texts.text(delivery, asked=True).encode("utf-8", "replace")
    return _joined(file, line, end, _TEXT_START.startswith(line), message)


def _joined(file: BinaryIO, last: bytes, end: int, cut_off: bool, new: bytes) -> bytes:
    """What is to be written so that *new* begins on a line of its own.

    :param last: the last line of the file, and *end* where it ends.
    :param cut_off: it is one of ours, cut off by a crash before anybody was told that it is there. It is taken away.
    """
    if cut_off:
        file.truncate(end - len(last))
        return new
    return b"\n" + new if new and not last.endswith(b"\n") else new


def _encoded(value: Any) -> bytes:
    """The value as JSON in ASCII: whatever a registry wrote, a terminal that shows the file is safe."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _is_complete(line: bytes) -> bool:
    if line.endswith(b"\n"):
        return True
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
