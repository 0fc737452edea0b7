"""Attack curves in the run folder: what each attacked test set scores within so many queries.

attacks.parquet: a row a cell and number of queries, as `report.content.CURVE_COLUMNS` describes. The score is the
task's metric over the attacked examples, so that the last one is the A' of the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from crosswind.analysis.attacked import AttackCurves, budgets
from crosswind.analysis.condition import is_control, is_transferred
from crosswind.evaluate.metrics.base import METRICS
from crosswind.report.content import CURVE_COLUMNS
from crosswind.run.store import Store
from crosswind.steps.attack import OUTCOMES
from crosswind.study.left_out import model_and_set
from crosswind.study.planned import Cell

CURVES = "attacks.parquet"


def attack_curves(cells: Sequence[Cell], store: Store) -> pl.DataFrame:
    """The curves of the attacked cells, of what their attack steps stored and the statistics of their clean cells."""
    rows: list[Mapping[str, Any]] = []
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
    return pl.DataFrame(rows, schema=CURVE_COLUMNS)
