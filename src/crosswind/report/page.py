"""The report of a study: one HTML file that needs no network and runs without `unsafe-eval`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from crosswind.analysis.left_out import left_out_groups
from crosswind.analysis.official import OfficialScore
from crosswind.analysis.summary import Summary
from crosswind.report.answer import answer
from crosswind.report.chart import chart_spec
from crosswind.report.comparisons import compared_over, compared_rows
from crosswind.report.defended import COST_COLUMNS, DEFENDED_NOTE, GAIN_COLUMNS, defended_rows
from crosswind.report.excluded import ExcludedRow, FaultRow
from crosswind.report.official import official_blocks
from crosswind.report.view import blocks, changed, drop_mark, legend, marks
from crosswind.run.folders import replacing


def write_report(
    path: Path,
    *,
    title: str,
    facts: Mapping[str, str],
    summary: Summary,
    notes: Sequence[str] = (),
    official: Sequence[OfficialScore] = (),
    excluded: Sequence[ExcludedRow] = (),
    faults: Sequence[FaultRow] = (),
) -> Path:
    """Write the report beside `path` and rename it into place.

    `facts` say what was run (study, encoder, pipeline seeds, sizes, versions), in the order given;
    `notes` are further lines below the table, `official` the scores of benchmarks, `excluded`
    those without excluded items, `faults` what is known to be wrong with the test sets.
    """
    page = render_page(
        title=title,
        facts=facts,
        summary=summary,
        notes=notes,
        official=official,
        excluded=excluded,
        faults=faults,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path


def render_page(
    *,
    title: str,
    facts: Mapping[str, str],
    summary: Summary,
    notes: Sequence[str] = (),
    official: Sequence[OfficialScore] = (),
    excluded: Sequence[ExcludedRow] = (),
    faults: Sequence[FaultRow] = (),
) -> str:
    """The report as HTML. Scripts are inline and allowed by their hashes alone."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("crosswind.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    spec = chart_spec(summary)
    scripts = [] if spec is None else [_bundle()]
    return environment.get_template("report.html.j2").render(
        title=title,
        answer=answer(summary),
        facts=facts,
        blocks=blocks(summary),
        legend=legend(summary),
        notes=notes,
        official=official_blocks(official),
        excluded=excluded,
        faults=faults,
        marks=marks,
        changed=changed,
        drop_mark=drop_mark,
        defended=defended_rows(summary),
        defended_columns=(*GAIN_COLUMNS, *COST_COLUMNS),
        defended_note=DEFENDED_NOTE,
        compared=compared_rows(summary),
        compared_over=compared_over(summary),
        left_out=left_out_groups(summary.left_out),
        left_out_cells=f"{sum(part.cells for part in summary.left_out):,}",
        spec=None if spec is None else Markup(_data_block(spec)),
        scripts=[Markup(s) for s in scripts],
        hashes=[_csp_hash(s) for s in scripts],
    )


# `ast` makes vega-embed evaluate expressions with its interpreter, which needs no `unsafe-eval`
# (vega.github.io/vega/usage/interpreter).
_SNIPPET = """
const spec = JSON.parse(document.getElementById("chart-spec").textContent);
const actions = {export: true, source: false, compiled: false, editor: false};
vegaEmbed("#chart", spec, {ast: true, renderer: "svg", actions, downloadFileName: "crosswind"});
"""


@cache  # It takes longer than all else that a report needs, and is always the same.
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed in the version that altair writes, and the call that draws the chart."""
    import altair as alt
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    known = version in vl_convert.get_vegalite_versions()
    code: str = vl_convert.javascript_bundle(_SNIPPET, vl_version=version if known else None)
    return code.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _data_block(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _csp_hash(script: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"
