"""What each defence of a run gains and costs, as a table for docs and a CSV file.

    python benchmarks/defence_table.py RUN [--out FILE.csv]

Nothing is computed anew: it is the report's table of defences. Gains are a defended route minus the same one without a
defence, in points with 95 % intervals: clean, under noise and attacks of the defence's family and of those held out;
costs are in brackets in times of the undefended route's.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from crosswind.report.defended import COST_COLUMNS, GAIN_COLUMNS, DefendedRow, defended_rows
from crosswind.study.joined import read_run

COLUMNS = ("defence", *GAIN_COLUMNS, *COST_COLUMNS)


def shown(rows: Sequence[DefendedRow]) -> list[list[str]]:
    """The rows as cells, the columns' names first; columns that are empty in every row are left out."""
    cells = [[row.name, *row.gains, *row.costs] for row in rows]
    kept = [i for i in range(len(COLUMNS)) if any(line[i] for line in cells)]
    return [[line[i] for i in kept] for line in ([*COLUMNS], *cells)]


def markdown(table: Sequence[Sequence[str]]) -> str:
    """A table of Markdown; what is empty is a dash."""
    head, *rows = ("| " + " | ".join(cell or "–" for cell in line) + " |" for line in table)
    return "\n".join([head, "|" + "---|" * len(table[0]), *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    table = shown(defended_rows(read_run(given.run).summary()))
    if given.out is not None:
        with given.out.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table)
    print(markdown(table))


if __name__ == "__main__":
    main()
