"""Transfer: the adversarial examples of every model, scored on all others; the pool without its source.

A secondary comparison of routes: the examples of each source are a condition, `ATTACK;from=ROUTE/SEED` in the column
`attack`, that every model has but the source itself. A model's score on the pool is the mean of its rows. All sources
attack the same items, so that each row is over the same ones. A condition that a compared route lacks, because it is
the source, enters no contrast.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from crosswind.analysis.condition import FROM
from crosswind.study.plan import Planner
from crosswind.study.planned import CellCondition, Evaluated


class Transfers:
    """Pairs the models of a plan as they come: each has the cells of all earlier sources, and they have its."""

    def __init__(self) -> None:
        self._sources: dict[Hashable, list[tuple[Evaluated, str]]] = {}

    def add(
        self, planner: Planner, evaluated: Evaluated, condition: CellCondition, rewrite: str, *, moves_pool: bool
    ) -> None:
        """Score what step `rewrite` made of a model's test set on the models before it, and theirs on it.

        Models under one defence are paired with each other, not with those under another. `moves_pool`: candidates were
        added to the pool.
        """
        clean = evaluated.clean
        group = (condition, clean.target, clean.data, clean.selection, clean.defence)
        known = self._sources.setdefault(group, [])
        for other, made in known:
            _score(planner, evaluated, other, condition, made, moves_pool)
            _score(planner, other, evaluated, condition, rewrite, moves_pool)
        known.append((evaluated, rewrite))


def _score(
    planner: Planner, model: Evaluated, source: Evaluated, condition: CellCondition, rewrite: str, moves_pool: bool
) -> None:
    name = f"{condition.attack}{FROM}{source.clean.route}/{source.clean.seed}"
    label = f"{name}, {condition.budget} queries"
    planner.condition(model, replace(condition, attack=name), rewrite, label=label, moves_pool=moves_pool)
