"""`judge`: the statistics of stored predictions under a metric; needs no model.

Inputs: `predictions`, `rewrite` (of the same cell: gold answers move with their texts), `dev` (predictions on which the
metric fits what it needs, such as a threshold). Writes `statistics.parquet`: one row an item, its cluster and columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from crosswind.data.examples import Example
from crosswind.data.writing import file_id
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction, read_predictions
from crosswind.run.job import Artifact, Job, Worker
from crosswind.run.kinds import STEPS, StepKind, unsigned
from crosswind.steps.cells import dataset_of, perturbed

if TYPE_CHECKING:
    from crosswind.evaluate.metrics.base import Metric


@dataclass(frozen=True)
class JudgeParams:
    """The registered metric and its version, which a metric signs itself; `exclude` names a list of items (by its
    hash) that do not count, whose ids the context has. `protocol` is the preset that the target follows, with what
    differs from it."""

    metric: str = unsigned("a metric signs its own name")
    metric_version: int = unsigned("a metric signs its own version")
    exclude: str = unsigned("the run signs it with the number of items", "")
    protocol: str | None = None


def _run(job: Job[JudgeParams], worker: Worker) -> str:
    from crosswind.evaluate.judge import fit, judge
    from crosswind.evaluate.metrics.base import METRICS

    metric = METRICS[job.params.metric]
    examples, predictions, where = _read(job, "predictions", job.inputs.get("rewrite"), sign=True)
    fitted: dict[str, float] = {}
    if "dev" in job.inputs:
        fitted = fit(metric, *_read(job, "dev", None)[:2], where=where)
        job.fact("fitted", fitted)
        for name, value in fitted.items():
            job.sign(f"fitted {name}", repr(value))
    if job.params.exclude:
        examples, predictions = _without_excluded(job, examples, predictions, where)
    _say_tokens(job, metric, examples)
    judged = judge(metric, examples, predictions, fitted, where=where)
    columns = {name: judged.statistics[:, i] for i, name in enumerate(metric.columns)}
    frame = pl.DataFrame({"id": list(judged.ids), "cluster": list(judged.clusters), **columns})
    frame.write_parquet(job.draft.path / "statistics.parquet")
    scores = metric.all_scores(judged.statistics)
    job.fact("scores", scores)
    job.fact("n", len(examples))
    job.fact("clusters", len(set(judged.clusters)))
    job.fact("chance", metric.chance_score(judged.statistics))
    job.fact("context_language", getattr(examples[0], "context_language", "") or "")
    return f"{metric.headline} {scores[metric.headline]:.1f}"


def _without_excluded(
    job: Job[JudgeParams], examples: Sequence[Example], predictions: Sequence[Prediction], where: str
) -> tuple[tuple[Example, ...], list[Prediction]]:
    """The items that count; signs the list with how many do not, and notes ids that no item has."""
    by_language = job.world["excluded"][job.params.exclude]
    language = STEPS[job.inputs["predictions"].kind].load(job.inputs["predictions"].params).ref.language
    ids = {*by_language.get("", ()), *by_language.get(language, ())}
    names = {e.id: {e.id, file_id(e)} & ids for e in examples}
    kept = [i for i, e in enumerate(examples) if not names[e.id]]
    strange = ids - {name for some in names.values() for name in some}
    if not kept or (len(kept) == len(examples) and by_language.get(language)):
        what = "no item of the exclusion list is evaluated here" if kept else "every item is excluded"
        raise UserError(
            what,
            where=f"{where}, {language}: exclude",
            hint="the list has ids of this split, a line each, and behind a tab the language it is for",
        )
    if strange:
        shown_ids = ", ".join(sorted(strange)[:3])
        job.note(f"{where}, {language}: {len(strange):,} excluded ids are not among the items: {shown_ids}")
    count = len(examples) - len(kept)
    job.sign("excluded", f"{count} items, list {job.params.exclude[:12]}")
    job.fact("excluded", count)
    return tuple(examples[i] for i in kept), [predictions[i] for i in kept]


def _say_tokens(job: Job[JudgeParams], metric: Metric, examples: Sequence[Example]) -> None:
    """Sign and note how the metric cuts the answers, where it does not cut every language alike."""
    if metric.tokens is None:
        return
    languages = dict.fromkeys(getattr(example, "context_language", "") or example.language for example in examples)
    tokens = [metric.tokens(language) for language in languages]
    job.sign("tokens", ", ".join(dict.fromkeys(t.name for t in tokens if t.name)) or None)
    for note in dict.fromkeys(t.note for t in tokens if t.note):
        job.note(note)


def _read(
    job: Job[JudgeParams], role: str, rewrite: Artifact | None, *, sign: bool = False
) -> tuple[tuple[Example, ...], list[Prediction], str]:
    """The examples that an input predicts, its predictions, and the task's name."""
    artifact = job.inputs[role]
    # Gold is that of what was translated.
    ref = replace(STEPS[artifact.kind].load(artifact.params).ref, made=None)
    data = perturbed(dataset_of(job, ref), rewrite).dataset
    if sign and data.release:
        job.sign("release", data.release)
    ids, predictions = read_predictions(artifact.path / "predictions.parquet")
    if ids != [e.id for e in data.examples]:
        raise ValueError(f"the predictions of {ref.name} are of other examples")
    return data.examples, predictions, ref.task


JUDGE: StepKind[JudgeParams] = StepKind(
    name="judge", version=2, params=JudgeParams, run=_run, inherits=("predictions",)
)
