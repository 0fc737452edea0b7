"""`embed`: the vectors of a retrieval pool under a model.

Inputs: `model`, `rewrite` (of the pool), `clean` (the vectors of the clean pool, taken over where nothing changed).
Writes `vectors.npy` `(candidates, width)` float32 and `ids.json`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from time import process_time
from typing import TYPE_CHECKING

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.steps.cells import (
    CellParams,
    dataset_of,
    perturbed,
    predictor_of,
    purification_of,
    record_hardware,
    record_reading,
)
from crosswind.steps.parameters import tokens_of
from crosswind.steps.seen import PURIFY_SECONDS

if TYPE_CHECKING:
    from crosswind.data.examples import Dataset
    from crosswind.evaluate.predict import Predictor
    from crosswind.perturb.perturbed import PerturbedDataset


def _run(job: Job[CellParams], worker: Worker) -> str:
    from crosswind.evaluate.cuts import count_pool_cuts
    from crosswind.evaluate.predict import embed_again, embed_pool

    clean = dataset_of(job, job.params.ref)
    data = perturbed(clean, job.inputs.get("rewrite"))
    purification = purification_of(job, worker)
    if purification is not None:
        begun = process_time()
        clean, data = purification.dataset(clean), replace(data, dataset=purification.dataset(data.dataset))
        job.fact(PURIFY_SECONDS, process_time() - begun)
    pool = data.dataset.pool
    assert pool is not None
    vectors = job.draft.path / "vectors.npy"
    predictor = predictor_of(job, worker)
    if "clean" in job.inputs:
        changed = {c.example.id for c in data.candidates if c.changed}
        embed_again(predictor, pool, changed, job.inputs["clean"].path / "vectors.npy", vectors)
        job.fact("changed_tokens", _changed_tokens(predictor, clean, data))
    else:
        embed_pool(predictor, pool, vectors)
    ids = [c.id for c in pool.candidates]
    (job.draft.path / "ids.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")
    record_reading(job, predictor, count_pool_cuts(predictor, pool))
    record_hardware(job)
    return f"{len(pool)} candidates"


def _changed_tokens(predictor: Predictor, clean: Dataset, changed: PerturbedDataset) -> float:
    """The share of the pool's tokens that differ from the clean ones; all of an added candidate's do."""
    from crosswind.evaluate.seen import compared, tokens_embedded

    assert clean.pool is not None
    assert changed.dataset.pool is not None
    before = clean.pool.candidates
    after = changed.dataset.pool.candidates
    ids = {c.example.id for c in changed.candidates if c.changed}
    tokens = tokens_embedded(predictor, before)
    fresh = [c for i, c in enumerate(after) if i >= len(before) or c.id in ids]
    replaced = dict(zip((c.id for c in fresh), tokens_embedded(predictor, fresh), strict=True))
    kept = [(seen, replaced.get(c.id, seen)) for c, seen in zip(before, tokens, strict=True)]
    return compared([*kept, *(((), replaced[c.id]) for c in after[len(before) :])]).share


def _cost(params: CellParams) -> float:
    return tokens_of(params.ref) * (len(params.ref.pool_languages) if params.ref.pool_languages else 1)


EMBED: StepKind[CellParams] = StepKind(
    name="embed", version=5, params=CellParams, run=_run, needs=device_needs, cost=_cost, inherits=("model",)
)
