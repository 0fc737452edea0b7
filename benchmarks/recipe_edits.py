"""How many examples each recipe and its draws broke within an edit rate, from what `recipe_effect.py` left in a store.

    python benchmarks/recipe_edits.py STORE [--out FILE.csv]

Nothing is computed: the points of each example's curve are read. An example counts as broken within a rate if one of
its texts with at most so many edits a word was wholly wrong. `edits` is the mean edit rate of the texts that attacks
ended with.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.analysis.condition import is_control
from crosswind.attack.outcome import Point
from crosswind.study.attacked import control_of

RATES = (0.03, 0.06, 0.1, 0.2, 0.4, 1.0)
_FOLDER = re.compile(r'model="?/[^,)"]*"?')


def stored(store: Path) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """(task, recipe, outcomes) of the attacks of a store, of examples that were right."""
    for path in sorted((store / "objects").glob("*/*/manifest.json")):
        step = json.loads(path.read_text(encoding="utf-8"))
        step = step.get("step", step)
        if step["kind"] == "attack":
            rows = pl.read_parquet(path.parent / "outcomes.parquet").filter(pl.col("clean_right") > 0)
            yield step["params"]["ref"]["task"], _FOLDER.sub("model=ENCODER", step["params"]["recipe"]), rows


def within(rows: pl.DataFrame, rate: float) -> int:
    """How many examples had a wholly wrong text of at most this edit rate."""
    curves = ([Point.from_json(p) for p in json.loads(curve)] for curve in rows["curve"])
    return sum(any(p.edit_rate <= rate + 1e-9 and p.right <= 0 for p in points) for points in curves)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/results/recipes-by-edit-rate.csv"))
    given = parser.parse_args()
    outcomes = {(task, name): rows for task, name, rows in stored(given.store)}
    table: list[dict[str, Any]] = []
    for (task, name), rows in sorted(outcomes.items()):
        draws = outcomes.get((task, control_of(name)))
        if is_control(name) or draws is None:
            continue
        line: dict[str, Any] = {"target": task, "attack": name, "right": len(rows)}
        line |= {"edits": rows["edit_rate"].mean(), "edits of draws": draws["edit_rate"].mean()}
        for rate in RATES:
            line |= {f"within {rate:g}": within(rows, rate), f"draws within {rate:g}": within(draws, rate)}
        table.append(line)
    pl.DataFrame(table).write_csv(given.out, float_precision=2)


if __name__ == "__main__":
    main()
