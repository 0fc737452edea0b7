"""What a benchmark is: a declaration, one file in `evaluate/benchmarks/`, found by the registry `BENCHMARKS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, Metric
from crosswind.evaluate.submission import FORMATS, Format
from crosswind.registry import Registry
from crosswind.tasks.base import TASKS


@dataclass(frozen=True)
class BenchmarkTask:
    """How a benchmark scores one of its tasks.

    `languages` is the official list: over these the score is averaged. What is left out is
    the task's own: `format` (its `submission`), `metric` (its headline metric), `labels` (its
    labels; empty: any). A benchmark may hold something that is no task, if it names format and
    metric. `keys` are the scores that are reported (by default all of the metric's). `suffix` is that
    of the official files, where it is not the format's. `run_metric` judges the predictions of a run to the same score,
    where they hold more than a submission does (mined pairs below the threshold).
    """

    languages: tuple[str, ...]
    format: str = ""
    metric: str = ""
    labels: tuple[str, ...] | None = None
    keys: tuple[str, ...] = ()
    suffix: str = ""
    run_metric: str = ""


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: its tasks by the names of their folders, and the groups that are averaged.

    A task's score is the unweighted mean over its languages; a group's, and the benchmark's, are the
    unweighted means over tasks. A task may be in several groups.
    """

    name: str
    summary: str
    tasks: Mapping[str, BenchmarkTask]
    groups: Mapping[str, tuple[str, ...]]
    source: str = ""


@dataclass(frozen=True)
class Scoring:
    """A task of a benchmark with what it left to the task's declaration filled in.

    `aliases` are other spellings of the labels; `unanswerable` says that a question may have no answer;
    `rows` is how many rows a format of row numbers counts in a language (none: not known).
    """

    name: str
    languages: tuple[str, ...]
    format: Format
    metric: Metric
    labels: tuple[str, ...]
    keys: tuple[str, ...]
    suffix: str
    aliases: Mapping[str, str]
    unanswerable: bool
    rows: Mapping[str, int] = field(default_factory=dict)
    run_metric: Metric | None = None

    def labels_in(self, language: str) -> tuple[str, ...]:
        """What may occur in the files of a language: the labels, or the numbers of the rows; empty: anything."""
        return self.labels or tuple(str(row) for row in range(self.rows.get(language, 0)))


def codes(text: str) -> tuple[str, ...]:
    """Language codes that are written with blanks between them."""
    return tuple(text.split())


def scoring(benchmark: Benchmark, name: str) -> Scoring:
    """How the benchmark scores its task `name`; a `UserError` if that is nowhere declared."""
    entry = benchmark.tasks[name]
    task = TASKS.get(name) if name in TASKS else None
    format_ = entry.format or (task.submission if task else "")
    metric_ = entry.metric or (task.metric if task else "")
    where = f"benchmark {benchmark.name}, {name}"
    if not format_ or not metric_:
        raise UserError(
            "no submission format or no metric is declared",
            where=where,
            hint="name both in the benchmark, or declare a task of this name that has them",
        )
    metric = METRICS.get(metric_, where=where)
    form = FORMATS.get(format_, where=where)
    declared = task.labels if task else ()
    labels = tuple(entry.labels if entry.labels is not None else declared)
    counts = task.counts if task else {}
    aliases = dict(task.aliases) if task else {}
    if labels != declared and len(labels) == len(declared):  # the official files number what the task names
        aliases |= dict(zip(declared, labels, strict=True))
    return Scoring(
        name=name,
        languages=entry.languages,
        format=form,
        metric=metric,
        labels=labels,
        keys=entry.keys or metric.keys,
        suffix=entry.suffix or form.suffix,
        aliases=aliases,
        unanswerable=task is not None and task.unanswerable,
        run_metric=METRICS.get(entry.run_metric, where=where) if entry.run_metric else None,
        rows={x: n for (x, split), n in counts.items() if split == "test"} if form.row_numbers else {},
    )


BENCHMARKS: Registry[Benchmark] = Registry(
    "benchmark", "crosswind.evaluate.benchmarks", "crosswind.benchmarks", Benchmark
)
