"""What attacks reach with few edits: the score that is left, and success, over the edit rate and over the budget."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import polars as pl

from crosswind.analysis.attacked import OF_CONTROL
from crosswind.report.content import NO_CURVE_SUMS
from crosswind.report.parts import Column, Figure, TextTable
from crosswind.report.sections.attack_panels import (
    CurvePanel,
    draw_panels,
    interval_words,
    means_over_seeds,
    named_panels,
    point_words,
    with_intervals,
    with_languages,
)

_ATTACKS, _ROWS = 8, 400  # that are drawn, that are listed
# Column of `ATTACKED_COLUMNS` -> what it is over what, and the title of its panel.
_CURVES = {
    "over_edit_rate": ("A′", "edits a word", "A′, by edits a word"),
    "success_over_edit_rate": ("success", "edits a word", "success in %, by edits a word"),
    "success_over_budget": ("success", "queries", "success in %, by queries"),
}
_NAMES = ("panel", "system", "control", "curve")  # what tells curves apart
_POINTS: dict[str, pl.DataType] = {
    **dict.fromkeys(("panel", "system", "curve", "language"), pl.String()),
    "control": pl.Boolean(),
    **dict.fromkeys(("pipeline_seed", "n"), pl.Int64()),
    **dict.fromkeys(("at", "value"), pl.Float64()),
}


def edits_figure(
    attacked: pl.DataFrame, known: Sequence[str], sums: pl.DataFrame = NO_CURVE_SUMS
) -> tuple[Figure, ...]:
    """A row of panels an attack; nothing where a run has no such table, as those of older versions."""
    points = edit_points(attacked)
    if points.is_empty():
        return ()
    sums = sums.filter(pl.col("curve").is_in(list(_CURVES)))
    means = mean_edit_points(points, sums)
    names = list(dict.fromkeys(means["panel"]))
    drawn = means.filter(pl.col("panel").is_in(names[:_ATTACKS]))
    # Where there is success, each attack has a row of its own: one without it (tagging, reading) leaves room.
    curves = [curve for curve in _CURVES if len(drawn.filter(curve=curve))]
    panels = [_panel(name, c, drawn.filter(panel=name, curve=c)) for name in names[:_ATTACKS] for c in curves]
    caption = (
        "Of each attack: the task's metric over all attacked examples, each under its worst text with at most so many"
        " edits a word (A′); the share of the examples right before that are wrong with at most so many edits a word,"
        " at the whole budget; and the same within so many queries, whatever the edits. 0: as they were. Success exists"
        " for kinds with a right and a wrong, and is over the examples right before; texts with more than one edit a"
        " word stand in the last panel alone. Dashed: random draws from the same alternatives, as many queries. A"
        " search and its draws both end at an example's first success, however many edits it took, so that within few"
        " edits fewer queries were asked than the budget; a draw changes a share of all places at once, so few of them"
        " are small. Means over languages, then pipeline seeds."
        f" {interval_words(means, sums)}"
    )
    many = f"{len(names)} targets and attacks"
    says = f"Curves of the score over the edit rate, and of success over edit rate and budget, of {many}."
    title, svg = "What attacks reach with few edits", draw_panels(panels, known)
    return (
        Figure(
            "attacks-edits", title, svg, says, caption, _table(means), with_languages(points, sums, _NAMES, "value")
        ),
    )


def _panel(name: str, curve: str, rows: pl.DataFrame) -> CurvePanel:
    over = _CURVES[curve][1]
    panel = CurvePanel(_CURVES[curve][2], over, logged=over == "queries", of=name)
    for row in rows.iter_rows(named=True):
        point = row["at"], row["value"], row["low"], row["high"]
        panel.curves.setdefault((row["system"], row["control"]), []).append(point)
    return panel


def edit_points(attacked: pl.DataFrame) -> pl.DataFrame:
    """The points of all curves of a table of attacks, one a row, with their panels and systems."""
    if attacked.is_empty():
        return pl.DataFrame(schema=_POINTS)
    rows = [point for row in named_panels(attacked).iter_rows(named=True) for point in _points(row)]
    return pl.DataFrame(rows, schema=_POINTS)


def _points(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for curve, control in product(_CURVES, (False, True)):
        points = row.get(OF_CONTROL + curve if control else curve)
        if points is None:
            continue
        common = {name: row[name] for name in ("panel", "system", "language", "pipeline_seed", "n")}
        before = row["before"] if curve == "over_edit_rate" else 0.0
        for at, value in [(0.0, before), *json.loads(points)]:
            yield {**common, "control": control, "curve": curve, "at": float(at), "value": value}


def mean_edit_points(points: pl.DataFrame, sums: pl.DataFrame = NO_CURVE_SUMS) -> pl.DataFrame:
    """The points as means over languages, then over seeds, with the examples and languages that they are of, and the
    intervals of those whose sums by cluster are there."""
    means = means_over_seeds(points, (*_NAMES, "at"), "value")
    return with_intervals(means, sums, _NAMES).sort("panel", "curve", "control", "at", maintain_order=True)


def _table(means: pl.DataFrame) -> TextTable:
    rows = []
    for r in means.iter_rows(named=True):
        what, over, _ = _CURVES[r["curve"]]
        at = f"{r['at']:,.0f}" if over == "queries" else f"{r['at']:g}"
        numbers = at, point_words(r["value"], r["low"], r["high"]), f"{r['n']:,}", str(r["seeds"])
        by = "random draws" if r["control"] else "attack"
        rows.append((r["panel"], r["system"], by, what, over, *numbers, r["language"]))
    columns = (
        *map(Column, ("target, attack", "route", "by", "what", "over")),
        *(Column(title, "number") for title in ("at most", "points", "examples", "seeds")),
        Column("languages", "text"),
    )
    return TextTable(
        "attacks-edits",
        "A′ and success with at most so many edits a word or queries; examples are all that were attacked",
        columns,
        tuple(rows[:_ROWS]),
        missing="" if len(rows) <= _ROWS else f"{_ROWS} of {len(rows):,} rows; attacks-edits.csv has all.",
    )
