"""What an index is and holds, for a person who looks at one."""

from __future__ import annotations

import msgspec

from trialindex.storage import derived
from trialindex.storage.files import folder_size
from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records
from trialindex.storage.store_spec import StoreSpec


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What an index is and holds: ``sources`` by spec the ISO day each last ran, ``gone`` the trials none still has."""

    path: str
    trials: int
    passages: int
    generation: int
    bytes: int
    manifest: Manifest
    sources: dict[str, str]
    statuses: dict[str, int]
    gone: int = 0
    vectors: str


def describe_index(manifest: Manifest, records: Records, store: StoreSpec) -> Info:
    """What the index is and holds.

    :param records: a snapshot of its records.
    """
    return Info(
        path=str(records.folder),
        trials=len(records),
        passages=len(records.passages),
        generation=records.generation,
        bytes=folder_size(records.folder),
        manifest=manifest,
        sources=records.sources.runs(),
        statuses=records.count_by_status(),
        gone=len(records.provenance.gone_trials()),
        vectors=derived.describe_vectors(records.folder, store),
    )
