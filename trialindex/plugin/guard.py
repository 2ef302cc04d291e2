"""Around every call of a plugin's code: what goes wrong in it is told as its own failure, and stops nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trialindex.errors import PluginError, TrialIndexError

PLUGIN_EXCEPTIONS = (Exception, SystemExit)
"""What a stranger's code may raise; none of it may stop the other plugins, or the program. A KeyboardInterrupt is not
among it: nobody can tell who raised one, and Ctrl-C has to work."""

REPORT = "Update it, or report it to its author."


@contextmanager
def plugin_errors(who: str, error: type[TrialIndexError] = PluginError, hint: str = REPORT) -> Iterator[None]:
    """Turn whatever a plugin raises that is not an error of trialindex into an *error* that names the plugin.

    :param who: whose code it is, such as ``the source "csv"``.
    :param error: the class to raise.
    :param hint: what the user can do next.
    :raises TrialIndexError: what the plugin raised itself, or *error*; its ``__cause__`` is the plugin's exception.
    """
    try:
        yield
    except TrialIndexError:
        raise
    except PLUGIN_EXCEPTIONS as problem:
        log_plugin_failure(who, problem)
        raise error(f"{who} failed: {describe_error(problem)}.", hint=hint) from problem


def log_plugin_failure(who: str, problem: BaseException) -> None:
    """Log the traceback of a plugin's failure at level DEBUG; ``TRIALINDEX_DEBUG=1`` and ``--debug`` show it."""
    import logging

    logging.getLogger(__name__).debug("%s failed", who, exc_info=problem)


def describe_error(problem: BaseException) -> str:
    """An error on one clean line, with its type if it is not one of trialindex."""
    from trialindex.trial.sanitize import one_line

    try:
        text = one_line(str(problem))
    except Exception:  # noqa: BLE001 — a stranger's exception may fail to say what it is
        text = ""
    return text if isinstance(problem, TrialIndexError) else f"{type(problem).__name__}: {text}".removesuffix(": ")
