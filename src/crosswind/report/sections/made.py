"""Cost and provenance: what was run, what it took, on what, with which versions, under which signatures."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.parts import Bullets, Column, Facts, Folded, PagePart, Section, TextTable, Verbatim

_MOST = 200


def made_section(content: ReportContent) -> Section | None:
    """Facts of the run, the cost by kind of step; machines, signatures, keys and the study folded."""
    p = content.provenance
    parts: list[PagePart] = []
    columns: tuple[Column, ...]
    if content.facts:
        parts.append(Facts(tuple(content.facts.items())))
    if p.costs:
        total = (sum(c.steps for c in p.costs), sum(c.cpu for c in p.costs), sum(c.wall for c in p.costs))
        rows: list[tuple[str, ...]] = [(c.kind, f"{c.steps:,}", _time(c.cpu), _time(c.wall)) for c in p.costs]
        rows.append(("all", f"{total[0]:,}", _time(total[1]), _time(total[2])))
        columns = (
            Column("step"),
            Column("steps", "number"),
            Column("CPU time", "number"),
            Column("wall time", "number"),
        )
        parts.append(TextTable("cost", "Cost by kind of step, over all processes", columns, tuple(rows)))
    folded: list[PagePart] = []
    if p.machines:
        folded.append(Folded("Machines and versions", (Bullets(tuple(p.machines)),)))
    if p.signatures:
        rows = [(signature, f"{rows:,}") for signature, rows in p.signatures[:_MOST]]
        columns = (Column("signature", "text"), Column("results", "number"))
        more = f"{_MOST} of {len(p.signatures):,}; results.parquet has all." if len(p.signatures) > _MOST else ""
        table = TextTable("signatures", "Signatures: what two scores must share to be compared", columns, tuple(rows),
                      missing=more)  # fmt: skip
        folded.append(Folded(f"{len(p.signatures):,} signatures", (table,)))
    if p.keys:
        rows = [(label, key) for label, key in p.keys[:_MOST]]
        more = f"{_MOST} of {len(p.keys):,}; provenance.parquet has all." if len(p.keys) > _MOST else ""
        columns = (Column("model"), Column("key of its step"))
        folded.append(Folded(
            f"Keys of {len(p.keys):,} trained models",
            (TextTable("keys", "Models and the keys of the steps that made them", columns, tuple(rows), missing=more),),
        ))  # fmt: skip
    if p.study:
        folded.append(Folded("The study as it was read", (Verbatim(p.study),)))
    parts += folded
    return Section("provenance", "Cost and provenance", tuple(parts)) if parts else None


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
