"""Retrieval by ranks: average precision, cut at 20 and uncut, and reciprocal rank at 20.

`map@20` divides by min(#gold, 20), as XTREME-R does for LAReQA; with one gold candidate (Mewsli-X)
it is the reciprocal rank at 20. `map` is uncut, as in the LAReQA paper (Roy et al. 2020).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crosswind.evaluate.metrics.base import Array, Metric, f1_scores, mean_of

CUT = 20

_COLUMNS = ("ap@20", "ap", "rr@20", "n")
_CUT, _UNCUT, _FIRST = mean_of(0, 3), mean_of(1, 3), mean_of(2, 3)

MAP_AT_20 = Metric("map@20", 1, _COLUMNS, {"map@20": _CUT, "map": _UNCUT, "mrr": _FIRST}, settings={"cut": "20"})
MAP = Metric("map", 1, _COLUMNS, {"map": _UNCUT, "map@20": _CUT, "mrr": _FIRST}, settings={"cut": "none"})
SET_F1 = Metric("set-f1", 1, ("tp", "predicted", "gold"), f1_scores())


def statistics(ranks: Sequence[ArrayLike], gold: Sequence[int] | None = None) -> Array:
    """`(queries, 4)`: AP@20, AP and reciprocal rank at 20 (0 to 1), and 1.

    `ranks[i]` are the ranks of query i's gold candidates, from 1, ascending, those that were not
    retrieved left out; `gold[i]` is how many it has (by default all are ranked).
    """
    counts = [np.size(r) for r in ranks] if gold is None else list(gold)
    if len(counts) != len(ranks):
        raise ValueError(f"ranks of {len(ranks)} queries, gold counts of {len(counts)}")
    rows = [_row(np.asarray(r, dtype=np.int64), n) for r, n in zip(ranks, counts, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def random_precision(gold: int, pool: int, cut: int) -> float:
    """The expected average precision (0 to 1), cut at rank `cut`, of a pool in random order.

    Rank k holds a gold candidate with probability gold/pool, and then (k - 1)(gold - 1)/(pool - 1)
    others are expected before it.
    """
    ranks = np.arange(1, min(cut, pool) + 1)
    right = (1 + (ranks - 1) * (gold - 1) / max(pool - 1, 1)) / ranks
    return float(right.sum() * gold / pool / max(min(gold, cut), 1))


def set_statistics(predicted: Iterable[object], gold: Iterable[object]) -> Array:
    """`(items, 3)` for the F1 of two sets: an item is a member of either: in both, predicted, gold."""
    guess, right = set(predicted), set(gold)
    rows = [(g and r, g, r) for g, r in ((m in guess, m in right) for m in sorted(guess | right, key=repr))]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _row(ranks: NDArray[np.int64], gold: int) -> tuple[float, float, float, float]:
    if gold < max(1, ranks.size):
        raise ValueError(f"{ranks.size} ranks of {gold} gold candidates")
    if ranks.size and (ranks[0] < 1 or np.any(np.diff(ranks) <= 0)):
        raise ValueError("ranks start at 1 and ascend")
    precision = np.arange(1, ranks.size + 1) / ranks
    inside = ranks <= CUT
    first = 1.0 / ranks[0] if ranks.size and inside[0] else 0.0
    return float(precision[inside].sum() / min(gold, CUT)), float(precision.sum() / gold), float(first), 1.0
