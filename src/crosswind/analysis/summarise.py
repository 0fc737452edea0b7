"""From the table of results to its summary.

A perturbed score stands beside the clean score of the same languages and items, and their drop has
its own interval, from the same cluster draws. Languages whose labelled data of the task some route
has seen are translate-train: no route's zero-shot mean has them, so that all routes are compared on
the same languages; they are reported apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.resample import LEVEL, REPLICATES, Array, Cell, bootstrap, interval, mean
from crosswind.analysis.results import CellStats, is_translate_train
from crosswind.analysis.summary import Condition, Estimate, Line, Scope, Summary
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, differences, parse_signature

Loader = Callable[[str], CellStats]
"""Cell key -> the statistics of its items."""

RowDict = dict[str, Any]
Values = tuple[float, Array]  # an estimate and its replicates


def summarise(
    rows: pl.DataFrame,
    stats: Loader,
    *,
    chance: Mapping[str, float] | None = None,
    routes: Sequence[str] = (),
    source_language: str = "en",
    replicates: int = REPLICATES,
    level: float = LEVEL,
) -> Summary:
    """Summarise a table of results (`results.ROW`) by each metric's headline key.

    `chance` maps a target to the score of guessing, in points; targets without one have no floor.
    `routes` gives the order of the routes; those that it leaves out follow by name.
    Pipeline seeds and draws are averaged. Raises `UserError` where a perturbed cell has no clean
    one, or was scored otherwise.
    """
    lines: list[Line] = []
    rows = _headline(rows)
    rank = {route: i for i, route in enumerate(routes)}
    for target, split in rows.select("target", "split").unique().sort("target", "split").rows():
        part = rows.filter((pl.col("target") == target) & (pl.col("split") == split))
        floor = (chance or {}).get(target)
        found = _Target(part, stats, replicates, level, floor, source_language).lines()
        lines += sorted(found, key=lambda line: (line.encoder, rank.get(line.route, len(rank)), line.route))
    return Summary(tuple(lines), level, replicates, tuple(_notes(lines)))


def _headline(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    keys = {s: METRICS.get(parse_signature(s)["metric"]).headline for s in rows["signature"].unique().to_list()}
    return rows.filter(pl.col("metric") == pl.col("signature").replace_strict(keys, return_dtype=pl.String))


class _Target:
    """The lines of one target and split: its cells are resampled together."""

    def __init__(
        self, rows: pl.DataFrame, stats: Loader, replicates: int, level: float, chance: float | None, source: str
    ) -> None:
        self.rows: list[RowDict] = list(rows.iter_rows(named=True))
        self.level, self.chance, self.source = level, chance, source
        self.trained = {r["language"] for r in self.rows if self._is_exposed(r)}
        self.clean = {self._clean_key(r): r for r in self.rows if _condition(r).clean}
        cells = _Cells(stats)
        self.own, self.beside = [], []  # positions in the cells of each row, and of the clean cell beside it
        for row in self.rows:
            clean = None if _condition(row).clean else self._clean_of(row)
            own, beside = cells.add(row, clean)
            self.own.append(own)
            self.beside.append(beside)
        replicated = bootstrap(cells.cells, replicates=replicates)
        self.values: list[Values] = [(c.estimate, x) for c, x in zip(cells.cells, replicated, strict=True)]

    def lines(self) -> Iterator[Line]:
        groups: dict[tuple[str, str, str], dict[Condition, list[int]]] = {}
        for i, r in enumerate(self.rows):
            by_condition = groups.setdefault((r["encoder"], r["defence"], r["route"]), {})
            by_condition.setdefault(_condition(r), []).append(i)
        for conditions in groups.values():
            for _, members in sorted(conditions.items(), key=lambda c: (not c[0].clean, c[0])):
                for scope, chosen in self._scopes(members):
                    yield self._line(scope, chosen)

    def _scopes(self, members: Sequence[int]) -> Iterator[tuple[Scope, list[int]]]:
        named: dict[Scope, list[int]] = {"english": [], "others": [], "translate-train": []}
        languages: dict[str, list[int]] = {}
        for i in members:
            row = self.rows[i]
            languages.setdefault(_language(row), []).append(i)
            if row["context_language"] not in ("", row["language"]):
                continue  # cross-language pairs of MLQA are no part of its means
            if row["language"] == self.source:
                named["english"].append(i)
            else:
                named["translate-train" if row["language"] in self.trained else "others"].append(i)
        yield from ((scope, chosen) for scope, chosen in named.items() if chosen)
        yield from (("language", languages[x]) for x in sorted(languages))

    def _line(self, scope: Scope, members: Sequence[int]) -> Line:
        by_language: dict[str, list[int]] = {}
        for i in members:
            by_language.setdefault(_language(self.rows[i]), []).append(i)
        languages = tuple(sorted(by_language))
        values = {x: self._average(by_language[x], self.own) for x in languages}
        estimate = self._estimate(_mean(values.values()))
        clean = drop = None
        row = self.rows[members[0]]
        if not _condition(row).clean:
            before = _mean(self._average(by_language[x], self.beside) for x in languages)
            after = _mean(values.values())
            clean = self._estimate(before)
            drop = self._estimate((before[0] - after[0], before[1] - after[1]))
        seeds = {self.rows[i]["pipeline_seed"] for i in members}
        first = [by_language[x][0] for x in languages]
        return Line(
            encoder=row["encoder"],
            defence=row["defence"],
            route=row["route"],
            target=row["target"],
            split=row["split"],
            metric=row["metric"],
            condition=_condition(row),
            scope=scope,
            languages=languages,
            estimate=estimate,
            clean=clean,
            drop=drop,
            chance=self.chance,
            at_floor=self._is_floor(estimate),
            floor_languages=tuple(x for x in languages if self._is_floor(self._estimate(values[x]))),
            trained_on=tuple(sorted({self.rows[i]["language"] for i in members if self._is_exposed(self.rows[i])})),
            n=sum(self.rows[i]["n"] for i in first),
            pipeline_seeds=len(seeds),
            draws=len({self.rows[i]["draw"] for i in members}),
        )

    def _average(self, members: Sequence[int], cells: Sequence[int]) -> Values:
        """The mean over draws, then over pipeline seeds."""
        by_seed: dict[int, list[Values]] = {}
        for i in members:
            by_seed.setdefault(self.rows[i]["pipeline_seed"], []).append(self.values[cells[i]])
        return _mean(_mean(draws) for draws in by_seed.values())

    def _estimate(self, values: Values) -> Estimate:
        return Estimate(values[0], *interval(values[1], self.level))

    def _is_floor(self, estimate: Estimate) -> bool:
        return self.chance is not None and estimate.low <= self.chance

    def _is_exposed(self, row: RowDict) -> bool:
        return row["language"] != self.source and is_translate_train(row["exposure"])

    def _clean_key(self, row: RowDict, rows: str | None = None) -> tuple[object, ...]:
        return (*(row[c] for c in _MODEL), rows or row["rows"])

    def _clean_of(self, row: RowDict) -> RowDict:
        for rows in (row["rows"], "all"):
            if found := self.clean.get(self._clean_key(row, rows)):
                return found
        raise UserError(
            f"no clean result beside {_condition(row).label} of {row['route']}, {row['target']}, {row['language']}",
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
        key = row["cell"], row["metric"], part
        if key not in self._at:
            self._at[key] = len(self.cells)
            self.cells.append(Cell.of(stats.stats, stats.clusters, METRICS.get(stats.metric).function(row["metric"])))
        return self._at[key]


def _part(clean: CellStats, items: tuple[str, ...], row: RowDict) -> CellStats:
    """The statistics of these items of a clean cell."""
    at = {item: i for i, item in enumerate(clean.items)}
    if not items or not set(items) <= at.keys():
        raise UserError(
            f"{_condition(row).label} of {row['target']}, {row['language']}: other items than the clean test set",
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
            f"{_condition(row).label} of {row['target']}, {row['language']} cannot be compared with clean: {text}",
            hint="score both with the same settings",
        )


def _mean(values: Iterable[Values]) -> Values:
    pairs = list(values)
    return float(np.mean([estimate for estimate, _ in pairs])), mean([replicates for _, replicates in pairs])


def _condition(row: RowDict) -> Condition:
    return Condition(**{name: row[name] for name in Condition.__slots__})


def _language(row: RowDict) -> str:
    context = row["context_language"]
    return str(row["language"]) if context in ("", row["language"]) else f"{context}-{row['language']}"


def _notes(lines: Sequence[Line]) -> Iterator[str]:
    means: dict[tuple[str, str, str, Condition], set[tuple[str, ...]]] = {}
    trained: dict[str, set[str]] = {}
    for line in lines:
        if line.scope == "others":
            means.setdefault((line.encoder, line.target, line.split, line.condition), set()).add(line.languages)
        if line.scope == "translate-train":
            trained.setdefault(line.target, set()).update(line.languages)
    for target, languages in sorted(trained.items()):
        yield (
            f"{target}: {', '.join(sorted(languages))} left out of every route's zero-shot mean and reported apart:"
            " some route was trained on labelled data of this task in them."
        )
    for (_, target, _, condition), sets in means.items():
        if len(sets) > 1:
            yield f"{target}, {condition.label}: the routes were scored on different languages, and so are their means."
