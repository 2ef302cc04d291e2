"""Plugins: found through entry points, looked up by name, kept from harming each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

import pluggy

from trialindex.errors import PluginError, TrialIndexError, nearest
from trialindex.plugin import hookspecs
from trialindex.plugin.interfaces import Encoder, Notifier, Renderer, Reranker, Source, VectorStore, Vocabulary, Writer

if TYPE_CHECKING:
    import click

GROUP = "trialindex"

ANYTHING = (Exception, SystemExit)
"""What a stranger's code may raise; none of it may stop the other plugins, or the program. A KeyboardInterrupt is not
among it: nobody can tell who raised one, and Ctrl-C has to work."""

REPORT = "Update it, or report it to its author."


@dataclass(frozen=True)
class Kind:
    """One thing plugins can provide: what a user calls it, the hook that gives it, the class it subclasses."""

    label: str
    hook: str
    base: type


KINDS = {
    "source": Kind("source", "register_sources", Source),
    "encoder": Kind("encoder", "register_encoders", Encoder),
    "store": Kind("store", "register_stores", VectorStore),
    "renderer": Kind("format", "register_renderers", Renderer),
    "writer": Kind("writer", "register_writers", Writer),
    "notifier": Kind("notifier", "register_notifiers", Notifier),
    "vocabulary": Kind("vocabulary", "register_vocabularies", Vocabulary),
    "reranker": Kind("reranker", "register_rerankers", Reranker),
}


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
        self._classes: dict[str, dict[str, tuple[type, str]]] = {}
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
            except ANYTHING as problem:
                error = in_short(problem)
            self.installed.append(Installed(entry.name, *origin(entry.dist), error))

    def register(self, plugin: object, name: str) -> None:
        """Add one plugin under *name*.

        :raises PluginError: the name is taken, or it implements a hook that does not exist or has other arguments.
        """
        if self._manager.has_plugin(name):
            raise PluginError(f"its name is that of the plugin {self._who(name)}.", hint="Uninstall one of them.")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as problem:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            what = " ".join(str(problem).split())
            raise PluginError(f'plugin "{name}" does not fit the hooks: {what}.', hint=REPORT) from None
        self._classes.clear()

    @property
    def failed(self) -> list[Installed]:
        """The plugins that could not be loaded."""
        return [p for p in self.installed if p.error]

    def each(self, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """The plugins that implement *hook*, in the order they were found, each with a call to it alone."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            yield implementation.plugin_name, partial(_call, implementation)

    def provided(self, kind: str) -> dict[str, tuple[type, str]]:
        """Every class of one kind by name, with the plugin it came from.

        :param kind: a key of :data:`KINDS`.
        :raises PluginError: two plugins provide the same name.
        """
        if kind not in self._classes:
            found: dict[str, tuple[type, str]] = {}
            for plugin, call in self.each(KINDS[kind].hook):
                for cls in self._classes_of(kind, plugin, call):
                    if cls.name in found:
                        raise PluginError(
                            f"the plugins {self._who(found[cls.name][1])} and {self._who(plugin)} both provide the "
                            f'{KINDS[kind].label} "{cls.name}".',
                            hint="Uninstall one of them.",
                        )
                    found[cls.name] = (cls, plugin)
            self._classes[kind] = dict(sorted(found.items()))
        return self._classes[kind]

    def _classes_of(self, kind: str, plugin: str, call: Any) -> list[Any]:
        """What one plugin provides; a plugin whose hook fails is noted as failed and provides nothing."""
        try:
            classes = list(call())
            for cls in classes:
                _check_class(cls, KINDS[kind].base)
        except ANYTHING as problem:
            self._note_failure(plugin, f"{KINDS[kind].hook}: {in_short(problem)}")
            return []
        return classes

    def _known(self, plugin: str) -> Installed:
        """What is known of the plugin that holds the name; one that was registered by hand is of no distribution."""
        named = [p for p in self.installed if p.name == plugin] or [Installed(plugin, "unknown", "")]
        return next((p for p in named if not p.error), named[0])

    def _who(self, plugin: str) -> str:
        return f'"{plugin}" of {self._known(plugin).distribution}'

    def _note_failure(self, plugin: str, error: str) -> None:
        known = self._known(plugin)
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
            except ANYTHING as problem:
                self._note_failure(plugin, f"register_commands: {in_short(problem)}")

    def get(self, kind: str, name: str) -> Any:
        """The class of one kind called *name*.

        :raises PluginError: there is none; the message names the nearest, all that there are, and what failed to load.
        """
        found = self.provided(kind)
        if name not in found:
            broken = f" Plugins that failed to load: {', '.join(p.name for p in self.failed)}." if self.failed else ""
            raise PluginError(f'unknown {KINDS[kind].label} "{name}".', hint=nearest(name, found) + broken)
        return found[name][0]

    def make(self, kind: str, spec: str, **options: Any) -> Any:
        """An object from a spec, ``name`` or ``name:argument``.

        :raises PluginError: there is no such plugin, or it fails with an error that is none of ours.
        """
        name, argument = split_spec(spec)
        cls = self.get(kind, name)
        with blamed(f'the {KINDS[kind].label} "{name}"'):
            return cls(argument, **options)


def _check_class(cls: Any, base: type) -> None:
    """:raises PluginError: a user could not name the class, or it could not be used."""
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise PluginError(f"{cls!r} is not a subclass of {base.__name__}")
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
            why = f"its entry_points.txt cannot be read: {in_short(problem)}"
            broken.append(Installed(name, name, version, f"{why}. Install it again, or uninstall it"))
    return found, broken


def _origin(dist: metadata.Distribution | None) -> tuple[str, str]:
    """Name and version of a distribution; one whose METADATA is missing is still to be named."""
    try:
        return (dist.name or "unknown", dist.version or "") if dist else ("unknown", "")
    except (KeyError, TypeError, ValueError, OSError):  # which one depends on the version of Python
        return "unknown", ""


@contextmanager
def blamed(who: str, error: type[TrialIndexError] = PluginError, hint: str = REPORT) -> Iterator[None]:
    """Around every call of a plugin's code: whatever it raises that is none of ours becomes an *error* that names it.

    :param who: whose code it is, such as ``the source "csv"``.
    """
    try:
        yield
    except TrialIndexError:
        raise
    except ANYTHING as problem:
        raise error(f"{who} failed: {in_short(problem)}.", hint=hint) from problem


def _call(implementation: pluggy.HookImpl, **given: Any) -> Any:
    """Call one implementation of a hook, which may take fewer arguments than the hook has."""
    return implementation.function(*(given[name] for name in implementation.argnames))


def in_short(problem: BaseException) -> str:
    """An error on one clean line, with its type if it is none of ours."""
    from trialindex.trial.sanitize import one_line

    try:
        text = one_line(str(problem))
    except Exception:  # noqa: BLE001 — a stranger's exception may fail to say what it is
        text = ""
    return text if isinstance(problem, TrialIndexError) else f"{type(problem).__name__}: {text}".removesuffix(": ")


def split_spec(spec: str) -> tuple[str, str]:
    """``csv:trials.csv`` → ``("csv", "trials.csv")``; without a colon the argument is empty."""
    name, _, argument = spec.partition(":")
    return name.strip(), argument.strip()


@cache
def plugins() -> Plugins:
    """The plugins of this process, discovered once."""
    return Plugins()


def encoder_from_spec(spec: str, **options: Any) -> Encoder:
    """The encoder of a spec. :raises PluginError: unknown. :raises MissingExtra: its package is not installed."""
    return cast(Encoder, plugins().make("encoder", spec, **options))
