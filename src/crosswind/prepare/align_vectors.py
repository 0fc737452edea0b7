"""Word alignment by an encoder's hidden states: words whose sub-words are each other's nearest.

Jalili Sabet, Dufter, Yvon & Schütze 2020, "SimAlign: High Quality Word Alignments Without Parallel Training Data
Using Static and Contextualized Embeddings", §3: cosine similarities of sub-words, two of which are linked if each is
the other's best (`argmax`), or as the matching of greatest sum has it (`mwmf`); two words are linked if a sub-word of
the one is linked to one of the other. They read layer 8 of 12. Nothing is trained, so one pair is enough.

The encoder is passed in: `Subwords` is all that is asked of it (`model.subwords.EncoderSubwords` is one).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, assert_never, get_args

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from crosswind.errors import unknown
from crosswind.prepare.align import Link, WordPair

Matching = Literal["argmax", "mwmf"]
_Floats = npt.NDArray[np.floating]
_BATCH = 256  # pairs whose vectors are in memory at once; the result does not depend on it


class SubwordVectors(NamedTuple):
    """The sub-words of a sentence: their vectors `(sub-words, width)`, and the index of the word of each."""

    vectors: _Floats
    words: npt.NDArray[np.int64]


class Subwords(Protocol):
    """What gives the sub-words of sentences with their vectors."""

    def __call__(self, sentences: Sequence[Sequence[str]]) -> Sequence[SubwordVectors]:
        """The sub-words of each sentence, whose words are as the caller cut them."""
        ...


def align_by_vectors(
    pairs: Sequence[WordPair], subwords: Subwords, *, matching: Matching = "argmax"
) -> list[list[Link]]:
    """The links of each pair, ascending; none for a pair of which a side has no words.

    Raises a `UserError` for an unknown matching.
    """
    if matching not in get_args(Matching):
        raise unknown("matching", matching, get_args(Matching))
    links: list[list[Link]] = [[] for _ in pairs]
    usable = [k for k, (s, t) in enumerate(pairs) if len(s) and len(t)]
    for start in range(0, len(usable), _BATCH):
        batch = usable[start : start + _BATCH]
        every = subwords([side for k in batch for side in pairs[k]])
        for n, k in enumerate(batch):
            links[k] = _linked(every[2 * n], every[2 * n + 1], matching)
    return links


def _linked(source: SubwordVectors, target: SubwordVectors, matching: Matching) -> list[Link]:
    if not len(source.words) or not len(target.words):
        return []
    similarity = _unit(source.vectors) @ _unit(target.vectors).T
    match matching:
        case "argmax":
            best_target, best_source = similarity.argmax(1), similarity.argmax(0)
            rows = np.flatnonzero(best_source[best_target] == np.arange(len(best_target)))
            columns = best_target[rows]
        case "mwmf":
            rows, columns = linear_sum_assignment(similarity, maximize=True)
        case _:
            assert_never(matching)
    return sorted(set(zip(source.words[rows].tolist(), target.words[columns].tolist(), strict=True)))


def _unit(vectors: _Floats) -> _Floats:
    wide = vectors.astype(np.float64)
    scaled: _Floats = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    return scaled
