"""Whether some route is at its floor, where it has nothing to lose."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown, several


def _look(run: AuditedRun) -> Shown:
    clean = [c for c in run.summary.contrasts if c.kind == "level" and c.measure == "clean" and c.scope == "target"]
    if not clean:
        return Shown(None, "no target has a clean level")
    floored = sorted({f"{c.systems[0]} in {c.within}" for c in clean if c.floored})
    if floored:
        return Shown(False, f"at chance when clean: {several(floored)}")
    return Shown(True, f"{len(clean)} routes in targets are above chance when clean")


FLOORS = Review("floors", "Is every compared route above chance when clean?", _look)
