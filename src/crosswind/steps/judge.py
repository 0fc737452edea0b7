"""`judge`: the statistics of stored predictions under a metric; needs no model.

Inputs: `predictions`, `rewrite` (of the same cell: gold answers move with their texts), `dev` (predictions on which the
metric fits what it needs, such as a threshold). Writes `statistics.parquet`: one row an item, its cluster and columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from crosswind.run.job import Artifact, Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.cells import dataset_of, perturbed
from crosswind.steps.predict import PREDICT
from crosswind.tasks.base import TASKS


@dataclass(frozen=True)
class JudgeParams:
    """The registered metric and its version, which a metric signs itself."""

    metric: str = unsigned("a metric signs its own name")
    metric_version: int = unsigned("a metric signs its own version")


def _run(job: Job[JudgeParams], worker: Worker) -> str:
    from crosswind.evaluate.judge import judge_predictions
    from crosswind.evaluate.predictions import read_predictions

    def examples_and_predictions(artifact: Artifact, rewrite: Artifact | None):  # type: ignore[no-untyped-def]
        ref = PREDICT.load(artifact.params).ref
        data, _ = perturbed(dataset_of(job, ref), rewrite)
        return data.examples, read_predictions(artifact.path / "predictions.parquet")[1]

    predictions = job.inputs["predictions"]
    ref = PREDICT.load(predictions.params).ref
    task = TASKS[ref.task]
    dev = examples_and_predictions(job.inputs["dev"], None) if "dev" in job.inputs else None
    examples, made = examples_and_predictions(predictions, job.inputs.get("rewrite"))
    judged = judge_predictions(task, job.params.metric, examples, made, dev=dev)
    columns = {name: judged.statistics[:, i] for i, name in enumerate(judged.metric.columns)}
    frame = pl.DataFrame({"id": list(judged.ids), "cluster": list(judged.clusters), **columns})
    frame.write_parquet(job.draft.path / "statistics.parquet")
    for name, value in judged.facts().items():
        job.fact(name, value)
    job.fact("context_language", getattr(examples[0], "context_language", "") or "")
    return f"{judged.metric.headline} {judged.facts()['scores'][judged.metric.headline]:.1f}"


JUDGE: StepKind[JudgeParams] = StepKind(
    name="judge", version=1, params=JudgeParams, run=_run, inherits=("predictions",)
)
