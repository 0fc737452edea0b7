"""How far runs are, and which steps of a store they need."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from crosswind.errors import UserError
from crosswind.run.demand import needed
from crosswind.run.store import Store
from crosswind.study.as_written import require_as_written
from crosswind.study.folder import STUDY, run_identity
from crosswind.study.joined import read_table
from crosswind.study.plan import make_plan
from crosswind.study.spec import read_study


@dataclass(frozen=True)
class RunStatus:
    """A run as its study file and the store tell it.

    `kinds` is (steps there, steps of the plan) by kind of step; what nothing needs any more counts as there.
    `share` is of the estimated work, in [0, 1].
    """

    name: str
    kinds: dict[str, tuple[int, int]]
    cells: int
    cells_there: int
    share: float
    running: bool
    command: str

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def status_of(run: Path, store: Store) -> RunStatus:
    """How far a run is; a `UserError` where the folder is no run's."""
    name = run_identity(run)["name"]
    # What is judged of a run is no part of how far it is, and its files of claims may lie elsewhere by now.
    plan = make_plan(read_study(run / STUDY).model_copy(update={"claims": []}), dry=True)
    missing = set(needed(plan.graph, plan.wanted, store))
    total = Counter(step.kind for step in plan.graph.values())
    absent = Counter(plan.graph[key].kind for key in missing)
    work = sum(step.cost for step in plan.graph.values())
    left = sum(plan.graph[key].cost for key in missing)
    return RunStatus(
        name=name,
        kinds={kind: (total[kind] - absent[kind], total[kind]) for kind in total},
        cells=len(plan.cells),
        cells_there=sum(cell.key not in missing for cell in plan.cells),
        share=1 - left / work if work else float(not missing),
        running=_is_locked(run),
        command=shlex.join(["crosswind", "run", str(run / STUDY), "--out", str(run)]),
    )


def steps_of_runs(runs: Sequence[Path], *, everything: bool = False) -> set[str]:
    """The keys of the steps that these runs used; a `UserError` where none is named and not `everything` may go."""
    if not runs and not everything:
        raise UserError(
            "no run to keep", where="--keep", hint="name the runs whose steps stay, or remove everything with --all"
        )
    keys: set[str] = set()
    for run in runs:
        run_identity(run)
        table = run / "provenance.parquet"
        if not table.is_file():
            raise UserError("the run has no results yet", where=str(run), hint="let it end before its store is pruned")
        require_as_written(run, {table.name})
        keys.update(read_table(table, {"step": pl.String()})["step"])
    return keys


def _is_locked(run: Path) -> bool:
    """Whether a process writes into the run folder."""
    lock = run / "logs" / "lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # the folder cannot be written from here: a read-only mount, or somebody else's
        return _is_locked_elsewhere(lock)


def _is_locked_elsewhere(lock: Path) -> bool:
    """Whether a process holds a lock file that may be read and not written; no where that cannot be told."""
    try:
        import fcntl
    except ImportError:  # systems whose locks need a file that may be written
        return False
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
