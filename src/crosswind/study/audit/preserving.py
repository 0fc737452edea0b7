"""Whether the labels hold under the perturbations that robustness is measured by."""

from __future__ import annotations

from crosswind.analysis.results import CLEAN
from crosswind.study.audit import AuditedRun, Review, Shown, several


def _look(run: AuditedRun) -> Shown:
    used = sorted({c.perturbation for x in run.summary.contrasts for c in x.conditions if c.perturbation != CLEAN})
    if not used:
        return Shown(None, "nothing was perturbed")
    diagnostic = [name for name in used if name in run.summary.diagnostic]
    if diagnostic:
        return Shown(False, f"labels need not hold, and yet they are in means: {several(diagnostic)}")
    return Shown(
        True, f"declared to preserve the label: {several(used)} (whether readers agree: crosswind perturb --review)"
    )


PRESERVING = Review("preserving", "Do the labels hold under what robustness is measured by?", _look)
