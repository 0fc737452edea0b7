"""What predicting and mining share: what a model reads, the vectors of a pool, how they were pooled, what changed."""

from __future__ import annotations

import json
from dataclasses import replace
from time import process_time
from typing import TYPE_CHECKING

from crosswind.data.examples import Dataset, Pool
from crosswind.errors import UserError
from crosswind.run.job import Job, PlannedJob, Worker
from crosswind.steps.cells import (
    CellParams,
    dataset_of,
    differing,
    model_name,
    perturbed,
    predictor_of,
    purification_of,
)
from crosswind.steps.translate import MADE, made_dataset

if TYPE_CHECKING:
    from crosswind.evaluate.grid import Floats
    from crosswind.perturb.perturbed import PerturbedDataset

PURIFY_SECONDS = "purify_seconds"  # a fact: processor time of the input defences of a step
CLEAN_SETS = 8  # test sets whose clean tokens a worker keeps


def as_written(job: PlannedJob[CellParams]) -> PerturbedDataset:
    """The test set as it is written, with its rewrites."""
    return _clean_and_changed(job)[1]


def as_read(job: PlannedJob[CellParams], worker: Worker) -> tuple[Dataset, PerturbedDataset]:
    """The clean and the perturbed test set as the model reads them, behind its input defences."""
    clean, changed = _clean_and_changed(job)
    purification = purification_of(job, worker)
    if purification is None:
        return clean, changed
    begun = process_time()
    read = purification.dataset(clean), replace(changed, dataset=purification.dataset(changed.dataset))
    if isinstance(job, Job):
        job.fact(PURIFY_SECONDS, process_time() - begun)
    return read


def _clean_and_changed(job: PlannedJob[CellParams]) -> tuple[Dataset, PerturbedDataset]:
    """The cell's clean data, and as its rewrite left them; of translated data, what they were translated to."""
    ref = job.params.ref
    if ref.made is None or "rewrite" not in job.inputs:
        clean = dataset_of(job, ref)
        return clean, perturbed(clean, None if ref.made else job.inputs.get("rewrite"))
    clean = made_dataset(job.inputs[f"clean {MADE}"], ref)
    return clean, differing(clean, dataset_of(job, ref))


def pool_vectors(job: Job[CellParams], pool: Pool) -> Floats:
    """The vectors `(candidates, width)` of the job's pool, memory-mapped; a `UserError` if they are of another one."""
    import numpy as np

    folder = job.inputs["pool"].path
    vectors: Floats = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
    if ids != [c.id for c in pool.candidates]:
        raise UserError(
            f"the pool of {job.step.label} differs from its languages' common pool",
            where=job.params.ref.task,
            hint="choose rows that hold the same items in every language",
        )
    return vectors


def sign_pooling(job: Job[CellParams], worker: Worker) -> None:
    """Sign how texts became vectors, and on what data the layer was chosen, if it was."""
    pooling = predictor_of(job, worker).head.pooling
    assert pooling is not None
    job.sign("pooling", pooling.mode)
    job.sign("layer", "last" if pooling.layer is None else pooling.layer)
    job.sign("prefix", pooling.prefix or None)
    languages = job.params.ref.pool_languages
    job.sign("pool_languages", ",".join(languages) if languages else None)
    if "layer" in job.inputs:
        job.sign("layer chosen on", job.inputs["layer"].facts["data"])


def record_changes(job: Job[CellParams], worker: Worker, clean: Dataset, changed: PerturbedDataset) -> None:
    """Record how much a rewrite changed, of the items and of what the model sees, and what damage it did."""
    if "rewrite" not in job.inputs:
        return
    facts = job.inputs["rewrite"].facts
    job.fact("changed_items", float(facts.get("changed", changed.changed_share)))
    share, unknown = _changed_tokens(job, worker, clean, changed)
    job.fact("changed_tokens", share)
    job.fact("unknown_tokens", unknown)
    for name, value in facts.get("damage", {}).items():
        job.fact(name, value)


def _changed_tokens(
    job: Job[CellParams], worker: Worker, clean: Dataset, changed: PerturbedDataset
) -> tuple[float, float]:
    """The share of the tokens that the model sees that differ from the clean ones (of the pool's, if that is larger),
    and by how much the share of unknown tokens among those of the examples grew."""
    from crosswind.evaluate.seen import compared, tokens_seen, unknown_share

    share = unknown = 0.0
    if ids := changed.changed_ids:
        predictor = predictor_of(job, worker)
        parameters = job.params
        reading = (parameters.query_length, parameters.purify, parameters.ref, job.step.inputs.get(f"clean {MADE}"))
        name = (*model_name(job), *reading)
        before = worker.get("clean tokens", name, lambda: tokens_seen(predictor, clean.examples), most=CLEAN_SETS)
        fresh = {e.id: e for e in changed.dataset.examples if e.id in ids}
        after = dict(zip(fresh, tokens_seen(predictor, [*fresh.values()]), strict=True))
        now = [after.get(e.id, seen) for e, seen in zip(clean.examples, before, strict=True)]
        share = compared(zip(before, now, strict=True)).share
        unknown = unknown_share(predictor, now) - unknown_share(predictor, before)
    pool = job.inputs.get("pool")
    return (share if pool is None else max(share, float(pool.facts.get("changed_tokens", 0.0)))), unknown
