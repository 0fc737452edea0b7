"""Whether compared routes had equal budgets."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown


def _look(run: AuditedRun) -> Shown:
    examples = run.facts("labelled examples")
    if len(examples) < 2:
        return Shown(None, "fewer than two routes have a phase with labelled examples")
    text = ", ".join(f"{route} {count}" for route, count in examples.items())
    return Shown(len(set(examples.values())) == 1, f"labelled examples: {text}")


BUDGETS = Review("budgets", "Were the compared routes trained on equally many examples?", _look)
