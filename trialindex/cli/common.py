"""What several commands share: where the index is, filters, output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.ingest.run import Reports
    from trialindex.plugin.interfaces import Renderer

SAMPLE_NOTICE = (
    "there is no index yet, so this is the bundled sample: some two hundred real trials, as they were on the dates "
    'they show. Build a real one: trialindex ingest ctgov:"your condition"'
)


def say(message: str) -> None:
    """One line to the user, beside the output; it may quote a record or a file, so that it is cleaned."""
    from trialindex.trial.sanitize import one_line

    click.echo(f"trialindex: {one_line(message)}", err=True)


def json_text(value: Any) -> str:
    """The value as JSON for ``--json``, on several lines.

    What could steer a terminal is written as ``\\uXXXX``: a parser gives it back, a terminal shows it harmless.
    """
    import json

    import msgspec

    from trialindex.trial.sanitize import UNSAFE

    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)


# --- the index ------------------------------------------------------------------------------------------------------


def index_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--index PATH``, passed on as ``index_path``."""
    return click.option(
        "--index",
        "index_path",
        metavar="PATH",
        envvar="TRIALINDEX_INDEX",
        show_envvar=True,
        help="The index folder. Without it: indexes/default of a checkout, else your data folder.",
    )(function)


def default_path() -> Path:
    """Where the index is when nobody says: ``indexes/default`` of a checkout, else the user's data folder."""
    root = Path(__file__).resolve().parents[2]
    if (root / "indexes" / "sample").is_dir() and (root / "pyproject.toml").is_file():
        return root / "indexes" / "default"
    from platformdirs import user_data_path

    return user_data_path("trialindex") / "index"


@contextmanager
def open_for_reading(index_path: str | None) -> Iterator[Index]:
    """The index that was named, else the default one, else the sample, which is said."""
    from trialindex.index import Index
    from trialindex.storage import manifest

    path = Path(index_path) if index_path else default_path()
    if index_path or manifest.is_index(path) or (path / "records.db").exists():
        with Index.open(path) as index:
            yield index
    else:
        from trialindex.ingest.run import Reports
        from trialindex.sample import sample_index

        say(SAMPLE_NOTICE)
        with sample_index(Reports(note=say)) as index:
            yield index


@contextmanager
def open_for_writing(
    index_path: str | None, *, create: bool = True, encoder: str | None = None, store: str | None = None, **options: Any
) -> Iterator[Index]:
    """The index that was named or the default one, made when there is none.

    An index that was made here and is still empty when the block fails is taken away again.

    :param encoder: a spec; an index that exists must have been built with it.
    :param options: ``device`` and ``batch_size`` of the encoder.
    """
    from trialindex.index import DEFAULT_ENCODER, DEFAULT_STORE, Index
    from trialindex.plugin.registry import plugins
    from trialindex.storage import manifest

    path = Path(index_path) if index_path else default_path()
    given = {name: value for name, value in options.items() if value is not None}
    if manifest.is_index(path) or not create:
        spec = encoder or (manifest.read(path).encoder.spec if given else None)
        with Index.open(path, encoder=plugins().encoders.make(spec, **given) if spec else None) as index:
            yield index
        return
    model = plugins().encoders.make(encoder or DEFAULT_ENCODER, **given)
    existed = path.exists()
    with Index.create(path, encoder=model, store=store or DEFAULT_STORE) as index:
        try:
            yield index
        except BaseException:
            if len(index) == 0:
                index.close()
                _take_away(path, existed)
            raise


def _take_away(folder: Path, existed: bool) -> None:
    """Undo the making of an index: *folder* is as it was before, empty or not there."""
    import shutil

    from trialindex.storage.lock import WATCHES

    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != WATCHES:
            entry.unlink()
    if not existed:
        folder.rmdir()


# --- filters ----------------------------------------------------------------------------------------------------------


class _Words(click.ParamType[str]):
    """Free text whose likely values the shell can complete."""

    name = "text"

    def __init__(self, values: Callable[[], Iterable[str]]) -> None:
        self._values = values

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(v) for v in self._values() if v.startswith(incomplete.lower())]


def _codes(name: str) -> Callable[[], list[str]]:
    def values() -> list[str]:
        from trialindex.trial import record

        return [code.lower().replace("_", "-") for code in getattr(record, name)]

    return values


_FILTERS = (
    click.option(
        "--status", multiple=True, type=_Words(_codes("STATUSES")), help="Such as recruiting. Repeat for more."
    ),
    click.option("--phase", multiple=True, type=_Words(_codes("PHASES")), help='Such as 2, "phase 3" or early-phase1.'),
    click.option("--study-type", multiple=True, type=_Words(_codes("STUDY_TYPES")), help="Such as interventional."),
    click.option("--sex", metavar="TEXT", help="female or male: trials that take this sex."),
    click.option("--age", metavar="AGE", help='34, or "6 months": trials that take this age.'),
    click.option("--country", multiple=True, metavar="NAME", help="A site in this country."),
    click.option("--near", metavar="PLACE", help='"Lyon, France" or 45.76,4.84: shows the nearest site of each trial.'),
    click.option("--within", metavar="DISTANCE", help="With --near: a site at most this far, 100km or 60mi."),
    click.option("--condition", multiple=True, metavar="WORDS", help="These words in a condition of the trial."),
    click.option("--source", multiple=True, metavar="NAME", help="Trials that came from this source."),
    click.option("--updated-since", metavar="DATE", help="Updated in the registry on this day or later: 2026-01-31."),
)
FILTER_NAMES = tuple(
    "status phase study_type sex age country near within condition source updated_since".split()  # noqa: SIM905
)


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filters; take them out of the keyword arguments with :func:`take_filters`."""
    return filter_options_without()(function)


def filter_options_without(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The filters but those, for a command in which an option of that name means something else."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for name, option in reversed(list(zip(FILTER_NAMES, _FILTERS, strict=True))):
            if name not in names:
                function = option(function)
        return function

    return decorate


def take_filters(options: dict[str, Any]) -> dict[str, Any]:
    """The filters among a command's options, as :meth:`Filters.parse` takes them; they are removed from *options*."""
    return {name: options.pop(name) for name in FILTER_NAMES if name in options}


# --- output -----------------------------------------------------------------------------------------------------------


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
    """``--format``, ``--output`` and ``--contacts``, passed on as they are to :func:`renderer` and :func:`write`."""
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
        type=_Words(_formats),
        cls=_FormatOption,
        metavar="NAME",
        help="One of FORMATS.  [default: table; export: jsonl]",
    )(function)


def renderer(
    format_name: str | None, output: str | None, contacts: bool, *, default: str = "table", sources: bool = False
) -> Renderer:
    """The renderer that was asked for, by name or by the ending of the output file.

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
        return _late(chosen(options))


def _late(made: Renderer) -> Renderer:
    """The same renderer, called when its first piece is asked for, so that :func:`write` tells of all it raises."""
    from trialindex.plugin.interfaces import Renderer

    class Late(Renderer):
        name, summary = made.name, made.summary

        def results(self, results: Any) -> Iterator[str]:
            yield from made.results(results)

        def trial(self, card: Any) -> Iterator[str]:
            yield from made.trial(card)

        def trials(self, trials: Any) -> Iterator[str]:
            yield from made.trials(trials)

    return Late(made.options)


def _drawn(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces. :raises PluginError: the format, which is a plugin, failed in drawing them."""
    from trialindex.plugin.guard import plugin_errors

    with plugin_errors("the output format", hint=_OTHER_FORMAT):
        for piece in pieces:
            if not isinstance(piece, str):
                raise TypeError(f"it gave {type(piece).__name__} where text belongs")
            yield piece


def write(pieces: Iterable[str], output: str | None) -> None:
    """Write the pieces to stdout, or to a file that is replaced only when all of them are there.

    :raises StorageError: the file cannot be written.
    :raises PluginError: the format failed.
    """
    pieces = _drawn(pieces)
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


def write_trials(
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
    draw = renderer(format_name, output, contacts, default=default)
    with open_for_reading(index_path) as index:
        write(draw.trials(index.trials(filters, contacts=contacts)), output)


@contextmanager
def progress_reports(quiet: bool) -> Iterator[Reports]:
    """Reports that draw a progress bar on a terminal and keep the first skipped records readable elsewhere."""
    from trialindex.ingest.run import Reports

    shown = 0

    def reject(where: str, why: str) -> None:
        nonlocal shown
        shown += 1
        if shown <= 20:
            say(f"skipped {where}: {why}")
        elif shown == 21:
            say("more are skipped; the summary counts them.")

    if quiet or not sys.stderr.isatty():
        yield Reports(reject=reject, note=say)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("trials", total=None, rate="")

        def progress(done: int, total: int | None) -> None:
            speed = bar.tasks[0].speed
            rate = "" if not speed else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
            bar.update(task, completed=done, total=total, rate=rate)

        yield Reports(progress=progress, reject=reject, note=say)
