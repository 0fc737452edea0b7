"""Scores of official submission folders, averaged as XTREME and XTREME-R average them.

A task's score is the unweighted mean over its languages, a benchmark's the unweighted mean over its
tasks; question answering counts as the mean of exact match and F1 (`xtreme/evaluate.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crosswind.errors import UserError
from crosswind.evaluate import submission
from crosswind.evaluate.benchmark import BENCHMARKS, Benchmark, Scoring, scoring
from crosswind.evaluate.judge import judge
from crosswind.evaluate.submission import require_gold


@dataclass(frozen=True)
class TaskScore:
    """A task's scores in points: by language and key, their means over languages, and `score`, what
    enters the benchmark average. `unanswered` counts items without a prediction; they scored 0. `notes`
    are sentences about what was read otherwise than it is written."""

    task: str
    group: str
    metric: str
    signature: str
    languages: Mapping[str, Mapping[str, float]]
    average: Mapping[str, float]
    score: float
    unanswered: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scores:
    """A benchmark's scores in points. `score` is the mean over the tasks in `averaged`; `missing`
    are the tasks, and `task/test-language` files, of the benchmark that were not there; `ignored`
    are files in languages that its official list does not have. `groups` are means over tasks, under
    the official script's names, of the groups in which nothing is missing; `grouped` says of which tasks.
    `notes` are sentences about what was read otherwise than it is written.
    """

    benchmark: str
    tasks: Mapping[str, TaskScore]
    groups: Mapping[str, float]
    score: float
    averaged: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    grouped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)


def score_folder(
    predictions: Path, labels: Path, benchmark: str = "xtreme-r", *, allow_missing: bool = False
) -> Scores:
    """Score a folder of predictions against one of labels.

    The languages of a task are those of the benchmark's official list; others are left out and named
    in `ignored`. Without `allow_missing` every task of the benchmark and every language must be there,
    in both folders; with it, the averages are over what is. Raises `UserError` for what is missing, of
    the wrong length, or no label of its task.
    """
    declared = BENCHMARKS.get(benchmark)
    for folder in (predictions, labels):
        if not folder.is_dir():
            raise UserError("no such folder", where=str(folder))
    tasks: dict[str, TaskScore] = {}
    missing: list[str] = []
    ignored: list[str] = []
    for name, entry in declared.tasks.items():
        given, gold = submission.languages(predictions, name), submission.languages(labels, name)
        ignored += [f"{name}/test-{x}" for x in sorted({*given, *gold} - {*entry.languages})]
        both = [x for x in entry.languages if x in given and x in gold]
        lacking = [x for x in entry.languages if x not in both]
        absent = [f"{name}/test-{x}" for x in lacking] if both else [name]
        if absent and not allow_missing:
            folder = labels if lacking and lacking[0] in given else predictions
            raise _missing(absent[0], folder / name)
        missing += absent
        if both:
            paths = {x: (given[x], gold[x]) for x in both}
            tasks[name] = _score_task(scoring(declared, name), _group(declared, name), paths)
    if not tasks:
        raise UserError(f"no predictions for a task of {benchmark}", where=str(predictions), hint=_LAYOUT)
    complete = [x for x in tasks if not any(m.startswith(f"{x}/") for m in missing)]
    grouped = {group: members for group, members in declared.groups.items() if {*members} <= {*complete}}
    groups = {group: _mean(tasks[x].score for x in members) for group, members in grouped.items()}
    overall = _mean(t.score for t in tasks.values())
    notes = tuple(note for task in tasks.values() for note in task.notes)
    return Scores(benchmark, tasks, groups, overall, tuple(tasks), tuple(missing), tuple(ignored), grouped, notes)


def _group(benchmark: Benchmark, task: str) -> str:
    return next((group for group, members in benchmark.groups.items() if task in members), "")


_LAYOUT = "a folder holds {task}/test-{language}.tsv, .json or .jsonl"


def _missing(what: str, where: Path) -> UserError:
    return UserError(
        f"{what} is missing", where=str(where), hint=f"{_LAYOUT}; --allow-missing averages over what is there"
    )


def _score_task(task: Scoring, group: str, paths: Mapping[str, tuple[Path, Path]]) -> TaskScore:
    metric = task.metric
    languages: dict[str, dict[str, float]] = {}
    unanswered = 0
    notes = _suffix_notes(task, paths)
    for language, (given, gold) in paths.items():
        submitted = task.format.read(given, gold, language, task.labels_in(language), task.aliases)
        require_gold(submitted, gold, unanswerable=task.unanswerable)
        notes += submitted.notes
        judged = judge(metric, submitted.examples, submitted.predictions, where=task.name)
        if not judged.ids:
            raise UserError("nothing to score in this file", where=str(gold))
        unanswered += submitted.unanswered
        scores = metric.all_scores(judged.statistics)
        languages[language] = {key: scores[key] for key in task.keys}
    average = {key: _mean(scores[key] for scores in languages.values()) for key in task.keys}
    score = metric.benchmark_score(average)
    signature = metric.signature(**task.format.settings)
    return TaskScore(task.name, group, metric.name, signature, languages, average, score, unanswered, notes)


def _suffix_notes(task: Scoring, paths: Mapping[str, tuple[Path, Path]]) -> tuple[str, ...]:
    """A sentence for each unusual suffix of predictions or labels: whose files they are."""
    unusual: dict[tuple[str, str], list[str]] = {}
    for language, pair in paths.items():
        for kind, path in zip(("predictions", "labels"), pair, strict=True):
            if path.suffix != task.suffix:
                unusual.setdefault((kind, path.suffix), []).append(language)
    return tuple(
        f"{task.name}: {kind} of {', '.join(languages)} are read from {suffix} files, officially {task.suffix}"
        for (kind, suffix), languages in unusual.items()
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
