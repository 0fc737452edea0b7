"""`embed`: the vectors of a retrieval pool under a model.

Inputs: `model`, `rewrite` (of the pool), `clean` (the vectors of the clean pool, taken over where nothing changed).
Writes `vectors.npy` `(candidates, width)` float32 and `ids.json`.
"""

from __future__ import annotations

import json

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.steps.cells import CellParams, dataset_of, perturbed, predictor_of, record_hardware
from crosswind.steps.parameters import tokens_of


def _run(job: Job[CellParams], worker: Worker) -> str:
    import numpy as np

    data = perturbed(dataset_of(job, job.params.ref), job.inputs.get("rewrite"))
    pool = data.dataset.pool
    assert pool is not None
    vectors = np.zeros((0, 0), dtype=np.float32)
    rows = list(range(len(pool)))
    if "clean" in job.inputs:
        vectors = np.array(np.load(job.inputs["clean"].path / "vectors.npy", allow_pickle=False))
        changed = {c.example.id for c in data.candidates if c.changed}
        rows = [i for i, c in enumerate(pool.candidates) if i >= len(vectors) or c.id in changed]
        # Added candidates stand behind the others.
        vectors = np.concatenate([vectors, np.zeros((len(pool) - len(vectors), vectors.shape[1]), dtype=np.float32)])
    if rows:
        some = [pool.candidates[i] for i in rows]
        fresh = predictor_of(job, worker).embed([c.text for c in some], [c.context for c in some])
        if "clean" in job.inputs:
            vectors[rows] = fresh
        else:
            vectors = fresh
    np.save(job.draft.path / "vectors.npy", vectors, allow_pickle=False)
    ids = [c.id for c in pool.candidates]
    (job.draft.path / "ids.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    record_hardware(job)
    return f"{len(pool)} candidates"


def _cost(params: CellParams) -> float:
    return tokens_of(params.ref) * (len(params.ref.pool_languages) if params.ref.pool_languages else 1)


EMBED: StepKind[CellParams] = StepKind(
    name="embed", version=3, params=CellParams, run=_run, needs=device_needs, cost=_cost, inherits=("model",)
)
