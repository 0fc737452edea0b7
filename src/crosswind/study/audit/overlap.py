"""Whether a route was trained on the task of a target before the target's own phase."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown, several


def _look(run: AuditedRun) -> Shown:
    seen = run.facts("seen of the targets")
    near = [
        f"{route}: {entry}"
        for route, text in seen.items()
        for entry in text.split(", ")
        if entry.endswith(("same-data", "same-task"))
    ]
    if near:
        return Shown(False, f"a route has seen the task of a target: {several(near)}")
    return Shown(True, "no route has seen the task of a target before its own phase")


OVERLAP = Review("overlap", "Are the intermediate tasks others than the targets'?", _look)
