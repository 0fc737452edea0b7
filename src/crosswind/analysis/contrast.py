"""Contrasts of routes: what a route changes against another, in each target and over all of them.

Pipeline seeds and items are crossed random factors: a replicate draws seeds with replacement, the same
ones for every route and target (one seed runs a whole pipeline), and beside them the clusters of each target
(Davison and Hinkley 1997, section 3.8). Two routes are paired in both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from crosswind.analysis.resample import Array
from crosswind.analysis.results import NONE
from crosswind.analysis.scored import RowDict, Scored, Values, condition_of, language_of, mean_of
from crosswind.analysis.summary import Condition, Contrast

BASE = "none"


class _Level(NamedTuple):
    """What one route reaches in one target, in the languages that no route was trained on."""

    clean: Values
    perturbed: Values | None
    drop: Values | None


def contrasts(
    scored: Sequence[Scored], routes: Sequence[str] = (), diagnostic: Collection[str] = ()
) -> Iterator[Contrast]:
    """The level of the base route (`none`, otherwise the first) and what every other one changes.

    First target by target, then the means over all targets in which some route leaves the floor. `diagnostic`
    perturbations need not preserve the label and do not enter. Nothing for a single route, and nothing where
    encoders or defences are several: what is compared then is not the route.
    """
    rows = [row for cells in scored for row in cells.rows]
    names = [r for r in routes if any(row["route"] == r for row in rows)] or sorted({r["route"] for r in rows})
    if len(names) < 2 or len({(row["encoder"], row["defence"]) for row in rows}) > 1:
        return
    base = BASE if BASE in names else names[0]
    found: list[tuple[Scored, dict[str, _Level], list[int]]] = []
    for cells in scored:
        seeds = _seeds(cells, names)
        levels = ((name, _level(cells, name, seeds, diagnostic)) for name in names if seeds)
        there = {name: level for name, level in levels if level is not None}
        if base in there and len(there) > 1:
            found.append((cells, there, seeds))
    for cells, there, seeds in found:
        yield from _compared(cells, [cells.target], [there], names, base, len(seeds))
    above = [f for f in found if any(not f[0].is_floor(f[0].estimate(level.clean)) for level in f[1].values())]
    everywhere = [n for n in names if all(n in levels for _, levels, _ in above)]
    if len(above) > 1 and base in everywhere:
        targets = [cells.target for cells, _, _ in above]
        levels_of = [levels for _, levels, _ in above]
        yield from _compared(above[0][0], targets, levels_of, everywhere, base, min(len(s) for _, _, s in above))


def _compared(
    cells: Scored,
    targets: Sequence[str],
    levels: Sequence[dict[str, _Level]],
    names: Sequence[str],
    base: str,
    seeds: int,
) -> Iterator[Contrast]:
    ordered = [base, *(n for n in names if n != base)]
    for name in ordered:
        if name not in levels[0]:
            continue
        values: dict[str, Values | None] = {}
        for what in _Level._fields:
            parts = [_difference(getattr(x[name], what), getattr(x[base], what), name == base) for x in levels]
            values[what] = None if any(part is None for part in parts) else mean_of(p for p in parts if p is not None)
        clean = values["clean"]
        assert clean is not None
        perturbed, drop = (None if (v := values[w]) is None else cells.estimate(v) for w in ("perturbed", "drop"))
        yield Contrast(name, base, tuple(targets), cells.estimate(clean), perturbed, drop, seeds)


def _difference(value: Values | None, base: Values | None, itself: bool) -> Values | None:
    if value is None or base is None:
        return None
    return value if itself else (value[0] - base[0], value[1] - base[1])


def _seeds(cells: Scored, names: Sequence[str]) -> list[int]:
    """The pipeline seeds that every route has."""
    of = {name: {row["pipeline_seed"] for row in cells.rows if row["route"] == name} for name in names}
    there = [seeds for seeds in of.values() if seeds]
    return sorted(set.intersection(*there)) if there else []


def _level(cells: Scored, route: str, seeds: Sequence[int], diagnostic: Collection[str]) -> _Level | None:
    clean: dict[int, dict[str, list[int]]] = {}
    perturbed: dict[int, dict[Condition, dict[str, list[int]]]] = {}
    for i, row in enumerate(cells.rows):
        if row["route"] != route or row["pipeline_seed"] not in seeds or not _counts(cells, row):
            continue
        condition, seed, language = condition_of(row), row["pipeline_seed"], language_of(row)
        if condition.clean:
            clean.setdefault(seed, {}).setdefault(language, []).append(i)
        elif row["perturbation"] not in diagnostic and row["attack"] == NONE:
            perturbed.setdefault(seed, {}).setdefault(condition, {}).setdefault(language, []).append(i)
    if set(clean) != set(seeds):
        return None
    weights = _weights(seeds, len(cells.values[0][1]))
    at_clean = _over_seeds([_languages(cells, clean[s], cells.own) for s in seeds], weights)
    if set(perturbed) != set(seeds):
        return _Level(at_clean, None, None)
    after = [mean_of(_languages(cells, x, cells.own) for x in perturbed[s].values()) for s in seeds]
    before = [mean_of(_languages(cells, x, cells.beside) for x in perturbed[s].values()) for s in seeds]
    left, had = _over_seeds(after, weights), _over_seeds(before, weights)
    return _Level(at_clean, left, (had[0] - left[0], had[1] - left[1]))


def _counts(cells: Scored, row: RowDict) -> bool:
    """Whether a row is zero-shot transfer to another language, chosen without that language's data."""
    foreign = row["language"] != cells.source and row["language"] not in cells.trained
    same = row["context_language"] in ("", row["language"])
    return foreign and same and row["selection"] != "oracle" and row["protection"] == NONE


def _languages(cells: Scored, members: dict[str, list[int]], places: Sequence[int]) -> Values:
    return mean_of(mean_of(cells.values[places[i]] for i in draws) for _, draws in sorted(members.items()))


def _over_seeds(values: Iterable[Values], weights: Array) -> Values:
    found = list(values)
    replicates = np.stack([r for _, r in found])
    return float(np.mean([e for e, _ in found])), (weights * replicates).sum(axis=0)


def _weights(seeds: Sequence[int], replicates: int) -> Array:
    """How much each seed weighs in each replicate, `(seeds, replicates)`; the same wherever the seeds are the same."""
    n = len(seeds)
    rng = np.random.default_rng([7919, *seeds])
    drawn = rng.integers(n, size=(replicates, n))
    return np.stack([(drawn == i).mean(axis=1) for i in range(n)])
