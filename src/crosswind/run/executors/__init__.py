"""Engines that run a plan: one file each, declaring an `Executor`."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from crosswind.registry import Registry
from crosswind.run.folders import write_json
from crosswind.run.outcome import Failure, Outcome
from crosswind.run.progress import Reporter
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store


class Entry(Protocol):
    """What an entry "package.module:function" names: runs one group's steps, inputs first.

    It publishes each step through the store (see `outcome.produce_each`) and returns the failures
    by key. It may be called in any process, many times.
    """

    def __call__(self, steps: Sequence[Step], store: Store, graph: Graph, reporter: Reporter) -> dict[str, Failure]: ...


class Run(Protocol):
    """Runs what is missing of the wanted steps and says how it ended."""

    def __call__(
        self,
        graph: Graph,
        wanted: Collection[str],
        store: Store,
        entry: str,
        *,
        workers: int = 1,
        reporter: Reporter,
        plan_file: Path,
    ) -> Outcome: ...


@dataclass(frozen=True)
class Executor:
    """An engine by name."""

    name: str
    summary: str
    run: Run


EXECUTORS: Registry[Executor] = Registry("executor", "crosswind.run.executors", "crosswind.executors", Executor)


def write_plan(graph: Graph, path: Path) -> None:
    """Write a graph as JSON, for workers to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"steps": [graph[key].to_json() for key in graph]})


def read_plan(path: Path) -> Graph:
    """The graph that `write_plan` wrote."""
    return Graph(Step.from_json(s) for s in json.loads(path.read_bytes())["steps"])
