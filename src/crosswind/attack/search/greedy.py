"""Greedy search by word importance: words in the order of what their loss costs, of each the change that hurts most.

Jin et al. 2020 (TextFooler), algorithm 1; Li et al. 2020 (BERT-Attack), section 3; Gao et al. 2018 (DeepWordBug).
"""

from __future__ import annotations

import random

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import Space, State


def greedy_by_importance() -> Search:
    """A query for each word that can change, then all changes of one word after another."""
    return Search("greedy", _run)


def _run(space: Space, rng: random.Random) -> Asking:
    words = [*space.by_word]
    probed = yield [space.probes(word) for word in words]
    # A word that cannot be taken away comes last.
    losses = {word: float("-inf") if v is None else v.loss for word, v in zip(words, probed, strict=True)}
    state: State = ()
    best = space.clean.badness
    for word in sorted(words, key=lambda w: (-losses[w], w)):
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
