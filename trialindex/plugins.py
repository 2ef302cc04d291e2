"""Plugins: found through entry points, looked up by name, kept from harming each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

import pluggy

from trialindex import hookspecs
from trialindex.errors import PluginError, nearest
from trialindex.interfaces import Encoder, Renderer, Source, VectorStore

if TYPE_CHECKING:
    import click

GROUP = "trialindex"


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
        for entry in sorted(metadata.entry_points(group=GROUP), key=lambda e: e.name):
            dist = entry.dist
            where = (dist.name, dist.version) if dist else ("unknown", "")
            error = None
            try:
                self.register(entry.load(), entry.name)
            except (Exception, SystemExit) as problem:  # a stranger's module may raise anything; it must not stop the rest
                error = f"{type(problem).__name__}: {problem}".splitlines()[0]
            self.installed.append(Installed(entry.name, *where, error))

    def register(self, plugin: object, name: str) -> None:
        """Add one plugin under *name*.

        :raises PluginError: the name is taken, or it implements a hook that does not exist or has other arguments.
        """
        if self._manager.has_plugin(name):
            raise PluginError(f'two plugins are called "{name}".', hint="Uninstall one of them.")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as problem:
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            raise PluginError(f'plugin "{name}" does not fit the hooks: {problem}') from None
        self._classes.clear()

    @property
    def failed(self) -> list[Installed]:
        """The plugins that could not be loaded."""
        return [p for p in self.installed if p.error]

    @property
    def hook(self) -> Any:
        """Call a hook on every plugin: ``plugins().hook.index_updated(…)``."""
        return self._manager.hook

    def each(self, hook: str) -> Iterator[tuple[str, Any]]:
        """The plugins that implement *hook*, in the order they were found, each with a call to it alone."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            yield implementation.plugin_name, implementation.function

    def provided(self, kind: str) -> dict[str, tuple[type, str]]:
        """Every class of one kind by name, with the plugin it came from.

        :param kind: ``source``, ``encoder``, ``store`` or ``renderer``.
        :raises PluginError: two plugins provide the same name.
        """
        if kind not in self._classes:
            found: dict[str, tuple[type, str]] = {}
            for plugin, call in self.each(KINDS[kind].hook):
                for cls in self._classes_of(kind, plugin, call):
                    if cls.name in found:
                        raise PluginError(
                            f'plugins "{found[cls.name][1]}" and "{plugin}" both provide the '
                            f'{KINDS[kind].label} "{cls.name}".',
                            hint="Uninstall one of them.",
                        )
                    found[cls.name] = (cls, plugin)
            self._classes[kind] = dict(sorted(found.items()))
        return self._classes[kind]

    def _classes_of(self, kind: str, plugin: str, call: Any) -> list[Any]:
        """What one plugin provides; a plugin whose hook fails is noted as failed and provides nothing."""
        base = KINDS[kind].base
        try:
            classes = list(call())
            for cls in classes:
                if not (isinstance(cls, type) and issubclass(cls, base) and isinstance(getattr(cls, "name", None), str)):
                    raise PluginError(f"{cls!r} is not a {base.__name__} subclass with a name")
                if not cls.name or ":" in cls.name:
                    raise PluginError(f'"{cls.name}" cannot be a name: it is empty or holds a colon')
        except Exception as problem:
            self._note_failure(plugin, f"{KINDS[kind].hook}: {type(problem).__name__}: {problem}".splitlines()[0])
            return []
        return classes

    def _note_failure(self, plugin: str, error: str) -> None:
        known = next((p for p in self.installed if p.name == plugin), Installed(plugin, "unknown", ""))
        self.installed = [p for p in self.installed if p.name != plugin]
        self.installed.append(Installed(plugin, known.distribution, known.version, error))

    def add_commands(self, cli: click.Group) -> None:
        """Let every plugin add its commands to *cli*, once; one that cannot is noted as failed."""
        if self._commands_added:
            return
        self._commands_added = True
        for plugin, call in self.each("register_commands"):
            try:
                call(cli=cli)
            except Exception as problem:
                self._note_failure(plugin, f"register_commands: {problem}".splitlines()[0])

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
        """An object from a spec, ``name`` or ``name:argument``."""
        name, argument = split_spec(spec)
        return self.get(kind, name)(argument, **options)


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
