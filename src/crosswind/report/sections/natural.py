"""Noise that people made beside the drawn conditions of the same test set: types of edits, distance, damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from crosswind.perturb.edit_types import EDIT_TYPES
from crosswind.report.content import ReportContent
from crosswind.report.parts import Column, Section, TextTable

_MOST = 400  # rows
_NEAREST = 6  # drawn conditions in a line


def natural_section(content: ReportContent) -> Section | None:
    """What people's errors are made of and how far drawn noise is from them; nothing without twins."""
    frame = content.natural
    if frame.is_empty():
        return None
    caption = (
        "Of the items that each variant that people wrote changed (at most 300 of them), and of the drawn conditions "
        "on the same items: the share in percent of each type of edit, "
        "the distance of the distribution from the variant's (total variation: 0 the same, 1 "
        "nothing in common), edits a text, words hit in percent, chrF. Damage compares at an equal rate: a condition "
        "with as many edits a text (severity: {edits: …})."
    )
    numbers = (*EDIT_TYPES, "distance", "edits", "words", "chrF", "items")
    table = TextTable(
        "natural",
        caption,
        (*map(Column, ("target", "language", "variant", "condition")), *(Column(n, "number") for n in numbers)),
        tuple(_row(row) for row in frame.head(_MOST).iter_rows(named=True)),
        filters=(0, 1, 2),
        missing="" if len(frame) <= _MOST else f"{_MOST} of {len(frame):,} rows; natural.parquet has all.",
    )
    return Section("natural", "Natural noise beside drawn noise", (table,))


def natural_remarks(frame: pl.DataFrame) -> list[str]:
    """A line for every variant and language: what its edits are, and how far each drawn condition is from them."""
    lines = []
    cell = ("target", "language", "context_language", "rows", "twin")
    for (target, language, pair, _, twin), rows in frame.group_by(cell, maintain_order=True):
        people = next(rows.filter(~pl.col("drawn")).iter_rows(named=True), None)
        if people is None:
            continue
        common = sorted((n for n in EDIT_TYPES if people[n] >= 0.005), key=lambda n: -people[n])
        kinds = ", ".join(f"{name} {100 * people[name]:.0f} %" for name in common)
        asked = f"{language} (context {pair})" if pair and pair != language else language
        near = rows.filter(pl.col("drawn") & pl.col("distance").is_not_null()).sort("distance", maintain_order=True)
        drawn = [
            f"{row['condition']} {row['distance']:.2f} ({row['edits']:.2f})"
            for row in near.head(_NEAREST).iter_rows(named=True)
        ]
        drawn += [f"{len(near) - _NEAREST} more"] if len(near) > _NEAREST else []
        more = f"; distance (edits a text) of drawn noise on the same items: {', '.join(drawn)}" if drawn else ""
        lines.append(
            f"{target} {asked}: {twin} is {kinds}, {people['edits']:.2f} edits a text, in the {people['items']:,}"
            f" items looked at, all of which it changed{more}."
        )
    return lines


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    pair = row["context_language"] or row["language"]
    far = "" if row["distance"] is None else f"{row['distance']:.2f}"
    return (
        row["target"],
        row["language"] if pair == row["language"] else f"{row['language']} (context {pair})",
        row["twin"],
        row["condition"] if row["drawn"] else "as people wrote it",
        *(f"{100 * row[name]:.0f}" for name in EDIT_TYPES),
        far,
        f"{row['edits']:.2f}",
        f"{100 * row['words_hit']:.1f}",
        f"{row['chrf']:.1f}",
        f"{row['items']:,}",
    )
