"""The loop over a schedule, the same for every executor."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from crosswind.run.checked import Checked
from crosswind.run.demand import needed
from crosswind.run.executors import Executor, Opening, Session
from crosswind.run.kinds import STEPS, Needs
from crosswind.run.outcome import Failure, Outcome
from crosswind.run.progress import Reporter
from crosswind.run.schedule import Schedule
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.run.unit import Done, Unit

PATIENCE = 60.0  # seconds after which the loop looks at what runs, even if nobody said anything
PAUSE = 1.0  # seconds between two questions for a free slot while nothing runs
REFUSALS = 600  # how often an executor may have no slot at all while nothing runs
TRIES = 2  # a step whose worker was lost this often has failed
ROUNDS = 3  # how often what turns out to be damaged or gone while it is read is computed again


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
    when that happens twice. An input that is damaged or gone when a step reads it is computed again. `folder`
    receives `units.jsonl` (what was handed out), `checked.json` (what was hashed), tracebacks in `failures.log` and
    what the executor writes. An interrupt is raised after the workers have ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store.watch(Checked(folder / "checked.json"))
    (folder / "failures.log").unlink(missing_ok=True)
    missing = needed(graph, wanted, store, verify=True)
    absent = set(missing)
    there = [key for key in graph if key not in absent and store.has(key)]
    outcome = Outcome(cached=[key for key in dict.fromkeys(wanted) if key not in absent], there=there)
    if there:
        reporter.log(f"{len(there):,} of {len(graph):,} steps are there already")
    opening = Opening(str(store.root), folder, workers)
    for left in reversed(range(ROUNDS)):
        if not missing:
            break
        ended = _round(graph, missing, store, executor, opening, reporter, again=left > 0)
        lacking = {failure.lacking for failure in ended.failed.values()} - {""} if left else set()
        for key in lacking:
            store.forget(key)
        outcome.add(ended)
        outcome.failed = {key: f for key, f in outcome.failed.items() if f.lacking not in lacking}
        missing = needed(graph, _possible(graph, wanted, outcome.failed), store, verify=True) if lacking else []
    settled = {*outcome.done, *outcome.failed}
    outcome.skipped = {key: reason for key, reason in outcome.skipped.items() if key not in settled}
    outcome.cached = [key for key in outcome.cached if key not in settled]
    outcome.there = [key for key in outcome.there if key not in settled]
    return outcome


def _round(
    graph: Graph,
    missing: Sequence[str],
    store: Store,
    executor: Executor,
    opening: Opening,
    reporter: Reporter,
    *,
    again: bool,
) -> Outcome:
    """Run what is missing; `again`: what fails for want of an input will have another round."""
    schedule = Schedule(graph, missing)
    reporter.planned([graph[key] for key in missing])
    session = executor.open(opening, reporter)
    try:
        _Loop(graph, schedule, store, session, reporter, opening.folder, again).run()
    finally:
        session.close()
        store.sweep()
        store.checked.save()
    return schedule.outcome


def _possible(graph: Graph, wanted: Collection[str], failed: Collection[str]) -> list[str]:
    """What is wanted and needs nothing that failed."""
    lost: set[str] = set()
    for key in graph:
        if key in failed or not lost.isdisjoint(graph[key].inputs.values()):
            lost.add(key)
    return [key for key in wanted if key not in lost]


class _Loop:
    def __init__(
        self,
        graph: Graph,
        schedule: Schedule,
        store: Store,
        session: Session,
        reporter: Reporter,
        folder: Path,
        again: bool,
    ) -> None:
        self.graph, self.schedule, self.store, self.session = graph, schedule, store, session
        self.reporter, self.folder, self.another_round = reporter, folder, again
        self.units: dict[str, Unit] = {}
        self.lost: Counter[str] = Counter()
        self.needs: dict[str, Needs] = {}

    def run(self) -> None:
        self._attach()
        prefer, refused = "", 0
        while not self.schedule.finished:
            while self._submit(prefer):
                refused = 0
            if not self.units:
                refused += 1
                if refused > REFUSALS:
                    self._give_up()
                time.sleep(PAUSE)
                continue
            for done in self.session.wait([*self.units], PATIENCE):
                prefer = self._ended(done)

    def _give_up(self) -> None:
        """Fail what is ready and fits nowhere."""
        while (steps := self.schedule.take()) is not None:
            failure = Failure("the executor has had no worker for it: see what it needs (a GPU?) and what there is")
            self._settled(steps, [], {step.key: failure for step in steps})

    def _attach(self) -> None:
        """Go on with what an earlier run of this folder handed out and what runs still."""
        earlier = _unfinished(self.folder / "units.jsonl")
        for handle in self.session.attach([*earlier]):
            steps = tuple(self.schedule.claim(earlier[handle]))
            if steps:
                self.units[handle] = Unit.of(steps, self.graph.context)
            else:
                self.session.cancel([handle])  # Nobody wants it any more.
                self._log({"handle": handle, "ended": 0, "lost": True, "node": ""})

    def _submit(self, prefer: str) -> bool:
        def fits(step: Step) -> bool:
            return self.session.slots(self._needs(step)) > 0

        slots = max(self.session.size, 1)
        steps = self.schedule.take(slots, prefer=prefer, fits=fits)
        if steps is None:
            return False
        unit = Unit.of(tuple(steps), self.graph.context)
        needs = Needs()
        for step in steps:
            needs = needs.joined(self._needs(step))
        handle = self.session.submit(unit, needs)
        self.units[handle] = unit
        self._log({"handle": handle, "keys": [step.key for step in steps]})
        return True

    def _needs(self, step: Step) -> Needs:
        if step.key not in self.needs:
            kind = STEPS[step.kind]
            self.needs[step.key] = kind.needs(kind.load(step.params))
        return self.needs[step.key]

    def _ended(self, done: Done) -> str:
        unit = self.units.pop(done.handle, None)
        if unit is None:
            return ""  # Told twice, or another run's.
        published = [step.key for step in unit.steps if self.store.has(step.key)]
        self._log({"handle": done.handle, "ended": len(published), "lost": done.lost, "node": done.node})
        failures = dict(done.failures)
        again: list[Step] = []
        if done.lost:
            again = [step for step in unit.steps if step.key not in published and step.key not in failures]
            reason = done.reason or "its worker was lost"
            keys = {step.key for step in again}
            # Of a worker that died before it began, no step is at fault more than another.
            blamed = [done.running] if done.running in keys else sorted(keys) if not published else [again[0].key]
            self.lost.update(blamed)
            twice = {key for key in blamed if self.lost[key] >= TRIES}
            failures |= {key: Failure(f"{reason} (twice)") for key in twice}
            again = [step for step in again if step.key not in twice]
            if again and not twice:
                self.reporter.log(f"{self.graph[blamed[0]].label}: {reason}; once more")
        going = {step.key for step in again}
        self._settled([step for step in unit.steps if step.key not in going], published, failures)
        self.schedule.again(again)
        return unit.affinity

    def _settled(self, steps: Sequence[Step], published: Sequence[str], failures: Mapping[str, Failure]) -> None:
        self.schedule.settle(steps, published, failures)
        for step in steps:
            failure = self.schedule.outcome.failed.get(step.key)
            if failure is None:
                continue
            if failure.lacking and self.another_round:
                self.reporter.log(f"{step.label}: {failure.message}; once more")
            else:
                self.reporter.failed(step.key, failure.message)
                self._write(step, failure)

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
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            value = json.loads(line)
            handle = str(value["handle"])
        except (ValueError, TypeError, KeyError):
            continue  # The last line of a killed run may be cut.
        if isinstance(keys := value.get("keys"), list):
            open_units[handle] = [str(key) for key in keys]
        else:
            open_units.pop(handle, None)
    return open_units
