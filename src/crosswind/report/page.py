"""The report of a study: one HTML file that needs no network; its style and its script are allowed by their hashes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosswind.report.answer import (
    AnsweredQuestion,
    answer_parts,
    base_of,
    levels_answered,
    verdicts_answered,
    widest_contrasts,
)
from crosswind.report.content import CONTRASTS_FILE, ReportContent
from crosswind.report.inert import inert
from crosswind.report.latex import latex_table
from crosswind.report.parts import Figure, Section, TextTable
from crosswind.report.sections import page_sections
from crosswind.report.svg import dark_rules
from crosswind.run.folders import replacing

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

FIGURES = "figures"
# What a page may have beside it: the names that sections give their figures and tables.
_OURS = re.compile(
    r"(attacks|attacks-edits|curves|forest|gap-family|gap-script|heatmap|targets)(-\d+)?\.(svg|csv)"
    r"|(contrasts|defences|targets|summary-.+)\.tex"
    r"|contrasts\.parquet"
)
_INTERVAL = re.compile(r"\[([^\s\[\],]+), ([^\s\[\],]+)\]")  # a narrow screen breaks no line within one
_LISTED = 40_000  # characters of a listing


def write_report(path: Path, content: ReportContent, *, latex: bool = False, table: bool = False) -> Path:
    """Write the report beside `path` and rename it into place; its figures and their data lie in the folder of
    `figures_of`.

    `latex`: tables that a paper would have as booktabs tables too, in the same folder. `table`: the table of all
    contrasts as well, for a page that lies beside no run's.
    """
    folder = figures_of(path)
    table = table and bool(content.summary.contrasts)
    if table:
        content = replace(content, contrasts=f"{folder.name}/{CONTRASTS_FILE}")
    sections = page_sections(content)
    figures = [part for section in sections for part in section.every() if isinstance(part, Figure)]
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _write_figures(folder, figures)
    if latex:
        written |= _write_tables(folder, sections)
    if table:
        folder.mkdir(exist_ok=True)
        with replacing(folder / CONTRASTS_FILE, durable=False) as draft:
            content.summary.compared().write_parquet(draft)
        written.add(CONTRASTS_FILE)
    for old in folder.glob("*") if folder.name == FIGURES and folder.is_dir() else ():
        stale = old.name not in written and (latex or old.suffix != ".tex")
        if stale and _OURS.fullmatch(old.name):  # Whoever writes a paper there has figures of their own.
            old.unlink()
    page = rendered(content, sections, folder.name if figures else "")
    with replacing(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path


def figures_of(path: Path) -> Path:
    """Where the figures of a page lie: `figures/` beside `report.html`, `NAME-figures/` beside another."""
    return path.with_name(FIGURES if path.name == "report.html" else f"{path.stem}-{FIGURES}")


def _write_figures(folder: Path, figures: Sequence[Figure]) -> set[str]:
    written = set()
    for figure in figures:
        folder.mkdir(exist_ok=True)
        for suffix, text in (("svg", figure.svg), ("csv", figure.data.write_csv())):
            with replacing(folder / f"{figure.name}.{suffix}", durable=False) as draft:
                draft.write_text(text, encoding="utf-8")
            written.add(f"{figure.name}.{suffix}")
    return written


def _write_tables(folder: Path, sections: Sequence[Section]) -> set[str]:
    tables: dict[str, TextTable] = {}
    for part in (part for section in sections for part in section.every()):
        table = part.table if isinstance(part, Figure) else part
        if isinstance(table, TextTable) and table.latex:
            tables[table.name] = table
    for name, table in tables.items():
        folder.mkdir(exist_ok=True)
        with replacing(folder / f"{name}.tex", durable=False) as draft:
            draft.write_text(latex_table(table), encoding="utf-8")
    return {f"{name}.tex" for name in tables}


def render_page(content: ReportContent) -> str:
    """The report as HTML."""
    return rendered(content, page_sections(content), "")


def rendered(content: ReportContent, sections: Sequence[Section], files: str) -> str:
    """The page of these sections; `files` is the folder of the figures, for their captions."""
    from markupsafe import Markup, escape

    style, script = _asset("style.css") + dark_rules(), _asset("script.js")
    said = answer_parts(content.summary) or levels_answered(content.summary)
    return _template().render(
        title=content.title,
        answer=said,
        verdicts=verdicts_answered(content.summary),
        about=_about(said, content),
        what=_what(content),
        sections=sections,
        files=files,
        style=Markup(style),
        script=Markup(script),
        style_hash=Markup(_csp_hash(style)),
        script_hash=Markup(_csp_hash(script)),
        drawn=Markup,
        quiet=lambda text: Markup('<span class="unheard">{}</span>').format(text),
        raw=lambda text: escape(text),
        listing=lambda text: _lines(text),
        whole=lambda text: _INTERVAL.sub("[\\1,\N{NO-BREAK SPACE}\\2]", text),
    )


@cache  # Compiling it takes longer than filling it.
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        return inert(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=PackageLoader("crosswind.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    return environment.get_template("report.html.j2")


def _what(content: ReportContent) -> str:
    """What was measured, in a line beside the name of the study: encoder, routes, seeds."""
    facts = content.facts
    parts = [facts["Encoder"].partition(": ")[0]] if facts.get("Encoder") else []
    routes = [name for name in facts.get("Routes", "").split(", ") if name]
    parts += [f"{len(routes)} routes: {', '.join(routes)}"] if len(routes) > 1 else []
    if seeds := facts.get("Pipeline seeds"):
        parts.append(f"pipeline seed{'s' if ',' in seeds else ''} {seeds}")
    return " · ".join(parts)


def _about(said: AnsweredQuestion, content: ReportContent) -> str:
    """What the answer is over and what is not in it, as one paragraph."""
    parts = [part[:1].upper() + part[1:] for part in said.about]
    if compared := widest_contrasts(content.summary):
        parts.append(f"Base route: {base_of(compared)}")
        if not any(part.startswith("Not in it") for part in parts):
            parts.append("No target is left out")
    cells = sum(part.cells for part in content.summary.left_out)
    left = sum(part.cells for part in content.summary.left_out if part.cause in ("not computed", "no clean cell"))
    if left:
        parts.append(f"The run is incomplete: {left:,} cells are missing")
    if cells:
        parts.append(f"{cells:,} cells are in no figure; their reasons are below")
    parts.append(f"Points, with {100 * content.summary.level:g} % intervals in brackets")
    return ". ".join(parts) + "."


def _lines(text: str) -> Markup:
    from markupsafe import escape

    if len(text) > _LISTED:
        text = f"{text[:_LISTED]}\n… ({len(text):,} characters)"
    return escape("\n".join(map(inert, text.split("\n"))))


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
