"""What a defence costs: optimiser steps, processor time and memory of training and of predicting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class DefenceCost:
    """What one target costs under one route and defence, the mean over pipeline seeds.

    Training is all that is done for the target: its phases, and what its defence needs of other models and attacks;
    phases of the route come before. Predicting is the clean test sets and those under noise. `steps` are the
    optimiser's, times are in seconds, memory in bytes: the largest of any step, libraries and model included (`gpu`:
    of the tensors there). `None` is not measured.
    """

    encoder: str
    defence: str
    route: str
    target: str
    seeds: int
    steps: float | None
    train_cpu: float
    train_wall: float
    train_memory: int | None
    train_gpu_memory: int | None
    predict_cpu: float
    predict_wall: float
    predict_memory: int | None
    predict_gpu_memory: int | None


_INTEGERS = {"seeds", "train_memory", "train_gpu_memory", "predict_memory", "predict_gpu_memory"}
_NAMES = ("encoder", "defence", "route", "target")


def cost_table(costs: Iterable[DefenceCost]) -> pl.DataFrame:
    """The costs as a table, a row each."""
    types = {
        f.name: pl.String() if f.name in _NAMES else pl.Int64() if f.name in _INTEGERS else pl.Float64()
        for f in fields(DefenceCost)
    }
    return pl.DataFrame([asdict(cost) for cost in costs], schema=types)


def costs_of(frame: pl.DataFrame) -> tuple[DefenceCost, ...]:
    """The costs that a table holds."""
    return tuple(DefenceCost(**row) for row in frame.select(f.name for f in fields(DefenceCost)).iter_rows(named=True))


def over_targets(costs: Sequence[DefenceCost]) -> list[DefenceCost]:
    """The sums over the targets of each encoder, route and defence; of memory the largest."""
    groups: dict[tuple[str, str, str], list[DefenceCost]] = {}
    for cost in costs:
        groups.setdefault((cost.encoder, cost.route, cost.defence), []).append(cost)
    return [_summed(members) for members in groups.values()]


def over_seeds(costs: Sequence[DefenceCost]) -> list[DefenceCost]:
    """The means over runs of one study under other seeds, each weighed by its seeds; of memory the largest."""
    groups: dict[tuple[str, str, str, str], list[DefenceCost]] = {}
    for cost in costs:
        groups.setdefault((cost.encoder, cost.route, cost.defence, cost.target), []).append(cost)
    return [_summed(members, by_seeds=True) if len(members) > 1 else members[0] for members in groups.values()]


def _summed(costs: Sequence[DefenceCost], *, by_seeds: bool = False) -> DefenceCost:
    first = costs[0]
    seeds = sum(cost.seeds for cost in costs) if by_seeds else first.seeds

    def total(of: Callable[[DefenceCost], float]) -> float:
        return sum(of(cost) * (cost.seeds / seeds if by_seeds else 1.0) for cost in costs)

    return DefenceCost(
        encoder=first.encoder,
        defence=first.defence,
        route=first.route,
        target=first.target if by_seeds else " ".join(cost.target for cost in costs),
        seeds=seeds,
        steps=None if any(cost.steps is None for cost in costs) else total(lambda cost: cost.steps or 0.0),
        train_cpu=total(lambda cost: cost.train_cpu),
        train_wall=total(lambda cost: cost.train_wall),
        train_memory=largest(cost.train_memory for cost in costs),
        train_gpu_memory=largest(cost.train_gpu_memory for cost in costs),
        predict_cpu=total(lambda cost: cost.predict_cpu),
        predict_wall=total(lambda cost: cost.predict_wall),
        predict_memory=largest(cost.predict_memory for cost in costs),
        predict_gpu_memory=largest(cost.predict_gpu_memory for cost in costs),
    )


def largest(values: Iterable[int | None]) -> int | None:
    """The largest number that is known."""
    return max((value for value in values if value is not None), default=None)
