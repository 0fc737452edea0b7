"""Beam search by gradients: of the states that the first-order estimate prefers only a few are asked about.

Ebrahimi et al. 2018 (HotFlip), §3.2: a beam over the estimated rise of the loss; the gradient is taken once for each
state of the beam.
"""

from __future__ import annotations

from crosswind.attack.search import Asking, Estimates, Search
from crosswind.attack.space import Space, State


def gradient_beam(width: int = 10, edits: int = 10) -> Search:
    """`width` states a step, up to `edits` changes."""
    settings = (("width", float(width)), ("edits", float(edits)))
    return Search("gradient-beam", lambda space, rng: _run(space, width, edits), settings=settings)


def _run(space: Space, width: int, edits: int) -> Asking:
    frontier: dict[State, float] = {(): 0.0}
    for _ in range(edits):
        expected: dict[State, float] = {}
        for state, gained in frontier.items():
            extended = {
                e: None
                for ((site, option),) in space.singles()
                if (e := space.extended(state, site, option)) is not None and e not in expected
            }
            if not extended:
                continue
            gains = yield Estimates(state, tuple(extended))
            for new, gain in zip(extended, gains, strict=True):
                if gain is not None:
                    expected[new] = gained + gain
        best = sorted(expected, key=lambda s: (-expected[s], s))[:width]
        if not best:
            return
        yield best
        frontier = {state: expected[state] for state in best}
