"""`mine`: the translations that a model finds for the sentences of a test set among those of its pool.

Inputs: `model` (without it: the base checkpoint), `rewrite`, `pool` (vectors), `clean` (the clean cell), `layer` (a
choice of one). Writes `predictions.parquet`: of every source-side sentence the candidate that it is paired with, if
any, and the margin. Which margins count is no business of mining: a metric fits that on development data.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from crosswind.data.examples import Dataset, QueryExample
from crosswind.evaluate.predictions import Prediction, read_predictions, write_predictions
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.steps.cells import (
    CellParams,
    predictor_of,
    record_hardware,
    record_reading,
)
from crosswind.steps.parameters import tokens_of
from crosswind.steps.seen import as_read, pool_vectors, record_changes, sign_pooling

if TYPE_CHECKING:
    from crosswind.evaluate.grid import Floats
    from crosswind.evaluate.mining import Unified
    from crosswind.evaluate.predict import Predictor
    from crosswind.model.offsets import Ints

COPY_ROWS = 16_384  # vectors that are copied at once


@dataclass(frozen=True)
class MineParams(CellParams):
    """How a cell is read, and mined: the ratio margin over so many neighbours (XTREME's run_bucc2018.sh: 4)."""

    neighbours: int = 4


def _run(job: Job[MineParams], worker: Worker) -> str:
    from crosswind.evaluate.cuts import count_cuts
    from crosswind.evaluate.mining import MARGIN

    cell = cast("Job[CellParams]", job)  # what mining adds is read in `_mined` alone
    clean, changed = as_read(cell, worker)
    data = changed.dataset
    assert data.pool is not None
    predictions = _mined(job, predictor_of(cell, worker), pool_vectors(cell, data.pool), data)
    if "clean" in job.inputs:
        _, before = read_predictions(job.inputs["clean"].path / "predictions.parquet")
        same = [p["top"] == b["top"] for p, b in zip(predictions, before, strict=True)]
        predictions = [{**p, "same": s} for p, s in zip(predictions, same, strict=True)]
    write_predictions(job.draft.path / "predictions.parquet", [e.id for e in data.examples], predictions)
    predictor = predictor_of(cell, worker)
    sign_pooling(cell, worker)
    job.sign("margin", MARGIN)
    record_reading(cell, predictor, count_cuts(predictor, data.examples))
    job.sign("threads", 1)
    record_hardware(cell)
    job.fact("n", len(data))
    record_changes(cell, worker, clean, changed)
    return f"{sum(bool(p['top']) for p in predictions)} pairs"


def _mined(job: Job[MineParams], predictor: Predictor, vectors: Floats, data: Dataset) -> list[Prediction]:
    """Of each example the mined candidate and its margin; texts that stand more than once are in no pair."""
    from crosswind.evaluate.mining import Unified, mine
    from crosswind.evaluate.predict import embed_texts
    from crosswind.model.rows import query_text

    assert data.pool is not None
    candidates = data.pool.candidates
    texts = [query_text(e) for e in data.examples if isinstance(e, QueryExample)]
    sources, targets = Unified.of(texts), Unified.of([c.text for c in candidates])
    files = [job.partial / name for name in ("sources.npy", "targets.npy")]
    job.report(0, 2, "embedding")
    x = embed_texts(predictor, [texts[i] for i in sources.first], files[0], predictor.query_length)
    y = vectors if len(targets.first) == len(candidates) else _chosen(vectors, targets.first, files[1])
    job.report(1, 2, "mining")
    pairs = mine(x, y, job.params.neighbours)
    kept = [p for p in pairs if sources.single[p.source] and targets.single[p.target]]
    _note_repeated(job, len(pairs) - len(kept), sources, targets)
    predictions: list[Prediction] = [
        {"top": [], "scores": [], "ranks": [], "pool": len(candidates)} for _ in data.examples
    ]
    for pair in kept:
        slot = predictions[int(sources.first[pair.source])]
        slot |= {"top": [candidates[int(targets.first[pair.target])].id], "scores": [pair.margin]}
    del x, y
    for path in files:
        path.unlink(missing_ok=True)
    return predictions


def _chosen(vectors: Floats, rows: Ints, path: Path) -> Floats:
    """Some of the vectors, written to a file and memory-mapped: a pool of a million is not copied into memory."""
    import numpy as np

    file: Any = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(len(rows), vectors.shape[1]))
    for start in range(0, len(rows), COPY_ROWS):
        part = rows[start : start + COPY_ROWS]
        file[start : start + len(part)] = vectors[part]
    file.flush()
    chosen: Floats = np.load(path, mmap_mode="r", allow_pickle=False)
    return chosen


def _note_repeated(job: Job[MineParams], dropped: int, sources: Unified, targets: Unified) -> None:
    repeated = [int((~side.single).sum()) for side in (sources, targets)]
    if any(repeated):
        job.note(
            f"{repeated[0]:,} source and {repeated[1]:,} target texts stand there more than once: nothing says which "
            f"sentence is meant, so {dropped:,} mined pairs of them are left out (as in XTREME's script)."
        )


MINE: StepKind[MineParams] = StepKind(
    name="mine",
    version=1,
    params=MineParams,
    run=_run,
    needs=device_needs,
    cost=lambda params: 2 * tokens_of(params.ref),
    inherits=("model", "rewrite"),
)
