"""The cluster bootstrap, written once for every metric.

Items of one cluster (an XNLI premise in all its languages, an XQuAD paragraph) stand or fall
together, so clusters are drawn with replacement, not items (Davison and Hinkley 1997, section 3.8).
Cells that share a cluster, such as the languages of a task, its perturbed versions and its routes,
get the same draws: their difference is paired. Means and differences are functions of the
replicates, never of intervals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crosswind.evaluate.metrics.base import Array, Score

REPLICATES = 1000
LEVEL = 0.95
_CHUNK = 4_000_000  # cluster counts held at once: 32 MB


@dataclass(frozen=True, eq=False)
class ResampledCell:
    """What is resampled: a sorted array of distinct cluster ids, the sums `(clusters, k)` of their
    items' statistics, and the score of sums `(..., k) -> (...)`."""

    clusters: NDArray[np.str_]
    sums: Array
    score: Score

    @classmethod
    def of(cls, stats: ArrayLike, clusters: ArrayLike, score: Score) -> ResampledCell:
        """A cell of item statistics `(items, k)` and each item's cluster id `(items,)`."""
        rows, ids = np.asarray(stats, dtype=np.float64), np.asarray(clusters, dtype=np.str_)
        if rows.ndim != 2 or ids.shape != rows.shape[:1] or not len(ids):
            raise ValueError(f"statistics {rows.shape} with cluster ids {ids.shape}")
        distinct, owner = np.unique(ids, return_inverse=True)
        sums = np.zeros((len(distinct), rows.shape[1]))
        np.add.at(sums, owner, rows)
        return cls(distinct, sums, score)

    @property
    def estimate(self) -> float:
        """The score of all items, in points."""
        return float(self.score(self.sums.sum(axis=0)))


def bootstrap(cells: Sequence[ResampledCell], *, replicates: int = REPLICATES, salt: str = "") -> Array:
    """Replicate scores `(cells, replicates)` in points.

    Replicate b of two cells that share clusters, directly or through others, comes from one draw of
    clusters; cells that share none are independent strata. The draws depend on the cluster ids and
    `salt` alone, so the same cells give the same numbers anywhere. NaN where a replicate drew none
    of a cell's clusters.
    """
    out = np.empty((len(cells), replicates))
    for group in _strata(cells):
        universe = np.unique(np.concatenate([cells[i].clusters for i in group]))
        layouts = _by_layout(cells, group)
        done = 0
        for counts in _draws(universe, replicates, salt):
            for members in layouts:
                _score(cells, members, universe, counts, out[:, done : done + len(counts)])
            done += len(counts)
    return out


def interval(replicates: ArrayLike, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval (low, high) of replicate scores; NaN replicates are left out."""
    values = np.asarray(replicates, dtype=np.float64)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean(replicates: Sequence[Array]) -> Array:
    """The unweighted mean `(replicates,)` of several cells' replicate scores `(cells, replicates)`.

    Means nest: over draws, then pipeline seeds, then languages, then tasks.
    """
    average: Array = np.stack(replicates).mean(axis=0)
    return average


def _draws(universe: NDArray[np.str_], replicates: int, salt: str) -> Iterator[Array]:
    """How often each cluster is drawn, `(some replicates, clusters)`: multinomial counts, in chunks."""
    content = "\n".join([salt, *universe.tolist()])
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(content.encode()).digest()[:16]))
    size = len(universe)
    rows = max(1, _CHUNK // size)
    for first in range(0, replicates, rows):
        many = min(rows, replicates - first)
        yield np.stack([np.bincount(rng.integers(size, size=size), minlength=size) for _ in range(many)]).astype(float)


def _score(
    cells: Sequence[ResampledCell], members: Sequence[int], universe: NDArray[np.str_], counts: Array, out: Array
) -> None:
    """Score cells with the same clusters: one matrix product for all of them."""
    columns = np.searchsorted(universe, cells[members[0]].clusters)
    drawn = counts if len(columns) == len(universe) else counts[:, columns]
    sums = drawn @ np.concatenate([cells[i].sums for i in members], axis=1)
    empty = drawn.sum(axis=1) == 0
    start = 0
    for i in members:
        width = cells[i].sums.shape[1]
        out[i] = np.where(empty, np.nan, cells[i].score(sums[:, start : start + width]))
        start += width


def _by_layout(cells: Sequence[ResampledCell], group: Sequence[int]) -> list[list[int]]:
    layouts: dict[tuple[str, ...], list[int]] = {}
    for i in group:
        layouts.setdefault(tuple(cells[i].clusters.tolist()), []).append(i)
    return list(layouts.values())


def _strata(cells: Sequence[ResampledCell]) -> list[list[int]]:
    """The connected components of cells by shared clusters."""
    parent = list(range(len(cells)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    seen: set[tuple[str, ...]] = set()
    for i, cell in enumerate(cells):
        ids = tuple(cell.clusters.tolist())
        linked = ids[:1] if ids in seen else ids
        seen.add(ids)
        for cluster in linked:
            parent[root(i)] = root(first.setdefault(cluster, i))
    groups: dict[int, list[int]] = {}
    for i in range(len(cells)):
        groups.setdefault(root(i), []).append(i)
    return list(groups.values())
