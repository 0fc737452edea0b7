"""`layer`: which layer of an encoder retrieves best on development data; no test set is looked at.

Inputs: predictions of the development sets, one for each layer and set (`0 0`, `0 1`, …, `1 0`: number of the layer and
of the set). Writes `layer.json`: the layer, as the study names it, and the score of each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import STEPS, StepKind
from crosswind.steps.cells import LAYER, dataset_of


@dataclass(frozen=True)
class LayerParams:
    """The layers to choose from (below 1 a share of the depth), and the metric that decides."""

    layers: tuple[int | float, ...]
    metric: str
    metric_version: int


def development_input(layer: int, dataset: int) -> str:
    """The name of the input that predicts a development set with a layer, both by their numbers."""
    return f"{layer} {dataset}"


def _run(job: Job[LayerParams], worker: Worker) -> str:
    from crosswind.evaluate.judge import fit, judge
    from crosswind.evaluate.metrics.base import METRICS
    from crosswind.evaluate.predictions import read_predictions

    metric = METRICS[job.params.metric]
    scores: list[float] = []
    names: dict[str, None] = {}
    for number in range(len(job.params.layers)):
        values = []
        sets = sorted((int(role.split(" ")[1]), role) for role in job.inputs if role.startswith(f"{number} "))
        for _, role in sets:
            artifact = job.inputs[role]
            ref = STEPS[artifact.kind].load(artifact.params).ref
            names[ref.name] = None
            examples = dataset_of(job, ref).examples
            _, predictions = read_predictions(artifact.path / "predictions.parquet")
            fitted = fit(metric, examples, predictions, where=ref.task)
            statistics = judge(metric, examples, predictions, fitted, where=ref.task).statistics
            values.append(float(metric.score(statistics.sum(axis=0))))
        scores.append(sum(values) / len(values))
    better = max(scores) if metric.better == "higher" else min(scores)
    chosen = job.params.layers[scores.index(better)]
    table = {f"{layer:g}": score for layer, score in zip(job.params.layers, scores, strict=True)}
    value = {"layer": chosen, "metric": metric.headline, "scores": table}
    (job.draft.path / LAYER).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    job.fact("scores", table)
    job.fact("data", ", ".join(names))
    listed = ", ".join(f"{layer} {score:.1f}" for layer, score in table.items())
    job.note(f"Layer {chosen:g} was chosen on {', '.join(names)} by {metric.headline} ({listed}).")
    return f"layer {chosen:g}"


CHOOSE_LAYER: StepKind[LayerParams] = StepKind(name="layer", version=1, params=LayerParams, run=_run)
