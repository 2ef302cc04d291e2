"""The passages of the trials in ``records.db``, and the vectors of their texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from trialindex.errors import IndexDamaged
from trialindex.storage import vector_codec
from trialindex.storage.database import Database
from trialindex.storage.vector_codec import batches
from trialindex.trial import Trial
from trialindex.trial.passages import HASH_BYTES, passages
from trialindex.trial.statuses import access_rank

if TYPE_CHECKING:
    import numpy as np

    from trialindex.plugin.interfaces import Ids, Vectors


class PassageRows:
    """The tables ``passages``, ``vectors`` and ``dropped``. What changes them needs a transaction, under the lock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- reading ----------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self._database.value("SELECT count(*) FROM passages"))

    def added_since(self, generation: int) -> Iterator[tuple[Any, ...]]:
        """Number, trial and position of every passage added after *generation*."""
        yield from self._database.rows("SELECT num, trial, position FROM passages WHERE generation > ?", (generation,))

    def vectors_since(self, generation: int, dimension: int, batch: int = 20_000) -> Iterator[tuple[Ids, Vectors]]:
        """Passage numbers and their vectors, of all passages added after *generation*, in batches.

        A passage whose vector is missing, damaged or of another *dimension* is left out; a check of the index names it.
        """
        import numpy as np

        sql = (
            "SELECT passages.num, vector FROM passages JOIN vectors USING (hash)"
            " WHERE passages.generation > ? ORDER BY passages.num"
        )
        for rows in batches(self._database.rows(sql, (generation,)), batch):
            vectors, valid = vector_codec.decode([vector for _, vector in rows], dimension)
            if len(vectors):
                yield np.array([num for num, _ in rows], dtype=np.int64)[valid], vectors

    def trials_of(self, nums: Sequence[int]) -> dict[int, tuple[int, int]]:
        """For each of these passage numbers its trial's number and its position in it.

        A passage that went away leads to its trial with the position -1, if that is still there.
        """
        sql = (
            "WITH asked AS (SELECT value AS num FROM json_each(?))"
            " SELECT num, trial, -1 FROM dropped JOIN asked USING (num)"
            " WHERE kind = 'passage' AND trial IN (SELECT num FROM trials)"
            " UNION ALL SELECT num, trial, position FROM passages JOIN asked USING (num)"
        )
        rows = self._database.rows(sql, (json.dumps(nums),))
        return {num: (trial, position) for num, trial, position in rows}

    def pairs(self, dropped_since: int) -> Ids:
        """Number and trial of every passage and of those that went away after that generation, shape ``(n, 2)``."""
        import numpy as np

        sql = (
            "SELECT num, trial FROM passages"
            " UNION ALL SELECT num, trial FROM dropped WHERE kind = 'passage' AND generation > ?"
        )
        return np.array(list(self._database.rows(sql, (dropped_since,))), dtype=np.int64).reshape(-1, 2)

    def count_lost_vectors(self) -> int:
        """How many passages have no vector and do not wait for one: theirs is lost."""
        sql = "SELECT count(*) FROM passages LEFT JOIN vectors USING (hash) WHERE vector IS NULL AND priority IS NULL"
        return int(self._database.value(sql))

    def count_vectors(self) -> int:
        """How many texts have a vector, also those that are no passage any more."""
        return int(self._database.value("SELECT count(*) FROM vectors"))

    def encoded_vectors(self, dimension: int) -> Iterator[tuple[bytes, bytes]]:
        """Every hash and its vector as it is kept, by hash.

        :raises IndexDamaged: one is damaged.
        """
        for batch in batches(self._database.rows("SELECT hash, vector FROM vectors ORDER BY hash")):
            _, valid = vector_codec.decode([vector for _, vector in batch], dimension)
            if not valid.all() or any(len(digest) != HASH_BYTES for digest, _ in batch):
                raise IndexDamaged(
                    f"the index at {self._database.folder} holds a damaged vector.",
                    hint="Mend it: trialindex check --repair",
                )
            yield from batch

    # --- writing ----------------------------------------------------------------------------------------------------

    def put(self, num: int, trial: Trial, generation: int) -> None:
        """Keep the passages whose text is the same; drop and add the others under new numbers.

        A passage whose text has no vector waits for one, those of trials that people can join before the others.

        :param num: of the trial.
        """
        rows = self._database.rows("SELECT position, num, hash FROM passages WHERE trial = ?", (num,))
        held = {position: (passage, digest) for position, passage, digest in rows}
        wanted = {position: passage.hash for position, passage in enumerate(passages(trial))}
        stale = [passage for position, (passage, digest) in held.items() if wanted.get(position) != digest]
        self._drop(stale, num, generation)
        priority = access_rank(trial.status)
        fresh = [(num, p, h, generation, priority) for p, h in wanted.items() if p not in held or held[p][1] != h]
        sql = (
            "INSERT INTO passages (trial, position, hash, generation, priority)"
            " VALUES (?1, ?2, ?3, ?4, CASE WHEN NOT EXISTS (SELECT 1 FROM vectors WHERE hash = ?3) THEN ?5 END)"
        )
        self._database.execute_many(sql, fresh)
        sql = "UPDATE passages SET priority = ? WHERE trial = ? AND priority IS NOT NULL"
        self._database.execute(sql, (priority, num))

    def drop(self, trial: int, generation: int) -> None:
        """Delete all passages of the trial with that number."""
        held = [num for (num,) in self._database.rows("SELECT num FROM passages WHERE trial = ?", (trial,))]
        self._drop(held, trial, generation)

    def _drop(self, nums: Iterable[int], trial: int, generation: int) -> None:
        rows = [(num, trial, generation) for num in nums]
        self._database.execute_many("INSERT OR REPLACE INTO dropped VALUES ('passage', ?, ?, ?)", rows)
        self._database.execute_many("DELETE FROM passages WHERE num = ?", ((num,) for num, *_ in rows))

    def put_vectors(self, hashes: Sequence[bytes], vectors: np.ndarray[Any, Any], generation: int) -> None:
        """Keep the vectors ``(n, dimension)`` of texts under their hashes, a byte for each number.

        The passages that waited for them are from now on of this *generation*, so that derived states take them in.
        """
        rows = zip(hashes, vector_codec.encode(vectors), strict=True)
        self._database.execute_many("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        sql = "UPDATE passages SET priority = NULL, generation = ? WHERE hash = ? AND priority IS NOT NULL"
        self._database.execute_many(sql, ((generation, digest) for digest in hashes))

    def copy_vectors(self, rows: Iterable[tuple[bytes, bytes]], generation: int) -> bool:
        """Keep vectors as :meth:`encoded_vectors` gives them, where there is none yet for that hash.

        :returns: whether passages waited for them, which are from now on of this *generation*.
        """
        self._database.execute_many("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
        sql = (
            "UPDATE passages SET priority = NULL, generation = ?"
            " WHERE priority IS NOT NULL AND hash IN (SELECT hash FROM vectors)"
        )
        return self._database.execute(sql, (generation,)).rowcount > 0

    def drop_vectors(self, hashes: Iterable[bytes]) -> None:
        """Forget the vectors of these texts."""
        self._database.execute_many("DELETE FROM vectors WHERE hash = ?", ((digest,) for digest in hashes))
