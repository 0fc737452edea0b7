"""The cells of one target, resampled together: scores with their replicates, and the clean score beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, assert_never

import numpy as np
import polars as pl

from crosswind.analysis.resample import ResampledCell, bootstrap, interval, mean
from crosswind.analysis.results import CellStats, is_translate_train
from crosswind.analysis.summary import Condition, Estimate
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, Array, Metric, differences

Loader = Callable[[str], CellStats]
"""Cell key -> the statistics of its items."""

RowDict = dict[str, Any]
Values = tuple[float, Array]  # an estimate and its replicates


class Scored:
    """The cells of one target and split.

    Of row `i`, `values[positions[i]]` is its score and `values[clean_positions[i]]` the clean one of the
    same items. `trained` are the languages whose labelled data of the task some route has seen. All rows
    are of one metric.
    """

    def __init__(
        self, rows: pl.DataFrame, stats: Loader, replicates: int, level: float, chance: float | None, source: str
    ) -> None:
        self.rows: list[RowDict] = list(rows.iter_rows(named=True))
        self.level, self.chance, self.source = level, chance, source
        self.target: str = self.rows[0]["target"]
        self.trained = {r["language"] for r in self.rows if self.is_exposed(r)}
        self.clean = {self._clean_key(r): r for r in self.rows if condition_of(r).clean}
        self.metric = METRICS.get(self.rows[0]["metric"])
        cells = _Cells(stats, self.metric)
        self.positions: list[int] = []
        self.clean_positions: list[int] = []
        for row in self.rows:
            clean = None if condition_of(row).clean else self._clean_of(row)
            position, clean_position = cells.add(row, clean)
            self.positions.append(position)
            self.clean_positions.append(clean_position)
        replicated = bootstrap(cells.cells, replicates=replicates)
        self.values: list[Values] = [(c.estimate, x) for c, x in zip(cells.cells, replicated, strict=True)]

    def average(self, members: Sequence[int], cells: Sequence[int]) -> Values:
        """The mean over draws, then over pipeline seeds, of these rows' scores at `cells`."""
        by_seed: dict[int, list[Values]] = {}
        for i in members:
            by_seed.setdefault(self.rows[i]["pipeline_seed"], []).append(self.values[cells[i]])
        return mean_values(mean_values(draws) for draws in by_seed.values())

    def mean_of(self, column: str, groups: Iterable[Sequence[int]]) -> float:
        """The mean over groups of rows (languages) of their mean of a column."""
        return float(np.mean([np.mean([self.rows[i][column] for i in members]) for members in groups]))

    def estimate(self, values: Values) -> Estimate:
        """The score with its interval."""
        return Estimate(values[0], *interval(values[1], self.level))

    def loss(self, before: Values, after: Values) -> Values:
        """How much quality is lost from one score to another: positive where the second is worse."""
        sign = self.gain
        return sign * (before[0] - after[0]), sign * (before[1] - after[1])

    @property
    def gain(self) -> int:
        """1 where a higher score is better, -1 where a lower one is."""
        match self.metric.better:
            case "higher":
                return 1
            case "lower":
                return -1
            case _:
                assert_never(self.metric.better)

    def is_floor(self, estimate: Estimate) -> bool:
        """Whether the interval reaches what guessing scores."""
        if self.chance is None:
            return False
        return estimate.low <= self.chance if self.gain > 0 else estimate.high >= self.chance

    def is_exposed(self, row: RowDict) -> bool:
        """Whether the row's language was seen labelled for the task, and is not the source language."""
        return row["language"] != self.source and is_translate_train(row["exposure"])

    def _clean_key(self, row: RowDict, rows: str | None = None) -> tuple[object, ...]:
        return (*(row[c] for c in _MODEL), rows or row["rows"])

    def _clean_of(self, row: RowDict) -> RowDict:
        for rows in (row["rows"], "all"):
            if clean := self.clean.get(self._clean_key(row, rows)):
                return clean
        raise UserError(
            f"no clean result beside {condition_of(row).label} of {row['route']}, {row['target']}, {row['language']}",
            hint="a drop needs the clean test set scored with the same encoder and pipeline seed",
        )


_MODEL = ("encoder", "defence", "route", "pipeline_seed", "selection", "language", "context_language")


class _Cells:
    """The cells that are resampled, each once."""

    def __init__(self, load: Loader, metric: Metric) -> None:
        self.load, self.metric = load, metric
        self.cells: list[ResampledCell] = []
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
        if self.metric.sparse:  # a row that one of them lacks is zeros in it
            if row["rows"] != clean["rows"]:
                raise _other_items(row)
            return self._position(row, stats), self._position(clean, before)
        return self._position(row, stats), self._position(clean, _part(before, stats.items, row), stats.items)

    def _clean_stats(self, row: RowDict) -> CellStats:
        if row["cell"] not in self._clean:
            self._clean[row["cell"]] = self.load(row["cell"])
        return self._clean[row["cell"]]

    def _position(self, row: RowDict, stats: CellStats, part: tuple[str, ...] = ()) -> int:
        key = row["cell"], row["key"], part
        if key not in self._at:
            if stats.metric != self.metric.name:
                raise ValueError(f"statistics of {stats.metric} where {self.metric.name} is summarised")
            self._at[key] = len(self.cells)
            score = self.metric.function(row["key"])
            self.cells.append(ResampledCell.of(stats.stats, stats.clusters, score))
        return self._at[key]


def _part(clean: CellStats, items: tuple[str, ...], row: RowDict) -> CellStats:
    """The statistics of these items of a clean cell."""
    at = {item: i for i, item in enumerate(clean.items)}
    if not items or not set(items) <= at.keys():
        raise _other_items(row)
    chosen = [at[item] for item in items]
    return CellStats(clean.stats[chosen], tuple(clean.clusters[i] for i in chosen), clean.metric, items)


def _other_items(row: RowDict) -> UserError:
    return UserError(
        f"{condition_of(row).label} of {row['target']}, {row['language']}: other items than the clean test set",
        hint="score both on the same rows",
    )


_LIMITS = ("protect", "fields", "constraints")  # what signatures of perturbed scores say of their extent


def _require_same_scoring(row: RowDict, clean: RowDict) -> None:
    """Which texts were perturbed, and what had to stay, is all that a perturbed score's settings may differ in."""
    unequal = {k: v for k, v in differences(clean["signature"], row["signature"]).items() if not k.startswith(_LIMITS)}
    if unequal:
        text = ", ".join(f"{k} ({a or 'unset'} against {b or 'unset'})" for k, (a, b) in unequal.items())
        raise UserError(
            f"{condition_of(row).label} of {row['target']}, {row['language']} cannot be compared with clean: {text}",
            hint="score both with the same settings",
        )


def mean_values(values: Iterable[Values]) -> Values:
    """The unweighted mean of estimates and of their replicates."""
    pairs = list(values)
    return float(np.mean([estimate for estimate, _ in pairs])), mean([replicates for _, replicates in pairs])


def condition_of(row: RowDict) -> Condition:
    """How the test set of a row was changed."""
    return Condition(**{name: row[name] for name in Condition.__slots__})


def language_of(row: RowDict) -> str:
    """The language of a row, or `context-question` where these are two."""
    context = row["context_language"]
    return str(row["language"]) if context in ("", row["language"]) else f"{context}-{row['language']}"
