"""Whether the run has every cell that its study asks for."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown, several


def _look(run: AuditedRun) -> Shown:
    lost = [part for part in run.run.left_out if part.cause in ("not computed", "no clean cell")]
    if lost:
        names = sorted({f"{part.target} in {part.language}" for part in lost})
        return Shown(False, f"{sum(part.cells for part in lost)} cells were not computed: {several(names)}")
    return Shown(True, "every cell that the study asks for was computed, or has a reason why there is none")


MISSING = Review("missing", "Is every cell that the study asks for there?", _look)
