"""Ranking queries against a pool in blocks: exact scores (`evaluate/grid.py`), ties to the lower index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crosswind.evaluate.grid import GRID, Doubles, Floats, grid_points, on_grid, require_unit
from crosswind.evaluate.nearest import Nearest
from crosswind.model.offsets import Ints

TOP = 20  # candidates of a query that are kept
QUERY_BLOCK = 64  # queries of a block
CANDIDATE_BLOCK = 4096  # candidates of a block: 4096 vectors of 1024 numbers are 32 MiB


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
    # A power of two on one side: scores are the same bits, and the blocks of the pool are divided by nothing.
    asked = [block / GRID**2 for _, block in _blocks(queries, QUERY_BLOCK)]
    nearest = Nearest(len(queries), min(top, len(vectors)))
    goals = _Goals(queries, vectors, gold)
    for first, block in _blocks(vectors, CANDIDATE_BLOCK):
        for part, rows in enumerate(asked):
            scores = rows @ block.T
            goals.see(scores, part * QUERY_BLOCK, first)
            nearest.see(scores, part * QUERY_BLOCK, first)
    ranks = goals.ranks()
    return [Ranked(nearest.columns[i], nearest.scores[i], ranks[i]) for i in range(len(queries))]


class _Goals:
    """The gold candidates of all queries, in the order of the queries, and how many candidates stand before each."""

    def __init__(self, queries: Floats, vectors: Floats, gold: Sequence[Sequence[int]]) -> None:
        counts = [len(indices) for indices in gold]
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self.query = np.repeat(np.arange(len(counts)), counts)
        self.index = np.array([i for indices in gold for i in indices], dtype=np.int64)
        self.scores = np.zeros(len(self.index))
        for query, (begin, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            if end > begin:
                vector, right = on_grid(queries[query : query + 1]), on_grid(vectors[self.index[begin:end]])
                self.scores[begin:end] = (vector * right).sum(axis=1)
        self.before = np.zeros(len(self.index), dtype=np.int64)

    def see(self, scores: Doubles, row: int, first: int) -> None:
        """Scores `(queries, candidates)` of the queries from `row` on and the candidates from `first` on."""
        last = first + scores.shape[1]
        for i in range(self.starts[row], self.starts[row + len(scores)]):
            of_query = scores[self.query[i] - row]
            score, index = self.scores[i], self.index[i]
            if index >= last:  # equal scores stand before it
                self.before[i] += np.count_nonzero(of_query >= score)
            else:
                self.before[i] += np.count_nonzero(of_query > score)
                if index > first:
                    self.before[i] += np.count_nonzero(of_query[: index - first] == score)

    def ranks(self) -> list[tuple[int, ...]]:
        """Of each query the ascending ranks of its gold candidates, from 1."""
        ends = zip(self.starts[:-1], self.starts[1:], strict=True)
        return [tuple(sorted((self.before[begin:end] + 1).tolist())) for begin, end in ends]


def _blocks(vectors: Floats, height: int) -> Iterator[tuple[int, Doubles]]:
    """(first row, block in grid points), at most `height` vectors each."""
    for start in range(0, len(vectors), height):
        part = vectors[start : start + height]
        require_unit(part)
        yield start, grid_points(part)
