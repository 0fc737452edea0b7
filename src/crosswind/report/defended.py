"""Defences beside their price: what each changes, under what it was made for and under the rest, and what it costs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crosswind.analysis.contrast import ATTACKS, system_label
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.costs import DefenceCost, over_targets
from crosswind.analysis.estimate import Estimate
from crosswind.analysis.results import FAMILIARITIES, NONE
from crosswind.analysis.scored import System
from crosswind.analysis.summary import Summary
from crosswind.report.view import figure

if TYPE_CHECKING:
    from rich.table import Table

_WITHINS = tuple(familiarity + suffix for suffix in ("", ATTACKS) for familiarity in FAMILIARITIES[1:])
GAIN_COLUMNS = ("clean", *_WITHINS)
COST_COLUMNS = ("steps", "training", "memory", "predicting", "memory of it")
DEFENDED_NOTE = (
    "A defended route minus the same route without a defence, in points: clean; under noise and under attacks of the"
    " defence's family (what it trained on or was made for) and under those held out. Beside it what it costs: steps of"
    " the optimiser, seconds of the processor and peak memory of the process, in times of the undefended route's."
)


@dataclass(frozen=True)
class DefendedRow:
    """A defended route as text: `gains` by `GAIN_COLUMNS`, `costs` by `COST_COLUMNS`; empty where unknown."""

    name: str
    gains: tuple[str, ...]
    costs: tuple[str, ...]


def defended_rows(summary: Summary) -> tuple[DefendedRow, ...]:
    """A row for each defended route that is compared with the same route without a defence, or whose cost is known."""
    gains: dict[str, dict[str, Contrast]] = {}
    for c in summary.contrasts:
        if c.kind == "difference" and c.scope == "familiarity" and c.measure == "perturbed":
            gains.setdefault(c.name, {}).setdefault(c.within, c)
    names = {name: c.systems[0] for name, by_within in gains.items() for c in by_within.values()}
    for c in summary.contrasts:
        if c.name in names and c.kind == "difference" and c.scope == "all" and c.measure in ("clean", "everywhere"):
            gains[c.name].setdefault("clean", c)
    totals = over_targets(summary.costs)
    systems = [System(t.encoder, t.defence, t.route) for t in totals]
    labels = {system_label(s, systems): t for s, t in zip(systems, totals, strict=True)}
    plain = {(t.encoder, t.route): t for t in totals if t.defence == NONE}
    costs = {label: _costs(t, plain.get((t.encoder, t.route))) for label, t in labels.items() if t.defence != NONE}
    of_label = {label: gains[name] for name, label in names.items()}
    return tuple(
        DefendedRow(
            label,
            tuple(figure(_estimate(of_label.get(label, {}).get(gain)), signed=True) for gain in GAIN_COLUMNS),
            costs.get(label, ("",) * len(COST_COLUMNS)),
        )
        for label in dict.fromkeys((*of_label, *costs))
    )


def defended_table(summary: Summary) -> Table | None:
    """The rows as a table for the terminal, without empty columns; `None` where there are none."""
    rows = defended_rows(summary)
    if not rows:
        return None
    from rich import box
    from rich.table import Table
    from rich.text import Text

    columns = [
        (name, [(*row.gains, *row.costs)[i] for row in rows]) for i, name in enumerate((*GAIN_COLUMNS, *COST_COLUMNS))
    ]
    columns = [(name, cells) for name, cells in columns if any(cells)]
    table = Table(title="defences", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("route", overflow="fold")
    for name, _ in columns:
        table.add_column(name, justify="right", overflow="fold", min_width=max(map(len, re.split("[ -]", name))))
    for i, row in enumerate(rows):
        table.add_row(Text(row.name), *(Text(cells[i]) for _, cells in columns))
    return table


def _estimate(contrast: Contrast | None) -> Estimate | None:
    return None if contrast is None else contrast.estimate


def _costs(cost: DefenceCost, plain: DefenceCost | None) -> tuple[str, ...]:
    """Steps, training seconds and memory, predicting seconds and memory; of a GPU its memory, where one is used."""
    before = _figures(plain) if plain is not None and plain.target == cost.target else (None,) * len(COST_COLUMNS)
    units = (("", 1.0), (" s", 1.0), (" MB", 1e6), (" s", 1.0), (" MB", 1e6))
    return tuple(
        _times(value, of, unit, scale) for value, of, (unit, scale) in zip(_figures(cost), before, units, strict=True)
    )


def _figures(cost: DefenceCost) -> tuple[float | None, ...]:
    return (
        cost.steps,
        cost.train_cpu,
        cost.train_gpu_memory or cost.train_memory,
        cost.predict_cpu,
        cost.predict_gpu_memory or cost.predict_memory,
    )


def _times(value: float | None, of: float | None, unit: str, scale: float = 1.0) -> str:
    """`183 s (×2.9)`; without the factor where there is nothing to compare with."""
    if value is None:
        return ""
    amount = value / scale
    text = f"{amount:,.0f}{unit}" if amount >= 10 or amount == int(amount) else f"{amount:.1f}{unit}"
    return f"{text} (×{value / of:.2f})" if of else text
