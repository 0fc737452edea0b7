"""The scores of benchmarks (XTREME, XTREME-R) as their own scripts average them, from the table of results.

A task's score is the mean over the benchmark's official languages, English and translate-train languages
included; that of question answering the mean of exact match and F1. So it is no zero-shot mean: that of the same
score stands beside it. Groups and the benchmark have a score where nothing of their tasks is missing; otherwise
they are named with what they lack, and not averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.condition import APART, Condition
from crosswind.analysis.results import is_translate_train
from crosswind.analysis.scored import condition_of
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
    only; of a group, the tasks that are missing or lack something: then there is no `score` (None). `trained` are the
    languages with labelled data of the task in training: with one of them the score is no zero-shot score.
    `zero_shot` is Crosswind's own mean of the same key: over the languages in `averaged` but the task's source
    language and the `trained` ones; of a group, over its tasks. None where there is no such language.
    """

    benchmark: str
    encoder: str
    defence: str
    route: str
    condition: Condition
    name: str
    key: str
    score: float | None
    averaged: tuple[str, ...]
    lacking: tuple[str, ...] = ()
    trained: tuple[str, ...] = ()
    zero_shot: float | None = None
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
            chosen = row["selection"] if row["selection"] in APART else "english"
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
    whole: dict[str, OfficialScore] = {}
    for task in benchmark.tasks:
        of_task = [row for row in rows if row["target"] == task]
        if not of_task:
            continue
        for score in _task(name, scoring(benchmark, task), model, of_task):
            if score.key == METRIC_KEY:
                whole[task] = score
            yield score
    for group, members in {**benchmark.groups, ALL_TASKS: tuple(benchmark.tasks)}.items():
        there = [whole[task] for task in members if task in whole]
        if not there:
            continue
        lacking = [task if task not in whole else f"{task} (incomplete)" for task in members if _gap(whole.get(task))]
        value = None if lacking else _mean(s.score for s in there)
        zero_shot = None if lacking else _mean(s.zero_shot for s in there)
        yield OfficialScore(name, *model, group, METRIC_KEY, value, members, tuple(lacking), zero_shot=zero_shot)


def _gap(score: OfficialScore | None) -> bool:
    """Whether the score of a task is not there, or is not the official one."""
    return score is None or bool(score.lacking)


def _mean(values: Iterable[float | None]) -> float | None:
    """The unweighted mean; None where a value is missing."""
    held = list(values)
    given = [value for value in held if value is not None]
    return float(np.mean(given)) if given and len(given) == len(held) else None


def _task(
    benchmark: str, task: Scoring, model: tuple[str, str, str, Condition], rows: Sequence[Mapping[str, Any]]
) -> Iterator[OfficialScore]:
    metrics = {metric.name for metric in (task.metric, task.run_metric) if metric is not None}
    official = [r for r in rows if r["metric"] in metrics and r["language"] in task.languages]
    split = official_split(task.name)
    chosen = [r for r in official if r["split"] == split] or official
    if not chosen:
        return
    languages = tuple(x for x in task.languages if any(r["language"] == x for r in chosen))
    missing = [x for x in task.languages if x not in languages]
    cut = sorted({r["rows"] for r in chosen} - {"all"})
    lacking = [f"without {len(missing)} of {len(task.languages)} languages: {' '.join(missing)}"] if missing else []
    lacking += [f"rows {x}" for x in cut]
    lacking += [f"split {x}" for x in sorted({r["split"] for r in chosen} - {split})]
    source = TASKS[task.name].source_language if task.name in TASKS else "en"
    trained = tuple(
        x for x in languages
        if x != source and any(r["language"] == x and is_translate_train(r["exposure"]) for r in chosen)
    )  # fmt: skip
    signature = _common([r["signature"] for r in chosen])
    official_means = _means(task, chosen, languages)
    zero_shot = _means(task, chosen, [x for x in languages if x != source and x not in trained])
    for key, value in official_means.items():
        yield OfficialScore(
            benchmark, *model, task.name, key, value, languages, tuple(lacking), trained, zero_shot.get(key), signature
        )


def _means(task: Scoring, rows: Sequence[Mapping[str, Any]], languages: Sequence[str]) -> dict[str, float]:
    """Key -> the mean over languages of the mean over seeds and draws, and what enters the benchmark's average."""
    averages: dict[str, float] = {}
    for key in task.keys:
        values = {x: [r["score"] for r in rows if r["language"] == x and r["key"] == key] for x in languages}
        if values and all(values.values()):
            averages[key] = float(np.mean([np.mean(v) for v in values.values()]))
    needed = task.metric.task_score or (task.metric.headline,)
    if all(key in averages for key in needed):
        averages[METRIC_KEY] = task.metric.benchmark_score(averages)
    return averages


def official_split(task: str) -> str:
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
        "zero_shot": score.zero_shot,
        "averaged": list(score.averaged),
        "lacking": list(score.lacking),
        "trained": list(score.trained),
        "signature": score.signature,
    }


_SCHEMA: dict[str, pl.DataType] = {
    **dict.fromkeys(("benchmark", "encoder", "defence", "route", "condition", "name", "key"), pl.String()),
    **dict.fromkeys(("score", "zero_shot"), pl.Float64()),
    **dict.fromkeys(("averaged", "lacking", "trained"), pl.List(pl.String())),
    "signature": pl.String(),
}


def official_lines(scores: Sequence[OfficialScore], only: str | None = None) -> list[str]:
    """A small table for each benchmark (or the one named `only`) and clean model, as lines of text.

    A line a task, then a line a group and the whole: the official score, Crosswind's zero-shot mean of the same, and
    what they are over or lack.
    """
    lines: list[str] = []
    for benchmark, models in _by_model(scores, only).items():
        for model, members in models.items():
            rows = [(f"{benchmark}, {model}", "official", "zero-shot", "")]
            rows += [(f"  {s.name}", _points(s), _figure(s.zero_shot), _over(s, benchmark)) for s in members]
            width = max(len(row[0]) for row in rows)
            lines += [f"{a:<{width}}  {b:>9}  {c:>9}  {d}".rstrip() for a, b, c, d in rows]
    if lines:
        lines.append(
            "official: the mean over the benchmark's languages, English included; zero-shot: without the source "
            "language and trained ones"
        )
    return lines + _starred(scores, only)


def brief_official_lines(scores: Sequence[OfficialScore], only: str | None = None) -> list[str]:
    """As `official_lines` for up to two models; of more one table a benchmark, a line a model, a column a score."""
    by_benchmark = _by_model(scores, only)
    if sum(map(len, by_benchmark.values())) <= _WHOLE:
        return official_lines(scores, only)
    lines: list[str] = []
    for benchmark, models in by_benchmark.items():
        there = dict.fromkeys(score.name for members in models.values() for score in members)
        tasks = [name for name in BENCHMARKS[benchmark].tasks if name in there]
        names = [*tasks, *(name for name in there if name not in tasks)]
        rows = [(f"{benchmark}, official", *names)]
        for model, members in models.items():
            points = {score.name: _points(score) for score in members}
            rows.append((f"  {model}", *(points.get(name, "") for name in names)))
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
            lines.append("  ".join(cells).rstrip())
    lines.append("zero-shot means, and what scores are over or lack: --verbose, benchmarks.parquet")
    return lines + _starred(scores, only)


_WHOLE = 2  # models whose scores the terminal shows whole


def _by_model(scores: Sequence[OfficialScore], only: str | None) -> dict[str, dict[str, list[OfficialScore]]]:
    """The clean scores by benchmark and by what a table calls the model."""
    clean = [s for s in scores if s.condition.clean and s.key == METRIC_KEY and only in (None, s.benchmark)]
    several = len({score.encoder for score in clean}) > 1
    models: dict[str, dict[str, list[OfficialScore]]] = {}
    for score in clean:
        parts = [*([score.encoder] if several else []), score.route]
        parts += [score.defence] if score.defence != "none" else []
        models.setdefault(score.benchmark, {}).setdefault(" · ".join(parts), []).append(score)
    return models


def _starred(scores: Sequence[OfficialScore], only: str | None) -> list[str]:
    clean = [s for models in _by_model(scores, only).values() for some in models.values() for s in some]
    if any(s.lacking and s.score is not None for s in clean):
        return ["* not the official score: languages, rows or the split are other ones (benchmarks.parquet)"]
    return []


def _points(score: OfficialScore) -> str:
    mark = "*" if score.lacking and score.score is not None else " "
    return f"{_figure(score.score)}{mark}"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _over(score: OfficialScore, benchmark: str) -> str:
    """What a score is over, or what keeps it from being averaged."""
    declared = BENCHMARKS[benchmark]
    if score.name in declared.tasks:
        languages = "1 language" if len(score.averaged) == 1 else f"{len(score.averaged)} languages"
        return "; ".join((languages, *score.lacking))
    if score.score is None:
        return f"not averaged, lacks {', '.join(score.lacking)}"
    return f"mean of {', '.join(score.averaged)}"
