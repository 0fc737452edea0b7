"""Attack curves in the run folder: what each attacked test set scores within so many queries.

attacks.parquet: a row a cell and number of queries, as `report.content.CURVE_COLUMNS` describes. The score is the
task's metric over the attacked examples, so that the last one is the A' of the results.
attack_sums.parquet: a row a curve, as `report.content.CURVE_SUM_COLUMNS` describes: what the intervals of its points
are made of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crosswind.analysis.attack_points import EDIT_RATES, AttackCurves, budgets
from crosswind.analysis.condition import is_control, is_transferred
from crosswind.analysis.curve_intervals import SUCCESS, flat_sums
from crosswind.attack.goal import BINARY
from crosswind.evaluate.metrics.base import METRICS, Array
from crosswind.report.content import CURVE_COLUMNS, CURVE_SUM_COLUMNS
from crosswind.run.store import Store
from crosswind.steps.attack import OUTCOMES
from crosswind.study.left_out import model_and_set
from crosswind.study.planned import Cell
from crosswind.tasks.base import TASKS

CURVES = "attacks.parquet"
CURVE_SUMS = "attack_sums.parquet"


def attack_curves(
    cells: Sequence[Cell], store: Store, given: Collection[str] = ()
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The curves of the attacked cells, of what their attack steps stored and the statistics of their clean cells; and
    the sums of these curves by cluster. `given` are judged cells of models that nothing was trained for."""
    rows: list[Mapping[str, Any]] = []
    sums: list[Mapping[str, Any]] = []
    clean = {model_and_set(cell): cell for cell in cells if cell.condition.clean}
    for cell in cells:
        attack = cell.condition.attack
        before = clean.get(model_and_set(cell))
        if attack == "none" or is_transferred(attack) or not cell.rewrite or before is None:
            continue
        path = store.path(cell.rewrite) / OUTCOMES
        if not path.exists():
            continue
        outcomes = pl.read_parquet(path)
        metric = METRICS[cell.judged[0][0]]
        statistics = pl.read_parquet(store.path(before.judged[0][1]) / "statistics.parquet")
        of_items = dict(zip(statistics["id"], statistics.select(metric.columns).to_numpy(), strict=True))
        cluster_of = dict(zip(statistics["id"], statistics["cluster"], strict=True))
        if not set(outcomes["id"]) <= of_items.keys():
            continue
        whole = AttackCurves(outcomes, [of_items[name] for name in outcomes["id"]])
        common = {
            **cell.attack_columns,
            "target": cell.target,
            "language": cell.data.language,
            "attack": attack,
            "control": is_control(attack),
            "budget": cell.condition.budget,
            "n": len(outcomes),
        }
        for at in (0, *budgets(cell.condition.budget)):
            rows.append({**common, "at": at, "score": whole.score(metric, at)})
        clusters = [cluster_of[name] for name in outcomes["id"]]
        judged = cell.judged[0][1]
        for curve, at_points, statistic, points in _curves(whole, cell, metric.name):
            names, numbers = flat_sums(points, clusters)
            of_curve = {"curve": curve, "at": at_points, "statistic": statistic, "clusters": names, "sums": numbers}
            sums.append({**common, **of_curve, "cell": judged, "given": judged in given})
    return pl.DataFrame(rows, schema=CURVE_COLUMNS), pl.DataFrame(sums, schema=CURVE_SUM_COLUMNS)


def _curves(whole: AttackCurves, cell: Cell, metric: str) -> Iterator[tuple[str, list[float], str, list[Array]]]:
    """Each curve of an attacked test set: its name, where it is read, of what, and the statistics of the items there.

    Success without a query or an edit is 0 by definition: no point of it.
    """
    most = cell.condition.budget
    asked = [0, *budgets(most)]
    by_budget = [whole.within(b) for b in asked]
    yield "over_budget", [float(b) for b in asked], metric, [statistics for statistics, _ in by_budget]
    within = [whole.within(most, rate) for rate in EDIT_RATES]
    yield "over_edit_rate", [0.0, *EDIT_RATES], metric, [whole.clean, *(statistics for statistics, _ in within)]
    right = whole.right > 0
    if TASKS[cell.target].kind not in BINARY or not right.any():
        return

    def broken(after: NDArray[Any]) -> Array:
        return np.stack([right & (after <= 0), right], axis=1).astype(np.float64)

    yield "success_over_edit_rate", [*EDIT_RATES], SUCCESS, [broken(after) for _, after in within]
    yield "success_over_budget", [float(b) for b in asked[1:]], SUCCESS, [broken(after) for _, after in by_budget[1:]]
