"""A vector store as a manifest names it."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import signature
from pathlib import Path

from trialindex.errors import PluginError
from trialindex.plugin.guard import plugin_errors
from trialindex.plugin.interfaces import VectorStore


@dataclass(frozen=True)
class StoreSpec:
    """The class of a vector store, and what follows the colon of its spec."""

    store: type[VectorStore]
    argument: str = ""

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
