"""The steps behind a cell: rewrites of a test set, vectors of a pool, predictions and their scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch

from crosswind.data.examples import Dataset, Pool
from crosswind.errors import UserError
from crosswind.evaluate.judge import chance, judge
from crosswind.evaluate.predict import Floats, Predictor, embed_pool
from crosswind.evaluate.predictions import Prediction, write_predictions
from crosswind.model.checkpoint import load_head
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.example import check_protection
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.spec import parse_spec
from crosswind.run.step import Graph, Step
from crosswind.run.store import Draft, Store
from crosswind.study.training import pooling_of
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.refs import DataRef, library

BATCH_EXAMPLES = 4000  # cells are predicted together up to this many examples: fuller forward passes


class Cells:
    """Runs the cells of one model; the model is loaded once, when the first cell asks for it."""

    def __init__(self, store: Store, graph: Graph, steps: Sequence[Step]) -> None:
        self.store, self.graph = store, graph
        self.pending = list(steps)
        self._predictors: dict[str, Predictor] = {}
        self._ahead: set[str] = set()

    def rewrite(self, step: Step, draft: Draft) -> str:
        """Draw the perturbation; writes `rewrites.parquet` (changed texts only) and `facts.json`."""
        from crosswind.study.plan import environment_of

        data = self._data(step)
        perturbed = perturb_dataset(
            data,
            parse_spec(step.context["spec"]),
            draw=int(step.params["draw"]),
            fields=step.params["fields"],
            protect=check_protection(step.params["protect"]),
            environment=environment_of(step.context["lexicons"]),
        )
        perturbed.table().write_parquet(draft.path / "rewrites.parquet")
        facts = {"changed": perturbed.changed_share, "rejected": perturbed.rejected}
        (draft.path / "facts.json").write_text(json.dumps(facts) + "\n")
        return f"{100 * perturbed.changed_share:.0f} % changed"

    def embed(self, step: Step, draft: Draft) -> str:
        """Embed a pool; writes `vectors.npy` (candidates, width) float32 and `ids.json`."""
        pool = self._perturbed(step, self._data(step)).pool
        assert pool is not None
        vectors = embed_pool(self._predictor(step), pool)
        np.save(draft.path / "vectors.npy", vectors, allow_pickle=False)
        (draft.path / "ids.json").write_text(json.dumps([c.id for c in pool.candidates], ensure_ascii=False))
        return f"{len(pool)} candidates"

    def predict(self, step: Step, draft: Draft) -> str:
        """Predict a cell; writes `predictions.parquet`, `stats.parquet` and `cell.json`."""
        self._predict_ahead(step)
        task = TASKS[step.params["task"]]
        data = self._perturbed(step, self._data(step))
        records = self._records(step, data)
        metric, stats = judge(task, data.examples, records)
        write_predictions(draft.path / "predictions.parquet", [e.id for e in data.examples], records)
        columns = {name: stats[:, i] for i, name in enumerate(metric.columns)}
        keys = {"id": [e.id for e in data.examples], "cluster": [e.cluster for e in data.examples]}
        pl.DataFrame(keys | columns).write_parquet(draft.path / "stats.parquet")
        scores = metric.all_scores(stats)
        clusters = len(set(keys["cluster"]))
        facts = {
            "metric": metric.name,
            "scores": scores,
            "n": len(data),
            "clusters": clusters,
            "chance": chance(task, data.examples, len(data.pool) if data.pool else 0),
            "signature": metric.signature(**self._signature(step)),
            "context_language": getattr(data.examples[0], "context_language", "") or "",
        }
        (draft.path / "cell.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
        return f"{metric.headline} {scores[metric.headline]:.1f}"

    def _predict_ahead(self, step: Step) -> None:
        """Predict the next cells of the same task together with this one.

        Predictions do not depend on their neighbours, so this changes nothing but the time: forward
        passes are filled with rows of several cells instead of dummies.
        """
        if step.key in self._ahead or TASKS[step.params["task"]].kind == "query":
            return
        gathered: list[Any] = []
        start = next((i for i, s in enumerate(self.pending) if s.key == step.key), None)
        for other in self.pending[start:] if start is not None else []:
            if other.kind != "predict" or _model_facts(other) != _model_facts(step) or self.store.has(other.key):
                continue
            try:
                examples = self._perturbed(other, self._data(other)).examples
            except Exception:
                if other.key == step.key:
                    raise
                continue  # its own turn will fail and say why; this step must not
            if gathered and len(gathered) + len(examples) > BATCH_EXAMPLES:
                break
            gathered += examples
            self._ahead.add(other.key)
        if gathered:
            self._predictor(step).predict(gathered)

    def _records(self, step: Step, data: Dataset) -> list[Prediction]:
        predictor = self._predictor(step)
        if data.pool is None:
            return predictor.predict(data.examples)
        vectors, pool = self._pool(step, data.pool)
        return predictor.predict(data.examples, pool, vectors)

    def _pool(self, step: Step, pool: Pool) -> tuple[Floats, Pool]:
        folder = self.store.path(step.inputs["pool"])
        vectors: Floats = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
        ids = json.loads((folder / "ids.json").read_text())
        if ids != [c.id for c in pool.candidates]:
            raise UserError(
                f"the pool of {step.label} differs from its languages' common pool",
                where=step.params["task"],
                hint="choose rows that hold the same items in every language",
            )
        return vectors, pool

    def _predictor(self, step: Step) -> Predictor:
        """The step's model, with the head and the pooling that its task needs."""
        facts = _model_facts(step)
        if facts not in self._predictors:
            task = TASKS[step.params["ref"]["task"]]
            if "model" in step.inputs:
                source, revision = str(self.store.path(step.inputs["model"]) / "model"), None
            else:
                source, revision = step.context["encoder"], step.context["revision"]
            encoder, head = load_head(source, task.kind, classes(task), revision=revision)
            if task.kind == "query" and step.params["pooling"] is not None:
                head.pooling = pooling_of(step.params["pooling"], encoder)
                head.module.pooling = head.pooling  # type: ignore[assignment]
                if head.pooling.mode == "pooler" and "pooler" in encoder.fresh:
                    raise UserError(
                        "the encoder has no pooler, and nothing trains one",
                        where=f"targets.tasks.{task.name}.pooling",
                        hint="pool by mean or cls, or train the task",
                    )
            self._predictors.clear()
            self._predictors[facts] = Predictor(
                encoder,
                head,
                max_length=int(step.params["max_length"]),
                stride=int(step.params.get("stride", 128)),
                precision=step.params["precision"],
                device=torch.device(step.params["device"]),
                unanswerable=task.metric == "squad2",
                labels=classes(task),
            )
        return self._predictors[facts]

    def _data(self, step: Step) -> Dataset:
        return library(step.context["data"]).dataset(DataRef.from_json(step.params["ref"]))

    def _perturbed(self, step: Step, data: Dataset) -> Dataset:
        """The data with the stored rewrites of the step's input, if it has one."""
        if "rewrite" not in step.inputs:
            return data
        frame = pl.read_parquet(self.store.path(step.inputs["rewrite"]) / "rewrites.parquet")
        return replay_dataset(data, frame).dataset

    def _signature(self, step: Step) -> dict[str, Any]:
        """What else two scores must share to be compared."""
        params = step.params
        facts: dict[str, Any] = {
            "device": params["device"],
            "dtype": params["precision"],
            "threads": 1,
            "max_length": params["max_length"],
        }
        if TASKS[params["task"]].kind == "query":
            pooling = self._predictor(step).head.pooling
            assert pooling is not None
            facts |= {"pooling": pooling.mode, "layer": "last" if pooling.layer is None else pooling.layer}
            facts |= {"prefix": pooling.prefix.strip().rstrip(":") or None, "pool_languages": _pool_languages(params)}
        if "rewrite" in step.inputs:
            facts["protection"] = self.graph[step.inputs["rewrite"]].params["protect"]
        return facts


def _pool_languages(params: Mapping[str, Any]) -> str | None:
    pool = params["ref"].get("pool_languages")
    return ",".join(pool) if pool else None


def _model_facts(step: Step) -> str:
    """What decides which model and head a step needs."""
    names = ("max_length", "precision", "pooling", "device")
    own = {n: step.params.get(n) for n in names}
    return json.dumps([step.inputs.get("model"), step.params["ref"]["task"], own], sort_keys=True)
