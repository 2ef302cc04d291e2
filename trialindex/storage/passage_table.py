"""Which trial each passage belongs to, as a table beside the vectors: what SQLite would take seconds to tell of all.

``owners.npy`` has a row for every passage number from 0 on: the number of its trial and its position in it. Where there
is no passage of that number the trial is 0; trials begin at 1.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from trialindex.plugin.interfaces import Ids

NAME = "owners.npy"
_BATCH = 50_000


def read(state: Path) -> NDArray[np.int32] | None:
    """The table of a derived state, mapped into memory; ``None`` where there is none that can be used."""
    import numpy as np

    try:
        table: NDArray[Any] = np.load(state / NAME, mmap_mode="r", allow_pickle=False)
    except Exception:  # noqa: BLE001  # a state that was replaced, or a damaged header
        return None
    return table.view(np.ndarray) if table.dtype == np.int32 and table.ndim == 2 and table.shape[1:] == (2,) else None


def lookup(table: NDArray[np.int32] | None, passage_nums: Ids) -> Ids:
    """Trial and position of these passages, shape ``(n, 2)``; trial 0 where the table does not tell."""
    import numpy as np

    found = np.zeros((len(passage_nums), 2), dtype=np.int64)
    if table is not None:
        inside = passage_nums < len(table)
        found[inside] = table[passage_nums[inside]]
    return found


def passages_for(table: NDArray[np.int32], trials: Ids) -> Ids:
    """Sorted numbers of the passages of these trials."""
    import numpy as np

    trial_of = np.ascontiguousarray(table[:, 0])
    wanted = np.zeros(max(int(trial_of.max(initial=0)), int(trials.max(initial=0))) + 1, dtype=np.bool_)
    wanted[trials] = True
    wanted[0] = False
    found: Ids = np.flatnonzero(np.take(wanted, trial_of))
    return found


def write(
    state: Path, before: NDArray[np.int32] | None, dropped: Iterable[int], added: Iterator[tuple[int, int, int]]
) -> None:
    """Write the table of a new state.

    :param before: that of the state it is made from.
    :param dropped: passages that went away since.
    :param added: number, trial and position of those that came since.
    """
    import numpy as np

    table = np.zeros((0, 2), dtype=np.int32) if before is None else np.array(before)
    gone = np.fromiter(dropped, dtype=np.int64)
    table[gone[gone < len(table)]] = 0
    while rows := list(islice(added, _BATCH)):
        new = np.array(rows, dtype=np.int64)
        missing = int(new[:, 0].max()) + 1 - len(table)
        if missing > 0:
            table = np.concatenate([table, np.zeros((missing, 2), dtype=np.int32)])
        table[new[:, 0]] = new[:, 1:]
    np.save(state / NAME, table)
