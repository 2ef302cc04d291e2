"""From an older format of an index to the newest, one step after another.

A step changes ``records.db`` in one transaction, in a way that a program of the older format does not notice; then the
manifest is replaced. A kill leaves the older format, or the newer one, and the step may be done again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from trialindex.storage.manifest import Manifest
from trialindex.storage.records import Records

_log = logging.getLogger(__name__)

Step = Callable[[Records, Manifest], None]

STEPS: Mapping[int, Step] = {}
"""By the format that is left: the step to the next one, inside a transaction. Format 1 is the first and the newest."""


def migrate(folder: Path, description: Manifest, records: Records, steps: Mapping[int, Step] = STEPS) -> Manifest:
    """Bring an index to the newest format, if it is of an older one; needs the index's lock.

    :returns: the manifest as it is now.
    """
    while description.format in steps:
        with records.transaction():
            steps[description.format](records, description)
        description = msgspec.structs.replace(description, format=description.format + 1)
        description.write(folder)
        _log.info("brought the index to format %d", description.format)
    return description
