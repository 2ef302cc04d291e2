"""Whether two runs differ by more than the choice of queries would explain.

Two paired tests, query by query, two-sided:

- The randomisation test: if the runs were alike, each query's difference could as well have the other sign. The p-value
  is the share of all signs under which the mean differs at least as much as it does. With up to 16 queries every
  pattern of signs is tried; with more, 100,000 random ones of a fixed seed, and the observed one counts among them
  (Phipson and Smyth, *Permutation P-values should never be zero*, 2010).
- Student's paired t-test, which agrees with it on means of such measures.

Source: Smucker, Allan, Carterette, *A comparison of statistical significance tests for information retrieval
evaluation*, CIKM 2007.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Table = NDArray[np.float64]

SAMPLES = 100_000
SEED = 20_210_101
EXACT = 16
"""Queries up to which all patterns of signs are tried: 65,536 of them."""
_SAME = 1e-9
_BATCH = 10_000


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of two runs over the same queries.

    :param mean: of the run that is evaluated.
    :param other: of the one it is compared with.
    :param difference: the first less the second.
    :param p: of the paired randomisation test.
    :param p_t: of the paired t-test; none where it is not defined, for one
        query or differences that are all the same.
    :param won: queries on which the run is better.
    :param lost: worse.
    :param tied: the same.
    """

    measure: str
    mean: float
    other: float
    difference: float
    p: float
    p_t: float | None
    won: int
    lost: int
    tied: int


def compare(
    ours: Mapping[str, Mapping[str, float]], theirs: Mapping[str, Mapping[str, float]], measures: list[str]
) -> tuple[Difference, ...]:
    """The two runs on each of these measures; both must have the same queries."""
    import numpy as np

    first = np.array([[ours[query][name] for name in measures] for query in ours], dtype=np.float64)
    second = np.array([[theirs[query][name] for name in measures] for query in ours], dtype=np.float64)
    differences = first - second
    ps = randomisation_test(differences)
    return tuple(
        Difference(
            measure=name,
            mean=float(first[:, column].mean()),
            other=float(second[:, column].mean()),
            difference=float(differences[:, column].mean()),
            p=float(ps[column]),
            p_t=t_test(differences[:, column]),
            won=int((differences[:, column] > _SAME).sum()),
            lost=int((differences[:, column] < -_SAME).sum()),
            tied=int((abs(differences[:, column]) <= _SAME).sum()),
        )
        for column, name in enumerate(measures)
    )


def randomisation_test(differences: Table) -> Table:
    """The p-value of each column of paired differences, shape ``(queries, measures)``. See the module's docstring."""
    import numpy as np

    count = len(differences)
    observed = abs(differences.sum(axis=0)) - _SAME
    if count <= EXACT:
        patterns = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return np.asarray((abs(_signed(patterns) @ differences) >= observed).mean(axis=0))
    random = np.random.default_rng(SEED)
    as_large = np.zeros(differences.shape[1])
    for _ in range(SAMPLES // _BATCH):
        patterns = random.integers(0, 2, size=(_BATCH, count), dtype=np.int8)
        as_large += (abs(_signed(patterns) @ differences) >= observed).sum(axis=0)
    return np.asarray((as_large + 1) / (SAMPLES + 1))


def _signed(bits: Any) -> Table:
    import numpy as np

    return np.asarray(bits * 2.0 - 1.0)


def t_test(differences: Table) -> float | None:
    """The two-sided p-value of Student's paired t-test; ``None`` where t is not defined."""
    from scipy.special import stdtr

    count = len(differences)
    deviation = float(differences.std(ddof=1)) if count > 1 else 0.0
    if deviation < _SAME:
        return None
    t = float(differences.mean()) / (deviation / math.sqrt(count))
    return 2 * float(stdtr(count - 1, -abs(t)))
