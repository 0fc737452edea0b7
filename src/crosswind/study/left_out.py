"""Which planned cells the results lack, or have without a score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crosswind.analysis.left_out import Cause, LeftOut
from crosswind.study.planned import Cell


def unscored_reason(cell: Cell, facts: Mapping[str, Any], least: float) -> str | None:
    """Why a cell that is there has no score, as its rows say it: too few items changed, or a damage is out of reach."""
    if "refused" in facts:
        return f"{facts['refused']}, so the score is n/a"
    if not _is_unchanged(cell, facts, least):
        return None
    return (
        f"{100 * facts['changed_items']:.1f} % of the items changed, fewer than {100 * least:g} %, so the score is n/a"
    )


def unscored(cells: Sequence[Cell], facts: Mapping[str, Mapping[str, Any]], least: float) -> Iterator[LeftOut]:
    """The cells that are there and have no score."""
    reason = f"fewer than {100 * least:g} % of the items changed, so the scores are n/a"
    for cell in cells:
        of_cell = facts[cell.judged[0][1]]
        if "refused" in of_cell:
            yield _left_out(cell, "not applicable", of_cell["refused"])
        elif _is_unchanged(cell, of_cell, least):
            yield _left_out(cell, "unchanged", reason, of_cell["changed_items"])


def _is_unchanged(cell: Cell, facts: Mapping[str, Any], least: float) -> bool:
    """Whether a rewrite changed a smaller share of the items than `least`.

    An attack that changes little is a result: the model withstood it.
    """
    return cell.condition.attack == "none" and "changed_items" in facts and facts["changed_items"] < least


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
    return cell.route, cell.defence, cell.seed, cell.target, cell.data.undrawn, cell.selection, cell.excluded


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
        attack=cell.condition.attack,
        changed_items=changed_items,
    )
