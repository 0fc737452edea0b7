"""`predict`: a cell, a model on a test set under one condition. Its key names no metric.

Inputs: `model` (without it: the base checkpoint), `rewrite`, `pool` (vectors), `clean` (the predictions of the clean
cell: what the rewrites left alone is copied). Writes `predictions.parquet`; its column `same` says which predictions of
a perturbed cell equal the clean ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crosswind.data.examples import Example, Kind, SpanExample
from crosswind.evaluate.predictions import Prediction, read_predictions, write_predictions
from crosswind.run.job import Artifact, Job, PlannedJob, Worker
from crosswind.run.kinds import StepKind, device_needs
from crosswind.steps.carried_back import carries_back, in_original
from crosswind.steps.cells import (
    CellParams,
    model_name,
    predictor_of,
    purification_of,
    record_hardware,
    record_reading,
)
from crosswind.steps.parameters import tokens_of
from crosswind.steps.seen import as_read, as_written, pool_vectors, record_changes, sign_pooling
from crosswind.tasks.base import TASKS

if TYPE_CHECKING:
    from crosswind.perturb.perturbed import PerturbedDataset

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
    written = as_written(job)
    clean, changed = as_read(job, worker)
    data = changed.dataset
    if task.kind == "query":
        predictions, known = _retrieved(job, worker, changed)
        sign_pooling(job, worker)
    else:
        _predict_ahead(job, worker)
        fresh, known = _fresh(job, changed)
        made = dict(zip((e.id for e in fresh), predictor_of(job, worker).predict(fresh), strict=True)) if fresh else {}
        if task.kind == "span":
            made = _in_text(job, worker, written, made)
        predictions = [made[e.id] if e.id in made else known[e.id] for e in data.examples]
        if carries_back(job.params):
            predictions = in_original(job, predictions)
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
    record_changes(job, worker, clean, changed)
    return f"{len(data)} predictions"


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


def _fresh(job: PlannedJob[CellParams], data: PerturbedDataset) -> tuple[list[Example], dict[str, Prediction]]:
    """The examples that a model must see, and the clean predictions by id (nothing for a clean cell)."""
    examples = data.dataset.examples
    if "clean" not in job.inputs:
        return list(examples), {}
    known, changed = _clean(job.inputs["clean"]), data.changed_ids
    if carries_back(job.params):
        return list(examples), known  # a translation may be the same where the text that it is of is not
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
        except (Exception, SystemExit):
            continue  # Its own turn will fail and say why; this step must not.
        if len(gathered) + len(examples) > BATCH_EXAMPLES:
            break
        gathered += examples
        ahead.add(other.step.key)
    if gathered:
        try:
            predictor_of(job, worker).predict(gathered)
        except (Exception, SystemExit):
            predictor_of(job, worker).predict(_gathered(job, worker))  # Another cell's example may be at fault.


def _gathered(job: PlannedJob[CellParams], worker: Worker) -> list[Example]:
    return _fresh(job, as_read(job, worker)[1])[0]


def _retrieved(
    job: Job[CellParams], worker: Worker, data: PerturbedDataset
) -> tuple[list[Prediction], dict[str, Prediction]]:
    """Ranks of the gold candidates; of a query that did not change before a pool that did not, the clean ones."""
    examples, pool = data.dataset.examples, data.dataset.pool
    assert pool is not None
    vectors = pool_vectors(job, pool)
    fresh, known = _fresh(job, data)
    chosen = list(examples) if data.pool_changed else fresh
    made: Sequence[Prediction] = predictor_of(job, worker).predict(chosen, pool, vectors) if chosen else []
    by_id = dict(zip((e.id for e in chosen), made, strict=True))
    return [by_id[e.id] if e.id in by_id else {**known[e.id]} for e in examples], known


PREDICT: StepKind[CellParams] = StepKind(
    name="predict",
    version=6,
    params=CellParams,
    run=_run,
    needs=device_needs,
    cost=lambda params: tokens_of(params.ref),
    inherits=("model", "rewrite", "translated"),
)
