"""Scores with and without the items of exclusion lists, side by side; and what is known of test sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from crosswind.analysis.results import NONE
from crosswind.analysis.scored import condition_of, language_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.faults import faults_of

_SAME = (
    *("encoder", "route", "pipeline_seed", "defence", "target", "language", "context_language", "split", "selection"),
    *("perturbation", "severity", "protection", "draw", "attack", "budget", "metric", "key"),
)


@dataclass(frozen=True)
class ExcludedRow:
    """A route's score on a target's items and on those that are not excluded, in points as text; means over seeds."""

    route: str
    target: str
    language: str
    condition: str
    excluded: str
    all_items: str
    without: str


def excluded_rows(frame: pl.DataFrame, excluded: pl.DataFrame, headline: Mapping[str, str]) -> list[ExcludedRow]:
    """The scores of the headline metric without excluded items, each beside that of all items."""
    if excluded.is_empty():
        return []
    all_items = frame.select(*_SAME, pl.col("score").alias("all_items"))
    both = excluded.join(all_items, on=list(_SAME), how="left", maintain_order="left")
    grouped: dict[tuple[str, str, str, str, str], list[tuple[float | None, float | None]]] = {}
    for row in both.iter_rows(named=True):
        if row["metric"] != headline.get(row["target"]):
            continue
        route = row["route"] if row["defence"] == NONE else f"{row['route']} · {row['defence']}"
        condition = f"{condition_of(row).label}, {row['key']}"
        name = (route, row["target"], language_of(row), condition, row["rows"])
        grouped.setdefault(name, []).append((row["all_items"], row["score"]))
    return [
        ExcludedRow(*name, _mean([a for a, _ in scores]), _mean([b for _, b in scores]))
        for name, scores in grouped.items()
    ]


def _mean(values: list[float | None]) -> str:
    held = [value for value in values if value is not None]
    return f"{sum(held) / len(held):.2f}" if held else "n/a"


@dataclass(frozen=True)
class FaultRow:
    """What is known to be wrong with a test set that was evaluated, and where that is said."""

    target: str
    languages: str
    what: str
    source: str


def known_faults(evaluated: Iterable[tuple[str, str]]) -> list[FaultRow]:
    """What is known of the test sets of these (target, language) pairs."""
    languages: dict[str, list[str]] = {}
    for target, language in evaluated:
        languages.setdefault(target, []).append(language)
    return [
        FaultRow(target, " ".join(x for x in fault.languages if x in codes), fault.what, fault.source)
        for target, codes in languages.items()
        for fault in faults_of(TASKS[target].faults, codes)
    ]
