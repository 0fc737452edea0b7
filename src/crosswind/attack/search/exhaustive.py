"""Exhaustive search: every set of changes that go together. A reference for small spaces."""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import Space, State

STATES_AT_ONCE = 256  # states of a round


def exhaustive() -> Search:
    """All states, in the order of their sites and options."""
    return Search("exhaustive", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    frontier: list[State] = [()]
    pending: list[State] = []
    for site in range(len(space.sites)):
        new = [
            extended
            for state in frontier
            for option in range(len(space.sites[site].options))
            if (extended := space.extended(state, site, option)) is not None
        ]
        frontier += new
        pending += new
        while len(pending) >= STATES_AT_ONCE:
            yield pending[:STATES_AT_ONCE]
            pending = pending[STATES_AT_ONCE:]
    if pending:
        yield pending
