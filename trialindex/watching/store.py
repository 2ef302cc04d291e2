"""What the user watches, the updates that were found, and what is still to be delivered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trialindex.errors import WatchError
from trialindex.plugin import registry
from trialindex.plugin.messages import Delivery, Update
from trialindex.storage.watch_file import WatchFile
from trialindex.watching.watch import Watch

if TYPE_CHECKING:
    from trialindex.plugin.registry import Plugins
    from trialindex.storage.watch_rows import Member


class Watches(WatchFile):
    """The watches that lie beside one index.

    :param folder: the index folder.
    :param create: make the file when there is none; without it there are simply no watches, and nothing is written.
    :param plugins: where notifiers are looked up; those of this process unless given.
    :raises StorageError: the folder cannot be written.
    :raises IndexDamaged: the file cannot be read.
    :raises IndexFormatError: a newer trialindex wrote it.
    """

    def __init__(self, folder: Path, *, create: bool = False, plugins: Plugins | None = None) -> None:
        self.plugins = plugins or registry.plugins()
        super().__init__(folder, create=create)

    def all(self) -> list[Watch]:
        """Every watch, in the order of their numbers."""
        return [Watch(**row) for row in self.watch_rows()]

    def get(self, num: int) -> Watch:
        """The watch of that number.

        :raises WatchError: there is none.
        """
        row = self.watch_row(num)
        if row is None:
            raise WatchError(f"there is no watch {num}.", hint="See which there are: trialindex watch list")
        return Watch(**row)

    def add(self, watch: Watch, members: Iterable[Member]) -> Watch:
        """Store a watch; :func:`trialindex.watching.baseline` gives both arguments for an index.

        :param members: the trials that match it already, and are no news.
        :returns: the watch with its number.
        :raises WatchError: there is one that watches the same.
        """
        twin = next((one for one in self.all() if one.same_as(watch)), None)
        if twin is not None:
            raise WatchError(f"watch {twin.num} is for the same.", hint="See it: trialindex watch list")
        return self.get(self.insert_watch(msgspec.structs.asdict(watch), members))

    def remove(self, num: int) -> Watch:
        """Forget a watch and its updates.

        :raises WatchError: there is none.
        """
        watch = self.get(num)
        self.delete_watch(num)
        return watch

    def pause(self, num: int, paused: bool) -> Watch:
        """Pause a watch, or resume it: what happened meanwhile is news then.

        :raises WatchError: there is none.
        """
        self.set_paused(self.get(num).num, paused)
        return self.get(num)

    def record(self, updates: Sequence[Update]) -> None:
        """Store updates, and queue one delivery of all of them for each notifier; inside a transaction."""
        if not updates:
            return
        now = datetime.now(UTC)
        self.put_updates(updates, now.date().isoformat())
        discreet = tuple(msgspec.structs.replace(update, asked=None) for update in updates)
        for one in self.notifiers():
            key = digest(self.identity, one.num, *(update.key for update in updates))
            shown = tuple(updates) if one.is_local(self.plugins) else discreet
            self.put_delivery(Delivery(key=key, created=now.isoformat(timespec="seconds"), updates=shown), one.num)


def digest(*parts: Any) -> str:
    """The SHA-256 of these parts together, hexadecimal."""
    return hashlib.sha256(msgspec.json.encode([str(part) for part in parts])).hexdigest()
