"""Curves of an attack: the worst text of each example within so many queries and edits, and what is scored there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crosswind.evaluate.metrics.base import Array, Metric, mean_of

EDIT_RATES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0)
"""At which the curve over the edit rate is read."""


@dataclass(frozen=True)
class ReadCurve:
    """One curve of an attack: the limits of queries or edits where it is read, and the statistics `(items, k)` there.

    Of `success` these are (broken, right at first) of each item, of A' the metric's.
    """

    at: tuple[float, ...]
    statistics: tuple[Array, ...]
    success: bool

    def points(self, metric: Metric) -> tuple[tuple[float, float], ...]:
        """(limit, A' or success), in points."""
        score = mean_of(0, 1) if self.success else metric.score
        sums = (statistics.sum(axis=0) for statistics in self.statistics)
        return tuple((at, float(score(of_all))) for at, of_all in zip(self.at, sums, strict=True))


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

    def read(self, budget: int, binary: bool) -> dict[str, ReadCurve]:
        """Every curve up to a budget by its name, at `budgets` and `EDIT_RATES`.

        Those of A' begin with the clean score, at 0. `binary`: there is success too, the share of the initially right
        that are wrong, where any was right; without a query or an edit it is 0 by definition, and no point.
        """
        asked = budgets(budget)
        by_budget = [self.within(queries) for queries in asked]
        by_edits = [self.within(budget, rate) for rate in EDIT_RATES]
        curves = {
            "over_budget": _of_metric(self.clean, asked, by_budget),
            "over_edit_rate": _of_metric(self.clean, EDIT_RATES, by_edits),
        }
        right = self.right > 0
        if binary and right.any():
            curves["success_over_budget"] = _of_success(right, asked, by_budget)
            curves["success_over_edit_rate"] = _of_success(right, EDIT_RATES, by_edits)
        return curves


_Worst = Sequence[tuple[Array, NDArray[Any]]]


def _of_metric(clean: Array, at: Sequence[float], worst: _Worst) -> ReadCurve:
    return ReadCurve((0, *at), (clean, *(statistics for statistics, _ in worst)), success=False)


def _of_success(right: NDArray[Any], at: Sequence[float], worst: _Worst) -> ReadCurve:
    broken = (np.stack([right & (after <= 0), right], axis=1).astype(np.float64) for _, after in worst)
    return ReadCurve(tuple(at), tuple(broken), success=True)
