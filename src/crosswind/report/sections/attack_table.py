"""What each attack did, in a table: a row a target, attack, route and language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from crosswind.analysis.condition import APART
from crosswind.analysis.results import NONE
from crosswind.report.content import ATTACK_CELL, ATTACKED_COLUMNS, ReportContent
from crosswind.report.inert import shortened
from crosswind.report.parts import Column, TextTable

_MOST = 400  # rows
_CELL = ("target", "attack", "budget", "route", "defence", "language", *ATTACK_CELL, "n", "of")


def attacked_tables(content: ReportContent) -> tuple[TextTable, ...]:
    """The table of what the attacks did; nothing where a run has none, as those of older versions."""
    frame = content.attacked
    if frame.is_empty():
        return ()
    means = mean_attacks(frame)
    rows = [_row(row) for row in means.head(_MOST).iter_rows(named=True)]
    numbers = (
        "items",
        "A",
        "A′",
        "success",
        "A′ of draws",
        "gain",
        "queries",
        "unique passes",
        "before a change",
        "nothing tried",
        "edits",
        "chrF",
        "cosine",
        "per position",
        "exhausted",
    )
    caption = (
        "What the attacks did to so many items of the test set: A and A′ are the scores before and after, success the "
        "share in percent of the examples "
        "right before that the attack made wrong (for kinds with a right and a wrong), gain what it leaves less than "
        "random draws from the same alternatives with the same budget; then the median and 90th percentile of queries, "
        "of unique passes (texts that the same example had not asked about before) and of those queries "
        "that went before the first changed text (to rank words), the share in percent of the attacked examples of "
        "which none was tried, "
        "edits per word and chrF of changed texts, their cosine with the original ones for the sentence encoder that a "
        "constraint names, the budget for each position that may change, and the share in "
        "percent of the attacked examples whose search ended before its budget: it had been through its space, or goes "
        "through it once; a fixed budget favours languages with small spaces. Means over pipeline seeds; intervals, of "
        "one seed alone, are over clusters of items."
    )
    return (
        TextTable(
            "attacked",
            caption,
            (
                *map(Column, ("target", "attack", "route", "language")),
                *(Column(n, "number") for n in (*numbers, "seeds")),
            ),
            tuple(rows),
            filters=(0, 1, 2, 3),
            missing="" if len(means) <= _MOST else f"{_MOST} of {len(means):,} rows; attacked.parquet has all.",
        ),
    )


def mean_attacks(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of `ATTACKED_COLUMNS` as means over pipeline seeds, without intervals where there are several."""
    numbers = [name for name, kind in ATTACKED_COLUMNS.items() if kind == pl.Float64() and name not in _CELL]
    several = pl.len() > 1
    means = [
        pl.when(several & name.endswith(("_low", "_high"))).then(None).otherwise(pl.col(name).mean()).alias(name)
        for name in numbers
    ]
    return frame.group_by(_CELL, maintain_order=True).agg(*means, seeds=pl.len()).sort(_CELL[:3], maintain_order=True)


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    attack, protection = f"{row['attack']}, {row['budget']:,} queries", row["protection"] or NONE
    route = row["route"] if row["defence"] == NONE else f"{row['route']} · {row['defence']}"
    pair = row["context_language"] or row["language"]
    return (
        row["target"],
        shortened(attack, 60) + ("" if protection == NONE else f", {protection} protected"),
        f"{route} · {row['selection']}" if row["selection"] in APART else route,
        row["language"] if pair == row["language"] else f"{row['language']} (context {pair})",
        f"{row['n']:,}" + (f" of {row['of']:,}" if row["of"] else ""),
        _number(row["before"]),
        _estimated(row, "after"),
        _estimated(row, "success"),
        _number(row["control"]),
        _estimated(row, "gain"),
        f"{_number(row['queries_median'], 0)} / {_number(row['queries_90'], 0)}",
        "–" if row["passes_median"] is None else f"{_number(row['passes_median'], 0)} / {_number(row['passes_90'], 0)}",
        "–"
        if row["before_change_median"] is None
        else f"{_number(row['before_change_median'], 0)} / {_number(row['before_change_90'], 0)}",
        _number(row["untried"], 0),
        _estimated(row, "edit_rate", 2),
        _estimated(row, "chrf"),
        _estimated(row, "similarity", 3),
        _number(row["budget_per_position"], 2),
        _number(row["exhausted"], 0),
        str(row["seeds"]),
    )


def _estimated(row: Mapping[str, Any], name: str, digits: int = 1) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = "" if low is None or high is None else f" [{low:.{digits}f}, {high:.{digits}f}]"
    return _number(row[name], digits) + interval


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
