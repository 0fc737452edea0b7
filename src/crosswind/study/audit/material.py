"""Whether compared routes have seen the same of the material that perturbations put into texts."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown, several


def _look(run: AuditedRun) -> Shown:
    with_material = {c.name: c.material for c in run.primary if len(c.systems) == 2 and c.material}
    if not with_material:
        return Shown(None, "no perturbation puts words of another language into texts")
    unlike = []
    for name, text in with_material.items():
        for part in text.split("; "):
            known = {said.rpartition(" for ")[0] for said in part.partition(": ")[2].split(", ")}
            if len(known) > 1:
                unlike.append(f"{name} ({part})")
                break
    if unlike:
        return Shown(False, f"routes have seen the embedded language differently: {several(unlike, 3)}")
    return Shown(True, f"{len(with_material)} comparisons, of routes that have seen the same of the embedded languages")


MATERIAL = Review("material", "Have compared routes seen alike what perturbations embed?", _look)
