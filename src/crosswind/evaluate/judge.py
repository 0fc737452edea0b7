"""From stored predictions to statistics: what every metric may rely on, and what it must give. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from crosswind.data.examples import (
    Example,
    Kind,
    is_labelled,
    kind_of,
)
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, Judged, Metric
from crosswind.evaluate.predictions import Prediction
from crosswind.tasks.base import Task


def judge(
    metric: Metric,
    examples: Sequence[Example],
    predictions: Sequence[Prediction],
    fitted: Mapping[str, float] | None = None,
    *,
    where: str,
) -> Judged:
    """The metric's statistics of these predictions, which are in the order of the examples.

    `fitted` is what `fit` gave on development data, for a metric that has one. `where` names the
    task in errors. Raises `UserError` where a gold label is missing, where the metric cannot judge
    such examples, where it lacks what must be fitted, and where it gives no statistics.
    """
    _require_judgeable(metric, examples, predictions, where)
    if metric.fit is not None and not fitted:
        raise UserError(
            f"the metric {metric.name!r} needs what is fitted on development data",
            where=where,
            hint="name a development split of the task",
        )
    judged = metric.judge(examples, predictions, dict(fitted or {}))
    _require_statistics(metric, judged, where)
    return judged


def fit(
    metric: Metric, examples: Sequence[Example], predictions: Sequence[Prediction], *, where: str
) -> dict[str, float]:
    """What the metric fits on development data (a threshold), as numbers by name; empty for most metrics.

    Raises `UserError` as `judge` does, and where a fitted number is not finite.
    """
    if metric.fit is None:
        return {}
    _require_judgeable(metric, examples, predictions, where)
    fitted = {name: float(value) for name, value in metric.fit(examples, predictions).items()}
    for name, value in fitted.items():
        if not np.isfinite(value):
            raise UserError(f"the metric {metric.name!r} fitted {name} = {value}", where=where)
    return fitted


def metrics_of(task: Task, *, where: str | None = None) -> tuple[Metric, ...]:
    """The task's metrics, the headline first; a `UserError` for one that is unknown or cannot judge its kind."""
    metrics = tuple(METRICS.get(name, where=where or f"task {task.name}") for name in task.metrics)
    for metric in metrics:
        if task.kind not in metric.kinds:
            raise _cannot_judge(metric, task.kind, where or f"task {task.name}")
    return metrics


def _require_judgeable(
    metric: Metric, examples: Sequence[Example], predictions: Sequence[Prediction], where: str
) -> None:
    if len(examples) != len(predictions):
        raise ValueError(f"{len(predictions)} predictions for {len(examples)} examples")
    for example, prediction in zip(examples, predictions, strict=True):
        if (kind := kind_of(example)) not in metric.kinds:
            raise _cannot_judge(metric, kind, where)
        if not _finite(prediction):
            raise UserError(
                f"{where}: a score of {example.id} is not finite",
                where=f"{where}/{example.language}",
                hint="predict it again; predictions hold numbers only",
            )
        if not is_labelled(example):
            raise UserError(
                f"{where}: {example.id} carries no gold label",
                where=f"{where}/{example.language}",
                hint="this split is distributed without labels; name another split, such as dev",
            )


def _finite(prediction: Prediction) -> bool:
    scores = prediction.get("scores")
    return all(map(math.isfinite, [prediction.get("score") or 0.0] if scores is None else scores))


def _cannot_judge(metric: Metric, kind: Kind, where: str) -> UserError:
    return UserError(
        f"the metric {metric.name!r} cannot judge {kind} predictions",
        where=where,
        hint=f"it judges {', '.join(metric.kinds)}",
    )


def _require_statistics(metric: Metric, judged: Judged, where: str) -> None:
    """A `UserError` for statistics that cannot be resampled: the metric may be somebody's own."""
    shape = np.shape(judged.statistics)
    rows, width = len(judged.ids), len(metric.columns)
    problem = None
    if shape != (rows, width) or len(judged.clusters) != rows:
        problem = f"statistics {shape} and {len(judged.clusters)} clusters for {rows} ids and {width} columns"
    elif len(set(judged.ids)) < rows:
        problem = "two rows of one id"
    elif not np.isfinite(judged.statistics).all():
        row = int(np.flatnonzero(~np.isfinite(judged.statistics).all(axis=1))[0])
        problem = f"a statistic of {judged.ids[row]} that is not finite"
    if problem is not None:
        raise UserError(f"the metric {metric.name!r} gives {problem}", where=where)
