"""Attack curves in the run folder: how right each attacked test set is within so many queries.

attacks.parquet: a row a cell and number of queries, as `report.content.CURVE_COLUMNS` describes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from crosswind.analysis.attacked import budgets
from crosswind.analysis.condition import is_control, is_transferred
from crosswind.report.content import CURVE_COLUMNS
from crosswind.run.store import Store
from crosswind.steps.attack import OUTCOMES
from crosswind.study.planned import Cell

CURVES = "attacks.parquet"


def attack_curves(cells: Sequence[Cell], store: Store) -> pl.DataFrame:
    """The curves of the attacked cells, of what their attack steps stored."""
    rows: list[Mapping[str, Any]] = []
    for cell in cells:
        attack = cell.condition.attack
        if attack == "none" or is_transferred(attack) or not cell.rewrite:
            continue
        path = store.path(cell.rewrite) / OUTCOMES
        if not path.exists():
            continue
        outcomes = pl.read_parquet(path)
        points = [json.loads(text) for text in outcomes["curve"]]
        curves = list(zip(outcomes["clean_right"].to_list(), points, strict=True))
        common = {
            "route": cell.route,
            "defence": cell.defence,
            "target": cell.target,
            "language": cell.data.language,
            "attack": attack,
            "control": is_control(attack),
            "pipeline_seed": cell.seed,
            "budget": cell.condition.budget,
            "n": len(outcomes),
        }
        for at in (0, *budgets(cell.condition.budget)):
            rows.append({**common, "at": at, "right": _rightness(curves, at)})
    return pl.DataFrame(rows, schema=CURVE_COLUMNS)


def _rightness(curves: Sequence[tuple[float, Sequence[Sequence[Any]]]], queries: int) -> float:
    """The mean rightness in points of all examples, each under its worst text within so many queries."""
    total: float = sum(min([right, *(p[2] for p in points if p[0] <= queries)]) for right, points in curves)
    return 100 * total / max(1, len(curves))
