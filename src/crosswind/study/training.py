"""The train step: a phase from an encoder to an encoder, or to a model with the target's head."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crosswind.data.examples import Example, Pool, Rows
from crosswind.errors import UserError
from crosswind.evaluate.judge import judge
from crosswind.evaluate.predict import Predictor, embed_pool
from crosswind.model.card import write_card
from crosswind.model.checkpoint import OWN_WEIGHTS, load_head, save_head
from crosswind.model.encoder import Encoder, load_encoder
from crosswind.model.heads import Head, attach
from crosswind.model.pooling import Pooling
from crosswind.run.progress import Reporter
from crosswind.run.step import Step
from crosswind.run.store import Draft, Store
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.load import load_text
from crosswind.tasks.refs import DataRef, Library, library
from crosswind.train.budget import Budget, limited, steps_of
from crosswind.train.loop import History, train
from crosswind.train.masked import masked_lm, training_lines
from crosswind.train.mixing import proportions
from crosswind.train.objective import Objective
from crosswind.train.objectives import task_objective
from crosswind.train.phase import (
    frozen_parameters,
    head_seed,
    mean_tokens,
    modules_of,
    selection_head,
    with_masked_lm,
)
from crosswind.train.settings import Training

CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True)
class _Parts:
    """What a phase trains: encoder, heads by name, sources with their shares, and the steps."""

    encoder: Encoder
    heads: dict[str, Head]
    sources: list[Objective]
    shares: list[float]
    steps: int


def train_step(step: Step, draft: Draft, store: Store, reporter: Reporter) -> str:
    """Run the phase, resuming from the step's own checkpoints; writes `model/` and `training.json`."""
    phase = step.params["phase"]
    settings = Training(**phase["training"])
    lib = library(step.context["data"])
    encoder, carried = _start(step, store)
    parts = _parts(step, phase, settings, lib, encoder, carried)
    history = train(
        modules_of(encoder, parts.heads),
        parts.sources,
        parts.shares,
        parts.steps,
        settings,
        seed=int(step.params["seed"]),
        device=torch.device(step.params["device"]),
        frozen=frozen_parameters(encoder, settings.freeze),
        score=_scorer(phase, settings, lib, parts),
        folder=store.partial(step.key),
        interval=CHECKPOINT_SECONDS,
        advance=lambda done, total, note: reporter.advanced(step.key, done, total, note),
    )
    _save(step, draft, parts, history)
    draft.meta["tokens"] = history.tokens
    draft.meta["stepping_seconds"] = history.stepping
    best = max((s for _, s in history.scores), default=None)
    return f"loss {history.losses[-1][1]:.3f}" + (f", best dev {best:.1f}" if best is not None else "")


def _start(step: Step, store: Store) -> tuple[Encoder, Head | None]:
    """The encoder that the phase begins with, and the head that a target chain carries on."""
    seed = int(step.params["seed"])
    if "encoder" not in step.inputs:
        return load_encoder(step.context["encoder"], seed=seed, revision=step.context["revision"]), None
    folder = store.path(step.inputs["encoder"]) / "model"
    if not step.params["carry_head"]:
        return load_encoder(str(folder), seed=seed), None
    head = step.params["phase"]["heads"][0]
    return load_head(str(folder), head["kind"], head["labels"])


def _parts(
    step: Step, phase: dict[str, Any], settings: Training, lib: Library, encoder: Encoder, carried: Head | None
) -> _Parts:
    seed = int(step.params["seed"])
    pooling = pooling_of(step.params["pooling"], encoder)
    max_length = min(settings.max_length, encoder.max_positions)
    heads: dict[str, Head] = {}
    sources: list[Objective] = []
    sizes: list[int] = []
    for plan in phase["heads"]:
        labels = tuple(plan["labels"])
        head = carried or attach(
            encoder,
            plan["kind"],
            labels,
            seed=head_seed(seed, plan["name"], plan["kind"]),
            pooling=pooling,
            classifier_pooling=settings.classifier_pooling,
        )
        examples, pool = _examples(plan["data"], lib)
        items = phase["budget"].get("items")
        if items is not None:
            by_cluster = settings.batch_by == "clusters"
            examples = limited(examples, items, seed, by_cluster=by_cluster, where=plan["data"][0]["task"])
        sources.append(
            task_objective(
                plan["name"], encoder, head, examples, max_length=max_length, stride=settings.stride, pool=pool
            )
        )
        heads[plan["name"]] = head
        sizes.append(len(examples))
    steps = _steps(phase, sizes, sources, settings) if sizes else 0
    shares = list(proportions(sizes, **phase["sampling"])) if sizes else []
    if phase["mlm"] is not None:
        steps, shares = _add_mlm(phase, steps, shares, sources, settings, lib, encoder, max_length, seed)
    return _Parts(encoder, heads, sources, shares, steps)


def _steps(phase: dict[str, Any], sizes: list[int], sources: list[Objective], settings: Training) -> int:
    return steps_of(Budget(**phase["budget"]), sizes, mean_tokens(sources), settings.batch_size)


def _examples(data: Sequence[dict[str, Any]], lib: Library) -> tuple[list[Example], Pool | None]:
    """The labelled examples of a head's data."""
    sets = [lib.dataset(DataRef.from_json(d)) for d in data]
    examples = [e for s in sets for e in s.examples]
    candidates = {c.id: c for s in sets if s.pool for c in s.pool.candidates}
    return examples, Pool(tuple(candidates.values())) if candidates else None


def _add_mlm(
    phase: dict[str, Any],
    steps: int,
    shares: list[float],
    sources: list[Objective],
    settings: Training,
    lib: Library,
    encoder: Encoder,
    max_length: int,
    seed: int,
) -> tuple[int, list[float]]:
    """Masked LM beside the tasks: its steps come on top, so that they are `share` of all steps."""
    mlm = phase["mlm"]
    corpora: list[list[Any]] = [
        list(load_text(CORPORA[name], languages, lib.source, Rows.parse(rows) if rows else None))
        for name, languages, rows in mlm["corpora"]
    ]
    lines = training_lines(corpora, mlm["tlm"], seed)
    objective = masked_lm("mlm", encoder, lines, max_length=max_length, seed=seed)
    sources.append(objective)
    if not shares:
        return _steps(phase, [len(lines)], [objective], settings), [1.0]
    return with_masked_lm(steps, shares, mlm["share"])


def pooling_of(value: dict[str, Any] | None, encoder: Encoder) -> Pooling:
    """The pooling as set; a layer below 1 is a share of the depth (0.6 of 24 layers is 14)."""
    if value is None:
        return Pooling()
    layer = value["layer"]
    if isinstance(layer, float) and layer < 1:
        layer = round(layer * encoder.layers)
    if layer is not None and int(layer) > encoder.layers:
        raise UserError(
            f"layer {layer} of an encoder with {encoder.layers}", where="pooling.layer", hint="0 is the embeddings"
        )
    return Pooling(value["mode"], None if layer is None else int(layer), value["prefix"])


def _scorer(phase: dict[str, Any], settings: Training, lib: Library, parts: _Parts) -> Any:
    """The selection score: the mean headline metric over the selection sets; `None` without any."""
    refs = [DataRef.from_json(d) for d in phase["select"]]
    if not refs:
        return None
    task = TASKS[refs[0].task]
    head = selection_head(parts.heads, (task.name, task.trains_on), task.kind, task.labels)

    def score() -> float:
        values = []
        for ref in refs:
            data = lib.dataset(ref)
            predictor = Predictor(
                parts.encoder,
                head,
                max_length=settings.max_length,
                stride=settings.stride,
                precision=settings.precision,
                device=next(head.module.parameters()).device,
                unanswerable=task.metric == "squad2",
            )
            vectors = embed_pool(predictor, data.pool) if data.pool is not None else None
            metric, stats = judge(task, data.examples, predictor.predict(data.examples, data.pool, vectors))
            values.append(float(metric.score(stats.sum(axis=0))))
        return float(np.mean(values))

    return score


def _save(step: Step, draft: Draft, parts: _Parts, history: History) -> None:
    folder: Path = draft.path / "model"
    if step.params["output"] == "head":
        save_head(folder, parts.encoder, next(iter(parts.heads.values())))
    else:
        parts.encoder.save(folder)
    facts = history.result() | {"fresh": list(parts.encoder.fresh)}
    (draft.path / "training.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    points = []
    if (folder / OWN_WEIGHTS).exists():
        points.append(f"parameters in `{OWN_WEIGHTS}` are Crosswind's own; `transformers` loads the encoder alone")
    write_card(
        folder,
        title=step.label,
        base=step.context["encoder"],
        params=dict(step.params),
        history=facts,
        facts=points,
    )
