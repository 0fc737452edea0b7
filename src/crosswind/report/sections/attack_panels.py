"""Panels of attack curves: what they are called, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from crosswind.analysis.condition import APART
from crosswind.analysis.curve_intervals import curve_intervals
from crosswind.analysis.results import NONE
from crosswind.report.inert import shortened
from crosswind.report.svg import Drawing, colour_of, legend_row, scale_over, shape_of, tick_label

_WIDE, _HIGH, _FOOT, _ACROSS = 250.0, 150.0, 56.0, 3
_BANDED = 6
"""So many systems have bands; those of more would hide each other, and stand in the table alone."""
AttackCurve = list[tuple[float, float, float | None, float | None]]
"""(at, value, low, high) of every point; without an interval the latter are None."""


@dataclass
class CurvePanel:
    """A panel: its title, what stands below its axis, and the curve of each system, dashed for a control.

    `logged`: the axis is that of numbers of queries, on which what is small has room. `of` says below the title what
    the panel is of, where several panels are of the same.
    """

    title: str
    below: str
    curves: dict[tuple[str, bool], AttackCurve] = field(default_factory=dict)
    logged: bool = True
    of: str = ""

    def position(self, at: float) -> float:
        """Where a number stands on the axis."""
        return math.log10(at + 1) if self.logged else at


def named_panels(frame: pl.DataFrame) -> pl.DataFrame:
    """A table of attacks with the columns `panel` (target and attack) and `system`.

    An attack with several budgets, numbers of items or protections has a panel of each. A model that was chosen in a
    way that is reported apart is a system of its own.
    """
    defence = pl.when(pl.col("defence") == NONE).then(pl.lit("")).otherwise(" · " + pl.col("defence"))
    apart = pl.when(pl.col("selection").is_in(APART)).then(" · " + pl.col("selection")).otherwise(pl.lit(""))
    system = pl.col("route") + defence + apart
    base = pl.col("attack").str.replace(r"\.random", "", literal=False)
    several = pl.col("budget").n_unique().over("target", base) > 1
    budget = pl.when(several).then(", " + pl.col("budget").cast(pl.String) + " queries").otherwise(pl.lit(""))
    other = pl.col("protection").is_null() | (pl.col("protection") == NONE)
    protection = pl.when(other).then(pl.lit("")).otherwise(", " + pl.col("protection") + " protected")
    test_set = ("target", base, "budget", "protection", "route", "defence", "selection", "pipeline_seed")
    sizes = pl.col("n").n_unique().over(*test_set, "language", "context_language") > 1
    items = pl.when(sizes).then(", " + pl.col("n").cast(pl.String) + " items").otherwise(pl.lit(""))
    panel = pl.col("target") + ", " + base + budget + protection + items
    return frame.with_columns(panel=panel, system=system)


def means_over_seeds(points: pl.DataFrame, names: Sequence[str], value: str) -> pl.DataFrame:
    """The points of curves that `names` tell apart: the mean of `value` over languages, then over pipeline seeds, with
    their numbers of examples (`n`) and `seeds`, and the languages."""
    by_seed = points.group_by(*names, "pipeline_seed", maintain_order=True).agg(
        pl.col(value).mean(), pl.col("n").sum(), pl.col("language").unique().sort().str.join(" ")
    )
    return by_seed.group_by(*names, maintain_order=True).agg(
        pl.col(value).mean(), pl.col("n").sum(), pl.len().alias("seeds"), pl.col("language").first()
    )


def with_intervals(means: pl.DataFrame, sums: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The points of curves with `low`, `high` and `over`: those whose sums are there of the same languages and seeds.

    `means` has what `means_over_seeds` gives for `names` and `at`; `sums` are what `CURVE_SUM_COLUMNS` describes.
    """
    made = curve_intervals(named_panels(sums), names)
    on = [*names, "at", "language", "n", "seeds"]
    return means.with_columns(pl.col("at").cast(pl.Float64)).join(
        made, on=on, how="left", maintain_order="left", nulls_equal=True
    )


def with_languages(frame: pl.DataFrame, sums: pl.DataFrame, names: Sequence[str], value: str) -> pl.DataFrame:
    """The points of curves for CSV: means over languages, then those of each language where there are several."""
    whole = with_intervals(means_over_seeds(frame, (*names, "at"), value), sums, names)
    single = frame.with_columns(only=pl.col("language"))
    alone = with_intervals(
        means_over_seeds(single, (*names, "only", "at"), value),
        sums.with_columns(only=pl.col("language")),
        (*names, "only"),
    )
    several = whole.filter(pl.col("language").str.contains(" ", literal=True)).select(names).unique()
    return pl.concat([whole, alone.join(several, on=names, how="semi", maintain_order="left").drop("only")])


def point_words(value: float, low: float | None, high: float | None) -> str:
    """`61.2 [58.0, 64.4]`, or the value alone."""
    return f"{value:.1f}" if low is None or high is None else f"{value:.1f} [{low:.1f}, {high:.1f}]"


def interval_words(means: pl.DataFrame, sums: pl.DataFrame) -> str:
    """A sentence on the bands of a figure: what its intervals are over, and why points have none."""
    over = [basis for basis in means["over"].drop_nulls().unique(maintain_order=True) if basis != "none"]
    if not over and not sums.is_empty():
        return "Without intervals: all items are of one text or document, or seeds were attacked on different items."
    if not over:
        return "Without intervals: these runs kept no sums by cluster (run the study again: nothing is computed anew)."
    what = f"95 % intervals over {' or '.join(_OVER[basis] for basis in over)}, of each point by itself"
    if means["system"].n_unique() > _BANDED:
        return f"The table has {what}: bands of so many systems would hide each other."
    said = f"Bands: {what}."
    return said if means["low"].null_count() == 0 else f"{said} Points without a band have none."


_OVER = {
    "items and seeds": "items and pipeline seeds",
    "items": "items (one pipeline seed)",
    "one model": "items, of a model that was given",
}


def draw_panels(panels: Sequence[CurvePanel], known: Sequence[str]) -> str:
    """The panels, three in a row; one without curves leaves its room. `known` are systems in the order of colours."""
    systems = list(dict.fromkeys((*known, *(system for panel in panels for system, _ in panel.curves))))
    across = min(_ACROSS, len(panels))
    width = max(_WIDE * across, 420)
    top = legend_row(Drawing(width, 1), 8, 12, systems, width=width) + 6
    drawing = Drawing(width, top + -(-len(panels) // across) * (_HIGH + _FOOT))
    legend_row(drawing, 8, 12, systems, width=width)
    for number, panel in enumerate(panels):
        if not panel.curves:
            continue
        _draw(drawing, panel, systems, _WIDE * (number % across) + 34, top + (number // across) * (_HIGH + _FOOT))
    return drawing.svg()


def _draw(drawing: Drawing, panel: CurvePanel, systems: Sequence[str], left: float, y: float) -> None:
    drawing.text(left, y + 4, shortened(panel.title, 17.5), bold=True)
    if panel.of:
        drawing.text(left, y + 19, shortened(panel.of, 19.0), size=11, opacity=0.75)
    points_drawn = [point for points in panel.curves.values() for point in points]
    values = [v for _, *ends in points_drawn for v in ends if v is not None]
    vertical = scale_over([0.0, *values], y + _HIGH + 14, y + (33 if panel.of else 18))
    ats = sorted({point[0] for point in points_drawn})
    horizontal = scale_over([panel.position(at) for at in ats], left + 6, left + _WIDE - 52, pad=0.02)
    for tick in vertical.ticks(4):
        drawing.line(left, vertical(tick), left + _WIDE - 46, vertical(tick), opacity=0.12)
        drawing.text(left - 5, vertical(tick), tick_label(tick), anchor="end", size=11, opacity=0.75)
    free, last = -math.inf, horizontal(panel.position(ats[-1]))
    for at in ats:
        x = horizontal(panel.position(at))
        drawing.line(x, vertical.start, x, vertical.start + 4, opacity=0.6)
        if at == ats[-1] or min(x - free, last - x) > 22:
            drawing.text(x, vertical.start + 13, f"{at:g}", anchor="middle", size=11, opacity=0.75)
            free = x
    drawing.text(left + (_WIDE - 46) / 2, vertical.start + 27, panel.below, anchor="middle", size=11, opacity=0.75)
    for (system, control), points in panel.curves.items():
        edges = [
            (horizontal(panel.position(a)), vertical(b), vertical(c))
            for a, _, b, c in points
            if b is not None and c is not None
        ]
        if not control and len(systems) <= _BANDED:  # the draws' would hide those of the attack; the table has them
            drawing.band(edges, colour=colour_of(systems.index(system)), opacity=0.1)
    for (system, control), points in panel.curves.items():
        i = systems.index(system)
        at_pixels = [(horizontal(panel.position(a)), vertical(v)) for a, v, _, _ in points]
        drawing.path(at_pixels, colour=colour_of(i), dashed=control)
        for x, yy in at_pixels if not control else ():
            drawing.mark(x, yy, colour=colour_of(i), shape=shape_of(i), size=3)
