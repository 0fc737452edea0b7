"""The cells of one target: their statistics aligned by seed, draw and cluster, and the clean cell beside each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, assert_never

import numpy as np
import polars as pl

from crosswind.analysis.condition import Condition
from crosswind.analysis.estimate import estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, cell_influence, mean_influence
from crosswind.analysis.results import SAME_AS_CLEAN, WHERE_RIGHT, CellStats, is_translate_train
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, Array, Metric, Score, differences, mean_of

Loader = Callable[[str], CellStats]
"""Cell key -> the statistics of its items."""

RowDict = dict[str, Any]
Chance = float | Mapping[str, float]
"""What guessing scores in points: in every language of a target, or by language (pairs by `context-question`)."""
FLOOR_ALPHA = 0.10
"""Reaching chance is a one-sided question at 5 %: the lower end of the two-sided interval of 90 %."""


class System(NamedTuple):
    """What is compared: an encoder with a route and a defence."""

    encoder: str
    defence: str
    route: str


class Scored:
    """The cells of one target and split, all of one metric.

    Of row `i`, `positions[i]` is the cell and `clean_positions[i]` the clean one of the same items. `trained` are the
    languages whose labelled data of the task some route has seen. `given` are the cells (keys) of models that nothing
    was trained for, so that their seed is no sample.
    """

    def __init__(
        self,
        rows: pl.DataFrame,
        stats: Loader,
        numbers: ClusterNumbers,
        chance: Chance | None,
        source: str,
        given: Collection[str] = (),
    ) -> None:
        self.rows: list[RowDict] = list(rows.iter_rows(named=True))
        self.numbers, self.chance, self.source, self.given = numbers, chance, source, given
        self.target: str = self.rows[0]["target"]
        self.trained = {r["language"] for r in self.rows if self.is_exposed(r)}
        self.clean = {self._clean_key(r): r for r in self.rows if condition_of(r).clean}
        self.metric = METRICS.get(self.rows[0]["metric"])
        self.score: Score = self.metric.function(self.rows[0]["key"])
        self.load = stats
        self._cells = _Cells(stats, self.metric, numbers)
        self._influences: dict[tuple[tuple[int, ...], bool, bool], Influence] = {}
        self.positions: list[int] = []
        self.clean_positions: list[int] = []
        for row in self.rows:
            clean = None if condition_of(row).clean else self._clean_of(row)
            position, clean_position = self._cells.add(row, clean)
            self.positions.append(position)
            self.clean_positions.append(clean_position)

    def aligned(self, rows: Sequence[int], *, clean: bool = False) -> Array:
        """The sums of these rows of one system, language and condition: `(seeds, draws, clusters, k)`.

        `clean`: of the clean cells of the same items. Seeds and draws are in ascending order; every seed has the same
        number of draws, which is a ValueError otherwise. Raises `UserError` where the cells have other items.
        """
        return self._aligned(self._by_seed(rows), clean)[1]

    def influence(self, rows: Sequence[int], *, clean: bool = False, chance: bool = False) -> Influence:
        """The score of these rows, all of one system, language and condition, under each seed; the mean over draws.

        `chance`: what guessing scores instead, as far as the items say it.
        """
        key = tuple(rows), clean, chance
        if key not in self._influences:
            score = self.metric.chance if chance and self.metric.chance is not None else self.score
            self._influences[key] = self._influence(self._by_seed(rows), clean, score)
        return self._influences[key]

    def _influence(self, by_seed: dict[int, list[int]], clean: bool, score: Score) -> Influence:
        at = self.clean_positions if clean else self.positions
        cells = [sorted({at[i] for i in members}) for members in by_seed.values()]
        seeds = tuple(by_seed)
        given = all(self._key_of(i, clean) in self.given for members in by_seed.values() for i in members)
        fixed = given or (len(seeds) > 1 and all(c == cells[0] for c in cells))
        if fixed and len(seeds) > 1 and all(c == cells[0] for c in cells):
            one = self._influence({seeds[0]: by_seed[seeds[0]]}, clean, score)
            values = np.repeat(one.values, len(seeds), axis=0)
            return Influence(
                seeds, np.repeat(one.theta, len(seeds)), values, one.columns, one.layouts, True, one.limits
            )
        if len({len(members) for members in by_seed.values()}) > 1:
            parts = [self._influence({s: members}, clean, score) for s, members in by_seed.items()]
            first = parts[0]
            if any(p.layouts != first.layouts for p in parts):
                raise self._unequal(next(iter(by_seed.values()))[0])
            theta = np.concatenate([p.theta for p in parts])
            values = np.concatenate([p.values for p in parts])
            return Influence(seeds, theta, values, first.columns, first.layouts, limits=first.limits)
        layout, sums = self._aligned(by_seed, clean)
        influence = cell_influence(sums, score, seeds, layout, self.numbers, fixed=fixed)
        if not np.isfinite(influence.theta).all():
            row = self.rows[next(iter(by_seed.values()))[0]]
            raise UserError(
                f"the score of {_cell_name(row)} is no number",
                hint="a cell without items has no score",
            )
        return influence

    def _key_of(self, i: int, clean: bool) -> str:
        row = self.rows[i]
        return str((self._clean_of(row) if clean and not condition_of(row).clean else row)["cell"])

    def _by_seed(self, rows: Sequence[int]) -> dict[int, list[int]]:
        by_seed: dict[int, list[int]] = {}
        for i in sorted(rows, key=lambda i: (self.rows[i]["pipeline_seed"], self.rows[i]["draw"])):
            by_seed.setdefault(self.rows[i]["pipeline_seed"], []).append(i)
        return by_seed

    def _aligned(self, by_seed: dict[int, list[int]], clean: bool) -> tuple[int, Array]:
        at = self.clean_positions if clean else self.positions
        cells = [[self._cells.cells[at[i]] for i in members] for members in by_seed.values()]
        if len({len(members) for members in cells}) > 1:
            raise ValueError("the seeds have different numbers of draws")
        layouts = {layout for members in cells for layout, _ in members}
        if len(layouts) == 1:
            return layouts.pop(), np.stack([np.stack([sums for _, sums in members]) for members in cells])
        if not self.metric.sparse:  # a row that is missing stands for zeros only there
            raise self._unequal(next(iter(by_seed.values()))[0])
        cells = self.numbers.together(cells)
        return cells[0][0][0], np.stack([np.stack([sums for _, sums in members]) for members in cells])

    def _unequal(self, i: int) -> UserError:
        row = self.rows[i]
        return UserError(
            f"{_cell_name(row)}: the pipeline seeds or draws were scored on different items",
            hint="score all of them on the same rows",
        )

    def consistency(self, rows: Sequence[int]) -> Influence | None:
        """The share of predictions that equal the clean ones, in per cent; `None` where nobody wrote it down."""
        return self._of_items(rows, SAME_AS_CLEAN, _EQUAL)

    def where_right(self, rows: Sequence[int]) -> Influence | None:
        """The score on the items that all systems of a seed had right when clean; `None` where nobody wrote them down,
        or there are none."""
        return self._of_items(rows, WHERE_RIGHT, self.score, absent=True)

    def _of_items(self, rows: Sequence[int], suffix: str, score: Score, *, absent: bool = False) -> Influence | None:
        """A score of statistics that stand beside those of the cells; `absent`: a cell may lack clusters of another."""
        by_seed = self._by_seed(rows)
        cells: list[list[tuple[int, Array]]] = []
        for members in by_seed.values():
            try:
                stats = [self.load(self.rows[i]["cell"] + suffix) for i in members]
            except KeyError:
                return None
            cells.append([self.numbers.sums(np.asarray(x.stats, dtype=np.float64), x.clusters) for x in stats])
        if absent:
            cells = self.numbers.together(cells)
        if len({layout for members in cells for layout, _ in members}) > 1:
            return None
        parts = []
        for seed, of_seed in zip(by_seed, cells, strict=True):
            sums = np.stack([x for _, x in of_seed])[None]
            parts.append(cell_influence(sums, score, [seed], of_seed[0][0], self.numbers))
        theta, values = np.concatenate([p.theta for p in parts]), np.concatenate([p.values for p in parts])
        fixed = self.influence(rows).fixed
        return Influence(tuple(by_seed), theta, values, parts[0].columns, parts[0].layouts, fixed, parts[0].limits)

    def average(self, by_language: Iterable[Sequence[int]], *, clean: bool = False, chance: bool = False) -> Influence:
        """The mean over languages, each a list of rows, under the seeds that all of them have."""
        parts = [self.influence(members, clean=clean, chance=chance) for members in by_language]
        return mean_influence(under_common_seeds(parts), self.numbers)

    def above_chance(self, by_language: Sequence[Sequence[int]], *, clean: bool = False) -> Influence | None:
        """How much better than guessing these rows are, in points; `None` where nobody knows what guessing scores."""
        chance = self.chance_of(language_of(self.rows[members[0]]) for members in by_language)
        if chance is None:
            return None
        level = self.average(by_language, clean=clean)
        values = level.values
        if self.metric.chance is not None:
            values = values - self.average(by_language, clean=clean, chance=True).values
        theta = self.gain * (level.theta - chance)
        low, high = sorted(self.gain * (end - chance) for end in level.limits)
        return Influence(level.seeds, theta, self.gain * values, level.columns, level.layouts, level.fixed, (low, high))

    def chance_of(self, languages: Iterable[str]) -> float | None:
        """What guessing scores, the mean over languages; `None` where nobody knows it of one of them."""
        if self.chance is None or isinstance(self.chance, int | float):
            return self.chance
        levels = [self.chance.get(language) for language in languages]
        known = [level for level in levels if level is not None]
        return float(np.mean(known)) if known and len(known) == len(levels) else None

    @cached_property
    def mean_chance(self) -> float | None:
        """What guessing scores, the mean over all of the target's languages."""
        return self.chance_of(dict.fromkeys(language_of(row) for row in self.rows))

    def mean_of(self, column: str, groups: Iterable[Sequence[int]]) -> float:
        """The mean over groups of rows (languages) of their mean of a column."""
        return float(np.mean([np.mean([self.rows[i][column] for i in members]) for members in groups]))

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

    def is_floor(self, by_language: Sequence[Sequence[int]]) -> bool:
        """Whether the mean of these rows reaches chance, one-sided at 5 %; without an interval, whether it is there.

        Where nobody knows what guessing scores it is at least 0, and a score that reaches 0 is at its floor.
        """
        above = self.above_chance(by_language)
        if above is None and self.gain > 0:
            above = self.average(by_language)
        if above is None:
            return False
        level = estimate([(1.0, above)], self.numbers)
        low, _ = level.bounds(FLOOR_ALPHA) or (level.score, level.score)
        return low <= 0

    def is_exposed(self, row: RowDict) -> bool:
        """Whether the row's language was seen labelled for the task, and is not the source language."""
        return row["language"] != self.source and is_translate_train(row["exposure"])

    def _clean_key(self, row: RowDict, rows: str | None = None) -> tuple[object, ...]:
        return (*(row[c] for c in _MODEL), rows or row["rows"])

    def _clean_of(self, row: RowDict) -> RowDict:
        for rows in (row["rows"], "all"):
            if clean := self.clean.get(self._clean_key(row, rows)):
                return clean
        # A smaller selection of whole clusters is a part of a larger one; that its items are there is checked later.
        model = self._clean_key(row)[:-1]
        wider = [clean for key, clean in self.clean.items() if key[:-1] == model]
        if len(wider) == 1:
            return wider[0]
        raise UserError(
            f"no clean result beside {condition_of(row).label} of {row['route']}, {row['target']}, {row['language']}",
            hint="a drop needs the clean test set scored with the same encoder and pipeline seed",
        )


_EQUAL = mean_of(0, 1)
_MODEL = ("encoder", "defence", "route", "pipeline_seed", "selection", "language", "context_language")


def under_common_seeds(parts: Sequence[Influence]) -> list[Influence]:
    """Quantities of one system under the seeds that all of them have; a `UserError` if there are none."""
    common = [s for s in parts[0].seeds if all(s in part.seeds for part in parts)]
    if not common:
        raise UserError(
            "no pipeline seed has all of the cells that are averaged",
            hint="finish the run, or narrow it with targets.languages",
        )
    return [part.of_seeds(common) for part in parts]


class _Cells:
    """The cells that are estimated, each once: layout and sums by cluster."""

    def __init__(self, load: Loader, metric: Metric, numbers: ClusterNumbers) -> None:
        self.load, self.metric, self.numbers = load, metric, numbers
        self.cells: list[tuple[int, Array]] = []
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
            statistics = np.asarray(stats.stats, dtype=np.float64)
            if statistics.ndim != 2 or len(stats.clusters) != len(statistics) or not len(statistics):
                raise ValueError(f"statistics {statistics.shape} with {len(stats.clusters)} cluster ids")
            self.cells.append(self.numbers.sums(statistics, stats.clusters))
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


_LIMITS = ("protect", "fields", "constraints", "suite")  # what signatures of perturbed scores say of their extent


def _require_same_scoring(row: RowDict, clean: RowDict) -> None:
    """Which texts were perturbed, and what had to stay, is all that a perturbed score's settings may differ in."""
    unequal = {k: v for k, v in differences(clean["signature"], row["signature"]).items() if not k.startswith(_LIMITS)}
    if unequal:
        text = ", ".join(f"{k} ({a or 'unset'} against {b or 'unset'})" for k, (a, b) in unequal.items())
        raise UserError(
            f"{condition_of(row).label} of {row['target']}, {row['language']} cannot be compared with clean: {text}",
            hint="score both with the same settings",
        )


def _cell_name(row: RowDict) -> str:
    return f"{row['route']}, {row['target']}, {row['language']}, {condition_of(row).label}"


def condition_of(row: RowDict) -> Condition:
    """How the test set of a row was changed."""
    return Condition(**{name: row[name] for name in Condition.__slots__})


def language_of(row: RowDict) -> str:
    """The language of a row, or `context-question` where these are two."""
    context = row["context_language"]
    return str(row["language"]) if context in ("", row["language"]) else f"{context}-{row['language']}"
