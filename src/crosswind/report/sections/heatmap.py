"""Heat maps: what each perturbation takes in each language, a panel a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from crosswind.analysis.condition import WAYS
from crosswind.analysis.contrast import BASE
from crosswind.analysis.multiplicity import ALPHA
from crosswind.analysis.results import NONE
from crosswind.analysis.summary import Summary, SummaryLine
from crosswind.report.content import ReportContent
from crosswind.report.inert import shortened, wide
from crosswind.report.parts import Column, Figure, Folded, PagePart, Prose, Section, TextTable
from crosswind.report.svg import SIZE, Drawing
from crosswind.report.view import figure, series

_CELL, _ROW = 32.0, 20.0
_WIDEST = 420.0  # pixels of the names of rows
_MOST_CELLS = 4000  # of all maps together; heatmap.csv has all
_ROWS = 300  # of the text table of a map
# The ends of ColorBrewer's PuOr (Brewer 2013), told apart in every colour vision; a loss is orange.
_LOSS, _GAIN, _MIDDLE = (179, 88, 6), (84, 39, 136), (247, 247, 247)


def heatmap_section(content: ReportContent) -> Section | None:
    """A map of the base route, and those of the other routes folded, as far as there is room."""
    maps = drops_by_language(content.summary)
    if not maps:
        return None
    parts: list[PagePart] = []
    others: list[PagePart] = []
    cells = 0
    for number, (system, lines) in enumerate(maps.items()):
        cells += len(lines)
        if number and cells > _MOST_CELLS:
            break
        (others if number else parts).append(_figure(system, lines, number, len(maps) > 1))
    if others:
        parts.append(Folded("The other routes", tuple(others)))
    if (left := len(maps) - 1 - len(others)) > 0:
        parts.append(Prose(f"{left} more routes: summary.parquet has their drops.", soft=True))
    return Section("languages-perturbed", "Perturbation by language", tuple(parts))


def drops_by_language(summary: Summary) -> dict[str, list[SummaryLine]]:
    """The lines of single languages that have a drop, by system; the base first."""
    several = len({x.encoder for x in summary.lines}) > 1
    by_system: dict[str, list[SummaryLine]] = {}
    for line in summary.select("language"):
        if line.drop is not None and line.condition.attack == NONE:
            by_system.setdefault(series(line, several), []).append(line)
    return dict(sorted(by_system.items(), key=lambda item: item[0] != BASE))


def _figure(system: str, lines: Sequence[SummaryLine], number: int, several: bool) -> Figure:
    name = "heatmap" if number == 0 else f"heatmap-{number + 1}"
    worst = max(lines, key=lambda x: x.drop.score if x.drop else 0.0)
    assert worst.drop is not None
    says = (
        f"Heat map of drops of {system}, conditions by languages, a panel a target. The largest drop is"
        f" {worst.drop.score:.1f} points: {worst.target}, {worst.condition.label}, {worst.languages[0]}."
    )
    caption = (
        "Drop in points (clean minus perturbed, the same items): orange is lost, violet gained, bold differs from 0"
        " (5 % false discovery rate over all drops of its target). Blank: not asked for, or too few items changed."
    )
    rows = [
        (
            x.target,
            x.condition.label,
            x.languages[0],
            figure(x.drop),
            figure(x.clean),
            f"{100 * (x.changed_items or 0):.0f} %",
        )
        for x in lines
    ]
    columns = (Column("target"), Column("condition"), Column("language"), Column("drop", "number"))
    table = TextTable(
        name,
        f"Drops of {system} by target, condition and language",
        (*columns, Column("clean", "number"), Column("items changed", "number")),
        tuple(rows[:_ROWS]),
        missing="" if len(rows) <= _ROWS else f"{_ROWS} of {len(rows):,} rows; {name}.csv has all.",
    )
    data = pl.DataFrame(
        [
            {
                "route": system,
                "target": x.target,
                "condition": x.condition.label,
                "language": x.languages[0],
                "drop": x.drop.score if x.drop else None,
                "low": x.drop.low if x.drop else None,
                "high": x.drop.high if x.drop else None,
                "p_adjusted": x.drop_adjusted,
                "clean": x.clean.score if x.clean else None,
                "changed_items": x.changed_items,
            }
            for x in lines
        ],
        infer_schema_length=None,
    )
    title = f"Drops by language: {system}" if several else "Drops by language"
    return Figure(name, title, _draw(lines), says, caption, table, data)


def _draw(lines: Sequence[SummaryLine]) -> str:
    by_panel: dict[str, list[SummaryLine]] = {}
    for x in sorted(lines, key=lambda x: x.condition.selection in WAYS):  # the usual way of choosing first
        by_panel.setdefault(_panel(x), []).append(x)
    # Of one target all panels together.
    targets = list(dict.fromkeys(x.target for x in lines))
    ordered = sorted(by_panel.items(), key=lambda item: targets.index(item[1][0].target))
    limit = max((abs(x.drop.score) for x in lines if x.drop), default=1.0) or 1.0
    left = min(_WIDEST, 16 + SIZE * max(wide(_row(x)) for x in lines))
    panels = [(name, *_axes(members)) for name, members in ordered]
    widest = max(len(languages) for _, _, languages in panels)
    head = {t: 12 + min(64.0, 11 * max(map(wide, languages))) for t, _, languages in panels}
    height = sum(26 + head[t] + _ROW * len(conditions) for t, conditions, _ in panels) + 8
    titles = 12 + 1.1 * SIZE * max(wide(shortened(name, 60)) for name in by_panel)
    drawing = Drawing(max(left + _CELL * widest + 6, titles), height)
    y = 8.0
    for name, conditions, languages in panels:
        drawing.text(4, y + 8, shortened(name, 60), bold=True)
        y += 18 + head[name]
        cells = {(_row(x), x.languages[0]): x for x in by_panel[name]}
        for i, language in enumerate(languages):
            drawing.text(left + _CELL * (i + 0.5), y - 5, shortened(language, 6), upright=True, size=11, opacity=0.85)
        for row, condition in enumerate(conditions):
            middle = y + _ROW * (row + 0.5)
            drawing.text(left - 6, middle, shortened(condition, (left - 10) / SIZE), anchor="end")
            _draw_cells(drawing, left, middle, [(i, cells.get((condition, x))) for i, x in enumerate(languages)], limit)
        y += _ROW * len(conditions) + 8
    return drawing.svg()


def _axes(lines: Sequence[SummaryLine]) -> tuple[list[str], list[str]]:
    return list(dict.fromkeys(map(_row, lines))), sorted({x.languages[0] for x in lines})


def _panel(line: SummaryLine) -> str:
    """The panel of a line: its target, with the way in which the checkpoint was chosen where that is another."""
    way = WAYS.get(line.condition.selection)
    return line.target if way is None else f"{line.target}, {way}"


def _row(line: SummaryLine) -> str:
    """The name of a row: the condition without what its panel says."""
    return replace(line.condition, selection="").label


def _draw_cells(
    drawing: Drawing, left: float, middle: float, cells: Sequence[tuple[int, SummaryLine | None]], limit: float
) -> None:
    for i, line in cells:
        if line is None or line.drop is None or not math.isfinite(line.drop.score):
            continue
        value = round(line.drop.score, 1) + 0.0
        fill, ink = shade(value / limit)
        x = left + _CELL * i
        drawing.rect(x + 0.5, middle - _ROW / 2 + 0.5, _CELL - 1, _ROW - 1, fill=fill)
        bold = line.drop_adjusted is not None and line.drop_adjusted < ALPHA
        text = f"{value:.1f}".replace("-", "−")
        drawing.text(x + _CELL / 2, middle, text, anchor="middle", size=10, bold=bold, colour=ink)


def shade(share: float) -> tuple[str, str]:
    """The colour of a share in [-1, 1] of the largest drop, and the ink that can be read on it."""
    end = _LOSS if share >= 0 else _GAIN
    weight = min(1.0, abs(share)) ** 0.8
    red, green, blue = (round(m + weight * (e - m)) for m, e in zip(_MIDDLE, end, strict=True))
    fill = f"#{red:02x}{green:02x}{blue:02x}"
    return fill, "#000000" if _luminance(red, green, blue) > _EVEN else "#ffffff"


_EVEN = 0.179  # the luminance on which black and white can be read equally well: (L + 0.05)^2 = 1.05 * 0.05


def _luminance(*channels: int) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
