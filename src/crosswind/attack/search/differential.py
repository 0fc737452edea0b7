"""Differential evolution over where and what to change, for attacks of a few edits.

Storn and Price 1997, best/1/bin with dithering as in SciPy's `differential_evolution` (its defaults: mutation in
[0.5, 1), recombination 0.7); Boucher et al. 2022 (Bad Characters), algorithm 1: a vector holds a position and a choice
for each edit, both in [0, 1).
"""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import GoalVerdict, Space, State

RECOMBINATION = 0.7
MUTATION = (0.5, 1.0)

Vector = list[float]


def differential_evolution(edits: int = 5, population: int = 32, generations: int = 10) -> Search:
    """Up to `edits` changes; `generations` rounds after the first population."""
    settings = (("edits", float(edits)), ("population", float(population)), ("generations", float(generations)))

    def run(space: Space, rng: random.Random) -> Asking:
        return _run(space, rng, edits, max(4, population), generations)

    return Search("differential-evolution", run, drawn=True, settings=settings)


def _run(space: Space, rng: random.Random, edits: int, population: int, generations: int) -> Asking:
    width = 2 * min(edits, len(space.sites))
    members: list[Vector] = [[rng.random() for _ in range(width)] for _ in range(population)]
    known: dict[State, GoalVerdict | None] = {(): space.clean}
    energies: list[tuple[float, float]] = [_WORST] * population
    trials = members
    for generation in range(generations + 1):
        states = [_decoded(space, vector) for vector in trials]
        fresh = [state for state in dict.fromkeys(states) if state not in known]
        if fresh:
            known.update(zip(fresh, (yield fresh), strict=True))
        for i, (vector, state) in enumerate(zip(trials, states, strict=True)):
            verdict = known[state]
            energy = _WORST if verdict is None else verdict.badness
            if generation == 0 or energy >= energies[i]:
                members[i], energies[i] = vector, energy
        best = members[max(range(population), key=lambda i: (energies[i], -i))]
        scale = rng.uniform(*MUTATION)
        trials = [_trial(members, i, best, scale, rng) for i in range(population)]


_WORST = (-2.0, 0.0)


def _trial(members: list[Vector], target: int, best: Vector, scale: float, rng: random.Random) -> Vector:
    first, second = rng.sample([i for i in range(len(members)) if i != target], 2)
    width = len(best)
    sure = rng.randrange(width) if width else 0
    vector = []
    for j in range(width):
        if j == sure or rng.random() < RECOMBINATION:
            value = best[j] + scale * (members[first][j] - members[second][j])
            vector.append(value if 0 <= value < 1 else rng.random())
        else:
            vector.append(members[target][j])
    return vector


def _decoded(space: Space, vector: Vector) -> State:
    """The changes of a vector in its order, those that do not fit beside earlier ones left out."""
    state: State = ()
    for j in range(0, len(vector), 2):
        site = int(vector[j] * len(space.sites))
        option = int(vector[j + 1] * len(space.sites[site].options))
        extended = space.extended(state, site, option)
        state = state if extended is None else extended
    return state
