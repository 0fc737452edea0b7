"""A worker process: runs units of a plan for a parent that speaks JSON lines.

    python -m crosswind.run.worker PLAN STORE ENTRY

Standard input brings one list of keys a line; the events of their steps and at last their failures
go to standard output. The end of standard input means that the parent is gone: the worker ends at
once, with its children, so that a new run finds the locks free.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from crosswind.run.executors import read_plan
from crosswind.run.step import Step
from crosswind.run.store import Store
from crosswind.run.unit import run_unit


class Forward(logging.Handler):
    """A reporter, and a log handler, that sends what it hears to the parent."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(logging.WARNING)
        self._stream = stream
        self._sending = threading.Lock()

    def send(self, event: str, *values: Any) -> None:
        with self._sending:
            self._stream.write(json.dumps([event, *values]) + "\n")
            self._stream.flush()

    def emit(self, record: logging.LogRecord) -> None:
        self.send("log", record.getMessage())

    def planned(self, steps: Sequence[Step]) -> None:
        return None

    def started(self, key: str) -> None:
        self.send("started", key)

    def advanced(self, key: str, done: float, total: float, note: str = "") -> None:
        self.send("advanced", key, float(done), float(total), note)

    def finished(self, key: str, note: str = "") -> None:
        self.send("finished", key, note)

    def failed(self, key: str, message: str) -> None:
        self.send("failed", key, message)

    def log(self, text: str) -> None:
        self.send("log", text)


def main(plan: str, store_url: str, entry: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print goes to the log that standard error is, never between two events.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stream:
        os.dup2(2, 1)
        commands: SimpleQueue[list[str]] = SimpleQueue()
        threading.Thread(target=_listen, args=(commands,), daemon=True).start()
        reporter = Forward(stream)
        logging.getLogger("crosswind").addHandler(reporter)
        graph, store = read_plan(Path(plan)), Store(store_url)
        while True:
            steps = [graph[key] for key in commands.get()]
            failures = run_unit(entry, steps, store, graph, reporter)
            reporter.send("ended", {key: [f.message, f.traceback] for key, f in failures.items()})


def _listen(commands: SimpleQueue[list[str]]) -> None:
    for line in sys.stdin:
        commands.put(json.loads(line))
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
