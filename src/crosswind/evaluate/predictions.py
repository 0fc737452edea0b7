"""What a prediction holds, and where predictions are stored; nothing here needs a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

Prediction = dict[str, Any]
"""One prediction. pair, choice: `predicted` (index; -1: none of the task's classes), `scores`; tagging: `tags`;
span: `text`, `start`, `end` (characters of the context), `score`; query: `top` (candidate ids, best first),
their `scores`, `ranks` (of the gold candidates, from 1), `pool` (the number of candidates); of mining `top` is the
mined candidate, if any, `scores` its margin, and there are no `ranks`."""


def write_predictions(path: Path, ids: Sequence[str], predictions: Sequence[Prediction]) -> None:
    """Write predictions as Parquet, one row an example: its `id`, then what the prediction holds."""
    rows = [{"id": name, **prediction} for name, prediction in zip(ids, predictions, strict=True)]
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)


def read_predictions(path: Path) -> tuple[list[str], list[Prediction]]:
    """The ids and predictions that `write_predictions` wrote, in order."""
    rows = list(pl.read_parquet(path).iter_rows(named=True))
    return [str(row.pop("id")) for row in rows], rows
