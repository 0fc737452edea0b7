"""Whether compared routes differ in one thing."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown, several

SAME_THING = frozenset({"tokens", "items"})  # follow from what else differs, at an equal number of examples
FOLLOWS = {"steps": "labelled examples"}  # in batches of one size


def _look(run: AuditedRun) -> Shown:
    pairs = {c.name: c.differs for c in run.primary if len(c.systems) == 2 and c.differs}
    if not pairs:
        return Shown(None, "no pair of routes is compared")
    mixed = []
    for name, text in pairs.items():
        factors = [part.partition(":")[0] for part in text.split("; ")]
        # Against a route without a phase everything differs: having one is the factor.
        without = " | none" in text.partition("; ")[0] or ": none |" in text.partition("; ")[0]
        apart = [f for f in factors if f not in SAME_THING and FOLLOWS.get(f) not in factors]
        if not without and len(apart) > 1:
            mixed.append(f"{name} ({', '.join(factors)})")
    if mixed:
        return Shown(False, f"differ in several things at once: {several(mixed, 3)}")
    return Shown(True, f"{len(pairs)} pairs differ in one thing, or in having a phase at all")


ONE_FACTOR = Review("one-factor", "Do compared routes differ in one thing?", _look)
