"""``trialindex …`` in the process of a test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import trialindex.cli

Run = Callable[..., tuple[int, str, str]]
"""Takes the words of a command; gives what :func:`run_command` gives."""


def run_command(capture: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Run a command line.

    :param capture: ``capsys`` or ``capfd``.
    :returns: the exit code, what was printed, and what was said beside it.
    """
    with pytest.raises(SystemExit) as stop:
        trialindex.cli.main(list(map(str, arguments)))
    out, err = capture.readouterr()
    return int(stop.value.code or 0), out, err
