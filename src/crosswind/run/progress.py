"""Progress of a run, as told to a person: what is running, what was found, how much time is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

from crosswind.run.step import Step

HEARTBEAT = 30  # seconds between two lines about a long step


class Reporter(Protocol):
    """Hears what happens to the steps of a run.

    `done` and `total` of `advanced` are in any unit, `note` says what was found: a loss, a score.
    """

    def planned(self, steps: Sequence[Step]) -> None:
        """These steps will run."""

    def started(self, key: str) -> None:
        """A step began."""

    def advanced(self, key: str, done: float, total: float, note: str = "") -> None:
        """A step is at `done` of `total`."""

    def finished(self, key: str, note: str = "") -> None:
        """A step was published."""

    def failed(self, key: str, message: str) -> None:
        """A step failed for this reason."""

    def log(self, text: str) -> None:
        """A line for the reader that belongs to no step."""


@dataclass(frozen=True)
class Running:
    """A step under way: its share done, in [0, 1], and its last note."""

    label: str
    share: float = 0.0
    note: str = ""


class Tally(AbstractContextManager["Tally"]):
    """Counts what happens and shows nothing; the base of the displays.

    Shares are of the steps' cost; steps that cost nothing weigh a thousandth of the mean.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.begun = clock()
        self.labels: dict[str, str] = {}
        self.running: dict[str, Running] = {}
        self.settled: set[str] = set()
        self._weights: dict[str, float] = {}

    def __exit__(self, *error: object) -> None:
        return None

    def planned(self, steps: Sequence[Step]) -> None:
        self.begun = self.clock()
        mean = sum(s.cost for s in steps) / len(steps) if steps else 0.0
        self._weights = {s.key: s.cost or mean / 1000 or 1.0 for s in steps}
        self.labels = {s.key: s.label or f"{s.kind} {s.key[:8]}" for s in steps}

    def started(self, key: str) -> None:
        self.running[key] = Running(self.label(key))

    def advanced(self, key: str, done: float, total: float, note: str = "") -> None:
        before = self.running.get(key, Running(self.label(key)))
        share = min(1.0, max(0.0, done / total)) if total > 0 else 0.0
        self.running[key] = Running(before.label, share, note or before.note)

    def finished(self, key: str, note: str = "") -> None:
        self._settle(key)

    def failed(self, key: str, message: str) -> None:
        self._settle(key)

    def log(self, text: str) -> None:
        return None

    def label(self, key: str) -> str:
        return self.labels.get(key, key[:8])

    def share(self) -> float:
        """The share of the planned cost that is done, in [0, 1]."""
        total = sum(self._weights.values())
        done = sum(self._weights.get(k, 0.0) for k in self.settled)
        done += sum(self._weights.get(k, 0.0) * r.share for k, r in [*self.running.items()])
        return done / total if total else 1.0

    def seconds_left(self) -> float | None:
        """Estimated from the cost done per second so far; `None` before a hundredth is done."""
        share = self.share()
        return (self.clock() - self.begun) * (1 - share) / share if share >= 0.01 else None

    def _settle(self, key: str) -> None:
        self.running.pop(key, None)
        self.settled.add(key)


Silent = Tally


class PlainLines(Tally):
    """Plain lines for a log file: failures at once, finished steps at most once a second.

    When nothing was said for half a minute, the step that advances is.
    """

    def __init__(self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.stream = sys.stderr if stream is None else stream
        self._last = self.begun
        self._held: list[str] = []

    def __exit__(self, *error: object) -> None:
        self._flush()

    def advanced(self, key: str, done: float, total: float, note: str = "") -> None:
        super().advanced(key, done, total, note)
        if self.clock() - self._last >= HEARTBEAT:
            self._flush()
            self._say(f"{self.label(key)}  {note}".rstrip())

    def finished(self, key: str, note: str = "") -> None:
        super().finished(key, note)
        self._held.append(f"{self.label(key)}  {note}".rstrip())
        if self.clock() - self._last >= 1:
            self._flush()

    def failed(self, key: str, message: str) -> None:
        super().failed(key, message)
        self._flush()
        self.log(f"FAILED {self.label(key)}: {message}")

    def log(self, text: str) -> None:
        print(text, file=self.stream, flush=True)

    def _flush(self) -> None:
        if self._held:
            more = f"  (and {len(self._held) - 1} more)" if len(self._held) > 1 else ""
            self._say(self._held[-1] + more)
            self._held.clear()

    def _say(self, text: str) -> None:
        left = self.seconds_left()
        self.log(f"[{100 * self.share():3.0f} %] {text}{f'  {duration(left)} left' if left else ''}")
        self._last = self.clock()


def display(*, quiet: bool = False) -> Tally:
    """A reporter, shown until its block ends, that suits standard error.

    A live display on a terminal, plain lines elsewhere, nothing when quiet.
    """
    if quiet:
        return Silent()
    if sys.stderr.isatty():
        from crosswind.run.live import Live

        return Live()
    return PlainLines()


def duration(seconds: float) -> str:
    """Seconds for a person: `40 s`, `12 min`, `3 h 05 min`."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
