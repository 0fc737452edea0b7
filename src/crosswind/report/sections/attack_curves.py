"""Attack curves: what the attacked examples score under the worst text within so many queries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from crosswind.analysis.attack_gains import attack_of
from crosswind.analysis.condition import APART
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.results import NONE
from crosswind.report.comparisons import p_words
from crosswind.report.content import ReportContent
from crosswind.report.inert import shortened
from crosswind.report.parts import Column, Figure, PagePart, Prose, Section, TextTable
from crosswind.report.sections.attack_table import attacked_tables
from crosswind.report.spent import spent_remarks
from crosswind.report.svg import Drawing, colour_of, legend_row, scale_over, shape_of, tick_label
from crosswind.report.view import figure, systems_of

_NAMED = 6  # systems in a line
_PANEL, _HIGH, _ACROSS, _MOST = 250.0, 150.0, 3, 24
_Curves = Mapping[tuple[str, str, bool], Sequence[tuple[int, float]]]
"""(panel, system, control) -> (queries, points)."""


def attack_section(content: ReportContent) -> Section | None:
    """A panel a target and attack, a line a route; the controls dashed."""
    frame = content.curves
    if frame.is_empty():
        return None
    means = mean_curves(frame)
    panels = list(dict.fromkeys(means["panel"]))
    curves: dict[tuple[str, str, bool], list[tuple[int, float]]] = {}
    for row in means.iter_rows(named=True):
        if row["panel"] in panels[:_MOST]:
            curves.setdefault((row["panel"], row["system"], row["control"]), []).append((row["at"], row["score"]))
    says = f"Curves of the score over the attack's budget, one panel for each of {len(panels)} targets and attacks."
    caption = (
        "The task's metric over the attacked examples in points, each under the worst text within so many queries; 0:"
        " as they were. Dashed: random draws from the same alternatives, as many queries. Means over languages and"
        " pipeline seeds, without intervals: those of what the search gains over the draws stand above."
    )
    return Section(
        "attacks",
        "Attacks",
        (
            *map(Prose, spent_remarks(frame, content.attacked)),
            *gains_over_draws(content.summary.contrasts),
            Figure(
                "attacks",
                "Attack curves",
                _draw(curves, systems_of(content.summary)),
                says,
                caption,
                _table(means),
                frame,
            ),
            *attacked_tables(content),
        ),
    )


def gains_over_draws(contrasts: Sequence[Contrast]) -> list[PagePart]:
    """A line an attack, over all targets that have it, and a row for each target besides."""
    rows = [c for c in contrasts if c.kind == "attack"]
    if not rows:
        return []
    over_all = [c for c in rows if c.scope == "all"] or rows
    lines: dict[str, list[str]] = {}
    for c in over_all:
        settled = "" if c.verdict == "differs" else f" ({c.words})"
        where = "" if len(c.targets) > 1 else f" in {c.targets[0]}"
        lines.setdefault(attack_of(c), []).append(f"{c.systems[0]}{where} {figure(c.estimate, signed=True)}{settled}")
    texts = [
        f"{name}, over random draws at an equal budget: {'; '.join(said[:_NAMED])}"
        + (f"; and {len(said) - _NAMED} more, below." if len(said) > _NAMED else ".")
        for name, said in lines.items()
    ]
    columns = (
        *map(Column, ("target", "attack", "route")),
        *(Column("points", "number"), Column("p adjusted", "number")),
        *(Column("verdict", "text"), Column("languages", "text")),
    )
    table = TextTable(
        "attack-gains",
        "What each search gains over random draws at an equal budget, points with 95 % intervals over items and seeds",
        columns,
        tuple(
            (
                c.within or f"all: {', '.join(c.targets)}", attack_of(c), c.systems[0],
                figure(c.estimate, signed=True), p_words(c.adjusted), c.words, " ".join(c.languages),
            )
            for c in rows
            if c.scope != "all" or len(c.targets) > 1
        ),
    )  # fmt: skip
    return [*map(Prose, texts), table]


def mean_curves(frame: pl.DataFrame) -> pl.DataFrame:
    """The curves by panel (target and attack), system and kind: means over languages, then over pipeline seeds.

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
    named = frame.with_columns(panel=panel, system=system)
    names = ["panel", "system", "control"]
    by_seed = named.group_by(*names, "pipeline_seed", "at", maintain_order=True).agg(
        pl.col("score").mean(), pl.col("n").sum(), pl.col("language").unique().sort().str.join(" ")
    )
    return (
        by_seed.group_by(*names, "at", maintain_order=True)
        .agg(pl.col("score").mean(), pl.col("n").sum(), pl.col("pipeline_seed").n_unique().alias("seeds"),
             pl.col("language").first())
        .sort("panel", "control", "at", maintain_order=True)
    )  # fmt: skip


def _draw(curves: _Curves, known: Sequence[str]) -> str:
    panels = list(dict.fromkeys(panel for panel, _, _ in curves))
    systems = list(dict.fromkeys((*known, *(system for _, system, _ in curves))))
    across = min(_ACROSS, len(panels))
    width = max(_PANEL * across, 420)
    top = legend_row(Drawing(width, 1), 8, 12, systems, width=width) + 6
    drawing = Drawing(width, top + -(-len(panels) // across) * (_HIGH + 56))
    legend_row(drawing, 8, 12, systems, width=width)
    for number, panel in enumerate(panels):
        left, y = _PANEL * (number % across) + 34, top + (number // across) * (_HIGH + 56)
        members: dict[tuple[str, bool], Any] = {(s, c): points for (p, s, c), points in curves.items() if p == panel}
        drawing.text(left, y + 4, shortened(panel, 17.5), bold=True)
        values = [v for points in members.values() for _, v in points]
        vertical = scale_over([0.0, *values], y + _HIGH + 14, y + 18)
        ats = sorted({at for points in members.values() for at, _ in points})
        horizontal = scale_over([_log(at) for at in ats], left + 6, left + _PANEL - 52, pad=0.02)
        for tick in vertical.ticks(4):
            drawing.line(left, vertical(tick), left + _PANEL - 46, vertical(tick), opacity=0.12)
            drawing.text(left - 5, vertical(tick), tick_label(tick), anchor="end", size=11, opacity=0.75)
        free = -math.inf
        for at in ats:
            x = horizontal(_log(at))
            drawing.line(x, vertical.start, x, vertical.start + 4, opacity=0.6)
            if x - free > 22 or at == ats[-1]:
                drawing.text(x, vertical.start + 13, str(at), anchor="middle", size=11, opacity=0.75)
                free = x
        drawing.text(left + (_PANEL - 46) / 2, vertical.start + 27, "queries", anchor="middle", size=11, opacity=0.75)
        for (system, control), points in members.items():
            i = systems.index(system)
            at_pixels = [(horizontal(_log(a)), vertical(v)) for a, v in points]
            drawing.path(at_pixels, colour=colour_of(i), dashed=control)
            for x, yy in at_pixels if not control else ():
                drawing.mark(x, yy, colour=colour_of(i), shape=shape_of(i), size=3)
    return drawing.svg()


def _log(at: int) -> float:
    return math.log10(at + 1)


def _table(means: pl.DataFrame) -> TextTable:
    rows = [
        (
            str(r["panel"]), str(r["system"]), "random draws" if r["control"] else "attack", f"{r['at']:,}",
            f"{r['score']:.1f}", f"{r['n']:,}", str(r["seeds"]), str(r["language"]),
        )
        for r in means.iter_rows(named=True)
    ]  # fmt: skip
    columns = (Column("target, attack"), Column("route"), Column("by"), Column("queries", "number"))
    more = (
        Column("points", "number"),
        Column("examples", "number"),
        Column("seeds", "number"),
        Column("languages", "text"),
    )
    return TextTable(
        "attacks",
        "Attack curves: points of the attacked examples within so many queries",
        (*columns, *more),
        tuple(rows[:400]),
        missing="" if len(rows) <= 400 else f"400 of {len(rows):,} rows; attacks.csv has all.",
    )
