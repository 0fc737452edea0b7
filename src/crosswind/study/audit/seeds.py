"""Whether there are pipeline seeds enough to tell a route from its luck."""

from __future__ import annotations

from crosswind.study.audit import AuditedRun, Review, Shown

LEAST, RECOMMENDED = 3, 5  # Student's t / 1.96: 2.2 at two seeds, 1.42 at three, 1.18 at five


def _look(run: AuditedRun) -> Shown:
    if len(run.run.analysed.routes) < 2:
        return Shown(None, "one route: nothing is compared")
    count = len(run.run.seeds)
    text = f"{count} pipeline seeds; {LEAST} are the least, {RECOMMENDED} are recommended"
    return Shown(count >= LEAST, text)


ENOUGH_SEEDS = Review("seeds", "Are there pipeline seeds enough?", _look)
