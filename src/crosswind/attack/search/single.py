"""Every single change: the search of attacks that do one thing to an example."""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import Space

SINGLES = 16  # states of a round


def singles(shuffled: bool = False) -> Search:
    """All states of one change, in their order, or in a random one."""
    return Search("singles", lambda space, rng: _run(space, rng, shuffled))


def _run(space: Space, rng: random.Random, shuffled: bool) -> Asking:
    states = [*space.singles()]
    if shuffled:
        rng.shuffle(states)
    for start in range(0, len(states), SINGLES):
        yield states[start : start + SINGLES]
