"""What steps noted while they ran (answers moved, rows cut, classes mapped), for the readers of the results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from crosswind.study.planned import Cell

Noted = Mapping[str, tuple[str, ...]]


def notes_by_step(provenance: pl.DataFrame) -> Noted:
    """The notes of every step: those of the steps that it depends on, in their order, then its own."""
    noted: dict[str, tuple[str, ...]] = {}
    for row in provenance.iter_rows(named=True):
        inherited = [noted.get(key, ()) for key in json.loads(row["inputs"]).values()]
        parts = [part for part in dict.fromkeys((*inherited, tuple(json.loads(row["notes"])))) if part]
        # Most steps have none, and many share one tuple: only what differs is put together.
        noted[row["step"]] = parts[0] if len(parts) == 1 else tuple(dict.fromkeys(n for part in parts for n in part))
    return noted


def notes_of(cell: Cell, metric_key: str, noted: Noted) -> tuple[str, ...]:
    """The notes that hold for a cell under one metric."""
    parts = (noted.get(cell.rewrite or "", ()), noted.get(cell.key, ()), noted.get(metric_key, ()))
    return tuple(dict.fromkeys(note for part in parts for note in part))


def note_lines(cells: Sequence[Cell], noted: Noted) -> list[str]:
    """Every note of the cells once, with how many cells it holds for where these are not all; what was cut, in a line.

    The number that was cut differs from cell to cell: each row of the results has its own.
    """
    counts: dict[str, int] = {}
    cuts: dict[tuple[str, str], list[tuple[float, Cell]]] = {}
    for cell in cells:
        for note in dict.fromkeys(n for _, key in cell.judged for n in notes_of(cell, key, noted)):
            if cut := _CUT.fullmatch(note):
                share = int(cut[1].replace(",", "")) / int(cut[2].replace(",", ""))
                cuts.setdefault((cut[3], cut[4]), []).append((share, cell))
            else:
                counts[note] = counts.get(note, 0) + 1
    return [
        *(note if n == len(cells) else f"{note} ({_cells(n)})" for note, n in counts.items()),
        *(_cut_line(what, tokens, members, len(cells)) for (what, tokens), members in cuts.items()),
    ]


_CUT = re.compile(r"([0-9,]+) of ([0-9,]+) (\w+) (?:was|were) longer than ([0-9,]+) tokens and (?:was|were) cut\.")
"""The note of `evaluate.cuts.Cuts`."""


def _cut_line(what: str, tokens: str, members: Sequence[tuple[float, Cell]], of: int) -> str:
    """What was longer than the model reads, of all cells in which something was."""
    shares = [100 * share for share, _ in members]
    between = (
        f"{min(shares):.0f} to {max(shares):.0f} %"
        if round(min(shares)) < round(max(shares))
        else (f"{max(shares):.0f} %" if max(shares) >= 1 else "less than 1 %")
    )
    _, most = max(members, key=lambda member: member[0])
    named = dict.fromkeys(f"{cell.target} {cell.data.language}" for _, cell in members)
    where = f" ({', '.join(named)})" if len(named) <= _NAMED else f", most of {most.target} {most.data.language}"
    return (
        f"In {len(members):,} of {_cells(of)} {what} were longer than {tokens} tokens and were cut: {between} of a"
        f" cell's{where}; the notes of each row have the number."
    )


_NAMED = 6  # test sets


def _cells(n: int) -> str:
    return "1 cell" if n == 1 else f"{n:,} cells"


def as_json(notes: Iterable[str]) -> str:
    """Notes as a column of a table holds them."""
    return json.dumps(list(notes), ensure_ascii=False)
