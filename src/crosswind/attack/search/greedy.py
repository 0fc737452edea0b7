"""Greedy search by word importance: words in the order of what their loss costs, of each the change that hurts most.

Jin et al. 2020 (TextFooler), algorithm 1; Li et al. 2020 (BERT-Attack), section 3; Gao et al. 2018 (DeepWordBug).
"""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search, word_after_word
from crosswind.attack.space import Space


def greedy_by_importance() -> Search:
    """A query for each word that can change, then all changes of one word after another."""
    return Search("greedy", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    words = [*space.by_word]
    probed = yield [space.probes(word) for word in words]
    # A word that cannot be taken away comes last.
    losses = {word: float("-inf") if v is None else v.loss for word, v in zip(words, probed, strict=True)}
    yield from word_after_word(space, sorted(words, key=lambda word: (-losses[word], word)))
