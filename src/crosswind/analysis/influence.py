"""What each cluster of items is worth to a score: influence values, which all intervals are made of.

Leaving cluster g out of a cell changes its score by `score(X) - score(X - x_g)`, X being the sum of the cell's
statistics (the jackknife: Efron and Stein 1981). Nothing of a metric is needed but its score of sums. Means and
differences of scores are sums of these values, so cells that share clusters are paired of themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from crosswind.evaluate.metrics.base import Array, Score

Indices = NDArray[np.intp]
Limits = tuple[float, float]
"""Between what a quantity can lie, in points: a score between 0 and 100, the difference of two between -100 and 100."""
SCORE_LIMITS: Limits = (0.0, 100.0)
UNLIMITED: Limits = (-math.inf, math.inf)


class Strata(NamedTuple):
    """The clusters of some cells by connected component: `columns` (sorted numbers), the component of each, and how
    many clusters each component has."""

    columns: Indices
    component: Indices
    sizes: Indices


class ClusterNumbers:
    """Indices for cluster ids, and for the sets of clusters that cells have: layouts. One for all targets of a run."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._layouts: list[Indices] = []
        self._by_content: dict[bytes, int] = {}
        self._known: dict[tuple[str, ...], tuple[int, Indices | None]] = {}
        self._columns: dict[frozenset[int], Indices] = {}
        self._strata: dict[frozenset[int], Strata] = {}

    def sums(self, statistics: Array, ids: tuple[str, ...]) -> tuple[int, Array]:
        """The layout of a cell, and its statistics `(rows, k)` summed by cluster `(clusters, k)`."""
        layout, rows_of = self._layout(ids)
        if rows_of is None:
            return layout, statistics
        out = np.zeros((len(self._layouts[layout]), statistics.shape[1]))
        if len(out) == len(rows_of):
            out[rows_of] = statistics
        else:
            for i in range(statistics.shape[1]):
                out[:, i] = np.bincount(rows_of, weights=statistics[:, i], minlength=len(out))
        return layout, out

    def _layout(self, ids: tuple[str, ...]) -> tuple[int, Indices | None]:
        """The layout of these cluster ids and the position of each in it; `None` where rows are in order."""
        known = self._known.get(ids)
        if known is None:
            numbers = self._numbers
            raw = np.fromiter((numbers.setdefault(x, len(numbers)) for x in ids), dtype=np.intp, count=len(ids))
            distinct, positions = np.unique(raw, return_inverse=True)
            ordered = len(distinct) == len(raw) and bool((positions == np.arange(len(raw))).all())
            known = self._known[ids] = (self.layout_of(distinct), None if ordered else positions)
        return known

    def layout_of(self, numbers: Indices) -> int:
        """The layout of sorted, distinct cluster numbers."""
        content = numbers.tobytes()
        if content not in self._by_content:
            self._by_content[content] = len(self._layouts)
            self._layouts.append(numbers)
        return self._by_content[content]

    def together(self, cells: Sequence[Sequence[tuple[int, Array]]]) -> list[list[tuple[int, Array]]]:
        """Layouts and sums of cells under one layout, that of all their clusters: zeros where a cell has none."""
        layouts = frozenset(layout for members in cells for layout, _ in members)
        if len(layouts) == 1:
            return [list(members) for members in cells]
        columns = self.columns(layouts)
        layout = self.layout_of(columns)

        def wider(before: int, sums: Array) -> tuple[int, Array]:
            out = np.zeros((len(columns), sums.shape[-1]))
            out[np.searchsorted(columns, self._layouts[before])] = sums
            return layout, out

        return [[wider(*cell) for cell in members] for members in cells]

    def columns(self, layouts: frozenset[int]) -> Indices:
        """The sorted numbers of the clusters of these layouts; the same array for the same layouts."""
        if layouts not in self._columns:
            members = [self._layouts[i] for i in sorted(layouts)]
            self._columns[layouts] = members[0] if len(members) == 1 else np.unique(np.concatenate(members))
        return self._columns[layouts]

    def strata(self, layouts: frozenset[int]) -> Strata:
        """The connected components of cells with these layouts: clusters of one are crossed with all its cells."""
        if layouts not in self._strata:
            columns = self.columns(layouts)
            if len(layouts) == 1:
                component = np.zeros(len(columns), dtype=np.intp)
            else:
                component = _components([self._layouts[i] for i in sorted(layouts)], columns)
            self._strata[layouts] = Strata(columns, component, np.bincount(component).astype(np.intp))
        return self._strata[layouts]


def _components(members: Sequence[Indices], columns: Indices) -> Indices:
    """The component of every column in the graph of cells and clusters."""
    clusters = np.concatenate([np.searchsorted(columns, m) for m in members])
    cells = np.repeat(np.arange(len(members)) + len(columns), [len(m) for m in members])
    size = len(columns) + len(members)
    graph = coo_matrix((np.ones(len(clusters), dtype=np.int8), (clusters, cells)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1][: len(columns)]
    component: Indices = np.unique(labels, return_inverse=True)[1].astype(np.intp)
    return component


@dataclass(frozen=True, eq=False)
class Influence:
    """A quantity of one system under each of its pipeline seeds, in points.

    `theta` `(seeds,)` is the quantity, a mean or difference of scores; `values` `(seeds, clusters)` what it changes by
    when one cluster is left out, for the clusters `columns`. `layouts` are those of the cells behind it. `fixed`: all
    seeds are one model, such as a checkpoint that nothing was trained on, so that seeds are no sample of anything.
    `limits`: between what the quantity can lie, whatever the items and seeds.
    """

    seeds: tuple[int, ...]
    theta: Array
    values: Array
    columns: Indices
    layouts: frozenset[int]
    fixed: bool = False
    limits: Limits = UNLIMITED

    @property
    def mean(self) -> float:
        """The quantity, averaged over seeds."""
        return float(self.theta.mean())

    def of_seeds(self, seeds: Sequence[int]) -> Influence:
        """The same quantity under some of its seeds."""
        if tuple(seeds) == self.seeds:
            return self
        at = [self.seeds.index(seed) for seed in seeds]
        return Influence(
            tuple(seeds), self.theta[at], self.values[at], self.columns, self.layouts, self.fixed, self.limits
        )


def leave_out(sums: Array, score: Score) -> tuple[Array, Array]:
    """Scores `(...)` of sums `(..., clusters, k)`, and what each loses without a cluster `(..., clusters)`."""
    total = sums.sum(axis=-2)
    scores = score(total)
    return scores, np.asarray(scores)[..., None] - score(total[..., None, :] - sums)


def cell_influence(
    sums: Array, score: Score, seeds: Sequence[int], layout: int, numbers: ClusterNumbers, *, fixed: bool = False
) -> Influence:
    """The influence of one cell from its sums `(seeds, draws, clusters, k)`: the mean over draws."""
    scores, values = leave_out(sums, score)
    layouts = frozenset([layout])
    if scores.shape[1] == 1:
        theta, mean = scores[:, 0], values[:, 0]
    else:
        theta, mean = scores.mean(axis=1), values.mean(axis=1)
    return Influence(tuple(seeds), theta, mean, numbers.columns(layouts), layouts, fixed, SCORE_LIMITS)


def weighted_sum(parts: Sequence[tuple[float, Influence]], numbers: ClusterNumbers) -> Influence:
    """The weighted_sum sum of quantities of one system under the same seeds."""
    first = parts[0][1]
    if any(part.seeds != first.seeds for _, part in parts):
        raise ValueError("quantities of different seeds")
    theta: Array = np.add.reduce([w * part.theta for w, part in parts])
    layouts = frozenset().union(*(part.layouts for _, part in parts))
    columns = numbers.columns(layouts)
    fixed = all(part.fixed for _, part in parts)
    values = np.zeros((len(theta), len(columns)))
    for w, part in parts:
        if len(part.columns) == len(columns):
            values += w * part.values
        else:
            values[:, np.searchsorted(columns, part.columns)] += w * part.values
    limits = limits_of_sum([(w, part.limits) for w, part in parts])
    return Influence(first.seeds, theta, values, columns, layouts, fixed, limits)


def limits_of_sum(parts: Sequence[tuple[float, Limits]]) -> Limits:
    """Between what a weighted sum of quantities can lie; those without weight are not in it."""
    ends = [sorted((w * low, w * high)) for w, (low, high) in parts if w]
    # Rounded, so that the mean of three scores ends at 100 and not a hair below.
    return round(sum(low for low, _ in ends), 9), round(sum(high for _, high in ends), 9)


def mean_influence(parts: Sequence[Influence], numbers: ClusterNumbers) -> Influence:
    """The unweighted mean of quantities of one system."""
    if len(parts) == 1:
        return parts[0]
    return weighted_sum([(1 / len(parts), part) for part in parts], numbers)


def quotient(top: Influence, bottom: Influence, numbers: ClusterNumbers, limits: Limits = UNLIMITED) -> Influence:
    """100 times one quantity over another, seed by seed; its influence by the delta method.

    A ZeroDivisionError where the other is 0.
    """
    if (bottom.theta == 0).any():
        raise ZeroDivisionError("nothing to measure in per cent of")
    ratio = top.theta / bottom.theta
    a, b = weighted_sum([(1.0, top), (0.0, bottom)], numbers), weighted_sum([(0.0, top), (1.0, bottom)], numbers)
    values = 100 * (a.values - ratio[:, None] * b.values) / bottom.theta[:, None]
    return Influence(top.seeds, 100 * ratio, values, a.columns, a.layouts, top.fixed and bottom.fixed, limits)
