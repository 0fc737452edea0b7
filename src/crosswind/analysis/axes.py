"""Whether a comparison of languages depends on how damage is measured.

One character of Chinese carries more than one of English, so at one severity languages are not damaged alike, and no
single measure makes them equal. What is said of languages holds only if its sign holds for the drop per unit of damage
on at least three of the axes; otherwise it depends on the axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from crosswind.analysis.condition import Condition
from crosswind.analysis.contrasted import AxesHeld
from crosswind.analysis.scored import System
from crosswind.analysis.shared_cells import SharedCells

AXES: Mapping[str, Callable[[Mapping[str, Any]], float]] = {
    "items": lambda row: row["changed_items"],
    "words": lambda row: row["words_hit"],
    "edits": lambda row: row["edits"],
    "chrF": lambda row: 100.0 - row["chrf"],
    "tokens": lambda row: row["changed_tokens"],
    "unknown tokens": lambda row: row["unknown_tokens"],
}
"""Damage to a cell: the share of items that changed, of words, edits a text, chrF lost, tokens that the model reads
otherwise, unknown tokens that came."""


Gap = tuple[SharedCells, tuple[str, ...], tuple[Condition, ...]]
"""The cells of a target: the languages beside the source, and the conditions."""


def axes_of_gap(gaps: Sequence[Gap], system: System, estimate: float) -> AxesHeld | None:
    """For the source language's drop minus the others': where the sign stays when drops are per unit of damage.

    An axis on which some language was not damaged at all is not one. `None` where no axis is known.
    """
    values = {axis: _per_damage(gaps, system, axis) for axis in AXES}
    known = {axis: value for axis, value in values.items() if value is not None}
    if not known:
        return None
    sign = np.sign(estimate)
    held = tuple(axis for axis, value in known.items() if np.sign(value) == sign)
    return AxesHeld(held, tuple(axis for axis in known if axis not in held))


def _per_damage(gaps: Sequence[Gap], system: System, axis: str) -> float | None:
    """The gap of drops per unit of damage, the mean over targets; `None` where some language has no damage."""
    of_targets = []
    for shared, languages, conditions in gaps:
        source = shared.cells.source
        english = _one(shared, system, source, conditions, axis, english=True)
        others = [_one(shared, system, x, conditions, axis, english=False) for x in languages]
        if english is None or not others or any(x is None for x in others):
            return None
        of_targets.append(english - float(np.mean([x for x in others if x is not None])))
    return float(np.mean(of_targets)) if of_targets else None


def _one(
    shared: SharedCells, system: System, language: str, conditions: Sequence[Condition], axis: str, *, english: bool
) -> float | None:
    """The drop of a language per unit of damage."""
    table = (shared.english if english else shared.rows)[system]
    indices = [i for condition in conditions for i in table.get((condition, language), ())]
    rows = [shared.cells.rows[i] for i in indices]
    damage = float(np.mean([AXES[axis](row) for row in rows])) if rows else 0.0
    if damage <= 0:
        return None
    drop = shared.influence(system, "drop", (language,), conditions, english=english).mean
    return float(drop) / damage
