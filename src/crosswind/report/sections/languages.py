"""Every language on its own, folded."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.inert import slug
from crosswind.report.parts import Column, Folded, Section, TextTable
from crosswind.report.view import Block, blocks, changed, drop_mark, figure, marks

_MOST = 400  # rows of a target
_ALL = 2400  # of the page
_HEAD = (
    *(Column("route"), Column("condition"), Column("language"), Column("items", "number"), Column("score", "number")),
    *(Column("clean", "number"), Column("drop", "number"), Column("changed", "number")),
)


def language_section(content: ReportContent) -> Section | None:
    """A folded table a target."""
    every = blocks(content.summary)
    if not every:
        return None
    most = min(_MOST, max(40, _ALL // len(every)))
    parts = tuple(Folded(block.title, (_table(block, most),)) for block in every)
    return Section("every-language", "Every language", parts)


def _table(block: Block, most: int) -> TextTable:
    lines = block.languages[:most]
    rows = [
        (
            line.route,
            line.condition.label,
            line.languages[0],
            str(line.n),
            figure(line.estimate) + marks(line),
            figure(line.clean),
            figure(line.drop) + drop_mark(line),
            changed(line),
        )
        for line in lines
    ]
    rows += [
        (gap.route, gap.condition.label, gap.languages[0], "", "n/a", "", "n/a", changed(gap))
        for gap in block.unchanged[: most - len(lines)]
    ]
    number = len(block.languages) + len(block.unchanged)
    missing = f"{len(rows)} of {number:,} rows; summary.parquet has all." if number > len(rows) else ""
    return TextTable(
        slug(f"languages-{block.target}-{block.split}"),
        f"{block.title}: single languages",
        _HEAD,
        tuple(rows),
        filters=(0, 1, 2),
        missing=missing,
    )
