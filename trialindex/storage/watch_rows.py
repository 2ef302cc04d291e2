"""What ``watches.db`` holds: its tables, and their rows as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from trialindex.errors import PluginError
from trialindex.plugin.messages import Delivery

if TYPE_CHECKING:
    from trialindex.plugin.interfaces import Notifier
    from trialindex.plugin.registry import Plugins

VERSION = 1

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE watches (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  filters TEXT NOT NULL,
  name TEXT NOT NULL,
  top INTEGER NOT NULL,
  level REAL NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0,
  last_generation INTEGER NOT NULL DEFAULT 0,
  lineage TEXT NOT NULL DEFAULT '',
  added TEXT NOT NULL
);
CREATE TABLE members (
  watch INTEGER NOT NULL REFERENCES watches ON DELETE CASCADE,
  trial TEXT NOT NULL COLLATE NOCASE,
  hash TEXT NOT NULL,
  title TEXT NOT NULL,
  url TEXT,
  PRIMARY KEY (watch, trial)
) WITHOUT ROWID;
CREATE TABLE updates (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  watch INTEGER NOT NULL REFERENCES watches ON DELETE CASCADE,
  day TEXT NOT NULL,
  content TEXT NOT NULL
);
CREATE TABLE notifiers (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  argument TEXT NOT NULL,
  options TEXT NOT NULL,
  folder TEXT NOT NULL,
  added TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0,
  last_sent TEXT,
  error TEXT NOT NULL DEFAULT ''
);
CREATE TABLE outbox (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  notifier INTEGER NOT NULL REFERENCES notifiers ON DELETE CASCADE,
  content TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due TEXT NOT NULL DEFAULT '',
  suspended INTEGER NOT NULL DEFAULT 0
);
INSERT INTO meta VALUES ('id', lower(hex(randomblob(16))));
"""


class Member(NamedTuple):
    """A trial that a watch knows: its id, the hash of the version last reported, its title and page."""

    trial: str
    hash: str
    title: str
    url: str | None


class NotifierConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A notifier with its settings, and how its deliveries go.

    :param num: its number, which is never given again.
    :param folder: where it was set up, for names of files.
    :param sent: deliveries that were accepted.
    :param last_sent: ISO day of the last one.
    :param error: why the last attempt failed, empty when it did not.
    :param waiting: deliveries to be tried again.
    :param suspended: deliveries that no further attempt can help, until a test succeeds.
    :param attempts: how often the delivery that was tried most was tried.
    :param due: ISO time, UTC, of the next attempt; empty for now.
    """

    name: str
    argument: str = ""
    options: dict[str, Any] = {}
    folder: str = ""
    num: int = 0
    added: str = ""
    sent: int = 0
    last_sent: str | None = None
    error: str = ""
    waiting: int = 0
    suspended: int = 0
    attempts: int = 0
    due: str = ""

    @property
    def spec(self) -> str:
        return f"{self.name}:{self.argument}" if self.argument else self.name

    def make(self, plugins: Plugins) -> Notifier:
        """Make the notifier itself.

        :raises PluginError: it is not installed any more.
        :raises NotifierError: it cannot be used as set up.
        """
        return plugins.notifiers.make(self.spec, **self.options)

    def is_local(self, plugins: Plugins) -> bool:
        """Whether it may be told what the user typed; one that is not installed may not."""
        return self._says(plugins, "local")

    def shows(self, plugins: Plugins) -> bool:
        """Whether it shows the news where the program runs."""
        return self._says(plugins, "shows")

    def _says(self, plugins: Plugins, what: str) -> bool:
        """What its class says of itself; one that is not installed says nothing."""
        try:
            return getattr(plugins.notifiers.get(self.name), what) is True
        except PluginError:
            return False


class OutboxItem(NamedTuple):
    """A delivery in the outbox: its number there, whom it is for, how often it was tried, what it is."""

    num: int
    notifier: int
    attempts: int
    delivery: Delivery
