"""Random draws from the alternatives: the control of every attack, best of as many as the budget allows.

Nothing is drawn twice. Where draws bring nothing new any more, what is left of the space is asked in order: a control
ends before its budget only with the space.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

from crosswind.attack.search import Asking, Search
from crosswind.attack.search.sampling import DRAW_TRIES, all_states, drawn_state
from crosswind.attack.space import Space, State

ROUND = 16  # draws of a round: a forward pass of the canonical shape


def random_draws(share: float | None = None) -> Search:
    """Different random states without end: how many sites change is drawn, or each does with probability `share`."""
    settings = () if share is None else (("share", share),)

    def run(space: Space, rng: random.Random) -> Asking:
        return _run(space, rng, share)

    return Search("random", run, drawn=True, endless=True, settings=settings)


def _run(space: Space, rng: random.Random, share: float | None) -> Asking:
    seen: set[State] = set()

    def drawn() -> Iterator[State]:
        dry = 0
        while dry < DRAW_TRIES:
            state = drawn_state(space, rng, share)
            dry += 1
            if state and state not in seen:
                seen.add(state)
                dry = 0
                yield state

    every = itertools.chain(drawn(), (state for state in all_states(space) if state not in seen))
    while states := [*itertools.islice(every, ROUND)]:
        yield states
