"""Transfer of adversarial examples in the run folder.

transfer.parquet: a row a model, a source of adversarial examples and a test set, as `report.content.TRANSFER_COLUMNS`
describes; of kinds whose predictions are right or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.condition import FROM, is_transferred
from crosswind.analysis.curve_intervals import flat_sums
from crosswind.attack.goal import BINARY, rightness
from crosswind.data.examples import Example
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predictions import read_predictions
from crosswind.report.content import TRANSFER_COLUMNS
from crosswind.run.store import Store
from crosswind.study.left_out import model_and_set
from crosswind.study.planned import Cell, Plan
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import library

TRANSFER = "transfer.parquet"


def transfer_table(plan: Plan, cells: Sequence[Cell], store: Store) -> pl.DataFrame:
    """How the adversarial examples of each source do on the other models, of cells that are there."""
    moved = [c for c in cells if is_transferred(c.condition.attack) and TASKS[c.target].kind in BINARY]
    if not moved:
        return pl.DataFrame(schema=TRANSFER_COLUMNS)
    data = library(plan.graph.context["data"])
    attacked = {(*model_and_set(c), c.data, c.condition): c for c in cells if c.condition.attack != "none"}
    clean = {model_and_set(c): c for c in cells if c.condition.clean}
    known: dict[str, dict[str, bool]] = {}

    def right(cell: Cell, examples: Mapping[str, Example]) -> dict[str, bool]:
        if cell.key not in known:
            metric = METRICS[TASKS[cell.target].metric]
            ids, predictions = read_predictions(store.path(cell.key) / "predictions.parquet")
            known[cell.key] = {
                name: rightness(metric, examples[name], said) > 0
                for name, said in zip(ids, predictions, strict=True)
                if name in examples
            }
        return known[cell.key]

    rows = []
    for cell in moved:
        name, _, source = cell.condition.attack.partition(FROM)
        route, _, seed = source.rpartition("/")
        from_source = replace(cell, route=route, seed=int(seed), condition=replace(cell.condition, attack=name))
        attacked_source = attacked.get((*model_and_set(from_source), from_source.data, from_source.condition))
        before, of_source = clean.get(model_and_set(cell)), clean.get(model_and_set(from_source))
        if attacked_source is None or before is None or of_source is None:
            continue
        examples = {e.id: e for e in data.dataset(cell.data).examples}
        after, source_after = right(cell, examples), right(attacked_source, examples)
        was, source_was = right(before, examples), right(of_source, examples)
        both = [i for i in after if was.get(i) and source_was.get(i)]
        broken = [i for i in both if not source_after[i]]
        statistics = pl.read_parquet(store.path(cell.judged[0][1]) / "statistics.parquet", columns=["id", "cluster"])
        cluster_of = dict(zip(statistics["id"], statistics["cluster"], strict=True))
        # Of clusters without such an example the share says nothing.
        points = np.array([[float(not after[i]), 1.0] for i in broken]).reshape(-1, 2)
        clusters, sums = flat_sums([points], [cluster_of[i] for i in broken])
        row: dict[str, Any] = {
            **cell.attack_columns,
            "source_route": route,
            "source_seed": int(seed),
            "target": cell.target,
            "language": cell.data.language,
            "attack": name,
            "budget": cell.condition.budget,
            "n": len(after),
            "both_right": len(both),
            "broken": len(broken),
            "transferred": int(points[:, 0].sum()),
            "clusters": clusters,
            "sums": sums,
        }
        rows.append(row)
    return pl.DataFrame(rows, schema=TRANSFER_COLUMNS)
