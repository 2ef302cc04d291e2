"""From an older format of an index to the newest, one step after another.

A step changes ``records.db`` in one transaction, in a way that a program of the older format does not notice; then the
manifest is replaced. A kill leaves the older format, or the newer one, and the step may be done again.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from trialindex.storage.manifest import FORMAT, Manifest
from trialindex.storage.records import Records

STEPS: dict[int, tuple[str, ...]] = {
    1: (
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
    ),
}
"""By the format that is left: the statements that lead to the next one."""


def migrate(folder: Path, description: Manifest, records: Records) -> Manifest:
    """Bring an index to the newest format, if it is of an older one; needs the index's lock.

    :returns: the manifest as it is now.
    """
    while description.format < FORMAT:
        with records.transaction():
            records.run(STEPS[description.format])
        description = msgspec.structs.replace(description, format=description.format + 1)
        description.write(folder)
    return description
