"""The scores of benchmarks (XTREME, XTREME-R) as their own scripts average them, from the table of results.

A task's score is the mean over the benchmark's official languages, English and translate-train languages
included; that of question answering the mean of exact match and F1. So it is no zero-shot mean, which
stands in the summary. Groups and the benchmark have a score where nothing of their tasks is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.results import is_translate_train
from crosswind.analysis.scored import condition_of
from crosswind.analysis.summary import Condition
from crosswind.evaluate.benchmark import BENCHMARKS, Benchmark, Scoring, scoring
from crosswind.evaluate.metrics.base import parse_signature
from crosswind.tasks.base import TASKS

METRIC_KEY = "metric"
"""The key of what enters groups and the benchmark; the official scripts call it `avg_metric`."""
ALL_TASKS = "all_task"
"""The official scripts' name of the mean over all tasks."""


@dataclass(frozen=True)
class OfficialScore:
    """One score of a benchmark in points, averaged over pipeline seeds and draws.

    `name` is a task, a group or `all_task`; `key` a key of the task's metric, or `metric`: what enters the
    averages. `averaged` are the languages of a task, or the tasks of a group. `lacking` says what keeps the
    score of a task from being the official one: languages that are missing, another split, some rows
    only. Groups and the whole are there only where nothing is lacking. `trained` are the languages with
    labelled data of the task in training: with one of them the score is no zero-shot score.
    """

    benchmark: str
    encoder: str
    defence: str
    route: str
    condition: Condition
    name: str
    key: str
    score: float
    averaged: tuple[str, ...]
    lacking: tuple[str, ...] = ()
    trained: tuple[str, ...] = ()
    signature: str = ""


def official_scores(rows: pl.DataFrame) -> tuple[OfficialScore, ...]:
    """The scores of every registered benchmark that a table of results has a task of."""
    named = {name: BENCHMARKS[name] for name in BENCHMARKS.names()}
    tasks = {task for benchmark in named.values() for task in benchmark.tasks}
    part = rows.filter(pl.col("target").is_in(tasks))
    groups: dict[tuple[str, str, str, Condition], list[dict[str, Any]]] = {}
    for row in part.iter_rows(named=True):
        if row["context_language"] in ("", row["language"]):
            # Tasks of one model differ in how many rows were scored and how a checkpoint was chosen (a
            # retrieval task may be untuned); only a choice on target languages is another condition.
            chosen = row["selection"] if row["selection"] == "oracle" else "english"
            condition = condition_of({**row, "rows": "all", "selection": chosen})
            groups.setdefault((row["encoder"], row["defence"], row["route"], condition), []).append(row)
    return tuple(
        score
        for name, benchmark in named.items()
        for model, members in groups.items()
        for score in _scores(name, benchmark, model, members)
    )


def _scores(
    name: str, benchmark: Benchmark, model: tuple[str, str, str, Condition], rows: Sequence[Mapping[str, Any]]
) -> Iterator[OfficialScore]:
    whole: dict[str, float] = {}
    for task in benchmark.tasks:
        of_task = [row for row in rows if row["target"] == task]
        if not of_task:
            continue
        for score in _task(name, scoring(benchmark, task), model, of_task):
            if score.key == METRIC_KEY and not score.lacking:
                whole[task] = score.score
            yield score
    for group, members in {**benchmark.groups, ALL_TASKS: tuple(benchmark.tasks)}.items():
        if {*members} <= {*whole}:
            value = float(np.mean([whole[x] for x in members]))
            yield OfficialScore(name, *model, group, METRIC_KEY, value, members)


def _task(
    benchmark: str, task: Scoring, model: tuple[str, str, str, Condition], rows: Sequence[Mapping[str, Any]]
) -> Iterator[OfficialScore]:
    official = [r for r in rows if r["metric"] == task.metric.name and r["language"] in task.languages]
    split = _split(task.name)
    chosen = [r for r in official if r["split"] == split] or official
    if not chosen:
        return
    languages = tuple(x for x in task.languages if any(r["language"] == x for r in chosen))
    missing = [x for x in task.languages if x not in languages]
    cut = sorted({r["rows"] for r in chosen} - {"all"})
    lacking = [f"{len(missing)} of {len(task.languages)} languages: {' '.join(missing)}"] if missing else []
    lacking += [f"rows {x}" for x in cut]
    lacking += [f"split {x}" for x in sorted({r["split"] for r in chosen} - {split})]
    source = TASKS[task.name].source_language if task.name in TASKS else "en"
    trained = tuple(
        x for x in languages
        if x != source and any(r["language"] == x and is_translate_train(r["exposure"]) for r in chosen)
    )  # fmt: skip
    signature = _common([r["signature"] for r in chosen])
    averages = {}
    for key in task.keys:
        values = {x: [r["score"] for r in chosen if r["language"] == x and r["key"] == key] for x in languages}
        if all(values.values()):
            averages[key] = float(np.mean([np.mean(v) for v in values.values()]))
    needed = task.metric.task_score or (task.metric.headline,)
    if all(key in averages for key in needed):
        averages[METRIC_KEY] = task.metric.benchmark_score(averages)
    for key, value in averages.items():
        yield OfficialScore(
            benchmark, *model, task.name, key, value, languages, tuple(lacking), trained, signature
        )  # fmt: skip


def _split(task: str) -> str:
    """The split that the benchmark scores: the test set, or the development set of a task without one."""
    splits = TASKS[task].splits if task in TASKS else ("test",)
    return "test" if "test" in splits else "dev"


def _common(signatures: Sequence[str]) -> str:
    """What all signatures agree on."""
    first, *others = (parse_signature(text) for text in dict.fromkeys(signatures))
    shared = {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}
    return "|".join(f"{k}={v}" for k, v in shared.items())


def official_table(scores: Sequence[OfficialScore]) -> pl.DataFrame:
    """A row a score, for the run folder."""
    return pl.DataFrame([official_row(score) for score in scores], schema=_SCHEMA)


def official_row(score: OfficialScore) -> dict[str, Any]:
    """A score as plain data."""
    return {
        "benchmark": score.benchmark,
        "encoder": score.encoder,
        "defence": score.defence,
        "route": score.route,
        "condition": score.condition.label,
        "name": score.name,
        "key": score.key,
        "score": score.score,
        "averaged": list(score.averaged),
        "lacking": list(score.lacking),
        "trained": list(score.trained),
        "signature": score.signature,
    }


_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("benchmark", "encoder", "defence", "route", "condition", "name", "key"), pl.String()),
    "score": pl.Float64(),
    **dict.fromkeys(("averaged", "lacking", "trained"), pl.List(pl.String())),
    "signature": pl.String(),
}


def official_lines(scores: Sequence[OfficialScore]) -> list[str]:
    """A sentence for each benchmark and clean model: its tasks, groups and mean, with what is lacking."""
    models: dict[tuple[str, str, str, str], list[OfficialScore]] = {}
    for score in scores:
        if score.condition.clean and score.key == METRIC_KEY:
            models.setdefault((score.benchmark, score.encoder, score.defence, score.route), []).append(score)
    several = len({encoder for _, encoder, _, _ in models}) > 1
    lines = []
    for (benchmark, encoder, defence, route), members in models.items():
        model = " · ".join([*([encoder] if several else []), route, *([defence] if defence != "none" else [])])
        parts = [f"{s.name} {s.score:.1f}{'*' if s.lacking else ''}" for s in members]
        lines.append(f"{benchmark}, {model}: {', '.join(parts)}")
    if any(s.lacking for members in models.values() for s in members):
        lines.append("* not the official score: languages, rows or the split are other ones (benchmarks.parquet)")
    return lines
