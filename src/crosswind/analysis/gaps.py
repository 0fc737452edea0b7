"""Languages against each other and perturbations against each other: as scored, and where both are damaged alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np

from crosswind.analysis.axes import AXES, axes_held
from crosswind.analysis.condition import Condition
from crosswind.analysis.contrasted import Contrast, ContrastScope
from crosswind.analysis.equal_damage import WeightedDrops, damage_curve, difference_at_equal_damage, mean_of_weighted
from crosswind.analysis.influence import Influence, mean_influence, weighted_sum
from crosswind.analysis.maker import ContrastMaker, Part
from crosswind.analysis.scored import System, under_common_seeds
from crosswind.analysis.shared_cells import SharedCells, mean_shares

_Cells = TypeVar("_Cells")
_GAPS_TABLE, _PERTURBATIONS_TABLE = "source gaps at equal damage", "perturbations at equal damage"


def source_gaps(
    maker: ContrastMaker, scope: ContrastScope, within: str, parts: Sequence[Part], systems: Sequence[System]
) -> Iterator[Contrast]:
    """The source language minus the mean of the others, where both have the same conditions; of drops at equal damage
    too, over all targets."""
    chosen = [p for p in parts if not set(systems) & p.shared.floored]
    for measure in ("clean", "perturbed", "drop"):
        having = [p for p in chosen if (measure == "clean" or p.conditions) and _has_source(p, measure)]
        for s in systems if having else ():
            gaps = []
            for p in having:
                source = (p.shared.cells.source,)
                conditions = p.conditions if _has_source(p, "drop") else ()
                english = p.shared.influence(s, measure, source, conditions, english=True)
                others = p.shared.influence(s, measure, p.languages, conditions)
                common = under_common_seeds([english, others])
                gaps.append(weighted_sum([(1.0, common[0]), (-1.0, common[1])], maker.numbers))
            terms = [(1.0, mean_influence(under_common_seeds(gaps), maker.numbers))]
            table = f"source gaps by {scope}"
            row = maker.row_of("source gap", measure, scope, within, (s,), having, terms, table)
            if measure != "drop":
                yield row
                continue
            by_axis = _by_axis(having, s, _gap_on)
            yield replace(row, axes=axes_held(row.estimate.score, _means(by_axis)))
            if scope == "all":
                yield from _at_equal_damage(maker, "source − others", s, having, by_axis, _GAPS_TABLE)


class _Two(NamedTuple):
    """A target with the conditions of two perturbations in the languages that have both."""

    first: Part
    second: Part


def between_perturbations(
    maker: ContrastMaker, members: Sequence[SharedCells], systems: Sequence[System]
) -> Iterator[Contrast]:
    """What one perturbation takes more than another, over the targets and languages that have both: as they were
    scored, and at equal damage on each axis."""
    names = list(dict.fromkeys(c.perturbation for x in members for c in x.conditions))
    above = [x for x in members if not set(systems) & x.floored]
    for one, other in combinations(names, 2):
        both = []
        for x in above:
            chosen = [tuple(c for c in x.conditions if c.perturbation == n) for n in (one, other)]
            languages = x.languages([*chosen[0], *chosen[1]]) if all(chosen) else ()
            if languages:
                both.append(_Two(Part(x, languages, chosen[0]), Part(x, languages, chosen[1])))
        for s in systems if both else ():
            first, second = [p.first for p in both], [p.second for p in both]
            drops = under_common_seeds([maker.quantity(first, s, "drop"), maker.quantity(second, s, "drop")])
            terms = [(1.0, weighted_sum([(1.0, drops[0]), (-1.0, drops[1])], maker.numbers))]
            within = f"{one} − {other}"
            row = maker.row_of("perturbations", "drop", "all", within, (s,), first, terms, "perturbations compared")
            tokens = [
                mean_shares([p.shared.shares(s, p.languages, p.conditions) for p in side])[1]
                for side in (first, second)
            ]
            text = f"tokens changed: {100 * tokens[0]:.0f} % | {100 * tokens[1]:.0f} %"
            by_axis = _by_axis(both, s, _two_on)
            yield replace(row, differs=text, axes=axes_held(row.estimate.score, _means(by_axis)))
            yield from _at_equal_damage(maker, within, s, first, by_axis, _PERTURBATIONS_TABLE)


def _by_axis(
    parts: Sequence[_Cells], system: System, on: Callable[[_Cells, System, str], WeightedDrops | None]
) -> dict[str, WeightedDrops]:
    """The comparison at equal damage on each axis, the mean over targets; without the axes on which some side has no
    damage."""
    made = {}
    for axis in AXES:
        of_targets = [on(part, system, axis) for part in parts]
        known = [x for x in of_targets if x is not None]
        if known and len(known) == len(of_targets):
            made[axis] = mean_of_weighted(known)
    return made


def _gap_on(part: Part, system: System, axis: str) -> WeightedDrops | None:
    """The source language's drop minus that of each other language, every perturbation at equal damage."""
    groups: dict[tuple[str, str], list[Condition]] = {}
    for condition in part.conditions:
        groups.setdefault((condition.perturbation, condition.rows), []).append(condition)
    gaps = []
    for conditions in groups.values():
        english = damage_curve(part.shared, system, part.shared.cells.source, conditions, axis, english=True)
        for language in part.languages:
            gap = difference_at_equal_damage(english, damage_curve(part.shared, system, language, conditions, axis))
            if gap is None:
                return None
            gaps.append(gap)
    return mean_of_weighted(gaps)


def _two_on(two: _Two, system: System, axis: str) -> WeightedDrops | None:
    """One perturbation's drop minus another's at equal damage, the mean over languages."""
    differences = []
    for language in two.first.languages:
        curves = [damage_curve(p.shared, system, language, p.conditions, axis) for p in two]
        difference = difference_at_equal_damage(*curves)
        if difference is None:
            return None
        differences.append(difference)
    return mean_of_weighted(differences)


def _means(by_axis: Mapping[str, WeightedDrops]) -> dict[str, float]:
    """The estimates, under the seeds that all quantities have."""
    return {axis: float(np.sum([w * x.mean for w, x in _common(parts)])) for axis, parts in by_axis.items()}


def _common(parts: WeightedDrops) -> WeightedDrops:
    """The parts under common seeds; those of one quantity together."""
    weights: dict[int, tuple[float, Influence]] = {}
    for w, x in parts:
        before = weights[id(x)][0] if id(x) in weights else 0.0
        weights[id(x)] = (before + w, x)
    merged = [*weights.values()]
    return [(w, x) for (w, _), x in zip(merged, under_common_seeds([x for _, x in merged]), strict=True)]


def _at_equal_damage(
    maker: ContrastMaker,
    within: str,
    system: System,
    parts: Sequence[Part],
    by_axis: Mapping[str, WeightedDrops],
    table: str,
) -> Iterator[Contrast]:
    """A row an axis; what it says holds where its sign does on enough of the others."""
    means = _means(by_axis)
    for axis, weighted in by_axis.items():
        terms = [(1.0, weighted_sum(_common(weighted), maker.numbers))]
        name = f"{within} at equal {axis}"
        row = maker.row_of("equal damage", "drop", "all", name, (system,), parts, terms, table)
        yield replace(row, axes=axes_held(row.estimate.score, means))


def _has_source(part: Part, measure: str) -> bool:
    """Whether the source language was scored, under all conditions of a part where these count."""
    having = set(next(iter(part.shared.english.values()), {}))
    source = part.shared.cells.source
    clean = any(c.clean and x == source for c, x in having)
    return clean and (measure == "clean" or all((c, source) in having for c in part.conditions))
