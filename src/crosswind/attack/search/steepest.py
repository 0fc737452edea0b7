"""Steepest search: of every site the change that hurts most alone, then these one after another, the worst first.

Li et al. 2021 (CLARE), algorithm 1: each position is scored once; the changes are then made in falling order of their
scores, as long as the victim is right.
"""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.search.single import SINGLES
from crosswind.attack.space import Space, State


def steepest() -> Search:
    """A query for each single change, then one for each change that is added."""
    return Search("steepest", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    singles = [*space.singles()]
    best: dict[int, tuple[tuple[float, float], int]] = {}
    for start in range(0, len(singles), SINGLES):
        states = singles[start : start + SINGLES]
        verdicts = yield states
        for ((site, option),), verdict in zip(states, verdicts, strict=True):
            if verdict is not None and (site not in best or verdict.badness > best[site][0]):
                best[site] = verdict.badness, option
    state: State = ()
    reached = space.clean.badness
    for site in sorted(best, key=lambda s: (tuple(-x for x in best[s][0]), s)):
        extended = space.extended(state, site, best[site][1])
        if extended is None:
            continue
        if not state:
            state, reached = extended, best[site][0]
            continue
        (verdict,) = yield [extended]
        if verdict is not None and verdict.badness > reached:
            state, reached = extended, verdict.badness
