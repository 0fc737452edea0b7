"""Greedy coordinate search: position after position, forward and backward, the better of the two.

Tan et al. 2020 (Morpheus), algorithm 1: each word takes the form that raises the loss most, once from the first to the
last word and once from the last to the first.
"""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search, word_after_word
from crosswind.attack.space import Space


def greedy_coordinate() -> Search:
    """Two passes over the words, each from the clean example."""
    return Search("coordinate", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    words = [*space.by_word]
    yield from word_after_word(space, words)
    yield from word_after_word(space, reversed(words))
