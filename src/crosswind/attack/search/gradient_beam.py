"""Beam search by gradients: of the states that the first-order estimate prefers only a few are asked about.

Ebrahimi et al. 2018 (HotFlip), §3.2: a beam over the estimated rise of the loss; the gradient is taken once for each
state of the beam.
"""

from __future__ import annotations

import itertools
from collections import deque

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
        # Two states of a beam have at most one extension in common, so that one with more has some of its own.
        certain = [_has_more_than(space, state, len(frontier)) for state in frontier]
        for number, (state, gained) in enumerate(frontier.items()):
            extended = {
                e: None
                for ((site, option),) in space.singles()
                if (e := space.extended(state, site, option)) is not None and e not in expected
            }
            if not extended:
                continue
            gains = yield Estimates(state, tuple(extended), sum(certain[number + 1 :]))
            for new, gain in zip(extended, gains, strict=True):
                if gain is not None:
                    expected[new] = gained + gain
        # What a constraint refuses makes room for the next.
        ordered = deque(sorted(expected, key=lambda s: (-expected[s], s)))
        frontier = {}
        while ordered and len(frontier) < width:
            best = [ordered.popleft() for _ in range(min(width - len(frontier), len(ordered)))]
            verdicts = yield best
            frontier |= {s: expected[s] for s, verdict in zip(best, verdicts, strict=True) if verdict is not None}
        if not frontier:
            return


def _has_more_than(space: Space, state: State, many: int) -> bool:
    """Whether more than so many extensions of a state are texts."""
    extensions = (space.extended(state, site, option) for ((site, option),) in space.singles())
    texts = (e for e in extensions if e is not None and space.trial(e) is not None)
    return next(itertools.islice(texts, many, None), None) is not None
