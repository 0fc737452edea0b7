"""Defences beside their price."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.defended import COST_COLUMNS, DEFENDED_NOTE, GAIN_COLUMNS, defended_rows
from crosswind.report.parts import Column, Prose, Section, TextTable


def defence_section(content: ReportContent) -> Section | None:
    """What each defended route gains, and what it costs."""
    rows = defended_rows(content.summary)
    if not rows:
        return None
    columns = (Column("route"), *(Column(name, "number") for name in (*GAIN_COLUMNS, *COST_COLUMNS)))
    table = TextTable(
        "defences",
        "Defended routes: gains in points, and costs",
        columns,
        tuple((row.name, *row.gains, *row.costs) for row in rows),
        latex=True,
    )
    return Section("defences", "Defences", (Prose(DEFENDED_NOTE, soft=True), table))
