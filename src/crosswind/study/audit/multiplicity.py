"""Whether the comparisons are a declared family with corrected p-values."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown


def _look(run: AuditedRun) -> Shown:
    family = run.primary
    if not family:
        return Shown(None, "the run compares nothing over all targets")
    tested = [c for c in family if c.verdict != "not tested"]
    bare = [c.name for c in tested if c.adjusted is None or (c.margin is not None and c.equivalence is None)]
    if bare:
        return Shown(False, f"{len(bare)} comparisons have no corrected p-value")
    declared = "declared in the study" if run.study.get("compare") else "the default, all pairs of routes"
    return Shown(True, f"the primary family ({declared}) has {len(family)} comparisons, {len(tested)} tested, by Holm")


MULTIPLICITY = Review("multiplicity", "Are p-values corrected over a declared family?", _look)
