"""Attack curves in the run folder: what each attacked test set scores within so many queries.

attacks.parquet: a row a cell and number of queries, as `report.content.CURVE_COLUMNS` describes. The score is the
task's metric over the attacked examples, so that the last one is the A' of the results.
attack_sums.parquet: a row a curve, as `report.content.CURVE_SUM_COLUMNS` describes: what the intervals of its points
are made of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from crosswind.analysis.attack_points import AttackCurves
from crosswind.analysis.condition import is_control, is_transferred
from crosswind.analysis.curve_intervals import SUCCESS, flat_sums
from crosswind.attack.goal import BINARY
from crosswind.evaluate.metrics.base import METRICS
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
        curves = whole.read(cell.condition.budget, TASKS[cell.target].kind in BINARY)
        for at, score in curves["over_budget"].points(metric):
            rows.append({**common, "at": at, "score": score})
        clusters = [cluster_of[name] for name in outcomes["id"]]
        judged = cell.judged[0][1]
        for name, curve in curves.items():
            names, numbers = flat_sums(curve.statistics, clusters)
            statistic = SUCCESS if curve.success else metric.name
            of_curve = {"curve": name, "at": [*map(float, curve.at)], "statistic": statistic}
            of_clusters = {"clusters": names, "sums": numbers, "cell": judged, "given": judged in given}
            sums.append({**common, **of_curve, **of_clusters})
    return pl.DataFrame(rows, schema=CURVE_COLUMNS), pl.DataFrame(sums, schema=CURVE_SUM_COLUMNS)
