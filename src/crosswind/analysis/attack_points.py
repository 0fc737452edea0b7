"""Curves of an attack: the worst text of each example within so many queries and edits, and what is scored there."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crosswind.evaluate.metrics.base import Array, Metric

EDIT_RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0)
"""At which the curve over the edit rate is read."""


@dataclass(frozen=True)
class ReadCurves:
    """The points of all curves of an attack, as (at, A') and (at, success), in points; success where there is one."""

    over_budget: tuple[tuple[int, float], ...]
    over_edit_rate: tuple[tuple[float, float], ...]
    success_over_budget: tuple[tuple[int, float], ...] | None
    success_over_edit_rate: tuple[tuple[float, float], ...] | None


def budgets(most: int) -> tuple[int, ...]:
    """1, 2, 5, 10, 20, 50, … up to `most`, and that: where the curve over the budget is read."""
    steps = [m * 10**e for e in range(8) for m in (1, 2, 5)]
    return (*(b for b in steps if b < most), most)


class AttackCurves:
    """The worst text of each example within a number of queries and an edit rate, read from the points of its curve.

    `rows` are outcomes, `clean` `(items, k)` the metric's statistics of the same examples before the attack.
    """

    def __init__(self, rows: pl.DataFrame, clean: Any) -> None:
        self.clean = np.asarray(clean, dtype=np.float64)
        self.right = rows["clean_right"].to_numpy()
        self.loss = rows["clean_loss"].to_numpy()
        self.points: list[list[Any]] = [json.loads(text) for text in rows["curve"]]

    def within(self, queries: Any, edit_rate: float = np.inf) -> tuple[Array, NDArray[Any]]:
        """The metric's statistics `(items, k)` and how right they still are `(items,)`.

        `queries` is a number, or one for each item.
        """
        statistics, right = self.clean.copy(), self.right.copy()
        for i, limit in enumerate(np.broadcast_to(queries, len(self.points)).tolist()):
            worst = (-self.right[i], self.loss[i])
            for query, rate, now, loss, counted in self.points[i]:
                if query <= limit and rate <= edit_rate and (-now, loss) > worst:
                    worst, right[i], statistics[i] = (-now, loss), now, counted
        return statistics, right

    def score(self, metric: Metric, queries: int) -> float:
        """A' in points."""
        return float(metric.score(self.within(queries)[0].sum(axis=0)))

    def read(self, metric: Metric, budget: int, binary: bool) -> ReadCurves:
        """Every curve up to a budget, at `budgets` and `EDIT_RATES`; `binary`: there is success, the share in percent
        of the initially right that are wrong."""
        before = self.right > 0

        def at(queries: int, edit_rate: float) -> tuple[float, float]:
            statistics, right = self.within(queries, edit_rate)
            success = 100 * float((right[before] <= 0).mean()) if binary else math.nan
            return float(metric.score(statistics.sum(axis=0))), success

        over_budget = [(b, *at(b, math.inf)) for b in budgets(budget)]
        over_edit_rate = [(e, *at(budget, e)) for e in EDIT_RATES]
        return ReadCurves(
            tuple((b, score) for b, score, _ in over_budget),
            tuple((e, score) for e, score, _ in over_edit_rate),
            tuple((b, success) for b, _, success in over_budget) if binary else None,
            tuple((e, success) for e, _, success in over_edit_rate) if binary else None,
        )
