"""The loop over a schedule, the same for every executor."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from crosswind.run.checked import Checked
from crosswind.run.demand import needed
from crosswind.run.executors import Executor, Opening, Session
from crosswind.run.kinds import STEPS
from crosswind.run.outcome import Failure, Outcome
from crosswind.run.progress import Reporter
from crosswind.run.schedule import Schedule
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.run.unit import Done, Unit

PATIENCE = 60.0  # seconds after which the loop looks at what runs, even if nobody said anything
TRIES = 2  # a step whose worker was lost this often has failed


def run_graph(
    graph: Graph,
    wanted: Collection[str],
    store: Store,
    executor: Executor,
    *,
    workers: int = 1,
    reporter: Reporter,
    folder: Path,
) -> Outcome:
    """Run what is missing of the wanted steps and what that needs.

    A failed step loses its dependents only. A unit whose worker was lost goes again; the step that ran then fails
    when that happens twice. `folder` receives `units.jsonl` (what was handed out), `checked.json` (what was hashed),
    tracebacks in `failures.log` and what the executor writes. Raises KeyboardInterrupt after the workers have ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store.watch(Checked(folder / "checked.json"))
    missing = needed(graph, wanted, store, verify=True)
    schedule = Schedule(graph, missing)
    absent = set(missing)
    schedule.outcome.cached.extend(key for key in dict.fromkeys(wanted) if key not in absent)
    if missing:
        reporter.planned([graph[key] for key in missing])
        (folder / "failures.log").unlink(missing_ok=True)
        opening = Opening(str(store.root), folder, workers)
        session = executor.open(opening, reporter)
        try:
            _Loop(graph, schedule, store, session, reporter, folder).run()
        finally:
            session.close()
            store.sweep()
    store.checked.save()
    return schedule.outcome


class _Loop:
    def __init__(
        self, graph: Graph, schedule: Schedule, store: Store, session: Session, reporter: Reporter, folder: Path
    ) -> None:
        self.graph, self.schedule, self.store, self.session = graph, schedule, store, session
        self.reporter, self.folder = reporter, folder
        self.units: dict[str, Unit] = {}
        self.lost: Counter[str] = Counter()

    def run(self) -> None:
        self._attach()
        prefer = ""
        while not self.schedule.finished:
            while self._submit(prefer):
                continue
            assert self.units, "no unit is ready and none runs"
            for done in self.session.wait([*self.units], PATIENCE):
                prefer = self._ended(done)

    def _attach(self) -> None:
        """Go on with what an earlier run of this folder handed out and what runs still."""
        earlier = _unfinished(self.folder / "units.jsonl")
        for handle in self.session.attach([*earlier]):
            steps = tuple(self.schedule.claim(earlier[handle]))
            if steps:
                self.units[handle] = Unit.of(steps, self.graph.context)

    def _submit(self, prefer: str) -> bool:
        def fits(step: Step) -> bool:
            kind = STEPS[step.kind]
            return self.session.slots(kind.needs(kind.load(step.params))) > 0

        slots = max(self.session.size, 1)
        steps = self.schedule.take(slots, prefer=prefer, fits=fits)
        if steps is None:
            return False
        unit = Unit.of(tuple(steps), self.graph.context)
        handle = self.session.submit(unit, unit.needs)
        self.units[handle] = unit
        self._log({"handle": handle, "keys": [step.key for step in steps]})
        return True

    def _ended(self, done: Done) -> str:
        unit = self.units.pop(done.handle)
        published = [step.key for step in unit.steps if self.store.has(step.key)]
        self._log({"handle": done.handle, "ended": len(published), "lost": done.lost, "node": done.node})
        failures = dict(done.failures)
        again: list[Step] = []
        if done.lost:
            again = [step for step in unit.steps if step.key not in published and step.key not in failures]
            running = done.running or (again[0].key if again else "")
            if running and running not in published:
                self.lost[running] += 1
                if self.lost[running] >= TRIES:
                    failures[running] = Failure(f"{done.reason or 'its worker was lost'} (twice)")
                    again = [step for step in again if step.key != running]
                else:
                    self.reporter.log(f"{self.graph[running].label}: {done.reason or 'its worker was lost'}; once more")
        going = {step.key for step in again}
        settled = [step for step in unit.steps if step.key not in going]
        self.schedule.settle(settled, published, failures)
        self.schedule.again(again)
        for step in settled:
            failure = self.schedule.outcome.failed.get(step.key)
            if failure is not None:
                self.reporter.failed(step.key, failure.message)
                self._write(step, failure)
        return unit.affinity

    def _write(self, step: Step, failure: Failure) -> None:
        if failure.traceback:
            with (self.folder / "failures.log").open("a", encoding="utf-8") as file:
                file.write(f"{step.label or step.kind}  {step.key}\n{failure.traceback}\n")

    def _log(self, value: dict[str, Any]) -> None:
        with (self.folder / "units.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")


def _unfinished(path: Path) -> dict[str, list[str]]:
    """Handle -> keys of the units that were handed out and not seen to end."""
    open_units: dict[str, list[str]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue  # The last line of a killed run may be cut.
        if "keys" in value:
            open_units[value["handle"]] = value["keys"]
        else:
            open_units.pop(value["handle"], None)
    return open_units
