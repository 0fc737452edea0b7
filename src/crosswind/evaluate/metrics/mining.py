"""F1 of two sets of pairs, predicted and gold: mining translations out of two corpora (BUCC)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from crosswind.data.examples import QueryExample
from crosswind.evaluate.metrics.base import Array, Judged, Metric, f1_scores
from crosswind.evaluate.predictions import Prediction


def set_statistics(chosen: Sequence[Collection[str]], gold: Sequence[Collection[str]]) -> Array:
    """`(queries, 3)`: pairs in common, predicted pairs, gold pairs of each source-side sentence."""
    rows = [(len(set(c) & set(g)), len(set(c)), len(set(g))) for c, g in zip(chosen, gold, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def judged_pairs(examples: Sequence[QueryExample], chosen: Sequence[Collection[str]]) -> Judged:
    """A row for each source-side sentence with a predicted or a gold pair; those without either would be zeros."""
    statistics = set_statistics(chosen, [e.gold for e in examples])
    kept = np.flatnonzero(statistics.any(axis=1)).tolist()
    return Judged.by_example([examples[i] for i in kept], statistics[kept])


def _judge(examples: Sequence[QueryExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]) -> Judged:
    """The pairs of a query with each candidate in its prediction's `chosen`."""
    return judged_pairs(examples, [p["chosen"] for p in predictions])


SET_F1 = Metric(
    name="set-f1",
    version=1,
    columns=("tp", "predicted", "gold"),
    scores=f1_scores(),
    judge=_judge,
    sparse=True,
    kinds=("query",),
)
