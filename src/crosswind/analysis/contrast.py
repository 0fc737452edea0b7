"""Contrasts of routes: what a route changes against another, in each target and over all of them.

Pipeline seeds and items are crossed random factors: a replicate draws seeds with replacement, the same
ones for every route and target (one seed runs a whole pipeline), and beside them the clusters of each target
(Davison and Hinkley 1997, section 3.8). Two routes are paired in both, and compared on the cells that all of
them have.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import norm, t

from crosswind.analysis.results import NONE
from crosswind.analysis.scored import RowDict, Scored, Values, condition_of, language_of, mean_values
from crosswind.analysis.summary import Condition, Contrast, Estimate, Level
from crosswind.evaluate.metrics.base import Array, Better

BASE = "none"


class _Level(NamedTuple):
    """What one route reaches in one target, in the languages that no route was trained on; what was changed there."""

    clean: Values
    had: Values | None = None
    perturbed: Values | None = None
    drop: Values | None = None
    changed_items: float | None = None
    changed_tokens: float | None = None


class _Target(NamedTuple):
    cells: Scored
    levels: dict[str, _Level]
    seeds: list[int]
    at_floor: bool


Key = tuple[Condition, str]  # a condition in a language


def contrasts(
    scored: Sequence[Scored], routes: Sequence[str] = (), diagnostic: Collection[str] = ()
) -> tuple[list[Contrast], list[str]]:
    """The level of the base route (`none`, otherwise the first) and what every other one changes; and notes.

    First target by target, then the means over all targets in which some route leaves the floor. `diagnostic`
    perturbations need not preserve the label and do not enter. Nothing for a single route, and nothing where
    encoders or defences are several: what is compared then is not the route. The notes say what some route or
    seed lacks and what therefore was left out.
    """
    rows = [row for cells in scored for row in cells.rows]
    names = [r for r in routes if any(row["route"] == r for row in rows)] or sorted({r["route"] for r in rows})
    if len(names) < 2:
        return [], []
    if len({(row["encoder"], row["defence"]) for row in rows}) > 1:
        return [], ["Several encoders or defences were run, so the routes are not compared with each other here."]
    base = BASE if BASE in names else names[0]
    notes: list[str] = []
    compared = [x for cells in scored if (x := _target(cells, names, base, diagnostic, notes)) is not None]
    result = [c for target in compared for c in _compared([target], list(target.levels), base)]
    for above in _by_direction([x for x in compared if not x.at_floor], notes):
        everywhere = [n for n in names if all(n in x.levels for x in above)]
        for name in names:
            if name not in everywhere and any(name in x.levels for x in above):
                notes.append(f"{name} is not in the mean over targets: some of them lack it.")
        result += _compared(above, everywhere, base)
    return result, notes


def _by_direction(targets: Sequence[_Target], notes: list[str]) -> list[list[_Target]]:
    """The targets whose scores may be averaged: several, of which all are better when higher, or when lower."""
    groups: dict[Better, list[_Target]] = {}
    for target in targets:
        groups.setdefault(target.cells.metric.better, []).append(target)
    if len(groups) > 1:
        lower = ", ".join(x.cells.target for x in groups["lower"])
        notes.append(f"{lower}: a lower score is better, so the means over targets do not mix them with the others.")
    return [members for members in groups.values() if len(members) > 1]


def _target(
    cells: Scored, names: Sequence[str], base: str, diagnostic: Collection[str], notes: list[str]
) -> _Target | None:
    """The levels of the routes in the cells that all of them have under the same seeds."""
    table: dict[tuple[str, int], dict[Key, list[int]]] = {}
    for i, row in enumerate(cells.rows):
        if row["route"] in names and row["attack"] == NONE and _counts(cells, row, diagnostic):
            key = condition_of(row), language_of(row)
            table.setdefault((row["route"], row["pipeline_seed"]), {}).setdefault(key, []).append(i)
    present = [n for n in names if any(route == n for route, _ in table)]
    if base not in present or len(present) < 2:
        return None
    seeds = sorted(set.intersection(*({s for route, s in table if route == n} for n in present)))
    if not seeds:
        notes.append(f"{cells.target}: the routes have no pipeline seed in common, and are not compared.")
        return None
    keys = set.intersection(*(set(table[n, s]) for n in present for s in seeds))
    if any(set(cells_of) != keys for cells_of in table.values()) or len(table) != len(present) * len(seeds):
        notes.append(f"{cells.target}: some routes or seeds lack some cells; the routes are compared on what all have.")
    if not any(condition.clean for condition, _ in keys):
        return None
    levels = {n: _level(cells, [table[n, s] for s in seeds], sorted(keys), seeds) for n in present}
    at_floor = all(cells.is_floor(cells.estimate(level.clean)) for level in levels.values())
    return _Target(cells, levels, seeds, at_floor)


def _compared(targets: Sequence[_Target], names: Sequence[str], base: str) -> Iterator[Contrast]:
    cells = targets[0].cells
    perturbed = [x for x in targets if all(x.levels[n].perturbed is not None for n in names)]
    for name in (base, *(n for n in names if n != base)):

        def change(of: Sequence[_Target], what: str, name: str = name) -> Estimate | None:
            values = []
            for target in of:
                level, reference = getattr(target.levels[name], what), getattr(target.levels[base], what)
                values.append(level if name == base else (level[0] - reference[0], level[1] - reference[1]))
            return cells.estimate(mean_values(values)) if values else None

        def reached(of: Sequence[_Target], what: str, name: str = name) -> Estimate | None:
            return cells.estimate(mean_values(getattr(x.levels[name], what) for x in of)) if of else None

        def changed(what: str, name: str = name) -> float | None:
            return float(np.mean([getattr(x.levels[name], what) for x in perturbed])) if perturbed else None

        clean, level = change(targets, "clean"), reached(targets, "clean")
        assert clean is not None
        assert level is not None
        yield Contrast(
            route=name,
            base=base,
            targets=tuple(x.cells.target for x in targets),
            clean=clean,
            perturbed=change(perturbed, "perturbed"),
            drop=change(perturbed, "drop"),
            perturbed_targets=tuple(x.cells.target for x in perturbed),
            at_floor=all(x.at_floor for x in targets),
            pipeline_seeds=min(len(x.seeds) for x in targets),
            better=cells.metric.better,
            level=Level(level, *(reached(perturbed, what) for what in ("had", "perturbed", "drop"))),
            changed_items=changed("changed_items"),
            changed_tokens=changed("changed_tokens"),
        )


def _counts(cells: Scored, row: RowDict, diagnostic: Collection[str]) -> bool:
    """Whether a row is zero-shot transfer to another language, chosen without that language's data."""
    foreign = row["language"] != cells.source and row["language"] not in cells.trained
    same = row["context_language"] in ("", row["language"])
    holds = row["perturbation"] not in diagnostic and row["protection"] == NONE
    return foreign and same and holds and row["selection"] != "oracle"


def _level(cells: Scored, tables: Sequence[dict[Key, list[int]]], keys: Sequence[Key], seeds: Sequence[int]) -> _Level:
    """Means over draws, then languages, then conditions; the seeds weighed by their draws."""
    weights = _weights(seeds, len(cells.values[0][1]), cells.level)
    clean = [key for key in keys if key[0].clean]
    conditions = list(dict.fromkeys(condition for condition, _ in keys if not condition.clean))

    def mean_by_seed(chosen: Sequence[Key], places: Sequence[int]) -> list[Values]:
        return [
            mean_values(mean_values(cells.values[places[i]] for i in table[key]) for key in chosen) for table in tables
        ]

    at_clean = _over_seeds(mean_by_seed(clean, cells.positions), weights)
    if not conditions:
        return _Level(at_clean)
    after, before = [], []
    for condition in conditions:
        chosen = [key for key in keys if key[0] == condition]
        after.append(_over_seeds(mean_by_seed(chosen, cells.positions), weights))
        before.append(_over_seeds(mean_by_seed(chosen, cells.clean_positions), weights))
    left, had = mean_values(after), mean_values(before)
    rows = [[i for key in keys if key[0] == x for table in tables for i in table[key]] for x in conditions]
    shares = (cells.mean_of(column, rows) for column in ("changed_items", "changed_tokens"))
    return _Level(at_clean, had, left, cells.loss(had, left), *shares)


def _over_seeds(values: Iterable[Values], weights: Array) -> Values:
    pairs = list(values)
    replicates = np.stack([r for _, r in pairs])
    return float(np.mean([e for e, _ in pairs])), (weights * replicates).sum(axis=0)


def _weights(seeds: Sequence[int], replicates: int, level: float) -> Array:
    """How much each seed weighs in each replicate, `(seeds, replicates)`; the same wherever the seeds are the same.

    A bootstrap of few units is too narrow: its variance lacks the factor n / (n - 1), and its quantiles are
    the normal ones where Student's are due (Davison and Hinkley 1997, section 2.3 and 5.2). The weights are
    stretched about their mean by both.
    """
    n = len(seeds)
    if n == 1:
        return np.ones((1, replicates))
    rng = np.random.default_rng([7919, *seeds])
    drawn = rng.integers(n, size=(replicates, n))
    weights = np.stack([(drawn == i).mean(axis=1) for i in range(n)])
    tail = (1 + level) / 2
    stretch = math.sqrt(n / (n - 1)) * float(t.ppf(tail, n - 1) / norm.ppf(tail))
    stretched: Array = 1 / n + (weights - 1 / n) * stretch
    return stretched
