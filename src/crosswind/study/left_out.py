"""Which planned cells the results lack, or have without a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crosswind.analysis.left_out import Cause, LeftOut
from crosswind.study.planned import Cell


def is_unchanged(facts: Mapping[str, Any], least: float) -> bool:
    """Whether a rewrite changed a smaller share of the items than `least`, by the facts of the cell."""
    return "changed_items" in facts and facts["changed_items"] < least


def unchanged_reason(share: float, least: float) -> str:
    """What a row without a score says of itself."""
    return f"{100 * share:.1f} % of the items changed, fewer than {100 * least:g} %, so the score is n/a"


def unchanged(cells: Sequence[Cell], facts: Mapping[str, Mapping[str, Any]], least: float) -> Iterator[LeftOut]:
    """The cells in which too few items changed: they have no score."""
    reason = f"fewer than {100 * least:g} % of the items changed, so the scores are n/a"
    for cell in cells:
        of_cell = facts[cell.judged[0][1]]
        if cell.condition.attack == "none" and is_unchanged(of_cell, least):
            yield _left_out(cell, "unchanged", reason, of_cell["changed_items"])


def not_there(cells: Sequence[Cell], there: Sequence[Cell]) -> Iterator[LeftOut]:
    """The cells that were not computed, and the perturbed ones that stand without their clean one."""
    computed = set(there)
    clean = {model_and_set(c) for c in there if c.condition.clean}
    for cell in cells:
        if cell not in computed:
            yield _left_out(cell, "not computed", "a step of it failed or was not run")
        elif model_and_set(cell) not in clean:
            yield _left_out(cell, "no clean cell", "the clean cell is missing, so there is no drop")


def model_and_set(cell: Cell) -> tuple[object, ...]:
    """What a clean cell shares with its perturbed ones; an attack may be of a part of its examples."""
    data = replace(cell.data, limit=None)
    return cell.route, cell.defence, cell.seed, cell.target, data, cell.selection, cell.excluded


def _left_out(cell: Cell, cause: Cause, reason: str, changed_items: float | None = None) -> LeftOut:
    return LeftOut(
        cause=cause,
        target=cell.target,
        language=cell.data.language,
        split=cell.data.split,
        reason=reason,
        perturbation=cell.perturbation,
        severity=cell.severity,
        protection=cell.protection,
        changed_items=changed_items,
    )
