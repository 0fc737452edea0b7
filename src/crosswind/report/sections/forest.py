"""The contrasts that the answer rests on: intervals, with the value under each pipeline seed."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from crosswind.analysis.contrast import BASE, PRIMARY
from crosswind.analysis.contrasted import Contrast, flat_contrast
from crosswind.analysis.estimate import CUT_SHORT
from crosswind.analysis.summary import Summary
from crosswind.report.comparisons import compared_over, measure_words, p_words
from crosswind.report.content import ReportContent
from crosswind.report.inert import shortened
from crosswind.report.parts import Column, Figure, Prose, Section, TextTable
from crosswind.report.svg import COLOURS, Drawing, scale_over, signed, tick_label
from crosswind.report.view import figure

_MOST = 60  # rows of the figure; the table of contrasts has all
_LEFT, _PLOT, _RIGHT, _ROW = 200.0, 300.0, 300.0, 22.0
_BLUE, _ORANGE = COLOURS[0], COLOURS[1]


def forest_section(content: ReportContent) -> Section | None:
    """The primary family as a forest plot; of a run that compares nothing, the drops of its targets."""
    rows, compared = forest_rows(content.summary)
    if not rows:
        return None
    shown = rows[:_MOST]
    title = "What each choice was worth" if compared else "What perturbation took"
    caption = (
        "Points, with 95 % intervals. The diamond is the estimate, a ring each pipeline seed; filled where the verdict"
        " is settled."
    )
    if compared:
        over = compared_over(content.summary)
        caption += f" Of levels, {_better_side(shown)} is better; of drops, left of 0 is more robust. {over}"
    if len(rows) > len(shown):
        caption += f" {len(shown)} of {len(rows)} rows; contrasts.csv has all."
    part = Figure(
        "forest",
        title,
        _draw(shown, compared),
        _says(shown),
        caption,
        _table(shown),
        pl.DataFrame([flat_contrast(c) for c in rows], infer_schema_length=None),
    )
    remark = (
        "p is adjusted over these comparisons (Holm), and only they have verdicts."
        if compared
        else "Drops: clean minus perturbed, over the same languages and items."
    )
    return Section("contrasts", title, (part, Prose(remark, soft=True)))


def forest_rows(summary: Summary) -> tuple[list[Contrast], bool]:
    """The rows of the plot, and whether they compare routes: the primary family, those with the base first; else the
    drops of systems by target."""
    primary = [c for c in summary.contrasts if c.family == PRIMARY]
    if primary:
        first = [c for c in primary if BASE in c.systems or set(c.systems) == {"english", "multilingual"}]
        names = dict.fromkeys(c.name for c in (*first, *primary))
        return [c for name in names for c in primary if c.name == name], True
    drops = [c for c in summary.contrasts if c.kind == "level" and c.measure == "drop" and c.scope == "target"]
    return drops, False


def _better_side(rows: Sequence[Contrast]) -> str:
    better = {c.better for c in rows}
    if len(better) > 1:
        return "right of 0 (left, where a lower score is better)"
    return "left of 0" if "lower" in better else "right of 0"


def _says(rows: Sequence[Contrast]) -> str:
    settled = [c for c in rows if c.verdict not in ("not settled", "not tested")]
    return f"Forest plot of {len(rows)} contrasts with intervals; {len(settled)} of them are settled."


def _label(c: Contrast, compared: bool) -> str:
    return measure_words(c.measure) if compared else c.within


def _draw(rows: Sequence[Contrast], compared: bool) -> str:
    groups = dict.fromkeys(c.name for c in rows)
    height = 30 + _ROW * (len(rows) + len(groups)) + 30
    drawing = Drawing(_LEFT + _PLOT + _RIGHT, height)
    values = [0.0, *(x for c in rows for x in (c.estimate.score, c.estimate.low, c.estimate.high) if x is not None)]
    values += [x for c in rows for _, x in c.estimate.by_seed]
    scale = scale_over(values, _LEFT, _LEFT + _PLOT)
    bottom = height - 30
    for tick in scale.ticks():
        drawing.line(scale(tick), 8, scale(tick), bottom, opacity=0.12)
        drawing.text(scale(tick), bottom + 12, tick_label(tick), anchor="middle", opacity=0.75)
    drawing.line(scale(0), 8, scale(0), bottom, opacity=0.7)
    drawing.text(_LEFT + _PLOT / 2, bottom + 25, "points", anchor="middle", size=11, opacity=0.75)
    y = 18.0
    for name in groups:
        drawing.text(4, y, shortened(name, 36), bold=True)
        y += _ROW
        for c in (c for c in rows if c.name == name):
            _draw_row(drawing, scale, y, c, compared)
            y += _ROW
    return drawing.svg()


def _draw_row(drawing: Drawing, scale: object, y: float, c: Contrast, compared: bool) -> None:
    assert callable(scale)
    e = c.estimate
    drawing.text(16, y, shortened(_label(c, compared), 15))
    colour = _ORANGE if c.measure == "drop" else _BLUE
    if e.low is not None and e.high is not None:
        drawing.line(scale(e.low), y, scale(e.high), y, colour=colour, width=2.2)
    for _, value in e.by_seed if len(e.by_seed) > 1 else ():
        drawing.mark(scale(value), y, colour=colour, size=3.2, hollow=True)
    settled = c.verdict not in ("not settled", "not tested")
    drawing.mark(scale(e.score), y, colour=colour, shape="diamond", size=4.6, hollow=not settled)
    drawing.text(_LEFT + _PLOT + 14, y, figure(e, signed=compared))
    words = c.verdict if c.verdict != "differs" or compared else ""
    drawing.text(_LEFT + _PLOT + 150, y, shortened(words, 13), bold=settled, opacity=1.0 if settled else 0.75)


def _table(rows: Sequence[Contrast]) -> TextTable:
    columns = (
        *(Column("comparison"), Column("of"), Column("points", "number"), Column("p", "number")),
        *(Column("verdict", "text"), Column("smallest effect", "number"), Column("under each seed")),
        *(Column("over"), Column("differs in", "text")),
    )
    return TextTable(
        "contrasts",
        "Contrasts in points with 95 % intervals",
        columns,
        tuple(
            (
                c.name if c.within == "" else f"{c.name}, {c.within}",
                measure_words(c.measure),
                figure(c.estimate, signed=True),
                p_words(c.adjusted),
                c.words,
                "" if c.estimate.detectable is None else f"{c.estimate.detectable:.1f}",
                ", ".join(f"{seed}: {signed(value)}" for seed, value in c.estimate.by_seed),
                f"{' / '.join(map(str, c.estimate.seeds))} seeds, {c.estimate.clusters:,} clusters",
                remarks(c),
            )
            for c in rows
        ),
        latex=True,
    )


def remarks(c: Contrast) -> str:
    """What a reader of a contrast must know beside its figure."""
    parts = [c.differs, f"seen of the material: {c.material}" if c.material else ""]
    parts.append(f"not in it: {', '.join(c.excluded)}" if c.excluded else "")
    parts.append(CUT_SHORT if c.estimate.cut else "")
    return "; ".join(x for x in parts if x)
