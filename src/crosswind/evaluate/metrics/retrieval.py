"""Retrieval by ranks: average precision, cut at 20 and uncut, and reciprocal rank at 20.

`map@20` divides by min(#gold, 20), as XTREME-R does for LAReQA; with one gold candidate (Mewsli-X)
it is the reciprocal rank at 20. `map` is uncut, as in the LAReQA paper (Roy et al. 2020). Both report the other's score
beside their own, and as `mrr` the reciprocal rank at 20; the metric `mrr` is uncut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crosswind.data.examples import QueryExample
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import Array, Judged, Metric, mean_of
from crosswind.evaluate.predictions import Prediction

CUT = 20


def rank_statistics(
    ranks: Sequence[ArrayLike], gold: Sequence[int] | None = None, pools: Sequence[int] | None = None
) -> Array:
    """`(queries, 6)`: AP@20, AP and reciprocal rank at 20 (0 to 1), 1, and the AP@20 and AP of a random order.

    `ranks[i]` are the ranks of query i's gold candidates, from 1, ascending, those that were not
    retrieved left out; `gold[i]` is how many it has (by default all are ranked). `pools[i]` is the
    number of candidates; where it is 0 or not given, nothing is expected of a random order.
    """
    counts = [np.size(r) for r in ranks] if gold is None else list(gold)
    if len(counts) != len(ranks):
        raise ValueError(f"ranks of {len(ranks)} queries, gold counts of {len(counts)}")
    sizes = [0] * len(ranks) if pools is None else pools
    rows = [
        (*_row(np.asarray(r, dtype=np.int64), n), random_precision(n, size, CUT), random_precision(n, size, size))
        for r, n, size in zip(ranks, counts, sizes, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 6)


@lru_cache(maxsize=4096)
def random_precision(gold: int, pool: int, cut: int) -> float:
    """The expected average precision (0 to 1), cut at rank `cut`, of a pool in random order; 0 without a pool.

    Rank k holds a gold candidate with probability gold/pool, and then (k - 1)(gold - 1)/(pool - 1)
    others are expected before it.
    """
    if not pool:
        return 0.0
    ranks = np.arange(1, min(cut, pool) + 1)
    right = (1 + (ranks - 1) * (gold - 1) / max(pool - 1, 1)) / ranks
    return float(right.sum() * gold / pool / max(min(gold, cut), 1))


def _row(ranks: NDArray[np.int64], gold: int) -> tuple[float, float, float, float]:
    if gold < max(1, ranks.size):
        raise ValueError(f"{ranks.size} ranks of {gold} gold candidates")
    if ranks.size and (ranks[0] < 1 or np.any(np.diff(ranks) <= 0)):
        raise ValueError("ranks start at 1 and ascend")
    precision = np.arange(1, ranks.size + 1) / ranks
    inside = ranks <= CUT
    first = 1.0 / ranks[0] if ranks.size and inside[0] else 0.0
    return float(precision[inside].sum() / min(gold, CUT)), float(precision.sum() / gold), float(first), 1.0


def _require_gold(examples: Sequence[QueryExample]) -> None:
    for example in examples:
        if not example.gold:
            raise UserError(
                f"{example.id} has no right candidate",
                where=example.language,
                hint="ranks are judged of queries that have one; mined pairs are judged by bucc-f1",
            )


def _judge(examples: Sequence[QueryExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]) -> Judged:
    _require_gold(examples)
    ranks = [p["ranks"] for p in predictions]
    gold = [len(e.gold) for e in examples]
    return Judged.by_example(examples, rank_statistics(ranks, gold, [p.get("pool") or 0 for p in predictions]))


_COLUMNS = ("ap@20", "ap", "rr@20", "n", "random ap@20", "random ap")
_CUT, _UNCUT, _FIRST = mean_of(0, 3), mean_of(1, 3), mean_of(2, 3)

MAP_AT_20 = Metric(
    name="map@20",
    version=1,
    columns=_COLUMNS,
    scores={"map@20": _CUT, "map": _UNCUT, "mrr": _FIRST},
    judge=_judge,
    chance=mean_of(4, 3),
    kinds=("query",),
    settings={"cut": "20"},
    formula="mean over queries of (1 / min(gold, 20)) * sum over gold candidates of rank k <= 20 of (gold up to k) / k",
    source="Ruder et al. 2021, XTREME-R, section 4.1; evaluate.py and utils_lareqa.py of google-research/xtreme",
)
MAP = Metric(
    name="map",
    version=1,
    columns=_COLUMNS,
    scores={"map": _UNCUT, "map@20": _CUT, "mrr": _FIRST},
    judge=_judge,
    chance=mean_of(5, 3),
    kinds=("query",),
    settings={"cut": "none"},
    formula="mean over queries of (1 / gold) * sum over gold candidates of (gold up to its rank k) / k",
    source="Roy et al. 2020, LAReQA, section 4 (mean average precision)",
)


def _judge_first(
    examples: Sequence[QueryExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]
) -> Judged:
    _require_gold(examples)
    rows = []
    for example, prediction in zip(examples, predictions, strict=True):
        first, pool = next(iter(prediction["ranks"]), 0), prediction.get("pool") or 0
        uncut = 1.0 / first if first else 0.0
        rows.append((uncut, uncut if first <= CUT else 0.0, 1.0, random_reciprocal(len(example.gold), pool)))
    return Judged.by_example(examples, np.array(rows, dtype=np.float64).reshape(-1, 4))


@lru_cache(maxsize=4096)
def random_reciprocal(gold: int, pool: int) -> float:
    """The expected reciprocal rank (0 to 1) of the first of `gold` candidates in random order; 0 without a pool.

    The first stands at rank k with probability C(pool - k, gold - 1) / C(pool, gold), which begins at gold / pool and
    shrinks from k to k + 1 by (pool - k - gold + 1) / (pool - k).
    """
    if not pool:
        return 0.0
    ranks = np.arange(1, pool - gold + 2)
    shrink = (pool - ranks[:-1] - gold + 1) / (pool - ranks[:-1])
    return float((gold / pool * np.concatenate([[1.0], np.cumprod(shrink)]) / ranks).sum())


MRR = Metric(
    name="mrr",
    version=1,
    columns=("rr", "rr@20", "n", "random rr"),
    scores={"mrr": mean_of(0, 2), "mrr@20": mean_of(1, 2)},
    judge=_judge_first,
    chance=mean_of(3, 2),
    kinds=("query",),
    settings={"cut": "none"},
    formula="mean over queries of 1 / rank of the first gold candidate, 0 where none is ranked",
    source="Voorhees 1999, The TREC-8 Question Answering Track Report, section 3",
)
