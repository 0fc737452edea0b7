"""Beam search over the sites from left to right: the best states so far are kept, each with and without a change.

Without a width it is exhaustive.
"""

from __future__ import annotations

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import Space, State


def beam(width: int = 0) -> Search:
    """The `width` best states after each site; 0 keeps all."""
    return Search("beam", lambda space, rng: _run(space, width), settings=(("width", width),))


def _run(space: Space, width: int) -> Asking:
    frontier: dict[State, tuple[float, float]] = {(): space.clean.badness}
    for site in range(len(space.sites)):
        states = [
            extended
            for state in frontier
            for option in range(len(space.sites[site].options))
            if (extended := space.extended(state, site, option)) is not None
        ]
        if not states:
            continue
        verdicts = yield states
        # A state whose text cannot be may become one by a further change: with all states kept nothing is lost.
        for state, verdict in zip(states, verdicts, strict=True):
            if verdict is not None:
                frontier[state] = verdict.badness
            elif not width:
                frontier[state] = (-2.0, 0.0)
        if width and len(frontier) > width:
            order = sorted(frontier.items(), key=lambda item: (item[1], [-i for pair in item[0] for i in pair]))
            frontier = dict(reversed(order[-width:]))
