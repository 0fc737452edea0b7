"""Scores of official submission folders, averaged as XTREME and XTREME-R average them.

A task's score is the unweighted mean over its languages, a benchmark's the unweighted mean over its
tasks; question answering counts as the mean of exact match and F1 (`xtreme/evaluate.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crosswind.errors import UserError
from crosswind.evaluate import submission
from crosswind.evaluate.benchmark import BENCHMARKS, Benchmark, Scoring, scoring
from crosswind.evaluate.judge import judge


@dataclass(frozen=True)
class TaskScore:
    """A task's scores in points: by language and key, their means over languages, and `score`, what
    enters the benchmark average. `unanswered` counts items without a prediction; they scored 0."""

    task: str
    group: str
    metric: str
    signature: str
    languages: Mapping[str, Mapping[str, float]]
    average: Mapping[str, float]
    score: float
    unanswered: int = 0


@dataclass(frozen=True)
class Scores:
    """A benchmark's scores in points. `score` is the mean over the tasks in `averaged`; `missing`
    are the tasks, and `task/language` files, of the benchmark that were not there."""

    benchmark: str
    tasks: Mapping[str, TaskScore]
    groups: Mapping[str, float]
    score: float
    averaged: tuple[str, ...]
    missing: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def score_folder(
    predictions: Path, labels: Path, benchmark: str = "xtreme-r", *, allow_missing: bool = False
) -> Scores:
    """Score a folder of predictions against one of labels.

    The languages of a task are those of its labels. Without `allow_missing` every task of the
    benchmark and every language must be there; with it, the averages are over what is. Raises
    `UserError` for what is missing, of the wrong length, or no label of its task.
    """
    declared = BENCHMARKS.get(benchmark)
    for folder in (predictions, labels):
        if not folder.is_dir():
            raise UserError("no such folder", where=str(folder))
    tasks: dict[str, TaskScore] = {}
    missing: list[str] = []
    for name in declared.tasks:
        given, gold = submission.languages(predictions, name), submission.languages(labels, name)
        absent = _absent(name, given, gold)
        if absent and not allow_missing:
            raise _missing(absent[0], predictions / name if gold else labels / name)
        missing += absent
        if common := [x for x in gold if x in given]:
            paths = {x: (given[x], gold[x]) for x in common}
            tasks[name] = _score_task(scoring(declared, name), _group(declared, name), paths)
    if not tasks:
        raise UserError(f"no predictions for a task of {benchmark}", where=str(predictions), hint=_LAYOUT)
    groups = {
        group: _mean(tasks[x].score for x in members if x in tasks)
        for group, members in declared.groups.items()
        if any(x in tasks for x in members)
    }
    return Scores(benchmark, tasks, groups, _mean(t.score for t in tasks.values()), tuple(tasks), tuple(missing))


def _group(benchmark: Benchmark, task: str) -> str:
    return next((group for group, members in benchmark.groups.items() if task in members), "")


_LAYOUT = "a folder holds {task}/test-{language}.tsv, .json or .jsonl"


def _absent(task: str, given: Mapping[str, Path], gold: Mapping[str, Path]) -> list[str]:
    if not given or not gold:
        return [task]
    return [f"{task}/test-{x}" for x in gold if x not in given]


def _missing(what: str, where: Path) -> UserError:
    return UserError(
        f"{what} is missing", where=str(where), hint=f"{_LAYOUT}; --allow-missing averages over what is there"
    )


def _score_task(task: Scoring, group: str, paths: Mapping[str, tuple[Path, Path]]) -> TaskScore:
    metric = task.metric
    languages: dict[str, dict[str, float]] = {}
    unanswered = 0
    for language, (given, gold) in paths.items():
        submitted = task.format.read(given, gold, language, task.labels)
        judged = judge(metric, submitted.examples, submitted.predictions, where=task.name)
        if not judged.ids:
            raise UserError("nothing to score in this file", where=str(gold))
        unanswered += submitted.unanswered
        scores = metric.all_scores(judged.statistics)
        languages[language] = {key: scores[key] for key in task.keys}
    average = {key: _mean(scores[key] for scores in languages.values()) for key in task.keys}
    score = metric.benchmark_score(average)
    return TaskScore(task.name, group, metric.name, metric.signature(), languages, average, score, unanswered)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
