"""Robustness curves: the score over the severity of each perturbation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from crosswind.analysis.condition import Condition
from crosswind.analysis.estimate import Estimate
from crosswind.analysis.results import CLEAN, NONE
from crosswind.analysis.summary import Summary
from crosswind.report.content import ReportContent
from crosswind.report.inert import shortened
from crosswind.report.parts import Column, Figure, Prose, Section, TextTable
from crosswind.report.svg import Drawing, colour_of, legend_row, scale_over, shape_of, tick_label
from crosswind.report.view import figure, series, systems_of

_PANEL, _HIGH, _ACROSS, _MOST = 250.0, 150.0, 3, 36
_NAMED = 6  # conditions in a line


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A score on a curve: panel (a perturbation), system, severity (0: clean) and over what it is."""

    panel: str
    system: str
    severity: float
    estimate: Estimate
    over: str


def curve_section(content: ReportContent) -> Section | None:
    """A panel a perturbation, a line a route."""
    points = curve_points(content.summary)
    elsewhere = _off_axis_words(content.summary)
    if not points:
        return Section("severity", "Robustness over severity", (Prose(elsewhere),)) if elsewhere else None
    over = list(dict.fromkeys(p.over for p in points))
    panels = list(dict.fromkeys(p.panel for p in points))
    caption = "Points over the severity of each perturbation, 0 being clean text, with 95 % intervals. "
    caption += "; ".join(over[:6]) + "."
    if len(panels) > _MOST:
        caption += f" {_MOST} of {len(panels)} panels; curves.csv has all."
    caption += f" {elsewhere}" if elsewhere else ""
    return Section(
        "severity",
        "Robustness over severity",
        (
            Figure(
                "curves",
                "Robustness curves",
                _draw([p for p in points if p.panel in panels[:_MOST]], systems_of(content.summary)),
                f"Curves of the score over severity, one panel for each of {len(panels)} perturbations.",
                caption,
                _table(points),
                pl.DataFrame(
                    [
                        {
                            "perturbation": p.panel,
                            "route": p.system,
                            "severity": p.severity,
                            "score": p.estimate.score,
                            "low": p.estimate.low,
                            "high": p.estimate.high,
                            "over": p.over,
                        }
                        for p in points
                    ],
                    infer_schema_length=None,
                ),
            ),
        ),
    )


def curve_points(summary: Summary) -> list[CurvePoint]:
    """The means over targets by condition; where there are none, the means of each target's languages.

    Conditions without a severity of their own (0, such as `keyboard@chrf=90`) have no place on the axis.
    """
    points = [*_over_targets(summary)] or [*_by_target(summary)]
    systems = systems_of(summary)
    return sorted(points, key=lambda p: (p.panel, systems.index(p.system), p.severity))


def _panel(condition: Condition) -> str:
    return condition.perturbation + ("" if condition.protection == NONE else f", {condition.protection} protected")


def _off_axis(condition: Condition) -> bool:
    """Whether it is perturbed and has no severity of its own: a damage is given, and each language's severity found."""
    return condition.perturbation != CLEAN and condition.severity == 0


def _off_axis_words(summary: Summary) -> str:
    """The conditions that are left out, and why; empty where there are none."""
    conditions = [line.condition for line in summary.lines]
    conditions += [c.conditions[0] for c in summary.contrasts if c.kind == "level" and len(c.conditions) == 1]
    names = sorted({_panel(c) for c in conditions if _off_axis(c) and c.attack == NONE})
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (
        "Not drawn, because they have no severity of their own (with a damage given, it is found for each language): "
        f"{', '.join(names[:_NAMED])}{more}."
    )


def _over_targets(summary: Summary) -> list[CurvePoint]:
    """The means over targets, a panel for each set of targets: a line never goes from some targets to others.

    Conditions of other rows or another training are means of their own, so that one perturbation may have several sets.
    """
    points: dict[tuple[str, tuple[str, ...], str, float], CurvePoint] = {}
    clean: dict[tuple[str, tuple[str, ...], str], tuple[float, bool]] = {}  # severity and measure a clean point is of
    for c in summary.contrasts:
        if c.scope != "condition" or c.kind != "level" or len(c.conditions) != 1:
            continue
        condition, system = c.conditions[0], c.systems[0]
        if _off_axis(condition):
            continue
        if condition.attack != NONE or c.measure not in ("clean", "before", "perturbed"):
            continue
        over = f"Means over {', '.join(c.targets)}" if len(c.targets) > 1 else f"{c.targets[0]}"
        panel = _panel(condition)
        if c.measure == "perturbed":
            point = CurvePoint(panel, system, condition.severity, c.estimate, over)
            points[panel, c.targets, system, condition.severity] = point
            continue
        # The clean score is over the languages of the mildest condition; `before` fits them best.
        rank = (condition.severity, c.measure == "clean")
        if rank < clean.get((panel, c.targets, system), (float("inf"), True)):
            clean[panel, c.targets, system] = rank
            points[panel, c.targets, system, 0.0] = CurvePoint(panel, system, 0.0, c.estimate, over)
    perturbed = {key[:3] for key in points if key[3]}
    sets: dict[str, set[tuple[str, ...]]] = {}
    for panel, targets, _ in perturbed:
        sets.setdefault(panel, set()).add(targets)
    return [
        replace(p, panel=f"{' + '.join(targets)}, {panel}") if len(sets[panel]) > 1 else p
        for (panel, targets, system, _), p in points.items()
        if (panel, targets, system) in perturbed
    ]


def _by_target(summary: Summary) -> list[CurvePoint]:
    points: dict[tuple[str, str, float], CurvePoint] = {}
    several = len({x.encoder for x in summary.lines}) > 1
    having = {(x.target, x.scope) for x in summary.lines}
    for line in summary.select("english", "others"):
        c = line.condition
        if c.clean or _off_axis(c) or c.attack != NONE:
            continue
        if line.scope == "english" and (line.target, "others") in having:
            continue
        panel, system = f"{line.target}, {_panel(c)}", series(line, several)
        source = summary.source_language([line.target])
        over = f"The mean of the other languages than {source}" if line.scope == "others" else source
        points[panel, system, c.severity] = CurvePoint(panel, system, c.severity, line.estimate, over)
        if line.clean is not None:
            points.setdefault((panel, system, 0.0), CurvePoint(panel, system, 0.0, line.clean, over))
    return [*points.values()]


def _draw(points: Sequence[CurvePoint], systems: Sequence[str]) -> str:
    panels = list(dict.fromkeys(p.panel for p in points))
    across = min(_ACROSS, len(panels))
    width = max(_PANEL * across, 420)
    rows = -(-len(panels) // across)
    scratch = Drawing(width, 1)
    top = legend_row(scratch, 8, 12, systems, width=width) + 6
    drawing = Drawing(width, top + rows * (_HIGH + 56))
    legend_row(drawing, 8, 12, systems, width=width)
    values = [x for p in points for x in (p.estimate.score, p.estimate.low, p.estimate.high) if x is not None]
    for number, panel in enumerate(panels):
        left = _PANEL * (number % across) + 34
        y = top + (number // across) * (_HIGH + 56)
        members = [p for p in points if p.panel == panel]
        drawing.text(left, y + 4, shortened(panel, 17.5), bold=True)
        vertical = scale_over(values, y + _HIGH + 14, y + 18)
        most = max(p.severity for p in members)
        horizontal = scale_over([0.0, most], left + 6, left + _PANEL - 52, pad=0.02)
        for tick in vertical.ticks(4):
            drawing.line(left, vertical(tick), left + _PANEL - 46, vertical(tick), opacity=0.12)
            drawing.text(left - 5, vertical(tick), tick_label(tick), anchor="end", size=11, opacity=0.75)
        for severity in sorted({p.severity for p in members}):
            x = horizontal(severity)
            drawing.line(x, vertical.start, x, vertical.start + 4, opacity=0.6)
            label = "clean" if severity == 0 else f"{severity:g}"
            drawing.text(x, vertical.start + 13, label, anchor="middle", size=11, opacity=0.75)
        for i, system in enumerate(systems):
            line = sorted((p for p in members if p.system == system), key=lambda p: p.severity)
            shift = (i - (len(systems) - 1) / 2) * 2.4
            at = [(horizontal(p.severity) + shift, vertical(p.estimate.score)) for p in line]
            if len(at) > 1:
                drawing.path(at, colour=colour_of(i))
            for (x, yy), p in zip(at, line, strict=True):
                e = p.estimate
                if e.low is not None and e.high is not None:
                    drawing.line(x, vertical(e.low), x, vertical(e.high), colour=colour_of(i))
                drawing.mark(x, yy, colour=colour_of(i), shape=shape_of(i), size=3.6)
    return drawing.svg()


def _table(points: Sequence[CurvePoint]) -> TextTable:
    shown = points[:400]
    columns = (Column("perturbation"), Column("route"), Column("severity", "number"), Column("score", "number"))
    return TextTable(
        "curves",
        "Scores over severity, points with 95 % intervals",
        (*columns, Column("over", "text")),
        tuple((p.panel, p.system, f"{p.severity:g}", figure(p.estimate), p.over) for p in shown),
        missing="" if len(shown) == len(points) else f"{len(shown)} of {len(points):,} rows; curves.csv has all.",
    )
