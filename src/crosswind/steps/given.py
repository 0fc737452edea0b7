"""`given`: a cell of which the predictions were made elsewhere: read from a file, checked, kept like any others.

Inputs: `rewrite` (of a perturbed cell), `clean` (the predictions of the clean cell). Writes `predictions.parquet` as
`predict` does. The context names the files (`predictions`); their hash is part of the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crosswind.data.examples import Dataset, Example, text_fields
from crosswind.evaluate.differing import compared
from crosswind.evaluate.given import GivenCondition, GivenPredictions, read_given, take_predictions
from crosswind.evaluate.predictions import read_predictions, write_predictions
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.cells import dataset_of, perturbed
from crosswind.steps.predict import SAME
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef

_COLUMN = "results have a column for it"


@dataclass(frozen=True)
class GivenParams:
    """The data and the condition that the predictions are of, as the files call it."""

    ref: DataRef = unsigned(_COLUMN)
    condition: str = unsigned(_COLUMN, "clean")
    draw: int = unsigned(_COLUMN, 0)
    protection: str = unsigned("the rewrite signs it", "none")


def _run(job: Job[GivenParams], worker: Worker) -> str:
    params = job.params
    task = TASKS[params.ref.task]
    paths = tuple(job.world["predictions"])
    given: GivenPredictions = worker.get(
        "given", (paths, job.data["predictions"]), lambda: read_given([*map(Path, paths)])
    )
    clean = dataset_of(job, params.ref)
    changed = perturbed(clean, job.inputs.get("rewrite"))
    data = changed.dataset
    wanted = GivenCondition(task.name, params.ref.language, params.condition, params.draw, params.protection)
    rows = given.of(wanted)
    taken = take_predictions(rows, data, task, others=_others(job, len(rows) > len(data)))
    predictions = [*taken.predictions]
    if "clean" in job.inputs:
        before = read_predictions(job.inputs["clean"].path / "predictions.parquet")[1]
        column = SAME[task.kind]
        for i, (now, then) in enumerate(zip(predictions, before, strict=True)):
            first = slice(1) if task.kind == "query" else slice(None)
            a, b = now[column], then[column]
            same = a == b if not isinstance(a, list) else a[first] == list(b)[first]
            predictions[i] = {**now, "same": same}
    write_predictions(job.draft.path / "predictions.parquet", [e.id for e in data.examples], predictions)
    job.sign("predictions", "given")
    for note in taken.notes:
        job.note(note)
    job.fact("n", len(data))
    job.fact("unanswered", taken.unanswered)
    if "rewrite" in job.inputs:
        job.fact("changed_items", float(job.inputs["rewrite"].facts.get("changed", changed.changed_share)))
        job.fact("changed_tokens", _changed_words(clean, data))
        for name, value in job.inputs["rewrite"].facts.get("damage", {}).items():
            job.fact(name, value)
        job.note("Without a tokenizer, the share of changed tokens is that of words between blanks.")
    return f"{len(data)} predictions"


def _others(job: Job[GivenParams], more: bool) -> Sequence[Example]:
    """The items of the whole split, where only some are evaluated and the file has more."""
    ref = job.params.ref
    whole = replace(ref.undrawn, rows=None)
    return dataset_of(job, whole).examples if more and whole != ref else ()


def _changed_words(clean: Dataset, changed: Dataset) -> float:
    """The share of the words between blanks that differ from the clean ones; of the pool's, if that is larger."""
    share = compared((_words(a), _words(b)) for a, b in zip(clean.examples, changed.examples, strict=True)).share
    if clean.pool is None or changed.pool is None:
        return share
    after = changed.pool.candidates[: len(clean.pool)]  # behind them stand added ones
    pairs = zip(clean.pool.candidates, after, strict=True)
    return max(share, compared((a.text.split(), b.text.split()) for a, b in pairs).share)


def _words(example: Example) -> list[str]:
    return " ".join(text_fields(example).values()).split()


TAKEN: StepKind[GivenParams] = StepKind(name="given", version=1, params=GivenParams, run=_run, inherits=("rewrite",))
