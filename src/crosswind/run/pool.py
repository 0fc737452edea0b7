"""Worker processes of this machine, replaced when they die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from crosswind.run.kinds import Needs
from crosswind.run.machine import gpu_count
from crosswind.run.progress import Reporter
from crosswind.run.unit import Done, Unit

if TYPE_CHECKING:
    from crosswind.run.executors import Opening

THREADS = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB", "RAYON")
POLL = 0.5  # seconds between two looks at whether silent workers live

Messages = SimpleQueue[tuple["WorkerProcess", list[Any] | None]]


class WorkerProcess:
    """One process; what it sends arrives in `messages`, then `None` when it has ended."""

    def __init__(self, command: list[str], log: Path, messages: Messages) -> None:
        self.handle = ""
        self.running: str | None = None
        self.affinity = ""
        self.gpus = 0
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=worker_environment(),
                start_new_session=True,  # Ctrl-C reaches the parent, which ends its workers.
            )
        threading.Thread(target=self._listen, args=(self.process.stdout, messages), daemon=True).start()

    def give(self, handle: str, unit: Unit) -> None:
        self.handle, self.running, self.affinity = handle, None, unit.affinity
        line = json.dumps({"handle": handle, "unit": unit.to_json()}) + "\n"
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

    def epitaph(self) -> str:
        """Why it died."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=5)  # It closes its output a little before it ends.
        self.end()
        code = self.process.wait()
        if code < 0:
            name = signal.Signals(-code).name
            memory = " (out of memory?)" if name == "SIGKILL" else ""
            return f"the worker process was killed by {name}{memory}; see {self.log}"
        return f"the worker process ended with exit code {code}; see {self.log}"

    def _listen(self, output: IO[bytes], messages: Messages) -> None:
        for line in output:
            try:
                messages.put((self, json.loads(line)))
            except ValueError:
                break  # Killed in the middle of a line.
        messages.put((self, None))


class WorkerPool:
    """A session of up to `opening.workers` processes."""

    def __init__(self, opening: Opening, events: Reporter) -> None:
        self._size, self._events, self._folder = opening.workers, events, opening.folder
        self._command = [sys.executable, "-P", "-m", "crosswind.run.worker", opening.store]
        self._messages: Messages = SimpleQueue()
        self._idle: list[WorkerProcess] = []
        self._busy: dict[str, WorkerProcess] = {}
        self._submitted = 0

    @property
    def size(self) -> int:
        return self._size

    def slots(self, needs: Needs) -> int:
        free = self._size - len(self._busy)
        if needs.gpus:
            used = sum(worker.gpus for worker in self._busy.values())
            free = min(free, (gpu_count() - used) // needs.gpus)
        return free

    def submit(self, unit: Unit, needs: Needs) -> str:
        self._submitted += 1
        handle = f"local-{os.getpid()}-{self._submitted}"
        worker = self._hire(unit.affinity)
        self._busy[handle] = worker
        worker.gpus = needs.gpus
        worker.give(handle, unit)
        return handle

    def attach(self, handles: Sequence[str]) -> list[str]:
        return []  # Workers end with the process that hired them.

    def wait(self, handles: Sequence[str], timeout: float) -> list[Done]:
        deadline = monotonic() + timeout
        ended: list[Done] = []
        while not ended and monotonic() < deadline:
            for worker, message in self._arrived():
                if worker.handle not in self._busy:
                    continue
                if message is None:
                    ended.append(self._bury(worker))
                elif message[0] == "ended":
                    self._idle.append(self._busy.pop(worker.handle))
                    ended.append(Done.from_json(message[1]))
                else:
                    self._hear(worker, *message)
        return ended

    def cancel(self, handles: Sequence[str]) -> None:
        for handle in handles:
            if handle in self._busy:
                self._busy.pop(handle).end()

    def close(self) -> None:
        for worker in (*self._idle, *self._busy.values()):
            worker.end()
        self._idle, self._busy = [], {}

    def _hire(self, affinity: str) -> WorkerProcess:
        """An idle worker, if possible one that holds the unit's model, or a new one."""
        for worker in [w for w in self._idle if w.process.poll() is not None]:
            self._idle.remove(worker)
            worker.end()
        if self._idle:
            alike = [worker for worker in self._idle if worker.affinity == affinity]
            chosen = (alike or self._idle)[-1]
            self._idle.remove(chosen)
            return chosen
        taken = {worker.log.name for worker in self._busy.values()}
        name = next(n for n in (f"worker-{i}.log" for i in range(1, self._size + 2)) if n not in taken)
        return WorkerProcess(self._command, self._folder / name, self._messages)

    def _arrived(self) -> list[tuple[WorkerProcess, list[Any] | None]]:
        try:
            return [self._messages.get(timeout=POLL)]
        except Empty:
            # A grandchild may hold a dead worker's pipe open, which then never ends.
            return [(worker, None) for worker in self._busy.values() if worker.process.poll() is not None]

    def _hear(self, worker: WorkerProcess, event: str, *values: Any) -> None:
        if event == "started":
            worker.running = values[0]
        elif event in ("finished", "failed"):
            worker.running = None
        if event != "failed":  # Told once, when the unit has ended.
            getattr(self._events, event)(*values)

    def _bury(self, worker: WorkerProcess) -> Done:
        handle = worker.handle
        del self._busy[handle]
        return Done(handle, lost=True, running=worker.running, reason=worker.epitaph())


def worker_environment() -> dict[str, str]:
    """One thread a worker, set before anything is imported, and this process's import path."""
    one = {f"{name}_NUM_THREADS": "1" for name in THREADS}
    path = os.pathsep.join(os.path.abspath(p) for p in sys.path)
    return {**os.environ, **one, "VECLIB_MAXIMUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": path}
