"""Greedy coordinate search: position after position, forward and backward, the better of the two.

Tan et al. 2020 (Morpheus), algorithm 1: each word takes the form that raises the loss most, once from the first to the
last word and once from the last to the first.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import Space, State


def greedy_coordinate() -> Search:
    """Two passes over the words, each from the clean example."""
    return Search("coordinate", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    words = [*space.by_word]
    yield from _pass(space, words)
    yield from _pass(space, reversed(words))


def _pass(space: Space, words: Iterable[int]) -> Asking:
    state: State = ()
    best = space.clean.badness
    for word in words:
        states = [
            extended
            for site in space.by_word[word]
            for option in range(len(space.sites[site].options))
            if (extended := space.extended(state, site, option)) is not None
        ]
        if not states:
            continue
        verdicts = yield states
        for candidate, verdict in zip(states, verdicts, strict=True):
            if verdict is not None and verdict.badness > best:
                state, best = candidate, verdict.badness
