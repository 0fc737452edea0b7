"""Random draws from the alternatives: the control of every attack, best of as many as the budget allows."""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.search.sampling import DRAW_TRIES, drawn_state
from crosswind.attack.space import Space, State

ROUND = 16  # draws of a round: a forward pass of the canonical shape


def random_draws(share: float | None = None) -> Search:
    """Different random states without end: how many sites change is drawn, or each does with probability `share`."""
    settings = () if share is None else (("share", share),)
    return Search("random", lambda space, rng: _run(space, rng, share), drawn=True, settings=settings)


def _run(space: Space, rng: random.Random, share: float | None) -> Asking:
    seen: set[State] = set()
    dry = 0
    while dry < DRAW_TRIES:
        states: list[State] = []
        while len(states) < ROUND and dry < DRAW_TRIES:
            state = drawn_state(space, rng, share)
            dry += 1
            if state and state not in seen:
                seen.add(state)
                states.append(state)
                dry = 0
        if states:
            yield states
