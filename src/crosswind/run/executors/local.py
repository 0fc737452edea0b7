"""Runs a plan on this machine: in this process, or in worker processes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from crosswind.run.demand import needed
from crosswind.run.executors import Executor, write_plan
from crosswind.run.outcome import Failure, Outcome
from crosswind.run.pool import Pool
from crosswind.run.progress import Reporter
from crosswind.run.schedule import Schedule
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.run.unit import run_unit


def run(
    graph: Graph,
    wanted: Collection[str],
    store: Store,
    entry: str,
    *,
    workers: int = 1,
    reporter: Reporter,
    plan_file: Path,
) -> Outcome:
    """Run what is missing of the wanted steps and what that needs; `entry` is "package.module:function".

    One worker is this process; more are processes of one thread each, which end with it. A failed
    step loses its dependents only. Tracebacks go to `failures.log` beside the plan, what workers
    print to `worker-N.log`. Raises KeyboardInterrupt after the workers have ended.
    """
    write_plan(graph, plan_file)
    missing = needed(graph, wanted, store, verify=True)
    schedule = Schedule(graph, missing)
    schedule.outcome.cached.extend(key for key in graph if key in set(wanted) - set(missing))
    if missing:
        reporter.planned([graph[key] for key in missing])
        log = plan_file.with_name("failures.log")
        log.unlink(missing_ok=True)
        ending = Ending(schedule, store, reporter, log)
        if workers <= 1:
            while (steps := schedule.take()) is not None:
                ending(steps, run_unit(entry, steps, store, graph, reporter))
        else:
            Pool(workers, entry, store, plan_file, reporter).run(schedule, ending)
    return schedule.outcome


class Ending:
    """What is done when a unit has ended: settle its steps, tell the user what failed."""

    def __init__(self, schedule: Schedule, store: Store, reporter: Reporter, log: Path) -> None:
        self._schedule, self._store, self._reporter, self._log = schedule, store, reporter, log

    def __call__(self, steps: Sequence[Step], failures: dict[str, Failure]) -> None:
        published = [step.key for step in steps if self._store.has(step.key)]
        self._schedule.settle(steps, published, failures)
        for step in steps:
            failure = self._schedule.outcome.failed.get(step.key)
            if failure is not None:
                self._reporter.failed(step.key, failure.message)
                self._write(step, failure)

    def _write(self, step: Step, failure: Failure) -> None:
        if failure.traceback:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(f"{step.label or step.kind}  {step.key}\n{failure.traceback}\n")


LOCAL = Executor("local", "processes of this machine", run)
