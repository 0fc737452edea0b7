"""`crosswind compare RUN RUN`: what changed between two runs, paired where their items match."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, cell_influence
from crosswind.analysis.multiplicity import ALPHA, benjamini_hochberg
from crosswind.analysis.results import CellStats
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, Array, comparable, differences, unfitted
from crosswind.study.joined import RunResults, read_run

_NAMED = 3  # values of a column in a message

# What names a figure: all that two runs can be paired by. Encoder, seeds and draws are what may differ.
_FIGURE = ("route", "defence", "target", "language", "context_language", "split", "rows", "selection", "perturbation",
           "severity", "protection", "attack", "budget", "metric", "key")  # fmt: skip


@dataclass(frozen=True)
class ChangedFigure:
    """One figure of two runs: both scores and the second minus the first, in points.

    `paired`: both were scored on the same clusters of items. `adjusted` is the p-value of no change, adjusted over all
    figures (Benjamini and Hochberg); `None` where nothing can be tested. `why` says what keeps it from being compared.
    """

    name: tuple[str, ...]
    first: float | None
    second: float | None
    change: Estimate | None = None
    paired: bool = False
    adjusted: float | None = None
    why: str = ""

    @property
    def differs(self) -> bool:
        """Whether the change is more than chance, at a false discovery rate of 5 %."""
        return self.adjusted is not None and self.adjusted < ALPHA


@dataclass(frozen=True)
class RunChange:
    """Two runs beside each other: the figures that both have, how many only one has, and what is different at large."""

    runs: tuple[str, str]
    figures: tuple[ChangedFigure, ...]
    only_first: int
    only_second: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        rows = [
            dict(zip(_FIGURE, f.name, strict=True))
            | {"first": f.first, "second": f.second, "paired": f.paired, "p_adjusted": f.adjusted, "why": f.why}
            | (
                {}
                if f.change is None
                else {"change": f.change.score, "low": f.change.low, "high": f.change.high, "over": f.change.basis}
            )
            for f in self.figures
        ]
        return asdict(replace(self, figures=())) | {"figures": rows}

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The figures for a table: name, both scores, the change with its interval, and what it is."""
        from crosswind.report.view import figure

        for f in self.figures:
            first, second = ("n/a" if x is None else f"{x:.1f}" for x in (f.first, f.second))
            if f.change is None:
                yield (*_named(f), first, second, "", f.why)
                continue
            over = f"{'paired' if f.paired else 'unpaired'}, over {f.change.basis}"
            yield (*_named(f), first, second, figure(f.change, signed=True), ("changed, " if f.differs else "") + over)


def compare_runs(first: Path, second: Path) -> RunChange:
    """Every figure that two runs have, the second minus the first. Runs of other studies and encoders may be compared;
    figures with other settings are named and not compared."""
    a, b = read_run(first), read_run(second)
    x, y = _by_figure(a.rows), _by_figure(b.rows)
    common = [name for name in x if name in y]
    if not common:
        raise UserError(
            f"have no figure in common: {_apart(x, y)}",
            where=f"{first}, {second}",
            hint="figures are paired by route, target, language, rows, condition and metric; run both on the same ones",
        )
    numbers = ClusterNumbers()
    sides = _Side(a, numbers), _Side(b, numbers)
    figures = [_figure(name, (x[name], y[name]), sides, numbers) for name in common]
    adjusted = benjamini_hochberg([f.change.p if f.change is not None else None for f in figures])
    figures = [replace(f, adjusted=p) for f, p in zip(figures, adjusted, strict=True)]
    notes = [
        f"{what} differ: {u!r} and {v!r}"
        for what, key in (("the studies", "study"), ("the encoders", "encoder"), ("versions", "crosswind"))
        if (u := a.identity.get(key)) != (v := b.identity.get(key))
    ]
    notes += [f"{run.paths[0]}: {run.missing:,} cells are missing" for run in (a, b) if run.missing]
    return RunChange(
        (str(first), str(second)), tuple(figures), len(x) - len(common), len(y) - len(common), tuple(notes)
    )


class _Side:
    """One of the two runs."""

    def __init__(self, run: RunResults, numbers: ClusterNumbers) -> None:
        self.read, self.numbers = run.statistics(), numbers
        self.given = frozenset(run.analysed.given)
        self._cells: dict[str, CellStats] = {}

    def influence(self, rows: list[dict[str, Any]]) -> Influence | None:
        """The figure's score under each seed; `None` where the seeds have other items."""
        by_seed: dict[int, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda r: (r["pipeline_seed"], r["draw"])):
            by_seed.setdefault(row["pipeline_seed"], []).append(row)
        metric = METRICS.get(rows[0]["metric"])
        score = metric.function(rows[0]["key"])
        fixed = all(row["cell"] in self.given for row in rows)
        parts: list[list[tuple[int, Array]]] = []
        for members in by_seed.values():
            parts.append([self._sums(row["cell"]) for row in members])
        if metric.sparse:  # a row that is missing stands for zeros
            parts = self.numbers.together(parts)
        if len({layout for cells in parts for layout, _ in cells}) > 1:
            return None
        made = [
            cell_influence(np.stack([sums for _, sums in cells])[None], score, [seed], cells[0][0], self.numbers)
            for seed, cells in zip(by_seed, parts, strict=True)
        ]
        theta = np.concatenate([m.theta for m in made])
        values = np.concatenate([m.values for m in made])
        return Influence(tuple(by_seed), theta, values, made[0].columns, made[0].layouts, fixed, made[0].limits)

    def _sums(self, key: str) -> tuple[int, Any]:
        stats = self.read(key)
        return self.numbers.sums(stats.stats, stats.clusters)


def _by_figure(rows: pl.DataFrame) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    figures: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        figures.setdefault(tuple(str(row[c]) for c in _FIGURE), []).append(row)
    return dict(sorted(figures.items()))


def _apart(first: Collection[tuple[str, ...]], second: Collection[tuple[str, ...]]) -> str:
    """In which columns two runs that share no figure have no value in common; otherwise that none pairs."""
    parts = []
    for i, column in enumerate(_FIGURE):
        mine, others = ({name[i] for name in names} for names in (first, second))
        if mine and others and not mine & others:
            parts.append(f"{column.replace('_', ' ')} {_some(mine)} against {_some(others)}")
    if not first or not second:
        return "one of them has none at all"
    return "; ".join(parts) or "what each of them has alone the other has too, never together"


def _some(values: Collection[str]) -> str:
    shown = [repr(value) for value in sorted(values)[:_NAMED]]
    return ", ".join(shown) + (f" and {len(values) - _NAMED} more" if len(values) > _NAMED else "")


def _figure(
    name: tuple[str, ...],
    rows: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    sides: tuple[_Side, _Side],
    numbers: ClusterNumbers,
) -> ChangedFigure:
    scores = [_mean([row["score"] for row in of]) for of in rows]
    if None in scores:
        return ChangedFigure(name, scores[0], scores[1], why="too little changed in one of them")
    a, b = unfitted(rows[0][0]["signature"]), unfitted(rows[1][0]["signature"])
    if not comparable(a, b):
        unequal = ", ".join(f"{k}: {u or 'unset'} | {v or 'unset'}" for k, (u, v) in differences(a, b).items())
        return ChangedFigure(name, scores[0], scores[1], why=f"other settings ({unequal})")
    before, after = sides[0].influence(rows[0]), sides[1].influence(rows[1])
    if before is None or after is None:
        return ChangedFigure(name, scores[0], scores[1], why="unequal items within a run")
    change = estimate([(1.0, after), (-1.0, before)], numbers)
    alike = before.layouts == after.layouts or METRICS.get(rows[0][0]["metric"]).sparse
    return ChangedFigure(name, scores[0], scores[1], change, alike)


def _mean(values: list[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if len(there) == len(values) and there else None


def _named(f: ChangedFigure) -> tuple[str, ...]:
    of = dict(zip(_FIGURE, f.name, strict=True))
    condition = of["perturbation"] + (f":{float(of['severity']):g}" if float(of["severity"]) else "")
    extra = [of[k] for k in ("protection", "attack") if of[k] != "none"]
    route = of["route"] if of["defence"] == "none" else f"{of['route']} · {of['defence']}"
    return route, of["target"], of["language"], ", ".join([condition, *extra]), of["key"]
