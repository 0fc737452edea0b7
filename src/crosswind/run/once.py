"""Running one unit in a process of its own: what executors send to other machines.

    python -m crosswind.run.once STORE UNIT.json DONE.json

Reads a unit, runs it against the store and writes how it ended, at once and whole.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from crosswind.run.folders import replacing
from crosswind.run.job import Worker
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.run.unit import Unit, run_unit


def run_once(store: str, unit: Path, done: Path) -> None:
    """Run the unit of a file; its handle is the file's stem."""
    value = Unit.from_json(json.loads(unit.read_text(encoding="utf-8")))
    end = run_unit(value, Worker(Store(store)), Silent(), unit.stem)
    with replacing(done) as draft:
        draft.write_text(json.dumps(end.to_json()), encoding="utf-8")


if __name__ == "__main__":
    run_once(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
