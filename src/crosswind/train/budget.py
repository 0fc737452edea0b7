"""How much a phase sees: one reading of a budget, for phases beside tasks and for pretraining."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from crosswind.data.examples import Example
from crosswind.errors import UserError

E = TypeVar("E", bound=Example)


@dataclass(frozen=True)
class Budget:
    """At most one of `examples`, `tokens`, `steps` and `epochs` (none of them: one epoch).

    `tokens` are non-padding tokens; `items` limits the unique example ids, translations of one item counted
    once (`limited` draws them).
    """

    examples: int | None = None
    tokens: int | None = None
    steps: int | None = None
    epochs: float | None = None
    items: int | None = None


def examples_seen(budget: Budget, size: int, mean_tokens: float, batch_size: int) -> float:
    """How many examples a phase with `size` examples of `mean_tokens` tokens sees, repetitions counted."""
    if budget.steps is not None:
        return float(budget.steps) * batch_size
    if budget.examples is not None:
        return float(budget.examples)
    if budget.tokens is not None:
        return float(budget.tokens) / mean_tokens
    return float(1 if budget.epochs is None else budget.epochs) * size


def steps_of(budget: Budget, sizes: Sequence[int], mean_tokens: float, batch_size: int) -> int:
    """The optimiser steps of a phase, at least one: 100 examples in batches of 16 are 7.

    `sizes` counts the examples of each source; `mean_tokens` is the mean over all of them.
    """
    return max(math.ceil(examples_seen(budget, sum(sizes), mean_tokens, batch_size) / batch_size), 1)


def limited(examples: Sequence[E], items: int, seed: int, *, by_cluster: bool, where: str) -> list[E]:
    """The examples of `items` unique ids, drawn from the seed; whole clusters (but for the last) where they matter.

    Raises `UserError` where there are fewer ids.
    """
    ids = sorted({e.id for e in examples})
    if items > len(ids):
        raise UserError(f"a budget of {items} items, there are {len(ids)}", where=where, hint="lower it")
    random = np.random.default_rng((seed, 6))
    if by_cluster:
        cluster_of = {e.id: e.cluster for e in examples}
        clusters = sorted(set(cluster_of.values()))
        turn = dict(zip(clusters, random.permutation(len(clusters)).tolist(), strict=True))
        chosen = set(sorted(ids, key=lambda i: turn[cluster_of[i]])[:items])
    else:
        chosen = {ids[i] for i in random.choice(len(ids), items, replace=False)}
    return [e for e in examples if e.id in chosen]
