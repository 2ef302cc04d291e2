"""From an older format of an index to the newest, one step after another.

A step changes ``records.db`` in one transaction, in a way that a program of the older format does not notice; then the
manifest is replaced. A kill leaves the older format, or the newer one, and the step may be done again. What only older
formats read goes last, when the manifest forbids them to.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from trialindex.storage.manifest import FORMAT, Manifest
from trialindex.storage.records import Records
from trialindex.storage.vector_codec import HALVES, batches


def _to_2(records: Records, dimension: int) -> None:
    """How sources are asked again, which spec a trial came from, what a sweep finds; indexes for filters."""
    records.run(
        (
            "CREATE TABLE IF NOT EXISTS requests (spec TEXT PRIMARY KEY, request TEXT) WITHOUT ROWID",
            "INSERT OR IGNORE INTO meta VALUES ('id', lower(hex(randomblob(16))))",
            "CREATE INDEX IF NOT EXISTS phases_trial ON phases (trial)",
            "CREATE INDEX IF NOT EXISTS trials_filters ON trials"
            " (status, study_type, sex, minimum_age, maximum_age, source, last_updated)",
            "CREATE INDEX IF NOT EXISTS places_country_trial ON places (country, trial)",
            "DROP INDEX IF EXISTS places_country",
            "CREATE TABLE IF NOT EXISTS origins ( trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE,"
            " spec TEXT NOT NULL, gone TEXT, PRIMARY KEY (trial, spec) ) WITHOUT ROWID",
            "CREATE INDEX IF NOT EXISTS origins_gone ON origins (trial) WHERE gone IS NOT NULL",
            "CREATE TABLE IF NOT EXISTS sweeps (spec TEXT PRIMARY KEY, ran TEXT NOT NULL) WITHOUT ROWID",
            # Which spec a trial came from was not kept: it is known where only one spec is of the trial's source.
            "INSERT OR IGNORE INTO origins SELECT num, min(spec), NULL FROM trials JOIN sources"
            " ON spec = source OR substr(spec, 1, length(source) + 1) IN (source || ':', source || ' ')"
            " GROUP BY num HAVING count(*) = 1",
        )
    )


def _to_3(records: Records, dimension: int) -> None:
    """Vectors in a byte a number, in a table of their own, beside those that the older format reads.

    What a step that was killed left, and a program of the older format knew nothing of, is made again. A vector that
    cannot be used is left out: a check names the passage that has none.
    """
    records.run(
        ("DROP TABLE IF EXISTS vectors", "CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL)"),
    )
    sql = f"SELECT hash, vector FROM {HALVES.table} ORDER BY hash"  # noqa: S608
    with closing(records.rows(sql)) as held:  # before a roll-back, when the disk is full
        for rows in batches(held):
            vectors, whole = HALVES.decoded([vector for _, vector in rows], dimension)
            hashes = [digest for (digest, _), good in zip(rows, whole.tolist(), strict=True) if good]
            records.add_embeddings(hashes, vectors)


STEPS = {1: _to_2, 2: _to_3}
"""By the format that is left: the step to the next one, inside a transaction; told how many numbers a vector has."""


def migrate(folder: Path, description: Manifest, records: Records) -> Manifest:
    """Bring an index to the newest format, if it is of an older one; needs the index's lock.

    :returns: the manifest as it is now.
    """
    while description.format < FORMAT:
        with records.transaction():
            STEPS[description.format](records, description.encoder.dimension)
        description = msgspec.structs.replace(description, format=description.format + 1)
        description.write(folder)
    if records.has(HALVES.table):  # of no use since the manifest says so
        with records.transaction():
            records.run([f"DROP TABLE {HALVES.table}"])
    return description
