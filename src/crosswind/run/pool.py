"""Worker processes of this machine, replaced when they die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from crosswind.run.outcome import Failure
from crosswind.run.progress import Reporter
from crosswind.run.schedule import Schedule
from crosswind.run.step import Step
from crosswind.run.store import Store

THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB", "RAYON")
POLL = 0.5  # seconds between two looks at whether silent workers live

Messages = SimpleQueue[tuple["Worker", list[Any] | None]]


class Worker:
    """One process; what it sends arrives in `messages`, then `None` when it has ended."""

    def __init__(self, command: list[str], log: Path, messages: Messages) -> None:
        self.steps: Sequence[Step] = ()
        self.running: str | None = None
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=_environment(),
                start_new_session=True,  # Ctrl-C reaches the parent, which ends its workers.
            )
        threading.Thread(target=self._listen, args=(self.process.stdout, messages), daemon=True).start()

    def give(self, steps: Sequence[Step]) -> None:
        self.steps, self.running = steps, None
        line = json.dumps([step.key for step in steps]) + "\n"
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # It has died, which its last message tells.
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()

    def end(self) -> None:
        """End it and whatever it started, now; what it had not published is lost."""
        if hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.process.wait()

    def epitaph(self) -> Failure:
        """Why it died, as a failure of the step it ran."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)  # It closes its output a little before it ends.
        self.end()
        code = self.process.wait()
        if code < 0:
            name = signal.Signals(-code).name
            memory = " (out of memory?)" if name == "SIGKILL" else ""
            return Failure(f"the worker process was killed by {name}{memory}; see {self.log}")
        return Failure(f"the worker process ended with exit code {code}; see {self.log}")

    def _listen(self, output: IO[bytes], messages: Messages) -> None:
        for line in output:
            try:
                messages.put((self, json.loads(line)))
            except ValueError:
                break  # Killed in the middle of a line.
        messages.put((self, None))


class Pool:
    """Up to `size` workers that run the units of a schedule."""

    def __init__(self, size: int, entry: str, store: Store, plan_file: Path, reporter: Reporter) -> None:
        self._size, self._store, self._reporter, self._folder = size, store, reporter, plan_file.parent
        plan = str(plan_file.absolute())
        self._command = [sys.executable, "-P", "-m", "crosswind.run.worker", plan, str(store.root), entry]
        self._messages: Messages = SimpleQueue()
        self._idle: list[Worker] = []
        self._busy: list[Worker] = []

    def run(self, schedule: Schedule, ending: Callable[[Sequence[Step], dict[str, Failure]], None]) -> None:
        """Run every unit; `ending` is told each unit's steps and failures."""
        try:
            while not schedule.finished:
                self._start(schedule)
                assert self._busy, "no unit is ready and none runs"
                for worker, message in self._arrived():
                    if worker not in self._busy:
                        continue
                    if message is None:
                        self._bury(worker, schedule, ending)
                    elif message[0] == "ended":
                        self._busy.remove(worker)
                        self._idle.append(worker)
                        ending(worker.steps, {key: Failure(*values) for key, values in message[1].items()})
                    else:
                        self._hear(worker, *message)
        finally:
            for worker in (*self._idle, *self._busy):
                worker.end()
            self._store.sweep()

    def _start(self, schedule: Schedule) -> None:
        for worker in [w for w in self._idle if w.process.poll() is not None]:
            self._idle.remove(worker)
            worker.end()
        while len(self._busy) < self._size and (steps := schedule.take()) is not None:
            worker = self._idle.pop() if self._idle else self._hire()
            self._busy.append(worker)
            worker.give(steps)

    def _hire(self) -> Worker:
        taken = {w.log.name for w in (*self._idle, *self._busy)}
        name = next(n for n in (f"worker-{i}.log" for i in range(1, self._size + 2)) if n not in taken)
        return Worker(self._command, self._folder / name, self._messages)

    def _arrived(self) -> Iterable[tuple[Worker, list[Any] | None]]:
        try:
            return [self._messages.get(timeout=POLL)]
        except Empty:
            # A grandchild may hold a dead worker's pipe open, which then never ends.
            return [(w, None) for w in self._busy if w.process.poll() is not None]

    def _hear(self, worker: Worker, event: str, *values: Any) -> None:
        if event == "started":
            worker.running = values[0]
        elif event in ("finished", "failed"):
            worker.running = None
        if event != "failed":  # Told once, when the unit has ended.
            getattr(self._reporter, event)(*values)

    def _bury(
        self, worker: Worker, schedule: Schedule, ending: Callable[[Sequence[Step], dict[str, Failure]], None]
    ) -> None:
        """Fail the step that the dead worker ran; hand out the rest of its unit again if it had got somewhere."""
        self._busy.remove(worker)
        failure = worker.epitaph()
        published = [s for s in worker.steps if self._store.has(s.key)]
        if not published:
            ending(worker.steps, {step.key: failure for step in worker.steps})
            return
        # It may have died after publishing a step and before saying so: then no step is at fault.
        at_fault = [s for s in worker.steps if s.key == worker.running and s not in published]
        ending([*published, *at_fault], {step.key: failure for step in at_fault})
        schedule.again([s for s in worker.steps if s not in published and s not in at_fault])


def _environment() -> dict[str, str]:
    """One thread a worker, set before anything is imported, and this process's import path."""
    one = {f"{name}_NUM_THREADS": "1" for name in THREADS}
    path = os.pathsep.join(os.path.abspath(p) for p in sys.path)
    return {**os.environ, **one, "VECLIB_MAXIMUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": path}
