"""Engines that run units: one file each, declaring an `Executor`.

An executor knows nothing of graphs and schedules: it opens a session, takes units, says how they ended. Everything that
passes is JSON; steps and results go through the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crosswind.registry import Registry
from crosswind.run.kinds import Needs
from crosswind.run.machine import Hardware, resolve_here
from crosswind.run.progress import Reporter
from crosswind.run.unit import Done, Unit


@dataclass(frozen=True)
class Opening:
    """What a session is opened with: the store's URL, a folder for logs, and how many workers the user asked for."""

    store: str
    folder: Path
    workers: int = 1


class Session(Protocol):
    """An engine at work."""

    @property
    def size(self) -> int:
        """How many units of one core run at once."""
        ...

    def slots(self, needs: Needs) -> int:
        """How many more units with these needs may be submitted now."""
        ...

    def submit(self, unit: Unit, needs: Needs) -> str:
        """Take a unit; its handle, a text by which any process can ask for it."""
        ...

    def attach(self, handles: Sequence[str]) -> list[str]:
        """Of the units that an earlier session was given, those that run still or whose end was not told yet."""
        ...

    def wait(self, handles: Sequence[str], timeout: float) -> list[Done]:
        """The units that have ended, each told once; nothing if none has within `timeout` seconds."""
        ...

    def cancel(self, handles: Sequence[str]) -> None:
        """End these units; what they had not published is lost."""
        ...

    def close(self) -> None:
        """End everything that runs."""
        ...


@dataclass(frozen=True)
class Executor:
    """An engine by name. `open(opening, events)` begins a session that tells `events` what happens to steps.

    `resolve` turns a wish for a device and precision into what its workers have, before keys are made.
    """

    name: str
    summary: str
    open: Callable[[Opening, Reporter], Session]
    resolve: Callable[[Hardware], Hardware] = resolve_here


EXECUTORS: Registry[Executor] = Registry("executor", "crosswind.run.executors", "crosswind.executors", Executor)
