"""The comparisons of the primary family, arranged for reading: a row a pair of systems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from crosswind.analysis.contrast import PRIMARY
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.summary import Summary
from crosswind.report.view import figure


@dataclass(frozen=True)
class ComparedRow:
    """A comparison as text: what, measure, size with interval, adjusted p, verdict, the smallest effect that would have
    been seen, seeds and clusters, and what the two differ in."""

    name: str
    measure: str
    size: str
    p: str
    verdict: str
    smallest: str
    units: str
    remarks: str


def compared_rows(summary: Summary) -> tuple[ComparedRow, ...]:
    """The rows of the primary family."""
    return tuple(_row(c) for c in summary.contrasts if c.family == PRIMARY)


def compared_over(summary: Summary) -> str:
    """What the primary family is over: targets and languages."""
    rows = [c for c in summary.contrasts if c.family == PRIMARY]
    targets = _once(x for c in rows for x in c.targets)
    return f"Means over {', '.join(targets)}; languages: {', '.join(_once(x for c in rows for x in c.languages))}."


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _row(c: Contrast) -> ComparedRow:
    e = c.estimate
    remarks = [c.differs, f"seen of the material: {c.material}" if c.material else ""]
    remarks.append(f"not in it: {', '.join(c.excluded)}" if c.excluded else "")
    return ComparedRow(
        c.name,
        "left under perturbation" if c.measure == "perturbed" else c.measure,
        figure(e, signed=True),
        "" if c.adjusted is None else f"{c.adjusted:.3f}" if c.adjusted >= 0.001 else "< 0.001",
        c.words,
        "" if e.detectable is None else f"{e.detectable:.1f}",
        f"{' / '.join(map(str, e.seeds))} seeds, {e.clusters:,} clusters",
        "; ".join(x for x in remarks if x),
    )
