"""The nearest vectors of many, block by block: the best columns of every row of a matrix that is never whole.

`Nearest` keeps the best columns that it has seen. `mutual_nearest` finds the neighbours of two sets of vectors in each
other, in one pass of products in float32, and then makes them exact: candidates are scored anew on the grid of
`evaluate.ranking`, and where rounding could have hidden a neighbour the row is searched again in float64. So
neighbours and scores are the same bits whatever made the products, FAISS included.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crosswind.evaluate.grid import Doubles, Floats, on_grid, require_unit
from crosswind.model.offsets import Ints

ROW_BLOCK = 1024  # rows of a block of products: with 4096 columns 16 MiB in float32
COLUMN_BLOCK = 4096
SPARE = 8  # further candidates a row, so that rounding rarely hides a neighbour
EXACT_ROWS = 64  # rows whose candidates are scored anew at once: 64 x 12 vectors of 1024 numbers are 6 MiB
_NOWHERE = np.iinfo(np.int64).max


class Nearest:
    """The `count` best columns of each of `rows` rows so far, by (-score, column).

    `scores` and `columns` are `(rows, count)`, best first; what is not there yet is `-inf`. Columns are to be shown
    in ascending order, so that of equal scores the earlier column stays.
    """

    def __init__(self, rows: int, count: int, dtype: npt.DTypeLike = np.float64) -> None:
        self.count = count
        self.scores: npt.NDArray[Any] = np.full((rows, count), -np.inf, dtype=dtype)
        self.columns: Ints = np.full((rows, count), _NOWHERE, dtype=np.int64)

    def see(self, block: npt.NDArray[Any], row: int, column: int) -> None:
        """Scores `(rows, columns)` of the rows from `row` on and the columns from `column` on."""
        limit = self._limits(block, row, axis=1)
        rows, columns = np.nonzero(block > limit[:, None])
        self._merge(rows + row, columns + column, block[rows, columns])

    def see_turned(self, block: npt.NDArray[Any], row: int, column: int) -> None:
        """Scores `(columns, rows)`: a block of the same product, for the neighbours in the other direction."""
        limit = self._limits(block, row, axis=0)
        columns, rows = np.nonzero(block > limit[None, :])
        self._merge(rows + row, columns + column, block[columns, rows])

    def offer(self, rows: Ints, columns: Ints, scores: npt.NDArray[Any]) -> None:
        """Single scores, `(entries,)` each."""
        better = scores > self.scores[rows, -1]
        self._merge(rows[better], columns[better], scores[better])

    def _limits(self, block: npt.NDArray[Any], row: int, axis: int) -> npt.NDArray[Any]:
        """What a score must exceed: the worst that is kept; in rows that are not full, what lies below the best."""
        height, width = block.shape[1 - axis], block.shape[axis]
        limit = self.scores[row : row + height, -1]
        lacking = np.isneginf(limit)
        if width > self.count and lacking.any():
            best = np.partition(block, width - self.count, axis=axis)
            least = best[:, width - self.count] if axis == 1 else best[width - self.count]
            limit = np.where(lacking, np.nextafter(least, -np.inf, dtype=least.dtype), limit)
        return limit

    def _merge(self, rows: Ints, columns: Ints, scores: npt.NDArray[Any]) -> None:
        if not len(rows):
            return
        affected = np.unique(rows)
        all_rows = np.concatenate([np.repeat(affected, self.count), rows])
        all_columns = np.concatenate([self.columns[affected].ravel(), columns])
        all_scores = np.concatenate([self.scores[affected].ravel(), scores])
        order = np.lexsort((all_columns, -all_scores, all_rows))
        starts = np.searchsorted(all_rows[order], affected)
        kept = order[starts[:, None] + np.arange(self.count)]
        self.columns[affected], self.scores[affected] = all_columns[kept], all_scores[kept]


@dataclass(frozen=True)
class Neighbours:
    """For each vector the indices `(vectors, k)` of its nearest ones, best first, and their exact scores."""

    index: Ints
    scores: Doubles


def mutual_nearest(x: Floats, y: Floats, count: int, *, faiss: bool | None = None) -> tuple[Neighbours, Neighbours]:
    """The `count` nearest vectors of `y` for each of `x`, and of `x` for each of `y`, by (-cosine, index).

    Both are unit vectors `(vectors, width)` float32 and may be memory-mapped; beside the result it holds a few blocks.
    `faiss` says whether FAISS makes the products (default: where it is installed): it changes the time, not a bit.
    """
    kept_x, kept_y = min(count, len(y)), min(count, len(x))
    forward = Nearest(len(x), min(count + SPARE, len(y)), np.float32)
    backward = Nearest(len(y), min(count + SPARE, len(x)), np.float32)
    if has_faiss() if faiss is None else faiss:
        _faiss_search(x, y, forward)
        _faiss_search(y, x, backward)
    else:
        for row, part in vector_blocks(x, ROW_BLOCK):
            for column, other in vector_blocks(y, COLUMN_BLOCK):
                product = part @ other.T
                forward.see(product, row, column)
                backward.see_turned(product, column, row)
    return _exact(x, y, forward, kept_x), _exact(y, x, backward, kept_y)


def has_faiss() -> bool:
    """Whether the extra `faiss` is installed."""
    return importlib.util.find_spec("faiss") is not None


def vector_blocks(vectors: Floats, height: int) -> Iterator[tuple[int, Floats]]:
    """(first row, block of at most `height` vectors in memory), checked to be finite unit vectors."""
    for start in range(0, len(vectors), height):
        part = np.ascontiguousarray(vectors[start : start + height], dtype=np.float32)
        require_unit(part)
        yield start, part


def rounding_bound(width: int) -> float:
    """How far a float32 product of unit vectors of this width may lie from the exact one of their grid points.

    n u / (1 - n u) times the norms for a sum in any order (Higham 2002, Accuracy and Stability of Numerical
    Algorithms, equation 3.5), u = 2^-24; and 2^-26 a number for either vector's rounding to the grid.
    """
    unit = width * 2.0**-24
    return 1.001 * (unit / (1 - unit) + math.sqrt(width) * 2.0**-25)


def _faiss_search(queries: Floats, vectors: Floats, nearest: Nearest) -> None:
    import faiss

    faiss.omp_set_num_threads(1)
    for column, part in vector_blocks(vectors, 16 * COLUMN_BLOCK):
        index = faiss.IndexFlatIP(part.shape[1])
        index.add(part)
        for row, block in vector_blocks(queries, ROW_BLOCK):
            scores, columns = index.search(block, min(nearest.count, len(part)))
            rows = np.repeat(np.arange(row, row + len(block)), scores.shape[1])
            nearest.offer(rows, columns.ravel() + column, scores.ravel())


def _exact(x: Floats, y: Floats, nearest: Nearest, count: int) -> Neighbours:
    """The `count` best of each row's candidates by exact scores; rows where others could be better searched again."""
    index = np.empty((len(x), count), dtype=np.int64)
    scores = np.empty((len(x), count))
    bound = rounding_bound(x.shape[1])
    every = nearest.count >= len(y)
    doubtful: list[int] = []
    for start in range(0, len(x), EXACT_ROWS):
        rows = slice(start, min(start + EXACT_ROWS, len(x)))
        candidates = nearest.columns[rows]
        exact = np.einsum("rw,rcw->rc", on_grid(x[rows]), on_grid(y[candidates.ravel()]).reshape(*candidates.shape, -1))
        order = np.lexsort((candidates, -exact), axis=1)[:, :count]
        index[rows], scores[rows] = (np.take_along_axis(a, order, axis=1) for a in (candidates, exact))
        if not every:
            hidden = nearest.scores[rows, -1].astype(np.float64) + bound
            doubtful += (start + np.flatnonzero(scores[rows, -1] <= hidden)).tolist()
    for start in range(0, len(doubtful), ROW_BLOCK):
        rows_again = np.array(doubtful[start : start + ROW_BLOCK])
        again = Nearest(len(rows_again), count)
        queries = on_grid(x[rows_again])
        for column, part in vector_blocks(y, COLUMN_BLOCK):
            again.see(queries @ on_grid(part).T, 0, column)
        index[rows_again], scores[rows_again] = again.columns, again.scores
    return Neighbours(index, scores)
