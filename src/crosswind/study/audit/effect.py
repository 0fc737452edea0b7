"""Whether the run could have seen an effect of the size that its study declares."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown


def _look(run: AuditedRun) -> Shown:
    limits = {f"{c.name}, {c.measure}": c.estimate.detectable for c in run.primary}
    known = {name: limit for name, limit in limits.items() if limit is not None}
    margin = run.run.analysed.comparisons.margin
    if not known:
        return Shown(None if not limits else False, "no comparison has a smallest effect that could be seen")
    name = max(known, key=lambda n: known[n])
    text = f"the largest of the smallest effects that could be seen is {known[name]:.1f} points ({name})"
    if margin is None:
        return Shown(None, f"{text}; the study declares no effect (compare.margin)")
    return Shown(known[name] <= margin, f"{text}; the study declares {margin:g}")


EFFECT = Review("effect", "Could an effect of the declared size have been seen?", _look)
