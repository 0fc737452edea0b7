"""How a run ends on the terminal: the answer, one small table, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from crosswind.analysis.summary import Contrast, Estimate, Summary, SummaryLine
from crosswind.report.answer import answer, widest_contrasts
from crosswind.report.terminal import left_out_text
from crosswind.report.view import changed, series

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS = ("clean", "perturbed", "drop", "changed")
_ROWS = 40  # of a table of targets; the files have all
_LEFT_OUT = 4  # reasons; the report has all


def render_brief(summary: Summary, *, width: int = 120, colour: bool = False) -> str:
    """The answer and a table: routes by clean, perturbed, drop, over the targets that the answer is about.

    Where no routes are compared, a row a target and route.
    """
    import io

    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out, width=max(width, 80), force_terminal=colour, no_color=not colour, highlight=False, soft_wrap=False
    )
    if (sentence := answer(summary)) is not None:
        console.print(f"{sentence}\n", style="bold", markup=False)
    compared = widest_contrasts(summary)
    console.print(_of_routes(compared) if compared else _of_targets(summary))
    legend = [f"Points, with {100 * summary.level:g} % intervals {_over(compared)} in brackets."]
    legend.append("Changed: the share of items and of the model's tokens.")
    for text in (*legend, *summary.notes, *left_out_text(summary, _LEFT_OUT)):
        console.print(text, style="dim", markup=False)
    return out.getvalue()


def _over(compared: Sequence[Contrast]) -> str:
    """What the intervals of the table are over: the long tables, and those of targets, have them over items alone."""
    seeds = compared[0].pipeline_seeds if compared else 1
    return f"over items and {seeds} pipeline seeds (Student's t)" if seeds > 1 else "over items"


def _of_routes(compared: Sequence[Contrast]) -> Table:
    targets = compared[0].perturbed_targets or compared[0].targets
    title = targets[0] if len(targets) == 1 else f"means of {len(targets)} targets"
    rows = []
    for contrast in compared:
        level = contrast.level
        assert level is not None
        cells = (_interval(level.had or level.clean), _interval(level.perturbed), _interval(level.drop))
        rows.append(((contrast.route,), (*cells, changed(contrast))))
    return _table(f"{title}, other languages than English", ("route",), rows)


def _of_targets(summary: Summary) -> Table:
    several = len({line.encoder for line in summary.lines}) > 1
    groups: dict[tuple[str, str], list[SummaryLine]] = {}
    for line in summary.lines:
        if line.scope in ("english", "others"):
            groups.setdefault((line.target, series(line, several)), []).append(line)
    rows = []
    for name, lines in [*groups.items()][:_ROWS]:
        for scope in ("english", "others"):
            of_scope = [line for line in lines if line.scope == scope]
            if of_scope:
                where = "English" if scope == "english" else f"{len(of_scope[0].languages)} others"
                rows.append(((*name, where), tuple(_cells(of_scope, summary))))
    return _table("means of targets", ("target", "route", "languages"), rows)


def _cells(lines: Sequence[SummaryLine], summary: Summary) -> Iterator[str]:
    """Clean, perturbed, drop and changed share; of several conditions the means, which have no intervals."""
    clean = next((line for line in lines if line.condition.clean), None)
    noisy = [x for x in lines if not x.condition.clean and x.condition.perturbation not in summary.diagnostic]
    yield "" if clean is None else _interval(clean.estimate)
    if len(noisy) == 1:
        yield from (_interval(noisy[0].estimate), _interval(noisy[0].drop), changed(noisy[0]))
    elif noisy:
        yield f"{np.mean([x.estimate.score for x in noisy]):.1f}"
        yield f"{np.mean([x.drop.score for x in noisy if x.drop]):.1f}"
        yield f"{100 * np.mean([x.changed_items or 0 for x in noisy]):.0f} %"
    else:
        gap = any(x.target == lines[0].target and x.scope == lines[0].scope for x in summary.unchanged)
        yield from ("n/a" if gap else "", "", "")


def _interval(estimate: Estimate | None) -> str:
    return "" if estimate is None else f"{estimate.score:.1f} [{estimate.low:.1f}, {estimate.high:.1f}]"


def _table(title: str, names: Sequence[str], rows: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in _COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row, cells in rows:
        table.add_row(*map(Text, (*row, *cells)))
    return table
