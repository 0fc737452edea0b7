"""The summary as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crosswind.analysis.left_out import left_out_lines
from crosswind.analysis.summary import Summary, SummaryLine
from crosswind.report.answer import answer_lines
from crosswind.report.defended import DEFENDED_NOTE, defended_table
from crosswind.report.inert import inert
from crosswind.report.view import Block, ViewRow, blocks, changed, drop_mark, figure, legend, marks

if TYPE_CHECKING:
    from rich.table import Table


def render_terminal(summary: Summary, *, width: int = 120, colour: bool = False) -> str:
    """The summary as text, a table a target, its legend below; never so narrow that a figure is cut."""
    import io

    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out, width=max(width, _NARROWEST), force_terminal=colour, no_color=not colour, highlight=False
    )
    for block in blocks(summary):
        console.print(block_table(block))
        if block.has_trained:
            console.print(trained_table(block))
    if (defended := defended_table(summary)) is not None:
        console.print(defended)
        console.print(DEFENDED_NOTE, style="dim", markup=False)
    for text in (*legend(summary), *left_out_text(summary)):
        console.print(inert(text), style="dim", markup=False)
    if lines := printed_answer(summary, console.width):
        console.print()
        for number, line in enumerate(lines):
            console.print(line, style="" if number else "bold", markup=False)
    return out.getvalue()


def printed_answer(summary: Summary, width: int) -> list[str]:
    """The answer as blocks of lines no wider than a terminal, a block a comparison, the first the answer itself."""
    import textwrap

    return [
        "\n".join(
            textwrap.wrap(
                inert(line.strip()), width, initial_indent=lead, subsequent_indent=f"{lead}  " if lead else ""
            )
        )
        for line in answer_lines(summary)
        for lead in ("  " if line.startswith("  ") else "",)
    ]


_NARROWEST = 140


def left_out_text(summary: Summary, most: int = 8) -> list[str]:
    """How many cells are in no mean, and which, a line a reason."""
    cells = sum(part.cells for part in summary.left_out)
    if not cells:
        return []
    lines = left_out_lines(summary.left_out, most)
    return [f"Left out: {cells:,} cell{'' if cells == 1 else 's'}.", *(f"  {line}" for line in lines)]


def block_table(block: Block) -> Table:
    """The source language and the mean of the others for one target, as a rich table."""
    columns = (block.source, "drop", "changed", "others", "of", "clean", "drop", "changed")
    return _table(block.title, columns, [(row, _cells(row)) for row in block.rows])


def trained_table(block: Block) -> Table:
    """The languages that some route was trained on, apart."""
    lines = [(row, row.trained) for row in block.rows if row.trained]
    columns = ("score", "drop", "changed", "languages")
    cells = [(row, (_score(x), _drop(x), changed(x), " ".join(x.languages))) for row, x in lines]
    return _table(f"{block.target} {block.split}, translate-train", columns, cells)


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[ViewRow, Sequence[str]]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(inert(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for name in ("route", "condition"):
        table.add_column(name, overflow="fold")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    previous = ""
    for row, cells in rows:
        route = "" if row.route == previous else row.route
        if previous and route:
            table.add_section()
        table.add_row(*(Text(inert(cell)) for cell in (route, row.condition, *cells)))
        previous = row.route
    return table


def _cells(row: ViewRow) -> tuple[str, ...]:
    english, others = row.english, row.others
    return (
        _score(english) or ("n/a" if "english" in row.blank else ""),
        _drop(english),
        changed(english or row.blank.get("english")),
        _score(others) or ("n/a" if "others" in row.blank else ""),
        str(len(others.languages)) if others else "",
        f"{others.clean.score:.1f}" if others and others.clean else "",
        _drop(others),
        changed(others or row.blank.get("others")),
    )


def _score(line: SummaryLine | None) -> str:
    return figure(line.estimate, tight=True) + (marks(line) or " ") if line else ""


def _drop(line: SummaryLine | None) -> str:
    return (
        figure(line.drop, tight=True) + (drop_mark(line) or " ") if line is not None and line.drop is not None else ""
    )
