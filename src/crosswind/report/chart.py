"""The chart of a summary: clean and perturbed scores by condition and route, with their intervals.

Each row of a panel is a condition, in it a mark for each route: hollow where the test set is clean,
filled where it is perturbed, over the same languages and items; the line between them is the drop.
"""

from __future__ import annotations

from typing import Any

from crosswind.analysis.estimate import Estimate
from crosswind.analysis.summary import Summary, SummaryLine
from crosswind.report.view import Block, blocks, figure, series

# Okabe and Ito 2008, "Color Universal Design": told apart in every colour vision. Yellow and black
# are left out: one is lost on white, the other on a dark page.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#808080")

_PANELS = {"english": "English", "others": "mean of the other languages"}
_WIDTH = 400
_ROW = 16  # pixels a mark


def chart_spec(summary: Summary) -> dict[str, Any] | None:
    """The Vega-Lite specification, a row of panels a target; `None` for a summary without lines."""
    import altair as alt

    panels = [_panels(block, summary) for block in blocks(summary) if any(r.english or r.others for r in block.rows)]
    if not panels:
        return None
    chart = alt.vconcat(*panels, spacing=28).resolve_scale(x="independent", y="independent", color="shared")
    chart = chart.properties(background="transparent").configure_view(stroke=None).configure(font=_FONT)
    chart = chart.configure_axis(
        labelColor="currentColor",
        titleColor="currentColor",
        domainColor="currentColor",
        tickColor="currentColor",
        gridColor="#80808055",
        labelFontSize=12,
        titleFontSize=12,
        titleFontWeight="normal",
        labelLimit=260,
    )
    chart = chart.configure_header(labelColor="currentColor", titleColor="currentColor", labelFontSize=12)
    chart = chart.configure_title(color="currentColor", fontSize=13, anchor="start")
    chart = chart.configure_legend(
        labelColor="currentColor", titleColor="currentColor", orient="top", labelFontSize=12, symbolOpacity=1
    )
    spec: dict[str, Any] = chart.to_dict(format="vega-lite")
    return spec


_FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


def _panels(block: Block, summary: Summary) -> Any:
    import altair as alt

    several = len({x.encoder for x in summary.lines}) > 1
    routes = list(dict.fromkeys(series(x, several) for x in summary.lines))
    conditions = list(dict.fromkeys(row.condition for row in block.rows))
    colour = alt.Color(
        "route:N",
        title=None,
        scale=alt.Scale(domain=routes, range=[COLOURS[i % len(COLOURS)] for i in range(len(routes))]),
    )
    y = alt.Y("condition:N", title=None, sort=conditions, axis=alt.Axis(ticks=False, domain=False, labelPadding=8))
    offset = alt.YOffset("route:N", scale=alt.Scale(domain=routes, paddingOuter=0.35))
    x = alt.X("score:Q", title=f"{block.metric} (points)", scale=alt.Scale(zero=False, nice=True))
    base = alt.Chart().encode(y=y, yOffset=offset, color=colour)
    perturbed = alt.datum.state == "perturbed"
    layers = [
        base.transform_filter(perturbed).mark_rule(strokeWidth=1, opacity=0.6).encode(x=alt.X("clean:Q"), x2="score:Q"),
        base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.transform_filter(alt.datum.state != "perturbed")
        .mark_point(size=65, strokeWidth=1.8, filled=False, opacity=1, shape="circle")
        .encode(x=x, tooltip=_TOOLTIP),
        base.transform_filter(perturbed)
        .mark_point(size=95, filled=True, opacity=1, shape="diamond")
        .encode(x=x, tooltip=_TOOLTIP),
    ]
    if block.chance is not None:
        layers.append(
            alt.Chart()
            .transform_aggregate(chance="max(chance)")
            .mark_rule(strokeDash=[4, 4], color="currentColor", opacity=0.7)
            .encode(x=alt.X("chance:Q"))
        )
    height = _ROW * (len(routes) + 0.7) * len(conditions)
    marks = _marks(block, several)
    return (
        alt.layer(*layers, data=alt.InlineData(values=marks))
        .properties(width=_WIDTH, height=height)
        .facet(column=alt.Column("scope:N", title=None, sort=list(_PANELS.values())))
        .properties(title=block.title)
    )


_TOOLTIP = ["route:N", "condition:N", "state:N", "figure:N", "languages:N"]


def _marks(block: Block, several: bool) -> list[dict[str, Any]]:
    marks: list[dict[str, Any]] = []
    for row in block.rows:
        for line in (row.english, row.others):
            if line is None:
                continue
            if line.clean is None:
                marks.append(_mark(line, line.estimate, "clean", block, several))
            else:
                marks.append(_mark(line, line.clean, "clean, same items", block, several) | _POINT_ONLY)
                marks.append(_mark(line, line.estimate, "perturbed", block, several) | {"clean": line.clean.score})
    return marks


_POINT_ONLY = {"low": None, "high": None}  # the interval of the clean score stands in its own row


def _mark(line: SummaryLine, estimate: Estimate, state: str, block: Block, several: bool) -> dict[str, Any]:
    return {
        "route": series(line, several),
        "condition": line.condition.label,
        "scope": _PANELS[line.scope],
        "state": state,
        "score": estimate.score,
        "low": estimate.low,
        "high": estimate.high,
        "chance": block.chance,
        "figure": figure(estimate),
        "languages": " ".join(line.languages),
    }
