"""Whether the perturbations changed enough to be called that."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown, several


def _look(run: AuditedRun) -> Shown:
    if not any(c.measure == "drop" for c in run.summary.contrasts):
        return Shown(None, "nothing was perturbed")
    unchanged = [part for part in run.run.left_out if part.cause == "unchanged"]
    if unchanged:
        names = sorted({f"{part.perturbation} on {part.target} in {part.language}" for part in unchanged})
        return Shown(False, f"too few items changed, so these have no score: {several(names)}")
    return Shown(True, "every perturbed cell changed at least the declared share of its items")


CHANGED = Review("changed", "Did the perturbations change the declared share of the items?", _look)
