"""Plugins: found through entry points, looked up by name, kept from harming each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import metadata
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from trialindex.errors import PluginError, nearest
from trialindex.plugin import hookspecs
from trialindex.plugin.guard import PLUGIN_EXCEPTIONS, REPORT, describe_error, log_plugin_failure, plugin_errors
from trialindex.plugin.interfaces import (
    Encoder,
    Notifier,
    Reader,
    Renderer,
    Reranker,
    Source,
    VectorStore,
    Vocabulary,
    Writer,
)

if TYPE_CHECKING:
    import click

GROUP = "trialindex"

T = TypeVar("T")


@dataclass(frozen=True)
class Installed:
    """One entry point: its name, the distribution it came from, and why it failed to load, if it did."""

    name: str
    distribution: str
    version: str
    error: str | None = None


class Plugins:
    """All plugins of this process. Use :func:`plugins` for the shared one; tests make their own.

    :param discover: load what is installed; without it only what :meth:`register` is given.
    """

    def __init__(self, *, discover: bool = True) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self.sources: Registry[Source] = Registry(self, "source", "register_sources", Source)
        self.encoders: Registry[Encoder] = Registry(self, "encoder", "register_encoders", Encoder)
        self.stores: Registry[VectorStore] = Registry(self, "store", "register_stores", VectorStore)
        self.renderers: Registry[Renderer] = Registry(self, "format", "register_renderers", Renderer)
        self.writers: Registry[Writer] = Registry(self, "writer", "register_writers", Writer)
        self.notifiers: Registry[Notifier] = Registry(self, "notifier", "register_notifiers", Notifier)
        self.vocabularies: Registry[Vocabulary] = Registry(self, "vocabulary", "register_vocabularies", Vocabulary)
        self.rerankers: Registry[Reranker] = Registry(self, "reranker", "register_rerankers", Reranker)
        self.readers: Registry[Reader] = Registry(self, "reader", "register_readers", Reader)
        self._commands_added = False
        self.installed: list[Installed] = []
        if discover:
            self._discover()

    def _discover(self) -> None:
        origin = cache(_origin)  # reads a file, once for all entry points of a distribution
        entries, self.installed = _entry_points()
        for entry in sorted(entries, key=lambda e: e.name):
            error = None
            try:
                self.register(entry.load(), entry.name)
            except PLUGIN_EXCEPTIONS as problem:
                log_plugin_failure(f'the plugin "{entry.name}"', problem)
                error = describe_error(problem)
            self.installed.append(Installed(entry.name, *origin(entry.dist), error))

    def register(self, plugin: object, name: str) -> None:
        """Add one plugin under *name*.

        :raises PluginError: the name is taken, or it implements a hook that does not exist or has other arguments.
        """
        if self._manager.has_plugin(name):
            raise PluginError(f"its name is that of the plugin {self.describe(name)}.", hint="Uninstall one of them.")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as problem:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            what = " ".join(str(problem).split())
            raise PluginError(f'plugin "{name}" does not fit the hooks: {what}.', hint=REPORT) from None
        for registry in self.registries:
            registry.forget()

    @property
    def registries(self) -> tuple[Registry[Any], ...]:
        """One for each kind of class that plugins provide."""
        return tuple(each for each in vars(self).values() if isinstance(each, Registry))

    @property
    def failed(self) -> list[Installed]:
        """The plugins that could not be loaded."""
        return [p for p in self.installed if p.error]

    def each(self, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """The plugins that implement *hook*, in the order they were found, each with a call to it alone."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            yield implementation.plugin_name, partial(_call, implementation)

    def _find_installed(self, plugin: str) -> Installed:
        """What is known of the plugin that holds the name; one that was registered by hand is of no distribution."""
        named = [p for p in self.installed if p.name == plugin] or [Installed(plugin, "unknown", "")]
        return next((p for p in named if not p.error), named[0])

    def describe(self, plugin: str) -> str:
        """The plugin and its distribution, for messages: ``"example" of trialindex-example``."""
        return f'"{plugin}" of {self._find_installed(plugin).distribution}'

    def note_failure(self, plugin: str, hook: str, problem: BaseException) -> None:
        """Count the plugin among :attr:`failed`: it raised *problem* in *hook*."""
        log_plugin_failure(f'the plugin "{plugin}"', problem)
        known, error = self._find_installed(plugin), f"{hook}: {describe_error(problem)}"
        at = self.installed.index(known) if known in self.installed else len(self.installed)
        self.installed[at : at + 1] = [replace(known, error=error)]

    def add_commands(self, cli: click.Group) -> None:
        """Let every plugin add its commands to *cli*, once; one that cannot is noted as failed."""
        if self._commands_added:
            return
        self._commands_added = True
        for plugin, call in self.each("register_commands"):
            try:
                call(cli=cli)
            except PLUGIN_EXCEPTIONS as problem:
                self.note_failure(plugin, "register_commands", problem)


class Registry(Generic[T]):
    """The classes of one kind that the installed plugins provide, by name; plugins are asked at the first look-up.

    ::

        source = plugins().sources.make("csv:trials.csv")

    :param plugins: whose they are.
    :param label: what a user calls one of them.
    :param hook: the hook that gives them.
    :param base: the class that each must subclass.
    """

    def __init__(self, plugins: Plugins, label: str, hook: str, base: type) -> None:
        self._plugins = plugins
        self.label = label
        self.hook = hook
        self._base = base
        self._provided: dict[str, tuple[type[T], str]] | None = None

    def names(self) -> list[str]:
        """Every name, sorted.

        :raises PluginError: two plugins provide the same one.
        """
        return list(self._all())

    def classes(self) -> dict[str, type[T]]:
        """Every class by its name.

        :raises PluginError: two plugins provide the same name.
        """
        return {name: cls for name, (cls, _) in self._all().items()}

    def plugin_of(self, name: str) -> str:
        """The plugin that provides *name*, which must be one of :meth:`names`."""
        return self._all()[name][1]

    def get(self, name: str) -> type[T]:
        """The class called *name*.

        :raises PluginError: there is none; the message names the nearest, all that there are, and what failed to load.
        """
        provided = self._all()
        if name not in provided:
            failed = ", ".join(plugin.name for plugin in self._plugins.failed)
            broken = f" Plugins that failed to load: {failed}." if failed else ""
            raise PluginError(f'unknown {self.label} "{name}".', hint=nearest(name, provided) + broken)
        return provided[name][0]

    def make(self, spec: str, **options: Any) -> T:
        """An object from a spec, ``name`` or ``name:argument``.

        :param options: what the class takes besides the argument.
        :raises PluginError: there is no such class, or it fails with an error that is not one of trialindex.
        """
        name, argument = split_spec(spec)
        cls: Any = self.get(name)
        with plugin_errors(f'the {self.label} "{name}"'):
            made: T = cls(argument, **options)
        return made

    def forget(self) -> None:
        """Ask the plugins again at the next look-up: there is a new one."""
        self._provided = None

    def _all(self) -> dict[str, tuple[type[T], str]]:
        if self._provided is None:
            found: dict[str, tuple[type[T], str]] = {}
            for plugin, call in self._plugins.each(self.hook):
                for cls in self._given_by(plugin, call):
                    if cls.name in found:
                        both = f"{self._plugins.describe(found[cls.name][1])} and {self._plugins.describe(plugin)}"
                        what = f'the plugins {both} both provide the {self.label} "{cls.name}".'
                        raise PluginError(what, hint="Uninstall one of them.")
                    found[cls.name] = (cls, plugin)
            self._provided = dict(sorted(found.items()))
        return self._provided

    def _given_by(self, plugin: str, call: Callable[..., Any]) -> list[Any]:
        """What one plugin provides; a plugin whose hook fails is noted as failed and provides nothing."""
        try:
            classes = list(call())
            for cls in classes:
                _check_class(cls, self._base)
        except PLUGIN_EXCEPTIONS as problem:
            self._plugins.note_failure(plugin, self.hook, problem)
            return []
        return classes


def _check_class(cls: Any, base: type) -> None:
    """Make sure that what a hook returned is a class that can be named and used.

    :raises PluginError: a user could not name the class, or it could not be used.
    """
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise PluginError(f"{cls!r} is not a subclass of {base.__name__}")
    suffixes = getattr(cls, "suffixes", ())
    if not (isinstance(suffixes, tuple) and all(isinstance(one, str) and one.startswith(".") for one in suffixes)):
        raise PluginError(f'{cls.__qualname__}.suffixes is not a tuple of endings such as (".txt",)')
    for attribute in ("name", "summary"):
        if not isinstance(getattr(cls, attribute, None), str):
            raise PluginError(f"{cls.__qualname__}.{attribute} is not a string")
    name: str = getattr(cls, "name", "")
    if not name or ":" in name or any(map(str.isspace, name)):
        raise PluginError(f'"{name}" cannot be a name: it is empty, or holds a space or a colon')
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise PluginError(f"{cls.__qualname__} does not define {', '.join(missing)}")


def _entry_points() -> tuple[list[metadata.EntryPoint], list[Installed]]:
    """The entry points of our group, and the distributions whose list of them cannot be read.

    One such list stops Python's own search, so that then each distribution is asked alone.
    """
    try:
        return list(metadata.entry_points(group=GROUP)), []
    except Exception:  # noqa: BLE001, S110  what it is depends on the version of Python and on the damage
        pass
    found: list[metadata.EntryPoint] = []
    broken: list[Installed] = []
    seen: set[str] = set()
    for dist in metadata.distributions():
        name, version = _origin(dist)
        key = name.lower().replace("_", "-").replace(".", "-")
        if key in seen:  # the first one on the path hides it
            continue
        if name != "unknown":
            seen.add(key)
        try:
            found += dist.entry_points.select(group=GROUP)
        except Exception as problem:  # noqa: BLE001
            why = f"its entry_points.txt cannot be read: {describe_error(problem)}"
            broken.append(Installed(name, name, version, f"{why}. Install it again, or uninstall it"))
    return found, broken


def _origin(dist: metadata.Distribution | None) -> tuple[str, str]:
    """Name and version of a distribution; one whose METADATA is missing is still to be named."""
    try:
        return (dist.name or "unknown", dist.version or "") if dist else ("unknown", "")
    except (KeyError, TypeError, ValueError, OSError):  # which one depends on the version of Python
        return "unknown", ""


def _call(implementation: pluggy.HookImpl, **given: Any) -> Any:
    """Call one implementation of a hook, which may take fewer arguments than the hook has."""
    return implementation.function(*(given[name] for name in implementation.argnames))


def split_spec(spec: str) -> tuple[str, str]:
    """``csv:trials.csv`` → ``("csv", "trials.csv")``; without a colon the argument is empty."""
    name, _, argument = spec.partition(":")
    return name.strip(), argument.strip()


@cache
def plugins() -> Plugins:
    """The plugins of this process, discovered once."""
    return Plugins()


def encoder_from_spec(spec: str, **options: Any) -> Encoder:
    """The encoder of a spec.

    :raises PluginError: unknown.
    :raises MissingExtra: its package is not installed.
    """
    return plugins().encoders.make(spec, **options)
