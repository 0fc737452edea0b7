"""Mining translations out of two corpora by the margin between a pair's similarity and that of its neighbours.

Artetxe and Schwenk 2019, Margin-based Parallel Corpus Mining with Multilingual Sentence Embeddings, section 3: the
ratio margin of x and y is cos(x, y) over the mean of what x's and y's k nearest neighbours in the other corpus
have, half of it each. Pairs are the best candidate of every sentence of either side, taken greedily by descending
margin, one to one (`retrieval="max"` of XTREME's `utils_retrieve.py`, k = 4).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crosswind.evaluate.grid import Doubles, Floats
from crosswind.evaluate.nearest import Neighbours, mutual_nearest
from crosswind.model.offsets import Ints

MARGIN = "ratio"
"""What signatures call the margin that is computed here."""


@dataclass(frozen=True, slots=True)
class MinedPair:
    """Two vectors by their positions, and their margin."""

    source: int
    target: int
    margin: float


def mine(sources: Floats, targets: Floats, neighbours: int, *, faiss: bool | None = None) -> list[MinedPair]:
    """The mined pairs of two sets of unit vectors `(vectors, width)`, by descending margin.

    Of equal margins the candidate of a source goes before that of a target, and the lower index first. Only positive
    margins are pairs; the margin is 0 where the neighbours' mean similarity is not positive, where a ratio means
    nothing. `faiss` as in `mutual_nearest`: it changes no result.
    """
    if not len(sources) or not len(targets):
        return []
    forward, backward = mutual_nearest(sources, targets, neighbours, faiss=faiss)
    means = forward.scores.mean(axis=1), backward.scores.mean(axis=1)
    best_target, out_margins = _best(forward, *means)
    best_source, back_margins = _best(backward, *reversed(means))
    left = np.concatenate([np.arange(len(sources)), best_source])
    right = np.concatenate([best_target, np.arange(len(targets))])
    margins = np.concatenate([out_margins, back_margins])
    pairs: list[MinedPair] = []
    used_sources, used_targets = np.zeros(len(sources), dtype=bool), np.zeros(len(targets), dtype=bool)
    for i in np.argsort(-margins, kind="stable"):
        if margins[i] <= 0:
            break
        source, target = int(left[i]), int(right[i])
        if not used_sources[source] and not used_targets[target]:
            used_sources[source] = used_targets[target] = True
            pairs.append(MinedPair(source, target, float(margins[i])))
    return pairs


def _best(neighbours: Neighbours, mine_mean: Doubles, their_mean: Doubles) -> tuple[Ints, Doubles]:
    """Of each row the neighbour with the highest margin, the nearer one first, and that margin."""
    around = (mine_mean[:, None] + their_mean[neighbours.index]) / 2
    margins = np.divide(neighbours.scores, around, out=np.zeros_like(around), where=around > 0)
    best = margins.argmax(axis=1)
    rows = np.arange(len(margins))
    return neighbours.index[rows, best], margins[rows, best]


@dataclass(frozen=True)
class Unified:
    """A corpus with every text once: the position of its first occurrence, and which texts occur once.

    XTREME's script embeds a text once, however often it stands there, and then drops pairs of a text that more than
    one id has: nothing says which of them is meant. Blanks at the ends are no difference for the second.
    """

    first: Ints
    single: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Unified:
        """The distinct ones of these texts, in order."""
        positions: dict[str, int] = {}
        for i, text in enumerate(texts):
            positions.setdefault(text, i)
        counts = Counter(text.strip() for text in texts)
        single = np.array([counts[text.strip()] == 1 for text in positions], dtype=bool)
        return cls(np.array([*positions.values()], dtype=np.int64), single)
