"""`predict`: a cell, a model on a test set under one condition. Its key names no metric.

Inputs: `model` (without it: the base checkpoint), `rewrite`, `pool` (vectors), `clean` (the predictions of the clean
cell: what the rewrites left alone is copied). Writes `predictions.parquet`; its column `same` says which predictions of
a perturbed cell equal the clean ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crosswind.data.examples import Dataset, Example, Kind, Pool, SpanExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction, read_predictions, write_predictions
from crosswind.run.job import Artifact, Job, PlannedJob, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.steps.cells import (
    CellParams,
    dataset_of,
    differing,
    model_name,
    perturbed,
    predictor_of,
    purification_of,
    record_hardware,
    record_reading,
)
from crosswind.steps.parameters import tokens_of
from crosswind.steps.translate import MADE, made_dataset
from crosswind.tasks.base import TASKS

if TYPE_CHECKING:
    import numpy as np

    from crosswind.perturb.perturbed import PerturbedDataset

CLEAN_SETS = 8  # test sets whose clean tokens a worker keeps
BATCH_EXAMPLES = 4000  # cells are predicted together up to this many examples: fuller forward passes

# What of a prediction says that it is the same one.
SAME: Mapping[Kind, str] = {
    "pair": "predicted",
    "choice": "predicted",
    "tagging": "tags",
    "span": "text",
    "query": "top",  # its first candidate
}


def _run(job: Job[CellParams], worker: Worker) -> str:
    from crosswind.evaluate.cuts import count_cuts

    task = TASKS[job.params.ref.task]
    written = _written(job)
    clean, changed = _read(job, worker)
    data = changed.dataset
    if task.kind == "query":
        predictions, known = _retrieved(job, worker, changed)
        _sign_pooling(job, worker)
    else:
        _predict_ahead(job, worker)
        fresh, known = _fresh(job, changed)
        made = dict(zip((e.id for e in fresh), predictor_of(job, worker).predict(fresh), strict=True)) if fresh else {}
        if task.kind == "span":
            made = _in_text(job, worker, written, made)
        predictions = [made[e.id] if e.id in made else known[e.id] for e in data.examples]
    if known:
        column = SAME[task.kind]
        for i, (example, prediction) in enumerate(zip(data.examples, predictions, strict=True)):
            value, before = prediction[column], known[example.id][column]
            same = value[:1] == before[:1] if task.kind == "query" else value == before
            # The predictor remembers its predictions by content: a copy is marked.
            predictions[i] = {**prediction, "same": same}
    write_predictions(job.draft.path / "predictions.parquet", [e.id for e in data.examples], predictions)
    predictor = predictor_of(job, worker)
    record_reading(job, predictor, count_cuts(predictor, data.examples))
    job.sign("threads", 1)
    record_hardware(job)
    job.fact("n", len(data))
    if "rewrite" in job.inputs:
        job.fact("changed_items", float(job.inputs["rewrite"].facts.get("changed", changed.changed_share)))
        share, unknown = _changed_tokens(job, worker, clean, changed)
        job.fact("changed_tokens", share)
        job.fact("unknown_tokens", unknown)
        for name, value in job.inputs["rewrite"].facts.get("damage", {}).items():
            job.fact(name, value)
    return f"{len(data)} predictions"


def _clean_and_changed(job: PlannedJob[CellParams]) -> tuple[Dataset, PerturbedDataset]:
    """The cell's clean data, and as its rewrite left them; of translated data, what they were translated to."""
    ref = job.params.ref
    if ref.made is None or "rewrite" not in job.inputs:
        clean = dataset_of(job, ref)
        return clean, perturbed(clean, None if ref.made else job.inputs.get("rewrite"))
    clean = made_dataset(job.inputs[f"clean {MADE}"], ref)
    return clean, differing(clean, dataset_of(job, ref))


def _written(job: PlannedJob[CellParams]) -> PerturbedDataset:
    """The test set as it is written, with its rewrites."""
    return _clean_and_changed(job)[1]


def _read(job: PlannedJob[CellParams], worker: Worker) -> tuple[Dataset, PerturbedDataset]:
    """The clean and the perturbed test set as the model reads them, behind its input defences."""
    clean, changed = _clean_and_changed(job)
    purification = purification_of(job, worker)
    if purification is None:
        return clean, changed
    return purification.dataset(clean), replace(changed, dataset=purification.dataset(changed.dataset))


def _in_text(
    job: Job[CellParams], worker: Worker, written: PerturbedDataset, made: Mapping[str, Prediction]
) -> dict[str, Prediction]:
    """Answers that were found behind an input defence, in the words of the text as it is written."""
    purification = purification_of(job, worker)
    if purification is None:
        return dict(made)
    placed = dict(made)
    for example in written.dataset.examples:
        prediction = made.get(example.id)
        if prediction is not None and prediction["end"] > prediction["start"]:
            assert isinstance(example, SpanExample)
            text, start, end = purification.answer(example, prediction["start"], prediction["end"])
            placed[example.id] = {**prediction, "text": text, "start": start, "end": end}
    return placed


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


def _fresh(job: PlannedJob[CellParams], data: PerturbedDataset) -> tuple[list[Example], dict[str, Prediction]]:
    """The examples that a model must see, and the clean predictions by id (nothing for a clean cell)."""
    examples = data.dataset.examples
    if "clean" not in job.inputs:
        return list(examples), {}
    known, changed = _clean(job.inputs["clean"]), data.changed_ids
    return [e for e in examples if e.id in changed or e.id not in known], known


def _clean(artifact: Artifact) -> dict[str, Prediction]:
    ids, predictions = read_predictions(artifact.path / "predictions.parquet")
    return dict(zip(ids, predictions, strict=True))


def _predict_ahead(job: Job[CellParams], worker: Worker) -> None:
    """Predict the next cells of the same model and task together with this one.

    Predictions do not depend on their neighbours, so this changes nothing but the time: forward passes are filled
    with rows of several cells instead of dummies.
    """
    ahead: set[str] = worker.get("ahead", model_name(job), set)
    if job.step.key in ahead:
        ahead.discard(job.step.key)
        return
    gathered = _gathered(job, worker)
    for other in worker.ahead(job):
        if model_name(other) != model_name(job):
            continue
        try:
            examples = _gathered(other, worker)
        except Exception:
            continue  # Its own turn will fail and say why; this step must not.
        if len(gathered) + len(examples) > BATCH_EXAMPLES:
            break
        gathered += examples
        ahead.add(other.step.key)
    if gathered:
        try:
            predictor_of(job, worker).predict(gathered)
        except Exception:
            predictor_of(job, worker).predict(_gathered(job, worker))  # Another cell's example may be at fault.


def _gathered(job: PlannedJob[CellParams], worker: Worker) -> list[Example]:
    return _fresh(job, _read(job, worker)[1])[0]


def _retrieved(
    job: Job[CellParams], worker: Worker, data: PerturbedDataset
) -> tuple[list[Prediction], dict[str, Prediction]]:
    """Ranks of the gold candidates; of a query that did not change before a pool that did not, the clean ones."""
    examples, pool = data.dataset.examples, data.dataset.pool
    assert pool is not None
    vectors = _vectors(job, pool)
    fresh, known = _fresh(job, data)
    chosen = list(examples) if data.pool_changed else fresh
    made: Sequence[Prediction] = predictor_of(job, worker).predict(chosen, pool, vectors) if chosen else []
    by_id = dict(zip((e.id for e in chosen), made, strict=True))
    return [by_id[e.id] if e.id in by_id else {**known[e.id]} for e in examples], known


def _vectors(job: Job[CellParams], pool: Pool) -> np.ndarray[Any, Any]:
    import numpy as np

    folder = job.inputs["pool"].path
    vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
    ids = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
    if ids != [c.id for c in pool.candidates]:
        raise UserError(
            f"the pool of {job.step.label} differs from its languages' common pool",
            where=job.params.ref.task,
            hint="choose rows that hold the same items in every language",
        )
    return vectors  # type: ignore[no-any-return]


def _sign_pooling(job: Job[CellParams], worker: Worker) -> None:
    pooling = predictor_of(job, worker).head.pooling
    assert pooling is not None
    job.sign("pooling", pooling.mode)
    job.sign("layer", "last" if pooling.layer is None else pooling.layer)
    job.sign("prefix", pooling.prefix or None)
    languages = job.params.ref.pool_languages
    job.sign("pool_languages", ",".join(languages) if languages else None)


PREDICT: StepKind[CellParams] = StepKind(
    name="predict",
    version=6,
    params=CellParams,
    run=_run,
    needs=device_needs,
    cost=lambda params: tokens_of(params.ref),
    inherits=("model", "rewrite", "translated"),
)
