"""A genetic search: parents by their loss, crossing, mutation, the best one kept.

Alzantot et al. 2018 (Generating Natural Language Adversarial Examples), algorithm 1.
"""

from __future__ import annotations

import math
import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.search.sampling import crossed, mutated
from crosswind.attack.space import GoalVerdict, Space, State


def genetic(population: int = 32, generations: int = 100) -> Search:
    """So many members and generations; the first generation has one change each."""
    settings = (("population", float(population)), ("generations", float(generations)))

    def run(space: Space, rng: random.Random) -> Asking:
        return _run(space, rng, population, generations)

    return Search("genetic", run, drawn=True, settings=settings)


def _run(space: Space, rng: random.Random, population: int, generations: int) -> Asking:
    members: list[State] = [mutated(space, (), rng) for _ in range(population)]
    known: dict[State, GoalVerdict | None] = {(): space.clean}
    for _ in range(generations):
        fresh = [state for state in dict.fromkeys(members) if state not in known]
        if fresh:
            known.update(zip(fresh, (yield fresh), strict=True))
        alive = [(state, verdict) for state in members if (verdict := known[state]) is not None]
        if not alive:
            members = [mutated(space, (), rng) for _ in range(population)]
            continue
        elite = max(alive, key=lambda pair: pair[1].badness)[0]
        # -loss is log p(gold) of a class; exp(loss) would overflow where a victim's loss is something else.
        highest = max(verdict.loss for _, verdict in alive)
        weights = [math.exp(max(-50.0, verdict.loss - highest)) for _, verdict in alive]
        states = [state for state, _ in alive]
        children = []
        for _ in range(population - 1):
            first, second = rng.choices(states, weights, k=2)
            children.append(mutated(space, crossed(space, first, second, rng), rng))
        members = [elite, *children]
