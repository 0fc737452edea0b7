"""The transfer gap: the source language minus the mean of a family's or script's languages, clean and perturbed."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crosswind.analysis.contrasted import Contrast, ContrastScope, flat_contrast
from crosswind.report.content import ReportContent
from crosswind.report.inert import inert, shortened
from crosswind.report.parts import Column, Figure, PagePart, Section, TextTable
from crosswind.report.svg import Drawing, colour_of, legend_row, scale_over, shape_of, tick_label
from crosswind.report.view import figure, systems_of

_LEFT, _PLOT = 170.0, 480.0
_SCOPES: tuple[tuple[ContrastScope, str], ...] = (("family", "language family"), ("script", "script"))


def gap_section(content: ReportContent) -> Section | None:
    """A figure for families and one for scripts, as far as there are several."""
    parts: list[PagePart] = []
    for scope, words in _SCOPES:
        rows = [c for c in content.summary.contrasts if c.kind == "source gap" and c.scope == scope]
        rows = [c for c in rows if c.measure in ("clean", "perturbed")]
        if rows:
            parts.append(_figure(scope, words, rows, systems_of(content.summary)))
    return Section("gaps", "Transfer gap by family and script", tuple(parts)) if parts else None


def _figure(scope: str, words: str, rows: Sequence[Contrast], systems: Sequence[str]) -> Figure:
    groups = list(dict.fromkeys(c.within for c in rows))
    widest = max(rows, key=lambda c: c.estimate.score)
    targets = list(dict.fromkeys(t for c in rows for t in c.targets))
    says = (
        f"Transfer gaps of {len(groups)} groups of languages. The widest is {widest.estimate.score:.1f} points:"
        f" {widest.within}, {widest.systems[0]}, {widest.measure}."
    )
    caption = (
        "Points that the source language is ahead of the mean of the group, with 95 % intervals; hollow: clean, filled:"
        f" under perturbation. Means over {', '.join(targets)}; a group's languages are in the table."
    )
    columns = (Column(words), Column("route"), Column("of"), Column("gap", "number"), Column("languages", "text"))
    table = TextTable(
        f"gap-{scope}",
        f"Transfer gap by {words}, points with 95 % intervals",
        columns,
        tuple((c.within, c.systems[0], c.measure, figure(c.estimate), " ".join(c.languages)) for c in rows),
    )
    data = pl.DataFrame([flat_contrast(c) for c in rows], infer_schema_length=None)
    return Figure(f"gap-{scope}", f"Transfer gap by {words}", _draw(rows, groups, systems), says, caption, table, data)


def _draw(rows: Sequence[Contrast], groups: Sequence[str], systems: Sequence[str]) -> str:
    step = max(26.0, 9.0 * len(systems) + 12)
    width = _LEFT + _PLOT + 20
    top = legend_row(Drawing(width, 1), 8, 12, systems, width=width) + 4
    drawing = Drawing(width, top + step * len(groups) + 34)
    legend_row(drawing, 8, 12, systems, width=width)
    values = [0.0, *(x for c in rows for x in (c.estimate.score, c.estimate.low, c.estimate.high) if x is not None)]
    scale = scale_over(values, _LEFT, _LEFT + _PLOT)
    bottom = top + step * len(groups)
    for tick in scale.ticks():
        drawing.line(scale(tick), top, scale(tick), bottom, opacity=0.12)
        drawing.text(scale(tick), bottom + 11, tick_label(tick), anchor="middle", size=11, opacity=0.75)
    drawing.line(scale(0), top, scale(0), bottom, opacity=0.7)
    drawing.text(_LEFT + _PLOT / 2, bottom + 26, "points behind the source language", anchor="middle", size=11)
    for number, group in enumerate(groups):
        y = top + step * (number + 0.5)
        if number % 2:
            drawing.rect(0, y - step / 2, width, step, fill="currentColor", opacity=0.04)
        drawing.text(_LEFT - 8, y, shortened(inert(group), 13), anchor="end")
        for c in (c for c in rows if c.within == group):
            i = systems.index(c.systems[0])
            hollow = c.measure == "clean"
            at = y + (i - (len(systems) - 1) / 2) * 9 + (-1.8 if hollow else 1.8)
            e = c.estimate
            if e.low is not None and e.high is not None:
                drawing.line(scale(e.low), at, scale(e.high), at, colour=colour_of(i), width=1.2)
            drawing.mark(scale(e.score), at, colour=colour_of(i), shape=shape_of(i), size=3.6, hollow=hollow)
    return drawing.svg()
