"""The cells of one target, resampled together: scores with their replicates, and the clean score beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.resample import Array, Cell, bootstrap, interval, mean
from crosswind.analysis.results import CellStats, is_translate_train
from crosswind.analysis.summary import Condition, Estimate
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, differences

Loader = Callable[[str], CellStats]
"""Cell key -> the statistics of its items."""

RowDict = dict[str, Any]
Values = tuple[float, Array]  # an estimate and its replicates


class Scored:
    """The cells of one target and split.

    Of row `i`, `values[own[i]]` is its own score and `values[beside[i]]` the clean one of the same items.
    `trained` are the languages whose labelled data of the task some route has seen.
    """

    def __init__(
        self, rows: pl.DataFrame, stats: Loader, replicates: int, level: float, chance: float | None, source: str
    ) -> None:
        self.rows: list[RowDict] = list(rows.iter_rows(named=True))
        self.level, self.chance, self.source = level, chance, source
        self.target: str = self.rows[0]["target"]
        self.trained = {r["language"] for r in self.rows if self.is_exposed(r)}
        self.clean = {self._clean_key(r): r for r in self.rows if condition_of(r).clean}
        cells = _Cells(stats)
        self.own, self.beside = [], []  # positions in the cells of each row, and of the clean cell beside it
        for row in self.rows:
            clean = None if condition_of(row).clean else self._clean_of(row)
            own, beside = cells.add(row, clean)
            self.own.append(own)
            self.beside.append(beside)
        replicated = bootstrap(cells.cells, replicates=replicates)
        self.values: list[Values] = [(c.estimate, x) for c, x in zip(cells.cells, replicated, strict=True)]

    def average(self, members: Sequence[int], cells: Sequence[int]) -> Values:
        """The mean over draws, then over pipeline seeds."""
        by_seed: dict[int, list[Values]] = {}
        for i in members:
            by_seed.setdefault(self.rows[i]["pipeline_seed"], []).append(self.values[cells[i]])
        return mean_of(mean_of(draws) for draws in by_seed.values())

    def estimate(self, values: Values) -> Estimate:
        return Estimate(values[0], *interval(values[1], self.level))

    def is_floor(self, estimate: Estimate) -> bool:
        return self.chance is not None and estimate.low <= self.chance

    def is_exposed(self, row: RowDict) -> bool:
        return row["language"] != self.source and is_translate_train(row["exposure"])

    def _clean_key(self, row: RowDict, rows: str | None = None) -> tuple[object, ...]:
        return (*(row[c] for c in _MODEL), rows or row["rows"])

    def _clean_of(self, row: RowDict) -> RowDict:
        for rows in (row["rows"], "all"):
            if found := self.clean.get(self._clean_key(row, rows)):
                return found
        raise UserError(
            f"no clean result beside {condition_of(row).label} of {row['route']}, {row['target']}, {row['language']}",
            hint="a drop needs the clean test set scored with the same encoder and pipeline seed",
        )


_MODEL = ("encoder", "defence", "route", "pipeline_seed", "selection", "language", "context_language")


class _Cells:
    """The cells that are resampled, each once."""

    def __init__(self, load: Loader) -> None:
        self.load = load
        self.cells: list[Cell] = []
        self._at: dict[tuple[object, ...], int] = {}
        self._clean: dict[str, CellStats] = {}

    def add(self, row: RowDict, clean: RowDict | None) -> tuple[int, int]:
        """The positions of a row's cell and of the clean cell of the same items (itself if it is clean)."""
        if clean is None:
            stats = self._clean_stats(row)
            at = self._position(row, stats)
            return at, at
        stats, before = self.load(row["cell"]), self._clean_stats(clean)
        _require_same_scoring(row, clean)
        if stats.items == before.items and stats.clusters == before.clusters:
            return self._position(row, stats), self._position(clean, before)
        return self._position(row, stats), self._position(clean, _part(before, stats.items, row), stats.items)

    def _clean_stats(self, row: RowDict) -> CellStats:
        if row["cell"] not in self._clean:
            self._clean[row["cell"]] = self.load(row["cell"])
        return self._clean[row["cell"]]

    def _position(self, row: RowDict, stats: CellStats, part: tuple[str, ...] = ()) -> int:
        key = row["cell"], row["key"], part
        if key not in self._at:
            self._at[key] = len(self.cells)
            self.cells.append(Cell.of(stats.stats, stats.clusters, METRICS.get(stats.metric).function(row["key"])))
        return self._at[key]


def _part(clean: CellStats, items: tuple[str, ...], row: RowDict) -> CellStats:
    """The statistics of these items of a clean cell."""
    at = {item: i for i, item in enumerate(clean.items)}
    if not items or not set(items) <= at.keys():
        raise UserError(
            f"{condition_of(row).label} of {row['target']}, {row['language']}: other items than the clean test set",
            hint="score both on the same rows",
        )
    chosen = [at[item] for item in items]
    return CellStats(clean.stats[chosen], tuple(clean.clusters[i] for i in chosen), clean.metric, items)


def _require_same_scoring(row: RowDict, clean: RowDict) -> None:
    """Protection is the one setting in which a perturbed score may differ from its clean one."""
    found = {k: v for k, v in differences(clean["signature"], row["signature"]).items() if not k.startswith("protect")}
    if found:
        text = ", ".join(f"{k} ({a or 'unset'} against {b or 'unset'})" for k, (a, b) in found.items())
        raise UserError(
            f"{condition_of(row).label} of {row['target']}, {row['language']} cannot be compared with clean: {text}",
            hint="score both with the same settings",
        )


def mean_of(values: Iterable[Values]) -> Values:
    pairs = list(values)
    return float(np.mean([estimate for estimate, _ in pairs])), mean([replicates for _, replicates in pairs])


def condition_of(row: RowDict) -> Condition:
    return Condition(**{name: row[name] for name in Condition.__slots__})


def language_of(row: RowDict) -> str:
    context = row["context_language"]
    return str(row["language"]) if context in ("", row["language"]) else f"{context}-{row['language']}"
