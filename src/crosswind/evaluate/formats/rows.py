"""The number of a row a line, from 0 (Tatoeba: where in the pool the translation stands)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import PairExample
from crosswind.errors import UserError
from crosswind.evaluate.formats.lines import label_lines, require_same_order, write_label_lines
from crosswind.evaluate.submission import Format, Lines, Submitted, gold_labels, require_count

_NUMBER = re.compile("0|[1-9][0-9]{0,17}")  # one way to write each number, in ASCII


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    """`labels` are the numbers of all rows; where none are given, there may be any number of rows."""
    given, wanted = label_lines(path), label_lines(gold)
    gold_labels(wanted, (), {}, gold)
    right = _rows(wanted, len(labels), gold)
    require_count(path, "lines", len(right), len(given))
    require_same_order(path, gold)
    predicted = _rows(given, len(labels), path)
    return Submitted(
        tuple(PairExample(str(i), str(i), language, "", "", row) for i, row in enumerate(right, 1)),
        tuple({"predicted": row} for row in predicted),
    )


def _rows(lines: Lines, count: int, path: Path) -> list[int]:
    """The number in each line; a `UserError` for anything else, and for a row after the last."""
    rows = []
    for number, value in lines:
        where = f"{path}:{number}"
        if not _NUMBER.fullmatch(value):
            hint = "a line is the number of a row, in the digits 0 to 9 without sign or leading zeros"
            raise UserError(f"{value[:60]!r} is no number of a row", where=where, hint=hint)
        if count and int(value) >= count:
            hint = f"rows count from 0: the {count:,} rows are 0 to {count - 1}"
            raise UserError(f"there is no row {value}", where=where, hint=hint)
        rows.append(int(value))
    return rows


# Blank last lines as in the format of labels.
ROWS_FORMAT = Format(
    "rows",
    "the number of a row a line, from 0",
    ".tsv",
    _read,
    write_label_lines,
    {"blank_last_lines": "left_out"},
    row_numbers=True,
)
