"""What commands share: which index is meant, and the filters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trialindex.index import Index
    from trialindex.plugin.interfaces import Reader
    from trialindex.storage.info import Info

SAMPLE_NOTICE = (
    "there is no index yet, so this is the bundled sample: some two hundred real trials, as they were on the dates "
    'they show. Build a real one: trialindex ingest ctgov:"your condition"'
)


def say(message: str) -> None:
    """One line to the user, beside the output; it may quote a record or a file, so that it is cleaned."""
    from trialindex.trial.sanitize import one_line

    click.echo(f"trialindex: {one_line(message)}", err=True)


def say_unembedded(info: Info) -> None:
    """Say how much of an index has no vectors yet; nothing when all of it has."""
    from trialindex.storage.info import EMBED_THE_REST, describe_embedded

    if info.unembedded:
        say(f"{describe_embedded(info.trials, info.unembedded)}. {EMBED_THE_REST}.")


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


def reader_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--reader`` and ``--allow-remote``, as they are for :func:`make_reader`."""
    from trialindex.plugin.proposals import DEFAULT_READER

    function = click.option(
        "--allow-remote", is_flag=True, help="Let the reader send TEXT to another machine, if it is one that does."
    )(function)
    return click.option(
        "--reader",
        metavar="SPEC",
        default=DEFAULT_READER,
        show_default=True,
        help="What reads the text for conditions that it does not name.",
    )(function)


def make_reader(reader: str, allow_remote: bool) -> str | Reader:
    """The reader that was asked for: the default one by its name, another one made, so that it is refused at once.

    :raises PluginError: there is no such reader.
    :raises ReaderError: it cannot be used as it is named.
    """
    from trialindex.plugin.proposals import DEFAULT_READER
    from trialindex.plugin.registry import plugins

    return reader if reader == DEFAULT_READER else plugins().readers.make(reader, allow_remote=allow_remote)


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
        from trialindex.plugin.progress import ProgressListener
        from trialindex.sample import sample_index

        say(SAMPLE_NOTICE)
        with sample_index(ProgressListener(on_note=say)) as index:
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
                remove_new_index(path, existed)
            raise


def remove_new_index(folder: Path, existed: bool) -> None:
    """Undo the making of an index: *folder* is as it was before, empty or not there."""
    import shutil

    from trialindex.storage.lock import SUBSCRIBERS, WATCHES

    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in (WATCHES, SUBSCRIBERS):
            entry.unlink()
    if not existed:
        folder.rmdir()


# --- filters ----------------------------------------------------------------------------------------------------------


class Words(click.ParamType[str]):
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


class FilterCommand(click.Command):
    """A command with an option for every filter; :func:`take_filters` takes them out of its keyword arguments.

    They are made when the command runs or is asked for help: listing the commands needs no filter. Used as
    ``@click.command("list", cls=FilterCommand)``.

    :param without: filters that this command has not, because an option of that name means something else in it.
    """

    def __init__(self, *args: Any, without: Collection[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._without = without

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *own, help_option = super().get_params(ctx)
        return [*own, *(option for name, option in _filter_options().items() if name not in self._without), help_option]


@cache
def _filter_options() -> dict[str, click.Option]:
    from trialindex.search.filters import FILTERS

    return {
        name: click.Option(
            [f"--{name.replace('_', '-')}"],
            multiple=option.many,
            is_flag=option.flag,
            metavar=option.metavar,
            type=Words(_codes(option.codes)) if option.codes else None,
            help=option.help,
        )
        for name, option in FILTERS.items()
    }


def take_filters(options: dict[str, Any]) -> dict[str, Any]:
    """The filters among a command's options, as :meth:`Filters.parse` takes them; they are removed from *options*."""
    from trialindex.search.filters import FILTERS

    return {name: options.pop(name) for name in FILTERS if name in options}
