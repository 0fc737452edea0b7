"""The summary: the source language and the mean of the others, a table a target."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.inert import slug
from crosswind.report.parts import Bullets, Column, PagePart, Section, TextTable
from crosswind.report.view import Block, ViewRow, blocks, changed, drop_mark, figure, legend, marks

_TRAINED = (
    *(Column("route"), Column("condition"), Column("languages", "text"), Column("score", "number")),
    *(Column("clean", "number"), Column("drop", "number"), Column("changed", "number")),
)


def means_section(content: ReportContent) -> Section | None:
    """A table a target, one for languages that some route was trained on, and what the marks mean."""
    parts: list[PagePart] = []
    for block in blocks(content.summary):
        parts.append(_means(block))
        if block.has_trained:
            parts.append(_trained(block))
    return Section("summary", "Summary by target", (*parts, Bullets(legend(content.summary))))


def _means(block: Block) -> TextTable:
    rows = tuple(_row(row) for row in block.rows)
    caption = f"{block.title}: {block.source} and the mean of the other languages"
    names = (block.source, f"{block.source} drop", f"{block.source} changed", "others", "languages")
    more = ("others clean", "others drop", "others changed")
    head = (Column("route"), Column("condition"), *(Column(name, "number") for name in (*names, *more)))
    return TextTable(slug(f"summary-{block.target}-{block.split}"), caption, head, rows, latex=True)


def _row(row: ViewRow) -> tuple[str, ...]:
    english, others = row.english, row.others
    return (
        row.route,
        row.condition,
        figure(english.estimate) + marks(english) if english else "n/a" if "english" in row.blank else "",
        figure(english.drop) + drop_mark(english) if english else "",
        changed(english or row.blank.get("english")),
        figure(others.estimate) + marks(others) if others else "n/a" if "others" in row.blank else "",
        str(len(others.languages)) if others else "",
        figure(others.clean) if others else "",
        figure(others.drop) + drop_mark(others) if others else "",
        changed(others or row.blank.get("others")),
    )


def _trained(block: Block) -> TextTable:
    rows = tuple(
        (
            row.route,
            row.condition,
            " ".join(x.languages),
            figure(x.estimate) + marks(x),
            figure(x.clean),
            figure(x.drop) + drop_mark(x),
            changed(x),
        )
        for row in block.rows
        if (x := row.trained)
    )
    caption = f"{block.target} {block.split}: translate-train languages, which some route was trained on"
    return TextTable(slug(f"trained-{block.target}-{block.split}"), caption, _TRAINED, rows)
