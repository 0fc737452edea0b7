"""Drops at equal damage: severities are matched on an axis, by interpolation.

A perturbation at several severities is a curve from damage to drop: straight lines through the clean cell (no damage,
no drop) and each severity, in order of damage. Two curves are compared at the largest damage that both reach, so that
nothing is read beyond what was scored. With one severity each, the line from the clean cell is what is assumed. The
damages are taken as given: the interval is of the drops.
"""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.analysis.axes import AXES
from crosswind.analysis.condition import Condition
from crosswind.analysis.influence import Influence
from crosswind.analysis.scored import System
from crosswind.analysis.shared_cells import SharedCells

DamageCurve = list[tuple[float, Influence]]
"""Damages above 0, ascending, and the drop at each."""
WeightedDrops = list[tuple[float, Influence]]


def damage_curve(
    shared: SharedCells,
    system: System,
    language: str,
    conditions: Sequence[Condition],
    axis: str,
    *,
    english: bool = False,
) -> DamageCurve:
    """The drops of a system in a language by the damage of these conditions, which are severities of one thing.

    Conditions without damage on this axis are no part of it.
    """
    curve: DamageCurve = []
    for condition in conditions:
        changed = shared.damage(system, condition, language, english=english)
        damage = AXES[axis](changed) if changed else 0.0
        if damage > 0:
            curve.append((damage, shared.influence(system, "drop", (language,), (condition,), english=english)))
    return sorted(curve, key=lambda point: point[0])


def drop_at(curve: DamageCurve, damage: float) -> WeightedDrops:
    """The drop at a damage that the curve reaches: weights of the severities on either side, clean being 0 at 0."""
    below = 0.0
    for i, (at, drop) in enumerate(curve):
        if damage <= at:
            share = 1.0 if at == below else (damage - below) / (at - below)
            before = [(1 - share, curve[i - 1][1])] if i and share < 1 else []
            return [*before, (share, drop)]
        below = at
    raise ValueError(f"damage of {damage:g} is beyond the curve, which ends at {below:g}")


def difference_at_equal_damage(first: DamageCurve, second: DamageCurve) -> WeightedDrops | None:
    """The first drop minus the second at the largest damage that both reach; `None` where one has no damage."""
    if not first or not second:
        return None
    damage = min(first[-1][0], second[-1][0])
    return [*drop_at(first, damage), *((-w, x) for w, x in drop_at(second, damage))]


def mean_of_weighted(parts: Sequence[WeightedDrops]) -> WeightedDrops:
    """The unweighted mean of weighted sums."""
    return [(w / len(parts), x) for part in parts for w, x in part]
