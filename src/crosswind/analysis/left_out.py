"""Cells that a study asks for and its means do not have: named, counted, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from crosswind.analysis.results import CLEAN, NONE

Cause = Literal["no data", "not applicable", "unchanged", "not computed", "no clean cell"]
_CAUSES: tuple[Cause, ...] = ("no data", "not applicable", "unchanged", "not computed", "no clean cell")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Cells of one target and language under one condition, over routes, seeds and draws, that are in no mean.

    `no data`: the task has none in the language (all conditions are left out with the clean one). `not applicable`: the
    perturbation or protection has nothing to change or protect. `unchanged`: too few items changed; `changed_items` is
    then the largest share of these cells. `not computed`: a step failed, or was never reached. `no clean cell`: the
    perturbed ones are there, the clean one is not.
    """

    cause: Cause
    target: str
    language: str
    split: str
    reason: str
    perturbation: str = CLEAN
    severity: float = 0.0
    protection: str = NONE
    attack: str = NONE
    cells: int = 1
    changed_items: float | None = None


LEFT_OUT_LATER = ("attack",)
"""Columns of `LEFT_OUT` that runs of older versions lack."""

LEFT_OUT: dict[str, pl.DataType] = {
    **dict.fromkeys(("cause", "target", "language", "split", "perturbation"), pl.String()),
    "severity": pl.Float64(),
    "protection": pl.String(),
    "attack": pl.String(),
    "cells": pl.Int64(),
    "changed_items": pl.Float64(),
    "reason": pl.String(),
}


@dataclass(frozen=True, slots=True)
class LeftOutGroup:
    """What is left out for one reason: a line for the reader."""

    what: str
    reason: str
    targets: tuple[str, ...]
    languages: tuple[str, ...]
    cells: int

    @property
    def text(self) -> str:
        """`keyboard in ja, zh (udpos, panx; 16 cells): there is no layout`."""
        count = f"{self.cells} cell{'' if self.cells == 1 else 's'}"
        return f"{self.what} in {', '.join(self.languages)} ({', '.join(self.targets)}; {count}): {self.reason}"


def merged(parts: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """The same cells once, their counts added; of shares the largest."""
    together: dict[LeftOut, LeftOut] = {}
    for part in parts:
        name = replace(part, cells=0, changed_items=None)
        before = together.get(name)
        shares = [x.changed_items for x in (before, part) if x is not None and x.changed_items is not None]
        cells = part.cells + (before.cells if before else 0)
        together[name] = replace(part, cells=cells, changed_items=max(shares, default=None))
    return tuple(together.values())


def left_out_groups(parts: Iterable[LeftOut]) -> tuple[LeftOutGroup, ...]:
    """What is left out by perturbation and reason, in the order of the causes."""
    groups: dict[tuple[str, str], list[LeftOut]] = {}
    for part in sorted(parts, key=lambda part: _CAUSES.index(part.cause)):
        groups.setdefault((_what(part), part.reason), []).append(part)
    return tuple(
        LeftOutGroup(
            what,
            reason,
            tuple(dict.fromkeys(part.target for part in members)),
            tuple(dict.fromkeys(_language(part) for part in members)),
            sum(part.cells for part in members),
        )
        for (what, reason), members in groups.items()
    )


def left_out_table(parts: Iterable[LeftOut]) -> pl.DataFrame:
    """A row a target, language, condition and reason."""
    return pl.DataFrame([{name: getattr(part, name) for name in LEFT_OUT} for part in parts], schema=LEFT_OUT)


def left_out_lines(parts: Iterable[LeftOut], most: int = 8) -> Iterator[str]:
    """The groups as sentences, at most so many; then how many more there are."""
    groups = left_out_groups(parts)
    yield from (group.text for group in groups[:most])
    if len(groups) > most:
        rest = groups[most:]
        cells = sum(group.cells for group in rest)
        targets = ", ".join(dict.fromkeys(f"{group.what} in {' '.join(group.languages)}" for group in rest))
        yield f"and {cells} more cells for {len(rest)} more reasons: {targets}"


def _what(part: LeftOut) -> str:
    if part.attack != NONE:
        return part.attack + (f", {part.protection} protected" if part.protection != NONE else "")
    if part.perturbation == CLEAN:
        return "everything" if part.cause == "no data" else CLEAN
    # An unchanged cell is named with its severity, which decides; a kind that does not apply never does.
    severity = f":{part.severity:g}" if part.cause != "not applicable" and part.severity else ""
    return part.perturbation + severity + (f", {part.protection} protected" if part.protection != NONE else "")


def _language(part: LeftOut) -> str:
    return part.language if part.changed_items is None else f"{part.language} ({100 * part.changed_items:.1f} %)"
