"""`embed`: the vectors of a retrieval pool under a model.

Inputs: `model`, `rewrite` (of the pool), `clean` (the vectors of the clean pool, taken over where nothing changed).
Writes `vectors.npy` `(candidates, width)` float32 and `ids.json`.
"""

from __future__ import annotations

import json

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.steps.cells import CellParams, dataset_of, perturbed, predictor_of, record_hardware, record_reading
from crosswind.steps.parameters import tokens_of


def _run(job: Job[CellParams], worker: Worker) -> str:
    from crosswind.evaluate.cuts import count_pool_cuts
    from crosswind.evaluate.predict import embed_again, embed_pool

    data = perturbed(dataset_of(job, job.params.ref), job.inputs.get("rewrite"))
    pool = data.dataset.pool
    assert pool is not None
    vectors = job.draft.path / "vectors.npy"
    predictor = predictor_of(job, worker)
    if "clean" in job.inputs:
        changed = {c.example.id for c in data.candidates if c.changed}
        embed_again(predictor, pool, changed, job.inputs["clean"].path / "vectors.npy", vectors)
    else:
        embed_pool(predictor, pool, vectors)
    ids = [c.id for c in pool.candidates]
    (job.draft.path / "ids.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    record_reading(job, predictor, count_pool_cuts(predictor, pool))
    record_hardware(job)
    return f"{len(pool)} candidates"


def _cost(params: CellParams) -> float:
    return tokens_of(params.ref) * (len(params.ref.pool_languages) if params.ref.pool_languages else 1)


EMBED: StepKind[CellParams] = StepKind(
    name="embed", version=5, params=CellParams, run=_run, needs=device_needs, cost=_cost, inherits=("model",)
)
