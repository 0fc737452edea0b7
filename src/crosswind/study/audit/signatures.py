"""Whether the scores of one target and metric were made in one way."""

from __future__ import annotations

import polars as pl

from crosswind.evaluate.metrics.base import unfitted
from crosswind.study.audit import AuditedRun, Review, Shown, several

# All that tells cells apart but what is compared: route, defence and seed; and the draw, which is no setting.
_CELL = ("target", "metric", "key", "language", "context_language", "split", "rows", "selection", "perturbation",
         "severity", "protection", "attack", "budget")  # fmt: skip


def _look(run: AuditedRun) -> Shown:
    bare = pl.col("signature").map_elements(unfitted, return_dtype=pl.String)
    counted = run.run.rows.group_by(_CELL).agg(bare.n_unique().alias("ways"))
    mixed = counted.filter(pl.col("ways") > 1)["target"].unique().sort().to_list()
    if mixed:
        return Shown(False, f"scores of one cell have several signatures: {several(mixed)}")
    return Shown(True, f"{len(counted)} cells, each scored in one way under all routes and seeds")


SIGNATURES = Review("signatures", "Are the scores that are compared signed alike?", _look)
