"""Whether the scores of one target and metric were made in one way."""

from __future__ import annotations

from functools import partial

import polars as pl

from crosswind.evaluate.metrics.base import unfitted
from crosswind.study.audit import AuditedRun, Review, Shown, several

# All that tells cells apart but what is compared: route, defence and seed; and the draw, which is no setting.
_CELL = ("target", "metric", "key", "language", "context_language", "split", "rows", "selection", "perturbation",
         "severity", "protection", "attack", "budget")  # fmt: skip


_TRAINED = "trained_"
"""Before the names of what a training was signed with, where it differs from what the model is evaluated with."""


def _look(run: AuditedRun) -> Shown:
    rows = run.run.rows.with_columns(
        evaluated=pl.col("signature").map_elements(partial(_parts, trained=False), return_dtype=pl.String),
        trained=pl.col("signature").map_elements(partial(_parts, trained=True), return_dtype=pl.String),
    )
    # A model that nothing was trained for has no settings of a training that could be others.
    phases = run.facts("phases")
    bare = [route for route in rows["route"].unique() if phases and phases.get(route, "") in ("", "0")]
    untrained = (pl.col("selection") == "untuned") & pl.col("route").is_in(bare) & (pl.col("trained") == "")
    counted = rows.group_by(_CELL).agg(
        pl.col("evaluated").n_unique(), pl.col("trained").filter(~untrained).n_unique(), bare=untrained.any()
    )
    mixed = counted.filter((pl.col("evaluated") > 1) | (pl.col("trained") > 1))["target"].unique().sort().to_list()
    if mixed:
        return Shown(False, f"scores of one cell have several signatures: {several(mixed)}")
    apart = counted.filter("bare")["target"].unique().sort().to_list()
    without = f"; nothing was trained for {several(apart)} under {several(bare)}" if apart and bare else ""
    return Shown(True, f"{len(counted)} cells, each scored in one way under all routes and seeds{without}")


def _parts(signature: str, *, trained: bool) -> str:
    """The parts of a signature that are of training, or those that are of evaluation."""
    parts = unfitted(signature).split("|")
    return "|".join(part for part in parts if part.startswith(_TRAINED) == trained)


SIGNATURES = Review("signatures", "Are the scores that are compared signed alike?", _look)
