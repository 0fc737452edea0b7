"""Shares of right answers and agreement of annotators (Krippendorff's alpha), with intervals over items."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Level = Literal["nominal", "ordinal"]
_REPLICATES, _SEED = 2000, 20250
Z = float(ndtri(0.975))  # the normal quantile of a 95 % interval


def krippendorff_alpha(units: Sequence[Sequence[Hashable]], level: Level = "nominal") -> float:
    """Alpha of the values that each unit got, however many annotators judged it; NaN where no value varies.

    Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", from coincidences: 1 is perfect agreement, 0 that
    of chance. `ordinal` values are compared by their order. Units with fewer than two values do not count.
    """
    return _alpha_of(_coincidences(units).sum(0), level)


def alpha_interval(units: Sequence[Sequence[Hashable]], level: Level = "nominal") -> tuple[float, float]:
    """The 95 % interval of alpha over units drawn anew."""
    each = _coincidences(units)
    return bootstrap_interval(len(units), lambda index: _alpha_of(each[index].sum(0), level))


def _coincidences(units: Sequence[Sequence[Hashable]]) -> NDArray[np.float64]:
    """The coincidences of values within each unit `(units, values, values)`."""
    values = sorted({v for unit in units if len(unit) > 1 for v in unit}, key=lambda v: (str(type(v)), v))
    index = {v: i for i, v in enumerate(values)}
    each = np.zeros((len(units), len(values), len(values)))
    for i, unit in enumerate(units):
        if len(unit) > 1:
            counts = np.bincount([index[v] for v in unit], minlength=len(values)).astype(float)
            each[i] = (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    return each


def _alpha_of(coincidences: NDArray[np.float64], level: Level) -> float:
    totals = coincidences.sum(1)
    n = totals.sum()
    distance = _distance(totals, level)
    expected = (np.outer(totals, totals) * distance).sum()
    if n <= 1 or expected == 0:
        return float("nan")
    return float(1 - (n - 1) * (coincidences * distance).sum() / expected)


def _distance(totals: NDArray[np.float64], level: Level) -> NDArray[np.float64]:
    """The squared difference of each pair of values: 1, or by the values that lie between."""
    size = len(totals)
    if level == "nominal":
        return 1.0 - np.eye(size)
    below = np.concatenate(([0.0], np.cumsum(totals)))
    table = np.zeros((size, size))
    for c in range(size):
        for k in range(c + 1, size):
            between = below[k + 1] - below[c] - (totals[c] + totals[k]) / 2
            table[c, k] = table[k, c] = between**2
    return table


def wilson_interval(count: float, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927; Agresti & Coull 1998, equation 2), which has a width at 0 and 1 too.

    `count` may be a sum of `of` values in [0, 1]: their variance is at most that of as many answers, right or wrong,
    with the same mean, so the interval is no narrower than it should be.
    """
    if not of:
        return 0.0, 1.0
    share, z = count / of, Z**2 / of
    middle, half = share + z / 2, math.sqrt(z * share * (1 - share) + z**2 / 4)
    return max(0.0, (middle - half) / (1 + z)), min(1.0, (middle + half) / (1 + z))


def bootstrap_interval(
    count: int, statistic: Callable[[NDArray[np.int64]], float], *, level: float = 0.95
) -> tuple[float, float]:
    """The percentile interval of a statistic of items, drawn anew with replacement (Efron & Tibshirani 1993, ch. 13).

    `statistic` takes the indices of a draw `(count,)`; draws of which it is NaN are left out.
    """
    random = np.random.default_rng(_SEED)
    draws = [statistic(random.integers(0, count, count)) for _ in range(_REPLICATES)] if count else []
    kept = [d for d in draws if not np.isnan(d)]
    if not kept:
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
