"""Stopping a run: Ctrl-C, and the signals by which a terminal or a scheduler ends a process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")


class Stopped(BaseException):
    """Raised where the program is when it is asked to stop; no `except Exception` and no library swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.name = signal.Signals(number).name
        self.code = 128 + number  # as shells report it


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise `Stopped` at these signals until the block ends, so that workers are ended and drafts removed.

    A signal that is ignored from outside (by nohup, or for a background job) stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Only the main thread may say what signals do.
        return
    before = {}
    for number in (getattr(signal, name) for name in STOPPING if hasattr(signal, name)):
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
