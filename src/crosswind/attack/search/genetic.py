"""A genetic search: parents by their fitness, crossing, mutation, the best one kept.

Alzantot et al. 2018 (Generating Natural Language Adversarial Examples), algorithm 1. A word is mutated to one of its
alternatives, drawn at random, or (`worst`) as in the paper's Perturb: a word that is as it was is drawn by how many
alternatives it has, all of these are asked about, and the one that hurts most is taken.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from crosswind.attack.search import Asking, Search
from crosswind.attack.search.sampling import crossed, mutated
from crosswind.attack.space import GoalVerdict, Space, State

_Known = dict[State, GoalVerdict | None]


def genetic(population: int = 32, generations: int = 100, worst: bool = False) -> Search:
    """So many members and generations; the first generation has one change each."""
    settings = (("population", float(population)), ("generations", float(generations)), ("worst", float(worst)))

    def run(space: Space, rng: random.Random) -> Asking:
        return _run(space, rng, population, generations, worst)

    return Search("genetic", run, drawn=True, settings=settings)


def _run(space: Space, rng: random.Random, population: int, generations: int, worst: bool) -> Asking:
    known: _Known = {(): space.clean}
    members = yield from _mutated(space, [()] * population, known, rng, worst)
    for _ in range(generations):
        alive = [(state, verdict) for state in members if (verdict := known[state]) is not None]
        if not alive:
            members = yield from _mutated(space, [()] * population, known, rng, worst)
            continue
        elite = max(alive, key=lambda pair: pair[1].badness)[0]
        weights = _fitness([verdict.loss for _, verdict in alive])
        states = [state for state, _ in alive]
        pairs = [rng.choices(states, weights, k=2) for _ in range(population - 1)]
        children = [crossed(space, first, second, rng) for first, second in pairs]
        members = [elite, *(yield from _mutated(space, children, known, rng, worst))]


def _fitness(losses: Sequence[float]) -> list[float]:
    """Of each member the probability of being wrong: 1 - p(gold), where the loss is -log p(gold).

    A loss that may be negative is a margin, which a softmax weighs.
    """
    highest = max(losses)
    if min(losses) < 0:
        return [math.exp(max(-50.0, loss - highest)) for loss in losses]
    return [-math.expm1(-loss) for loss in losses] if highest else [1.0] * len(losses)


def _mutated(space: Space, states: Sequence[State], known: _Known, rng: random.Random, worst: bool) -> Asking:
    """The mutated states, in order, whose verdicts are then known."""
    if not worst:
        members = [mutated(space, state, rng) for state in states]
        yield from _ask(members, known)
        return members
    tried = [_alternatives(space, state, rng) for state in states]
    yield from _ask([state for some in tried for state in some], known)
    members = []
    for state, some in zip(states, tried, strict=True):
        allowed = [(verdict.badness, other) for other in some if (verdict := known[other]) is not None]
        members.append(max(allowed, key=lambda pair: pair[0])[1] if allowed else state)
    yield from _ask(members, known)  # those that stay as they are
    return members


def _ask(states: Sequence[State], known: _Known) -> Asking:
    fresh = [state for state in dict.fromkeys(states) if state not in known]
    if fresh:
        known.update(zip(fresh, (yield fresh), strict=True))


def _alternatives(space: Space, state: State, rng: random.Random) -> list[State]:
    """The state with each alternative of one site that is as it was and fits."""
    sites = [site for site in range(len(space.sites)) if space.fits(state, site)]
    if not sites:
        return []
    counts = [len(space.sites[site].options) for site in sites]
    (site,) = rng.choices(sites, counts)
    return [tuple(sorted((*state, (site, option)))) for option in range(len(space.sites[site].options))]
