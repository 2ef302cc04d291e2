"""What an index is and holds, for a person who looks at one."""

from __future__ import annotations

import msgspec

from trialindex.storage import derived
from trialindex.storage.files import folder_size
from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records
from trialindex.storage.store_spec import StoreSpec
from trialindex.trial import display

EMBED_THE_REST = "The next ingest embeds the rest; so does: trialindex check --repair"


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """What an index is and holds.

    :param unembedded: trials that still wait for vectors, so that they are found by their words alone.
    :param sources: by spec, the ISO day each last ran.
    :param gone: the trials that no source still has.
    """

    path: str
    trials: int
    unembedded: int = 0
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
        unembedded=records.waiting.count_trials(),
        passages=len(records.passages),
        generation=records.generation,
        bytes=folder_size(records.folder),
        manifest=manifest,
        sources=records.sources.runs(),
        statuses=records.count_by_status(),
        gone=len(records.provenance.gone_trials()),
        vectors=derived.describe_vectors(records.folder, store),
    )


def describe_embedded(trials: int, unembedded: int) -> str:
    """How much of an index can be found: ``words of 77,824 trials, meaning of 31,000``."""
    return f"words of {display.count(trials, 'trial')}, meaning of {trials - unembedded:,}"
