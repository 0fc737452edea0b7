"""Intervals for the points of attack curves, made as those of every other score: over items and pipeline seeds.

A point is the mean over languages of the task's metric, or of success, on the attacked examples, each under its worst
text within so many queries or edits. Its sums by cluster are all that an interval needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.estimate import estimate
from crosswind.analysis.influence import SCORE_LIMITS, ClusterNumbers, Influence, leave_out, mean_influence
from crosswind.evaluate.metrics.base import METRICS, Array, Score, mean_of

SUCCESS = "success"
"""The statistic of curves whose sums are (items made wrong, items right before); others are a metric's."""
INTERVAL_COLUMNS: dict[str, pl.DataType] = {"low": pl.Float64(), "high": pl.Float64(), "over": pl.String()}
"""The ends of a point's interval of 95 %, and what it is over (`IntervalBasis`)."""


def curve_intervals(curves: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The interval at every point of the curves that `names` tell apart: means over languages, then seeds.

    `curves` has a row for each test set and pipeline seed, in the columns of `report.content.CURVE_SUM_COLUMNS`.
    Returns `names`, `at`, `language` (all of them), `n` and `seeds` (how many), and `INTERVAL_COLUMNS`. A curve whose
    seeds were not attacked in the same languages, on the same clusters and at the same points has no row.
    """
    schema = {name: curves.schema[name] for name in names} | {"at": pl.Float64(), "language": pl.String()}
    schema |= {"n": pl.Int64(), "seeds": pl.UInt32(), **INTERVAL_COLUMNS}
    rows = [
        {**dict(zip(names, key, strict=True)), **point}
        for key, curve in curves.group_by(*names, maintain_order=True)
        for point in _points(curve.to_dicts())
    ]
    return pl.DataFrame(rows, schema=schema)


def _points(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The intervals along one curve, of its rows."""
    sets: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        sets.setdefault((row["language"], row["context_language"]), {})[row["pipeline_seed"]] = row
    seeds = sorted({row["pipeline_seed"] for row in rows})
    whole = len(rows) == len(sets) * len(seeds)  # each language once under each seed
    if not whole or any(row["at"] != rows[0]["at"] for row in rows):
        return []
    if any(row["clusters"] != of_set[seeds[0]]["clusters"] for of_set in sets.values() for row in of_set.values()):
        return []
    numbers = ClusterNumbers()
    parts = [_along([of_set[seed] for seed in seeds], numbers) for of_set in sets.values()]
    common = {
        "language": " ".join(sorted({language for language, _ in sets})),
        "n": sum(row["n"] for row in rows),
        "seeds": len(seeds),
    }
    points = []
    for at, members in zip(rows[0]["at"], zip(*parts, strict=True), strict=True):
        value = estimate([(1.0, mean_influence(members, numbers))], numbers, level=True)
        points.append({**common, "at": at, "low": value.low, "high": value.high, "over": value.basis})
    return points


def _along(by_seed: Sequence[Mapping[str, Any]], numbers: ClusterNumbers) -> list[Influence]:
    """The influence of the clusters of one test set at each point of its curve."""
    first = by_seed[0]
    score, count, clusters = _score(first["statistic"]), len(first["at"]), tuple(first["clusters"])
    layout, sums = 0, []
    for row in by_seed:
        table = np.asarray(row["sums"], dtype=np.float64).reshape(count, len(clusters), -1)
        layout, by_cluster = numbers.sums(table.transpose(1, 0, 2).reshape(len(clusters), -1), clusters)
        sums.append(by_cluster.reshape(len(by_cluster), count, -1).transpose(1, 0, 2))
    with np.errstate(all="ignore"):  # without its only item that was right before, there is no success
        theta, values = leave_out(np.stack(sums), score)
    layouts = frozenset([layout])
    seeds, columns = tuple(row["pipeline_seed"] for row in by_seed), numbers.columns(layouts)
    one_model = len(seeds) > 1 and len({row["cell"] for row in by_seed}) == 1
    fixed = one_model or all(row["given"] for row in by_seed)
    return [Influence(seeds, theta[:, i], values[:, i], columns, layouts, fixed, SCORE_LIMITS) for i in range(count)]


def _score(statistic: str) -> Score:
    return mean_of(0, 1) if statistic == SUCCESS else METRICS[statistic].function()


def flat_sums(points: Sequence[Array], clusters: Sequence[str]) -> tuple[list[str], list[float]]:
    """The clusters of some items, each once, and the statistics `(items, k)` at every point of a curve summed by
    cluster: a list of points × clusters × k numbers, as the table of curves keeps them."""
    distinct = list(dict.fromkeys(clusters))
    number = {name: i for i, name in enumerate(distinct)}
    rows = np.fromiter((number[name] for name in clusters), dtype=np.intp, count=len(clusters))
    sums = np.zeros((len(points), len(distinct), points[0].shape[1]))
    for total, statistics in zip(sums, points, strict=True):
        np.add.at(total, rows, statistics)
    return distinct, sums.ravel().tolist()
