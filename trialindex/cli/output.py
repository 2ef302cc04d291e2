"""How commands show what they found: results as lines or JSON, trials in a format, progress as a bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialindex.cli.common import Words, open_for_reading, say, take_filters

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Renderer
    from trialindex.plugin.progress import ProgressListener

T = TypeVar("T")

# --- a result: lines for a person, JSON for a program -----------------------------------------------------------------

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
"""``--json``, passed on as ``as_json`` for :func:`print_result`."""


def print_result(value: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result to stdout.

    :param value: what JSON is made of: dicts, lists, dataclasses, msgspec structs.
    :param lines: the same for a person; looked at only without *as_json*.
    """
    write([f"{json_text(value)}\n"] if as_json else (f"{line}\n" for line in lines))


def json_text(value: Any) -> str:
    """The value as JSON for ``--json``, on several lines.

    What could steer a terminal is written as ``\\uXXXX``: a parser gives it back, a terminal shows it harmless.
    """
    import json

    import msgspec

    from trialindex.trial.sanitize import UNSAFE

    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def align(rows: Sequence[Sequence[str]], *, right: bool = False) -> Iterator[str]:
    """The lines of a table.

    :param right: push all columns but the first to the right, as numbers are.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (f"{cell:{'>' if right else '<'}{width}}" for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join([first.ljust(widths[0]), *cells]).rstrip()


# --- trials in a format -----------------------------------------------------------------------------------------------

_OTHER_FORMAT = "Choose another one with --format, and report it to its author."


def _formats() -> list[str]:
    from trialindex.plugin.registry import plugins

    return plugins().renderers.names()


class _FormatOption(click.Option):
    """``--format``, whose help lists what is installed."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return record and (record[0], record[1].replace("FORMATS", ", ".join(_formats())))


def _format_of(output: str) -> str | None:
    """The format that claims the ending of the file; ``None`` if the file has no ending.

    :raises PluginError: no format claims it, or several do.
    """
    from trialindex.errors import PluginError
    from trialindex.plugin.registry import plugins

    suffix = Path(output).suffix.lower()
    if not suffix:
        return None
    endings = {name: cls.suffixes for name, cls in plugins().renderers.classes().items() if cls.suffixes}
    claiming = [name for name, suffixes in endings.items() if suffix in suffixes]
    if len(claiming) == 1:
        return claiming[0]
    if claiming:
        what = f"the formats {' and '.join(claiming)} both write files that end in {suffix}."
        raise PluginError(what, hint=f"Say which with --format, such as --format {claiming[0]}.")
    known = "; ".join(f"{name} {', '.join(suffixes)}" for name, suffixes in endings.items())
    raise PluginError(
        f"no format writes files that end in {suffix}.",
        hint=f"Choose another ending, or name the format with --format. Endings: {known}.",
    )


def output_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--format``, ``--output`` and ``--contacts``, as they are for :func:`make_renderer`
    and :func:`render`."""
    function = click.option(
        "--contacts", is_flag=True, help="Show contacts, with their phone numbers and e-mail addresses."
    )(function)
    function = click.option(
        "--output", "-o", metavar="FILE", help="Write to this file; its ending chooses the format."
    )(function)
    return click.option(
        "--format",
        "-f",
        "format_name",
        type=Words(_formats),
        cls=_FormatOption,
        metavar="NAME",
        help="One of FORMATS.  [default: table; export: jsonl]",
    )(function)


def make_renderer(
    format_name: str | None, output: str | None, contacts: bool, *, default: str = "table", sources: bool = False
) -> Renderer:
    """Make the renderer that was asked for, by name or by the ending of the output file.

    :param sources: name the fields behind each plain sentence.
    :raises PluginError: there is no such format, or none for files of that ending.
    """
    from trialindex.plugin.guard import plugin_errors
    from trialindex.plugin.interfaces import RenderOptions
    from trialindex.plugin.registry import plugins

    name = format_name or (output and _format_of(output)) or default
    terminal = output is None and sys.stdout.isatty()
    color = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    width = None
    if terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    options = RenderOptions(width=width, color=color, contacts=contacts, sources=sources)
    chosen = plugins().renderers.get(name)
    with plugin_errors(f'the format "{name}"', hint=_OTHER_FORMAT):
        return chosen(options)


def render(draw: Callable[[T], Iterable[str]], value: T, output: str | None) -> None:
    """Write what a renderer draws.

    :param draw: a method of the renderer, such as ``renderer.results``.
    :param value: what it draws.
    :param output: a file; stdout without it.
    :raises StorageError: the file cannot be written.
    :raises PluginError: the renderer failed.
    """
    write(_draw(draw, value), output)


def _draw(draw: Callable[[T], Iterable[str]], value: T) -> Iterator[str]:
    from trialindex.plugin.guard import plugin_errors

    with plugin_errors("the output format", hint=_OTHER_FORMAT):
        for piece in draw(value):
            if not isinstance(piece, str):
                raise TypeError(f"it gave {type(piece).__name__} where text belongs")
            yield piece


def write(pieces: Iterable[str], output: str | None = None) -> None:
    """Write pieces of text to stdout, or to a file that is replaced only when all of them are there.

    :raises StorageError: the file cannot be written.
    """
    if output is None:
        stream = sys.stdout
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        for piece in pieces:
            stream.write(piece)
        return
    from trialindex.errors import StorageError
    from trialindex.storage.files import storage_errors

    path = Path(output)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with (
            storage_errors(path.parent),
            part.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file,
        ):
            for piece in pieces:
                file.write(piece)
        part.replace(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise StorageError(f"cannot write {path}.", hint="Name a file in a folder that exists.") from None
    finally:
        if part.exists():
            part.unlink()
    say(f"written to {path}.")


def render_trials(
    index_path: str | None,
    format_name: str | None,
    output: str | None,
    contacts: bool,
    options: dict[str, Any],
    default: str,
) -> None:
    """Write the trials that pass the filters among *options*, in the format that was asked for or *default*."""
    from trialindex.search.filters import Filters

    filters = Filters.parse(**take_filters(options))
    renderer = make_renderer(format_name, output, contacts, default=default)
    with open_for_reading(index_path) as index:
        render(renderer.trials, index.trials(filters, contacts=contacts), output)


# --- progress ---------------------------------------------------------------------------------------------------------


@contextmanager
def progress_listener(quiet: bool) -> Iterator[ProgressListener]:
    """A listener that draws a progress bar on a terminal and keeps the first skipped records readable elsewhere."""
    from trialindex.plugin.progress import ProgressListener

    shown = dropped = 0

    def drop(where: str, why: str) -> None:
        nonlocal dropped
        dropped += 1
        if dropped <= 20:
            say(f"left empty, {where}: {why}")
        elif dropped == 21:
            say("more values are left empty; the summary counts them.")

    def reject(where: str, why: str) -> None:
        nonlocal shown
        shown += 1
        if shown <= 20:
            say(f"skipped {where}: {why}")
        elif shown == 21:
            say("more are skipped; the summary counts them.")

    if quiet or not sys.stderr.isatty():
        yield ProgressListener(on_reject=reject, on_drop=drop, on_note=say)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:

        def move(task: TaskID, done: int, total: int | None) -> None:
            speed = bar.tasks[task].speed
            rate = "" if not speed else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
            bar.update(task, completed=done, total=total, rate=rate, visible=True)

        yield ProgressListener(
            on_progress=partial(move, bar.add_task("trials", total=None, rate="")),
            on_embedded=partial(move, bar.add_task("passages embedded", total=None, rate="", visible=False)),
            on_reject=reject,
            on_drop=drop,
            on_note=say,
        )
