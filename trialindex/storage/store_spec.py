"""A vector store as a manifest names it."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Self

from trialindex.errors import PluginError
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import VectorStore
from trialindex.plugin.registry import split_spec

if TYPE_CHECKING:
    from trialindex.plugin.registry import Plugins


@dataclass(frozen=True)
class StoreSpec:
    """The class of a vector store, and what follows the colon of its spec."""

    store: type[VectorStore]
    argument: str = ""

    @classmethod
    def find(cls, spec: str, plugins: Plugins) -> Self:
        """The store of that spec.

        :raises PluginError: there is no such store.
        """
        name, argument = split_spec(spec)
        return cls(plugins.stores.get(name), argument)

    def create(self, dimension: int) -> VectorStore:
        """An empty store.

        :raises PluginError: it knows no such argument.
        """
        if self.argument and len(signature(self.store.create).parameters) < 2:
            raise PluginError(
                f'the store "{self.store.name}" takes no argument, and was given "{self.argument}".',
                hint=f"Leave it out: --store {self.store.name}",
            )
        with plugin_errors(f'the store "{self.store.name}"'):
            return self.store.create(dimension, *filter(None, [self.argument]))

    def load(self, folder: Path) -> VectorStore:
        """The store that was saved in *folder*.

        :raises IndexDamaged: a file is missing or unreadable.
        """
        return self.store.load(folder)
