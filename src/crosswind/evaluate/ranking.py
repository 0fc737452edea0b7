"""Ranking queries against a pool in blocks: exact scores, ties to the lower index, no full matrix.

A matrix product gives a row other last bits by its position in a block, and by the shape, the processor and
the library (measured: OpenBLAS in fp32, at every shape from 16x32 to 64x1024). So scores are made exact: the
numbers of a vector are rounded to multiples of 2^-25, their products are multiples of 2^-50, and every partial sum
below 8 is then a float64 without rounding, whatever the order of the additions. Vectors have length 1, so that no sum
exceeds 1. Two scores are equal exactly where the rounded vectors say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crosswind.model.offsets import Ints

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

TOP = 20  # candidates of a query that are kept
QUERY_BLOCK = 64  # queries of a block
CANDIDATE_BLOCK = 4096  # candidates of a block: 4096 vectors of 1024 numbers are 32 MiB
_GRID = 2.0**25
_LIMIT = 8.0  # bound of a sum of products on the grid of 2^-50 that float64 holds exactly


@dataclass(frozen=True)
class Ranked:
    """The best candidates of a query by (-score, index), their scores, and the gold candidates' ranks from 1."""

    top: Ints
    scores: Doubles
    ranks: tuple[int, ...]


def rank(queries: Floats, vectors: Floats, gold: Sequence[Sequence[int]], top: int = TOP) -> list[Ranked]:
    """Rank candidates `vectors` `(candidates, width)` for `queries` `(queries, width)`, unit vectors both.

    `vectors` may be memory-mapped: they are read once, block by block. `gold` holds the indices of each query's
    gold candidates; the rank of one is 1 + the number of higher scores + the number of equal ones before it.
    """
    asked = [_Asked(block) for block in _blocks(queries, QUERY_BLOCK)]
    goals = [_Goals(queries[i : i + 1], vectors, indices) for i, indices in enumerate(gold)]
    for number, block in enumerate(_blocks(vectors, CANDIDATE_BLOCK)):
        first = number * CANDIDATE_BLOCK
        real = min(len(vectors) - first, CANDIDATE_BLOCK)
        for part, of_part in enumerate(asked):
            scores = (of_part.queries @ block.T)[:, :real]
            for row, goal in enumerate(goals[part * QUERY_BLOCK : (part + 1) * QUERY_BLOCK]):
                goal.see(scores[row], first)
            of_part.see(scores, first, top)
    ranked: list[Ranked] = []
    for i, goal in enumerate(goals):
        of_part, row = asked[i // QUERY_BLOCK], i % QUERY_BLOCK
        ranked.append(Ranked(of_part.best[row], of_part.scores[row], goal.ranks))
    return ranked


class _Asked:
    """A block of queries and the best candidates that it has seen, best first."""

    def __init__(self, queries: Doubles) -> None:
        self.queries = queries
        self.scores: Doubles = np.zeros((len(queries), 0))
        self.best: Ints = np.zeros((len(queries), 0), dtype=np.int64)

    def see(self, scores: Doubles, first: int, top: int) -> None:
        """Merge a block's scores; earlier candidates stand before later ones, so that a stable sort settles ties."""
        both = np.concatenate([self.scores, scores], axis=1)
        kept = min(top, both.shape[1])
        least = -np.partition(-both, kept - 1, axis=1)[:, kept - 1]
        before = self.best.shape[1]
        new_scores = np.empty((len(both), kept))
        new_best = np.empty((len(both), kept), dtype=np.int64)
        for row, values in enumerate(both):
            columns = np.flatnonzero(values >= least[row])
            columns = columns[np.argsort(-values[columns], kind="stable")[:kept]]
            new_scores[row] = values[columns]
            earlier = columns < before
            new_best[row, earlier] = self.best[row, columns[earlier]]
            new_best[row, ~earlier] = columns[~earlier] - before + first
        self.scores, self.best = new_scores, new_best


class _Goals:
    """The gold candidates of one query, and how many candidates stand before each."""

    def __init__(self, query: Floats, vectors: Floats, indices: Sequence[int]) -> None:
        self.indices = np.array(indices, dtype=np.int64)
        self.scores = (_on_grid(query) * _on_grid(vectors[self.indices])).sum(axis=1)
        self.before = np.zeros(len(indices), dtype=np.int64)

    def see(self, scores: Doubles, first: int) -> None:
        for i, (index, score) in enumerate(zip(self.indices, self.scores, strict=True)):
            earlier = scores[: max(int(index) - first, 0)]
            self.before[i] += np.count_nonzero(scores > score) + np.count_nonzero(earlier == score)

    @property
    def ranks(self) -> tuple[int, ...]:
        return tuple(sorted((self.before + 1).tolist()))


def _blocks(vectors: Floats, height: int) -> Iterator[Doubles]:
    """Blocks `(height, width)` on the grid, the last one filled up with zeros."""
    for start in range(0, len(vectors), height):
        part = _on_grid(vectors[start : start + height])
        if float(np.square(part).sum(axis=1).max(initial=0.0)) >= _LIMIT:
            raise ValueError("ranking takes unit vectors")
        block = np.zeros((height, vectors.shape[1]))
        block[: len(part)] = part
        yield block


def _on_grid(vectors: Floats) -> Doubles:
    if not np.isfinite(vectors).all():
        raise ValueError("ranking takes finite vectors")
    return np.rint(np.asarray(vectors, dtype=np.float64) * _GRID) / _GRID
