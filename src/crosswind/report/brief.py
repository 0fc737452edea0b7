"""How a run ends on the terminal: the answer, one small table, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.results import NONE
from crosswind.analysis.summary import Scope, Summary, SummaryLine
from crosswind.report.answer import level_of, random_factors, widest_contrasts
from crosswind.report.defended import DEFENDED_NOTE, GAIN_COLUMNS, defended_table
from crosswind.report.inert import inert
from crosswind.report.terminal import left_out_text, printed_answer
from crosswind.report.view import FLOOR_MARK, changed, figure, intervals_over, marks, series

if TYPE_CHECKING:
    from rich.table import Table

_COLUMNS = ("clean", "perturbed", "drop", "changed")
_ROWS = 40  # of a table of targets; the files have all
_FLOOR = f"{FLOOR_MARK} at its floor (not above chance, or some language is not): nothing follows from its drops."
_NO_GAINS = (
    "What a defence costs, in times of the same route without it. No gain is given: none could be compared (at its"
    " floor nothing is)."
)
_LEFT_OUT = 4  # reasons; the report has all
_WHERE: Mapping[Scope, str] = {
    "english": "{source}",
    "others": "{many} other{s}",
    "pairs": "{many} pair{s} of languages",
}


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
    if lines := printed_answer(summary, console.width):
        for number, line in enumerate(lines):
            console.print(line, style="" if number else "bold", markup=False)
        console.print()
    compared = widest_contrasts(summary)
    if not any(_levels(compared, system) for system in _systems_of(compared)):
        compared = []  # at the floor no level is a contrast, and the scores are what there is to show
    table = _of_routes(compared, summary) if compared else _of_targets(summary)
    console.print(table)
    if (defended := defended_table(summary)) is not None:
        console.print(defended)
        gained = not {str(column.header) for column in defended.columns}.isdisjoint(GAIN_COLUMNS)
        console.print(DEFENDED_NOTE if gained else _NO_GAINS, style="dim", markup=False)
    over = random_factors(compared) if compared else f"intervals {intervals_over(summary)}"
    legend = [f"Points, with intervals of {100 * summary.level:g} % in brackets ({over.rstrip(',')})."]
    if any(column.header == _COLUMNS[-1] for column in table.columns):
        legend.append("Changed: the share of items and of the model's tokens.")
    if not compared and any(line.at_floor or line.floor_languages for line in summary.lines):
        legend.append(_FLOOR)
    for text in (*legend, *summary.notes, *left_out_text(summary, _LEFT_OUT)):
        console.print(inert(text), style="dim", markup=False)
    return out.getvalue()


def _of_routes(compared: Sequence[Contrast], summary: Summary) -> Table:
    rows, targets = [], compared[0].targets
    for system in _systems_of(compared):
        had, perturbed, drop = _levels(compared, system) or (None, None, None)
        targets = drop.targets if drop is not None else targets
        cells = [figure(x.estimate) if x is not None else "" for x in (had, perturbed, drop)]
        rows.append(((system,), (*cells, changed(drop))))
    title = targets[0] if len(targets) == 1 else f"means of {len(targets)} targets"
    return _table(f"{title}, other languages than {summary.source_language(targets)}", ("route",), rows)


def _systems_of(compared: Sequence[Contrast]) -> list[str]:
    return list(dict.fromkeys(c.systems[0] for c in compared if c.kind == "level"))


def _levels(compared: Sequence[Contrast], system: str) -> tuple[Contrast | None, ...]:
    """A system's clean score, its perturbed one and the drop; empty where none is a contrast."""
    levels = (
        level_of(compared, system, "before", "clean", "everywhere"),
        level_of(compared, system, "perturbed"),
        level_of(compared, system, "drop"),
    )
    return levels if any(levels) else ()


def _of_targets(summary: Summary) -> Table:
    several = len({line.encoder for line in summary.lines}) > 1
    groups: dict[tuple[str, str], list[SummaryLine]] = {}
    for line in summary.lines:
        if line.scope in _WHERE:
            groups.setdefault((line.target, series(line, several)), []).append(line)
    rows = []
    for name, lines in [*groups.items()][:_ROWS]:
        for scope in _WHERE:
            of_scope = [line for line in lines if line.scope == scope]
            if of_scope:
                source = summary.source_language([of_scope[0].target])
                many = len(of_scope[0].languages)
                where = _WHERE[scope].format(many=many, source=source, s="s" * (many != 1))
                rows.append(((*name, where), tuple(_cells(of_scope, summary))))
    return _table("means of targets", ("target", "route", "languages"), rows)


def _cells(lines: Sequence[SummaryLine], summary: Summary) -> Iterator[str]:
    """Clean, perturbed, drop and changed share; of several conditions the means, which have no intervals.

    Noise alone: what an attack, its control or a transferred example leaves is in no mean with it.
    """
    clean = next((line for line in lines if line.condition.clean), None)
    of_noise = [x for x in lines if not x.condition.clean and x.condition.attack == NONE]
    noisy = [x for x in of_noise if x.condition.perturbation not in summary.diagnostic]
    yield "" if clean is None else figure(clean.estimate) + marks(clean)
    if len(noisy) == 1:
        yield from (figure(noisy[0].estimate), figure(noisy[0].drop), changed(noisy[0]))
    elif noisy:
        yield _mean([x.estimate.score for x in noisy])
        yield _mean([x.drop.score for x in noisy if x.drop])
        yield f"{100 * np.mean([x.changed_items or 0 for x in noisy]):.0f} %"
    else:
        gap = any(x.target == lines[0].target and x.scope == lines[0].scope for x in summary.unchanged)
        yield from ("n/a" if gap else "", "", "")


def _mean(values: Sequence[float]) -> str:
    """In points; nothing where there is none, and never minus nothing."""
    return f"{round(float(np.mean(values)), 1) + 0.0:.1f}".replace("-", "−") if values else ""


def _table(title: str, names: Sequence[str], rows: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(inert(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    shown = [i for i in range(len(_COLUMNS)) if any(cells[i] for _, cells in rows)]
    for name in names:
        table.add_column(name, overflow="fold")
    for i in shown:
        table.add_column(_COLUMNS[i], justify="right", no_wrap=True)
    for row, cells in rows:
        table.add_row(*(Text(inert(cell)) for cell in (*row, *(cells[i] for i in shown))))
    return table
