"""Vectors on a grid, so that their products are exact.

A matrix product gives a row other last bits by its position in a block, and by the shape, the processor and
the library (measured: OpenBLAS in fp32, at every shape from 16x32 to 64x1024). So scores are made exact: the
numbers of a vector are rounded to multiples of 2^-25, their products are multiples of 2^-50, and every partial sum
below 8 is then a float64 without rounding, whatever the order of the additions. Vectors have length 1, so that no sum
exceeds 1. Two scores are equal exactly where the rounded vectors say so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

GRID = 2.0**25
"""Points of the grid in a unit."""
_LIMIT = 8.0  # bound of a sum of products on the grid of 2^-50 that float64 holds exactly


def on_grid(vectors: Floats) -> Doubles:
    """The vectors with every number rounded to a multiple of 2^-25; `ValueError` for what is not finite."""
    points = grid_points(vectors)
    points /= GRID
    if not np.isfinite(points.sum()):
        raise ValueError("ranking takes finite vectors")
    return points


def grid_points(vectors: Floats) -> Doubles:
    """The vectors as whole numbers of grid points: 2^25 times what `on_grid` gives, for fewer passes."""
    points = np.multiply(vectors, GRID, dtype=np.float64)
    return np.rint(points, out=points)


def require_unit(vectors: npt.NDArray[np.float32] | Doubles) -> None:
    """A `ValueError` for vectors that are not finite, or so long that sums of their products are not exact."""
    longest = float(np.einsum("vw,vw->v", vectors, vectors).max(initial=0.0))
    if not np.isfinite(longest):
        raise ValueError("ranking takes finite vectors")
    if longest >= _LIMIT:
        raise ValueError("ranking takes unit vectors")
