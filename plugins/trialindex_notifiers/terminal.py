"""The ``terminal`` notifier."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, ClassVar

import click

from trialindex.errors import NotifierError
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery
from trialindex_notifiers import texts

_WIDEST = 100
_NARROWEST = 40
_LOOKS: dict[str, dict[str, Any]] = {
    "head": {"bold": True},
    "new": {"fg": "green", "bold": True},
    "changed": {"fg": "yellow", "bold": True},
    "removed": {"fg": "red", "bold": True},
    "backlog": {},
    "dim": {"dim": True},
}


class TerminalNotifier(Notifier):
    """News on the terminal in which trialindex runs; from a timer, in its mail or log.

    It takes the place of the plain lines that `trialindex sync` prints without it.

    In colour on a terminal only, and not with NO_COLOR set.
    """

    name: ClassVar[str] = "terminal"
    summary: ClassVar[str] = "News on the terminal, as plain lines."
    local: ClassVar[bool] = True
    shows: ClassVar[bool] = True

    def __init__(self, argument: str = "", **options: Any) -> None:
        super().__init__(argument, **options)
        if argument:
            raise NotifierError(
                f'terminal takes nothing after a colon, and got "{argument}".',
                hint="Type terminal alone, or file:PATH for a file.",
            )

    def send(self, delivery: Delivery) -> None:
        stream = sys.stdout
        terminal = stream.isatty()
        colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        columns = shutil.get_terminal_size().columns if terminal else _WIDEST
        text = texts.text(
            delivery,
            width=max(min(columns, _WIDEST), _NARROWEST),
            asked=True,
            paint=_paint if colour else lambda part, line: line,
        )
        encoding = stream.encoding or "utf-8"
        try:
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except (OSError, ValueError) as problem:  # ValueError: it is closed
            raise NotifierError(
                f"the terminal takes no output ({problem}).", hint="trialindex updates shows the news again."
            ) from None


def _paint(part: str, line: str) -> str:
    return click.style(line, **_LOOKS[part])
