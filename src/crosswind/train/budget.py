"""Budgets (to be replaced)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from crosswind.errors import UserError


@dataclass(frozen=True)
class Budget:
    examples: int | None = None
    tokens: int | None = None
    steps: int | None = None
    epochs: float | None = None
    items: int | None = None


def steps_of(budget: Budget, sources: Sequence[Any], batch: int) -> int:
    sizes = sum(len(s.lengths) for s in sources)
    if budget.steps:
        return budget.steps
    examples = float(budget.epochs or 1) * sizes
    if budget.examples:
        examples = float(budget.examples)
    elif budget.tokens:
        tokens = sum(len(r) for s in sources for i in range(len(s.lengths)) for r in s.rows(i))
        examples = float(budget.tokens) / (tokens / sizes)
    return max(math.ceil(examples / batch), 1)


def limited(examples: list[Any], items: int, seed: int, *, by_cluster: bool, where: str) -> list[Any]:
    ids = sorted({e.id for e in examples})
    if items > len(ids):
        raise UserError(f"a budget of {items} items, there are {len(ids)}", where=where, hint="lower it")
    random = np.random.default_rng((seed, 6))
    if by_cluster:
        cluster_of = {e.id: e.cluster for e in examples}
        clusters = sorted(set(cluster_of.values()))
        place = dict(zip(clusters, random.permutation(len(clusters)).tolist(), strict=True))
        chosen = set(sorted(ids, key=lambda i: place[cluster_of[i]])[:items])
    else:
        chosen = {ids[i] for i in random.choice(len(ids), items, replace=False)}
    return [e for e in examples if e.id in chosen]
