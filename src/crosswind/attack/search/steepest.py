"""Steepest search: of every position the change that hurts most alone, then these one after another, the worst first.

Li et al. 2021 (CLARE), §2 and algorithm 1: of the actions at a position (replace, insert, merge) only the one of the
highest score is kept; in each step the highest-scoring of those that are left is applied, until the prediction changes.
Scores are those on the original text, and an action is applied also where beside the earlier ones it hurts less.
"""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.search.single import SINGLES
from crosswind.attack.space import Space, State


def steepest() -> Search:
    """A query for each single change, then one for each change that is added.

    A position is a word with what begins in it or stands behind it. An action whose region an earlier one has changed,
    and one whose text is refused, is left out.
    """
    return Search("steepest-of-position", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    singles = [*space.singles()]
    best: dict[int, tuple[tuple[float, float], int, int]] = {}  # of each position: badness, site, option
    for start in range(0, len(singles), SINGLES):
        states = singles[start : start + SINGLES]
        verdicts = yield states
        for ((site, option),), verdict in zip(states, verdicts, strict=True):
            position = space.sites[site].word
            if verdict is not None and (position not in best or verdict.badness > best[position][0]):
                best[position] = verdict.badness, site, option
    state: State = ()
    for position in sorted(best, key=lambda p: (tuple(-x for x in best[p][0]), p)):
        _, site, option = best[position]
        extended = space.extended(state, site, option)
        if extended is None:
            continue
        if not state:
            state = extended  # its text was asked about alone
            continue
        (verdict,) = yield [extended]
        if verdict is not None:
            state = extended
