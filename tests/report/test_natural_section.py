"""What the page and the terminal say of noise that people made beside drawn noise."""

from __future__ import annotations

import polars as pl

from crosswind.analysis.summary import Summary
from crosswind.perturb.edit_types import EDIT_TYPES
from crosswind.report.content import NATURAL_COLUMNS, ReportContent
from crosswind.report.parts import TextTable
from crosswind.report.sections.natural import natural_remarks, natural_section


def row(condition: str, distance: float | None, **parts: float) -> dict[str, object]:
    known = {"twin": "noisy", "target": "xnli", "language": "de", "context_language": "", "rows": "all", "cells": "c"}
    damage = {"items": 300, "edits": 1.59, "words_hit": 0.085, "chrf": 94.4}
    kinds = {**dict.fromkeys(EDIT_TYPES, 0.0), **parts}
    return {**known, **damage, **kinds, "condition": condition, "drawn": distance is not None, "distance": distance}


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=NATURAL_COLUMNS)


def test_a_line_says_what_people_do_and_which_drawn_noise_is_nearest() -> None:
    table = frame(
        row("noisy", None, deletion=0.6, insertion=0.4),
        row("keyboard@edits=1.6", 0.77, replacement=1),
        row("delete:0.025", 0.4, deletion=1),
    )
    assert natural_remarks(table) == [
        "xnli de: noisy is deletion 60 %, insertion 40 %, 1.59 edits a text, in the 300 items looked at, all of "
        "which it changed; distance (edits a text) of drawn noise on the same items: delete:0.025 0.40 (1.59), "
        "keyboard@edits=1.6 0.77 (1.59)."
    ]
    assert natural_remarks(frame(row("noisy", None, word=1))) == [
        "xnli de: noisy is word 100 %, 1.59 edits a text, in the 300 items looked at, all of which it changed."
    ]
    many = frame(row("noisy", None, word=1), *(row(f"swap:0.{i}", i / 10) for i in range(1, 10)))
    assert natural_remarks(many)[0].endswith("swap:0.6 0.60 (1.59), 3 more.")


def test_the_page_has_a_table_of_shares_and_distances_only_with_twins() -> None:
    table = frame(row("noisy", None, deletion=0.6, insertion=0.4), row("swap:0.1", 0.96, exchange=1))
    content = ReportContent("t", Summary(()), natural=table)
    section = natural_section(content)
    assert section is not None
    (shown,) = section.parts
    assert isinstance(shown, TextTable)
    heads = [c.title for c in shown.columns]
    people, swap = (dict(zip(heads, r, strict=True)) for r in shown.rows)
    assert (people["condition"], people["deletion"], people["distance"]) == ("as people wrote it", "60", "")
    assert (swap["condition"], swap["exchange"], swap["distance"], swap["chrF"]) == ("swap:0.1", "100", "0.96", "94.4")
    assert natural_section(ReportContent("t", Summary(()))) is None
    assert natural_remarks(frame()) == []
    assert natural_remarks(frame(row("swap:0.1", 0.96, exchange=1))) == []  # a table without its twin says nothing
