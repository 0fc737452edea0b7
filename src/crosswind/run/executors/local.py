"""Runs units on this machine: in this process, or in worker processes."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from crosswind.run.executors import Executor, Opening, Session
from crosswind.run.job import Worker
from crosswind.run.kinds import Needs
from crosswind.run.pool import WorkerPool
from crosswind.run.progress import Reporter
from crosswind.run.store import Store
from crosswind.run.unit import Done, Unit, run_unit


class InProcess:
    """One unit after another in this process; a unit runs while somebody waits for it."""

    def __init__(self, opening: Opening, events: Reporter) -> None:
        self._worker = Worker(Store(opening.store))
        self._events = events
        self._units: deque[tuple[str, Unit]] = deque()
        self._submitted = 0

    @property
    def size(self) -> int:
        return 1

    def slots(self, needs: Needs) -> int:
        return 0 if self._units else 1

    def submit(self, unit: Unit, needs: Needs) -> str:
        self._submitted += 1
        handle = f"here-{self._submitted}"
        self._units.append((handle, unit))
        return handle

    def attach(self, handles: Sequence[str]) -> list[str]:
        return []  # What ran in a process that is gone runs no more.

    def wait(self, handles: Sequence[str], timeout: float) -> list[Done]:
        if not self._units:
            return []
        handle, unit = self._units.popleft()
        with _without_input():
            return [run_unit(unit, self._worker, self._events, handle)]

    def cancel(self, handles: Sequence[str]) -> None:
        self._units = deque(entry for entry in self._units if entry[0] not in handles)

    def close(self) -> None:
        self._units.clear()


@contextmanager
def _without_input() -> Iterator[None]:
    """Nobody answers what a library asks: it reads the end of the file, as in worker processes."""
    given = sys.stdin
    with open(os.devnull, encoding="utf-8") as nothing:
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = given


def _open(opening: Opening, events: Reporter) -> Session:
    """One worker is this process; more are processes of one thread each, which end with it."""
    return InProcess(opening, events) if opening.workers <= 1 else WorkerPool(opening, events)


LOCAL = Executor("local", "processes of this machine", _open)
