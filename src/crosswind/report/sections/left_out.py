"""What is not in the figures: cells left out, each with its reason, and what could not be shown."""

from __future__ import annotations

from crosswind.analysis.left_out import left_out_groups
from crosswind.report.content import ReportContent
from crosswind.report.parts import Bullets, Column, PagePart, Prose, Section, TextTable

_MOST = 300


def left_out_section(content: ReportContent) -> Section | None:
    """Cells that are in no mean, by reason."""
    left_out = content.summary.left_out
    parts: list[PagePart] = []
    if content.missing:
        parts += [Prose("This page lacks:"), Bullets(tuple(content.missing))]
    if left_out:
        cells = sum(part.cells for part in left_out)
        absent = sum(part.cells for part in left_out if part.cause in ("not computed", "no clean cell"))
        text = f"{cells:,} cells are in no figure above."
        if absent:
            text += f" {absent:,} of them were asked for and are not there: the run is incomplete."
        groups = left_out_groups(left_out)
        columns = (
            Column("condition"),
            Column("targets", "text"),
            Column("languages", "text"),
            Column("cells", "number"),
        )
        rows = tuple(
            (g.what, ", ".join(g.targets), ", ".join(g.languages), str(g.cells), g.reason) for g in groups[:_MOST]
        )
        more = f"{_MOST} of {len(groups):,} reasons; left_out.parquet has all." if len(groups) > _MOST else ""
        parts += [
            Prose(text),
            TextTable("left-out", "Cells left out", (*columns, Column("why", "text")), rows, missing=more),
        ]
    return Section("left-out", "Cells left out", tuple(parts)) if parts else None
