"""What each defence of a plan cost, from the provenance of the steps behind its cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.costs import DefenceCost, largest
from crosswind.run.step import Step
from crosswind.steps.attack import ATTACK
from crosswind.steps.average import AVERAGE
from crosswind.steps.embed import EMBED
from crosswind.steps.train import TRAIN
from crosswind.study.planned import Cell

_FOR_TRAINING = (TRAIN.name, AVERAGE.name, ATTACK.name, EMBED.name)


@dataclass
class _Steps:
    """The steps behind the cells of one model."""

    model: str = ""
    training: dict[str, None] = field(default_factory=dict)
    predicting: dict[str, None] = field(default_factory=dict)


def defence_costs(
    encoder: str, graph: Mapping[str, Step], cells: Sequence[Cell], provenance: pl.DataFrame
) -> list[DefenceCost]:
    """A row a target, route and defence; none where the study has one defence, so that nothing is compared."""
    if len({cell.defence for cell in cells}) < 2:
        return []
    rows = {row["step"]: row for row in provenance.iter_rows(named=True)}
    models: dict[tuple[str, str, str], dict[int, _Steps]] = {}
    for cell in cells:
        if cell.excluded or cell.condition.attack != "none":
            continue
        steps = models.setdefault((cell.route, cell.defence, cell.target), {}).setdefault(cell.seed, _Steps())
        inputs = graph[cell.key].inputs
        steps.predicting |= dict.fromkeys([cell.key, *([inputs["pool"]] if "pool" in inputs else [])])
        steps.model = inputs.get("model", "")
        if "model" in inputs:
            steps.training |= dict.fromkeys(_trained_for(inputs["model"], graph))
    there = {name: by_seed for name, by_seed in models.items() if _there(by_seed, rows)}
    # Defences that only read share a model, and a worker keeps what it predicted: the texts that two of them have in
    # common are paid for by the first. So each is counted with the passes of the dearest, and its own purifying.
    passes: dict[tuple[str, str, int, str, str], float] = {}
    for (route, _, target), by_seed in there.items():
        for seed, steps in by_seed.items():
            for column in ("cpu_seconds", "wall_seconds"):
                name = (route, target, seed, steps.model, column)
                forward = sum(rows[key][column] - rows[key]["purify_seconds"] for key in steps.predicting)
                passes[name] = max(forward, passes.get(name, 0.0))

    def predicting(name: tuple[str, str, str], column: str) -> float:
        route, _, target = name
        return float(
            np.mean([
                passes[route, target, seed, steps.model, column]
                + sum(rows[key]["purify_seconds"] for key in steps.predicting)
                for seed, steps in there[name].items()
            ])
        )  # fmt: skip

    return [
        _cost(
            (encoder, *name),
            [*by_seed.values()],
            rows,
            predicting(name, "cpu_seconds"),
            predicting(name, "wall_seconds"),
        )
        for name, by_seed in there.items()
    ]


def _there(by_seed: Mapping[int, _Steps], rows: Mapping[str, Any]) -> bool:
    return all(key in rows for steps in by_seed.values() for key in (*steps.training, *steps.predicting))


def _trained_for(model: str, graph: Mapping[str, Step]) -> Iterable[str]:
    """The steps that a target's model alone needs: its phases with a head, and the attacks that they learn from."""
    waiting = [model]
    while waiting:
        step = graph[waiting.pop()]
        if step.kind not in _FOR_TRAINING or (step.kind == TRAIN.name and TRAIN.load(step.params).output != "head"):
            continue
        yield step.key
        waiting += [key for key in step.inputs.values() if key in graph]


def _cost(
    name: tuple[str, str, str, str],
    seeds: Sequence[_Steps],
    rows: Mapping[str, Mapping[str, Any]],
    predict_cpu: float,
    predict_wall: float,
) -> DefenceCost:
    encoder, route, defence, target = name
    training = [[rows[key] for key in steps.training] for steps in seeds]
    predicting = [[rows[key] for key in steps.predicting] for steps in seeds]
    trained = [row for part in training for row in part if row["kind"] == TRAIN.name]
    known = all(row["optimizer_steps"] is not None for row in trained)
    steps = sum(row["optimizer_steps"] for row in trained) / len(seeds) if known else None
    return DefenceCost(
        encoder=encoder,
        route=route,
        defence=defence,
        target=target,
        seeds=len(seeds),
        steps=steps,
        train_cpu=_mean_sum(training, "cpu_seconds"),
        train_wall=_mean_sum(training, "wall_seconds"),
        train_memory=_most(training, "peak_memory"),
        train_gpu_memory=_most(training, "peak_gpu_memory"),
        predict_cpu=predict_cpu,
        predict_wall=predict_wall,
        predict_memory=_most(predicting, "peak_memory"),
        predict_gpu_memory=_most(predicting, "peak_gpu_memory"),
    )


def _mean_sum(parts: Sequence[Sequence[Mapping[str, Any]]], column: str) -> float:
    return float(np.mean([sum(row[column] for row in part) for part in parts]))


def _most(parts: Sequence[Sequence[Mapping[str, Any]]], column: str) -> int | None:
    return largest(row[column] for part in parts for row in part)
