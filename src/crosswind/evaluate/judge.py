"""From predictions to per-item statistics, by the task's metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from crosswind.data.examples import Example
from crosswind.errors import UserError
from crosswind.evaluate.metrics import accuracy, mlqa, retrieval, squad, tagging
from crosswind.evaluate.metrics.base import METRICS, Array, Metric
from crosswind.evaluate.predictions import Prediction
from crosswind.tasks.base import Task


def judge(task: Task, examples: Sequence[Any], records: Sequence[Prediction]) -> tuple[Metric, Array]:
    """The task's metric and its statistics `(items, k)`; a `UserError` where the gold is missing."""
    metric = METRICS.get(task.metric)
    _require_gold(task, examples)
    if metric.judge is not None:
        return metric, metric.judge(examples, records)
    match metric.name:
        case "accuracy" if task.kind == "query":
            first = [int(r["ranks"][0] == 1) if r["ranks"] else 0 for r in records]
            return metric, accuracy.statistics(first, [1] * len(records))
        case "accuracy":
            return metric, accuracy.statistics([r["predicted"] for r in records], [e.label for e in examples])
        case "squad" | "squad2":
            rules: squad.Rules = "2.0" if metric.name == "squad2" else "1.1"
            return metric, squad.statistics(
                [r["text"] for r in records], [e.answer_texts for e in examples], rules=rules
            )
        case "mlqa":
            language = examples[0].context_language or examples[0].language
            return metric, mlqa.statistics([r["text"] for r in records], [e.answer_texts for e in examples], language)
        case "seqeval-f1" | "seqeval-f1-new":
            behaviour: tagging.Behaviour = "0.0.12" if metric.name == "seqeval-f1" else "0.0.16"
            return metric, tagging.statistics([r["tags"] for r in records], [e.tags for e in examples], behaviour)
        case "token-accuracy":
            return metric, tagging.token_statistics([r["tags"] for r in records], [e.tags for e in examples])
        case "map@20" | "map":
            return metric, retrieval.statistics([r["ranks"] for r in records], [len(e.gold) for e in examples])
        case other:
            raise UserError(f"the metric {other!r} cannot judge {task.kind} predictions", where=task.name)


def chance(task: Task, examples: Sequence[Any], pool: int = 0) -> float:
    """What guessing reaches on these examples, in points of the headline metric.

    Classification: the share of the commonest class; choice: one over the number of choices;
    retrieval: what a pool in random order scores (accuracy: one over its size); tagging and span QA: 0.
    """
    if not examples:
        return 0.0
    if task.kind == "pair":
        labels = [e.label for e in examples]
        return 100.0 * max(labels.count(x) for x in set(labels)) / len(labels)
    if task.kind == "choice":
        return 100.0 * sum(1 / len(e.choices) for e in examples) / len(examples)
    if task.kind == "query" and pool:
        if task.metric not in ("map@20", "map"):
            return 100.0 / pool
        cut = retrieval.CUT if task.metric == "map@20" else pool
        counts = Counter(len(e.gold) for e in examples)
        return 100.0 * sum(n * retrieval.random_precision(g, pool, cut) for g, n in counts.items()) / len(examples)
    return 0.0


def _require_gold(task: Task, examples: Sequence[Example]) -> None:
    for e in examples:
        gold = getattr(e, {"tagging": "tags", "span": "answers", "query": "gold"}.get(task.kind, "label"))
        if gold is None:
            raise UserError(
                f"{task.name}: {e.id} carries no gold label",
                where=f"{task.name}/{e.language}",
                hint="this split is distributed without labels; name another split, such as dev",
            )


class _Shim:
    def __init__(self, metric: Metric, ids: Any, clusters: Any, statistics: Array, chance_: float) -> None:
        self.metric, self.ids, self.clusters, self.statistics, self.chance = metric, ids, clusters, statistics, chance_

    def facts(self) -> dict[str, Any]:
        scores = self.metric.all_scores(self.statistics)
        return {
            "scores": scores,
            "n": len(self.ids),
            "clusters": len(set(self.clusters)),
            "chance": self.chance,
            "headline": self.metric.headline,
        }


def judge_predictions(task: Task, name: str, examples: Any, predictions: Any, dev: Any = None, pool: int = 0) -> _Shim:
    metric, stats = judge(task, examples, predictions)
    ids, clusters = [e.id for e in examples], [e.cluster for e in examples]
    return _Shim(metric, ids, clusters, stats, chance(task, examples, pool))
