"""A worker process: runs units for a parent that speaks JSON lines.

    python -m crosswind.run.worker STORE

Standard input brings one unit a line, with its handle; the events of its steps and at last how it ended go to standard
output. The end of standard input means that the parent is gone: the worker ends at once, with its children, so that a
new run finds the locks free.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import IO, Any

from crosswind.run.job import Worker
from crosswind.run.step import Step
from crosswind.run.store import Store
from crosswind.run.unit import Unit, run_unit


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


def _main(store_url: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print goes to the log that standard error is, never between two events; nobody answers what they
    # ask.
    commands = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stream:
        os.dup2(2, 1)
        # A worker is mostly killed: what waits in a buffer would be lost.
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        units: SimpleQueue[dict[str, Any]] = SimpleQueue()
        threading.Thread(target=_listen, args=(commands, units), daemon=True).start()
        events = Forward(stream)
        logging.getLogger("crosswind").addHandler(events)
        worker = Worker(Store(store_url))
        while True:
            value = units.get()
            done = run_unit(Unit.from_json(value["unit"]), worker, events, value["handle"])
            events.send("ended", done.to_json())


def _listen(commands: IO[str], units: SimpleQueue[dict[str, Any]]) -> None:
    for line in commands:
        units.put(json.loads(line))
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    _main(*sys.argv[1:])
