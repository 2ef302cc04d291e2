"""The tables of ``records.db``; ``docs/index-format.md`` says what they hold."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE trials (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE COLLATE NOCASE,
  hash TEXT NOT NULL,
  generation INTEGER NOT NULL,
  source TEXT NOT NULL,
  partial INTEGER NOT NULL,
  first_seen TEXT NOT NULL,
  last_checked TEXT NOT NULL,
  last_updated TEXT,
  status TEXT,
  study_type TEXT,
  sex TEXT,
  minimum_age REAL,
  maximum_age REAL,
  record BLOB NOT NULL
);
CREATE INDEX trials_generation ON trials (generation);
CREATE INDEX trials_filters ON trials (status, study_type, sex, minimum_age, maximum_age, source, last_updated);
CREATE TABLE raw (trial INTEGER PRIMARY KEY REFERENCES trials ON DELETE CASCADE, record BLOB NOT NULL);
CREATE TABLE revisions (
  trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE,
  replaced_in INTEGER NOT NULL,
  seen TEXT NOT NULL,
  hash TEXT NOT NULL,
  record BLOB NOT NULL,
  PRIMARY KEY (trial, replaced_in)
) WITHOUT ROWID;
CREATE TABLE phases (
  phase TEXT NOT NULL, trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE, PRIMARY KEY (phase, trial)
) WITHOUT ROWID;
CREATE INDEX phases_trial ON phases (trial);
CREATE TABLE conditions (
  trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE, name TEXT NOT NULL, PRIMARY KEY (trial, name)
) WITHOUT ROWID;
CREATE TABLE places (
  trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE,
  country TEXT COLLATE NOCASE,
  latitude REAL,
  longitude REAL,
  city TEXT,
  state TEXT
);
CREATE INDEX places_trial ON places (trial);
CREATE INDEX places_country_trial ON places (country, trial);
CREATE INDEX places_unplaced ON places (trial, city, state, country) WHERE latitude IS NULL;
CREATE TABLE names (
  name TEXT NOT NULL, trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE, PRIMARY KEY (name, trial)
) WITHOUT ROWID;
CREATE INDEX names_trial ON names (trial);
CREATE TABLE passages (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE,
  position INTEGER NOT NULL,
  hash BLOB NOT NULL,
  generation INTEGER NOT NULL,
  priority INTEGER,
  UNIQUE (trial, position)
);
CREATE INDEX passages_hash ON passages (hash);
CREATE INDEX passages_waiting ON passages (priority, trial, position) WHERE priority IS NOT NULL;
CREATE INDEX passages_generation ON passages (generation);
CREATE TABLE vectors (hash BLOB PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE dropped (
  kind TEXT NOT NULL, num INTEGER NOT NULL, trial INTEGER NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (kind, num)
) WITHOUT ROWID;
CREATE INDEX dropped_generation ON dropped (generation);
CREATE TABLE sources (
  spec TEXT PRIMARY KEY, state TEXT NOT NULL, ran TEXT NOT NULL, swept TEXT NOT NULL, request TEXT,
  whole TEXT, shard INTEGER, shards INTEGER
) WITHOUT ROWID;
CREATE TABLE origins (
  trial INTEGER NOT NULL REFERENCES trials ON DELETE CASCADE, spec TEXT NOT NULL, gone TEXT, hash TEXT NOT NULL,
  fields TEXT NOT NULL, PRIMARY KEY (trial, spec)
) WITHOUT ROWID;
CREATE INDEX origins_gone ON origins (trial) WHERE gone IS NOT NULL;
INSERT INTO meta VALUES ('generation', 0), ('id', lower(hex(randomblob(16))));
"""
