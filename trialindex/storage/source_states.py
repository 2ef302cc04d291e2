"""What an index remembers of each source it was built from: where it stopped, and how to ask it again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from trialindex.errors import IndexDamaged
from trialindex.storage.database import NAME, Database

Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(?!\s)$")]
"""An ISO day."""


class ShardOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a larger source a source is.

    :param spec: of the whole source.
    :param number: of the part, from 1.
    :param count: of all parts.
    """

    spec: str
    number: Annotated[int, msgspec.Meta(ge=1)]
    count: Annotated[int, msgspec.Meta(ge=1, le=9999)]


class SourceState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is remembered of a source.

    :param state: what the source last passed to ``checkpoint``.
    :param ran: the day it last ran.
    :param swept: the day it was last asked which trials it still has; of its first run, before it was.
    :param request: how to ask for it again, as JSON values; ``None`` where there is nothing to ask.
    :param shard: which part of a larger source it is, if it is one.
    """

    state: dict[str, Any]
    ran: Day
    swept: Day
    request: dict[str, Any] | None = None
    shard: ShardOf | None = None


_COLUMNS = "state, ran, swept, request, whole, shard, shards"


class SourceStates:
    """The table ``sources``. What changes it needs a transaction, under the index's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def runs(self) -> dict[str, str]:
        """By source spec the ISO day it last ran."""
        return dict(self._database.rows("SELECT spec, ran FROM sources"))

    def all(self) -> dict[str, SourceState]:
        """What is remembered of every source, by its spec.

        :raises IndexDamaged: it cannot be read.
        """
        rows = self._database.rows(f"SELECT spec, {_COLUMNS} FROM sources ORDER BY spec")  # noqa: S608
        return {spec: self._decode(row) for spec, *row in rows}

    def get(self, spec: str) -> SourceState | None:
        """What is remembered of the source with that spec, if it ran.

        :raises IndexDamaged: it cannot be read.
        """
        row = self._database.row(f"SELECT {_COLUMNS} FROM sources WHERE spec = ?", (spec,))  # noqa: S608
        return self._decode(row) if row else None

    def _decode(self, row: Any) -> SourceState:
        state, ran, swept, request, *shard = row
        return SourceState(
            state=self._decode_json(state, dict[str, Any], "where a source stopped"),
            ran=ran,
            swept=swept,
            request=self._decode_json(request or "null", dict[str, Any] | None, "how to ask a source again"),
            shard=None if shard[0] is None else ShardOf(*shard),
        )

    def _decode_json(self, text: Any, shape: Any, what: str) -> Any:
        """The JSON *text* as a value of that *shape*.

        :raises IndexDamaged: it is none of that *shape*; *what* names it.
        """
        try:
            return msgspec.json.decode(text, type=shape)
        except (msgspec.DecodeError, UnicodeError, TypeError, RecursionError):
            damaged = f"{what} is damaged in {self._database.folder / NAME}."
            raise IndexDamaged(damaged, hint="Forget it: trialindex check --repair") from None

    def store(self, spec: str, known: SourceState) -> None:
        """Remember this of the source with that spec, in place of what there is."""
        shard = (known.shard.spec, known.shard.number, known.shard.count) if known.shard else (None, None, None)
        row = (spec, _text(known.state), known.ran, known.swept, _text(known.request), *shard)
        sql = f"INSERT OR REPLACE INTO sources (spec, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
        self._database.execute(sql, row)

    def record_sweep(self, spec: str, day: str) -> None:
        """Remember the ISO day of a sweep."""
        self._database.execute("UPDATE sources SET swept = ? WHERE spec = ?", (day, spec))

    def forget_request(self, spec: str) -> None:
        """Forget how to ask for the source with that spec again."""
        self._database.execute("UPDATE sources SET request = NULL WHERE spec = ?", (spec,))

    def remove(self, spec: str) -> None:
        """Forget the source with that spec."""
        self._database.execute("DELETE FROM sources WHERE spec = ?", (spec,))


def _text(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
