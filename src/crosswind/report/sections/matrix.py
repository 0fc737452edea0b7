"""Routes x targets: each score, the best of a target marked, and what cannot be told from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crosswind.analysis.contrasted import Contrast, Measure
from crosswind.analysis.multiplicity import ALPHA
from crosswind.analysis.summary import Summary
from crosswind.report.comparisons import measure_words
from crosswind.report.content import ReportContent
from crosswind.report.inert import shortened, wide
from crosswind.report.parts import Column, Figure, Section, TextTable
from crosswind.report.svg import COLOURS, SIZE, Drawing
from crosswind.report.view import figure

BEST, ALIKE, FLOORED = "●", "≈", "†"
_MEASURES: tuple[Measure, ...] = ("clean", "perturbed", "drop")
_LEFT, _ROW, _MOST = 170.0, 24.0, 30
_WORDS = {BEST: "best", ALIKE: "not told apart from the best", FLOORED: "floor", "": ""}
_NO_BEST = "none that can be told from the others"
_CAPTION = (
    f"Points, means over the other languages than a target's source language. {BEST} the best route of a target (of"
    f" drops, the smallest), where another can be told from it; {ALIKE} not told apart from the best figure"
    f" (differences by target, false discovery rate 5 %; where nothing can be told apart all have it),"
    f" {FLOORED} at the floor."
)


@dataclass(frozen=True, slots=True)
class TargetCell:
    """A route's figure of a target: `mark` is ● for the best, ≈ for what cannot be told from it, † at the floor.

    Where no other can be told from the best figure, it has ≈ too: it is the best of this sample alone.
    """

    system: str
    target: str
    measure: Measure
    contrast: Contrast
    mark: str

    @property
    def text(self) -> str:
        """The figure with its interval and mark."""
        return f"{figure(self.contrast.estimate)} {self.mark}".strip()


def matrix_section(content: ReportContent) -> Section | None:
    """A matrix for clean scores, one for those under perturbation, one for drops; none where no routes are compared."""
    cells = [cell for measure in _MEASURES for cell in matrix_cells(content.summary, measure)]
    systems, targets = (list(dict.fromkeys(getattr(c, n) for c in cells)) for n in ("system", "target"))
    if len(systems) < 2:
        return None
    by_name = {(c.measure, c.system, c.target): c for c in cells}
    rows = [
        (s, measure_words(m), *(by_name[m, s, t].text if (m, s, t) in by_name else "" for t in targets))
        for m in _MEASURES
        for s in systems
        if any((m, s, t) in by_name for t in targets)
    ]
    columns = (Column("route"), Column("of"), *(Column(t, "number") for t in targets))
    table = TextTable("targets", "Routes by target, points with 95 % intervals", columns, tuple(rows), latex=True)
    data = pl.DataFrame(
        [
            {
                "route": c.system,
                "target": c.target,
                "measure": c.measure,
                "score": c.contrast.estimate.score,
                "low": c.contrast.estimate.low,
                "high": c.contrast.estimate.high,
                "mark": _WORDS[c.mark],
                "languages": " ".join(c.contrast.languages),
            }
            for c in cells
        ],
        infer_schema_length=None,
    )
    best = "; ".join(f"{c.target}: {c.system}" for c in cells if c.mark == BEST and c.measure == "clean")
    says = f"Matrices of {len(systems)} routes by {len(targets)} targets. Best when clean: {best or _NO_BEST}."
    drawn = _draw(systems[:_MOST], targets, by_name)
    return Section(
        "targets", "Routes by target", (Figure("targets", "Routes by target", drawn, says, _CAPTION, table, data),)
    )


def matrix_cells(summary: Summary, measure: Measure) -> list[TargetCell]:
    """The levels of one measure by target, with marks.

    The best has the highest score (of a drop, the lowest). Another is undistinguishable from it unless their difference
    has an adjusted p below 5 %, so one pipeline seed tells nothing apart. A target where all are at the floor has no
    best.
    """
    levels: dict[str, list[Contrast]] = {}
    tested: dict[tuple[str, frozenset[str]], Contrast] = {}
    for c in summary.contrasts:
        if c.scope == "target" and c.measure == measure and c.kind == "level":
            levels.setdefault(c.within, []).append(c)
        if c.scope == "target" and c.measure == measure and c.kind == "difference":
            tested[c.within, frozenset(c.systems)] = c
    return [x for target, rows in levels.items() for x in _marked(target, rows, measure, tested)]


def _marked(
    target: str, rows: Sequence[Contrast], measure: Measure, tested: Mapping[tuple[str, frozenset[str]], Contrast]
) -> list[TargetCell]:
    rising = (rows[0].better == "higher") != (measure == "drop")
    above = [c for c in rows if not c.floored]
    best = max(above, key=lambda c: c.estimate.score if rising else -c.estimate.score, default=None)

    def told_apart(c: Contrast) -> bool:
        assert best is not None
        pair = tested.get((target, frozenset((c.systems[0], best.systems[0]))))
        p = None if pair is None or pair.one_seed else pair.estimate.p if pair.adjusted is None else pair.adjusted
        return p is not None and p < ALPHA

    others = [c for c in above if c is not best]
    worse = [c for c in others if told_apart(c)]
    cells = []
    for c in rows:
        if c.floored:
            mark = FLOORED
        elif c is best:
            mark = "" if len(rows) == 1 else ALIKE if others and not worse else BEST
        else:
            mark = "" if c in worse else ALIKE
        cells.append(TargetCell(c.systems[0], target, measure, c, mark))
    return cells


def _draw(systems: Sequence[str], targets: Sequence[str], cells: Mapping[tuple[Measure, str, str], TargetCell]) -> str:
    measures = [m for m in _MEASURES if any((m, s, t) in cells for s in systems for t in targets)]
    column = min(110.0, max(76.0, 10 + SIZE * max(map(wide, targets))))
    panel = 26 + _ROW * len(systems) + 12
    drawing = Drawing(max(_LEFT + column * len(targets) + 4, 420), 20 + panel * len(measures))
    for i, target in enumerate(targets):
        name = shortened(target, (column - 4) / SIZE)
        drawing.text(_LEFT + column * (i + 0.5), 12, name, anchor="middle", opacity=0.8)
    for number, measure in enumerate(measures):
        top = 20 + panel * number
        drawing.text(4, top + 14, measure_words(measure), bold=True)
        for row, system in enumerate(systems):
            y = top + 26 + _ROW * (row + 0.5)
            drawing.text(16, y, shortened(system, 12.5))
            for i, target in enumerate(targets):
                if (cell := cells.get((measure, system, target))) is not None:
                    _draw_cell(drawing, _LEFT + column * i, y, column, cell)
    return drawing.svg()


def _draw_cell(drawing: Drawing, x: float, y: float, width: float, cell: TargetCell) -> None:
    if cell.mark in (BEST, ALIKE):
        opacity = 0.35 if cell.mark == BEST else 0.13
        drawing.rect(x + 1, y - _ROW / 2 + 1, width - 2, _ROW - 2, fill=COLOURS[0], opacity=opacity)
    text = f"{cell.contrast.estimate.score:.1f}".replace("-", "−")
    drawing.text(x + width / 2 + 8, y, text, anchor="end", bold=cell.mark == BEST)
    if cell.mark:
        drawing.text(x + width / 2 + 13, y, cell.mark, size=11)
