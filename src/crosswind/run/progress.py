"""Progress of a run, as told to a person: what is running, what was found, how much time is left."""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

from crosswind.run.step import Step

HEARTBEAT = 30  # seconds between two lines about a long step
SOONEST = 10.0  # seconds before which no time left is shown
PRIOR = 0.2  # the share of a kind's work that counts as done at the pace of all kinds
FIXED = 0.1  # what every step takes besides its cost, as a share of the mean cost
STEADY = 4 / 3  # by how much the estimated whole time may have moved while half of the time so far went by


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

    Shares are of the steps' cost; steps that cost nothing weigh a thousandth of the mean. The time left is that of the
    missing cost of each kind of step at the kind's own pace, as far as it is known, divided by how many steps ran at
    a time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.begun = clock()
        self.labels: dict[str, str] = {}
        self.running: dict[str, Running] = {}
        self.settled: set[str] = set()
        self._weights: dict[str, float] = {}
        self._kinds: dict[str, str] = {}
        self._efforts: dict[str, float] = {}  # what a step is expected to take, in any unit
        self._planned: dict[str, float] = {}  # the same, of all steps of a kind
        self._begun: dict[str, float] = {}  # the running steps, by when they began
        self._spent: dict[str, float] = {}  # seconds that steps of a kind took
        self._done: dict[str, float] = {}  # and the cost that was done in them
        self._totals: deque[tuple[float, float]] = deque()  # elapsed seconds, and the total that was estimated then

    def __exit__(self, *error: object) -> None:
        return None

    def planned(self, steps: Sequence[Step]) -> None:
        self.begun = self.clock()
        mean = sum(s.cost for s in steps) / len(steps) if steps else 0.0
        self._weights = {s.key: s.cost or mean / 1000 or 1.0 for s in steps}
        self.labels = {s.key: s.label or f"{s.kind} {s.key[:8]}" for s in steps}
        self._kinds = {s.key: s.kind for s in steps}
        self._efforts = _efforts(steps)
        self._planned = {}
        for step in steps:
            self._planned[step.kind] = self._planned.get(step.kind, 0.0) + self._efforts[step.key]

    def started(self, key: str) -> None:
        self.running[key] = Running(self.label(key))
        self._begun[key] = self.clock()

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
        """The time left; `None` as long as it cannot be told within a factor of two.

        It can when some of the work is done and the estimate of the whole time has held still, within a third up or
        down, while the second half of the time so far went by. What is known of the pace then comes from twice as much
        work as when it was first believed.
        """
        elapsed = self.clock() - self.begun
        left = self._estimate(elapsed)
        if left is None:
            return None
        total = elapsed + left
        if not self._totals or elapsed > self._totals[-1][0] * 1.01:
            self._totals.append((elapsed, total))
        while len(self._totals) > 1 and self._totals[1][0] <= elapsed / 2:
            self._totals.popleft()
        since, _ = self._totals[0]
        steady = all(total / STEADY <= earlier <= total * STEADY for _, earlier in self._totals)
        return left if steady and since <= elapsed / 2 and elapsed >= SOONEST else None

    def _estimate(self, elapsed: float) -> float | None:
        """The time left as it looks now; `None` before a hundredth of the cost is done."""
        share = self.share()
        if share < 0.01:
            return None
        spent, done = dict(self._spent), dict(self._done)
        for key, step in [*self.running.items()]:
            if step.share:
                kind = self._kinds.get(key, "")
                spent[kind] = spent.get(kind, 0.0) + self.clock() - self._begun.get(key, self.begun)
                done[kind] = done.get(kind, 0.0) + self._efforts.get(key, 0.0) * step.share
        if not sum(spent.values()) or not sum(done.values()):
            return elapsed * (1 - share) / share
        at_a_time = max(1.0, sum(spent.values()) / elapsed) if elapsed else 1.0
        overall = sum(spent.values()) / sum(done.values())
        seconds = 0.0
        for kind, effort in self._planned.items():
            # As if a part of the kind's work had been done at the common pace: its first steps are not like all.
            known, believed = done.get(kind, 0.0), PRIOR * effort
            pace = (spent.get(kind, 0.0) + overall * believed) / (known + believed)
            seconds += max(0.0, effort - known) * pace
        return seconds / at_a_time

    def _settle(self, key: str) -> None:
        self.running.pop(key, None)
        begun = self._begun.pop(key, None)
        self.settled.add(key)
        if begun is not None:
            kind = self._kinds.get(key, "")
            self._spent[kind] = self._spent.get(kind, 0.0) + self.clock() - begun
            self._done[kind] = self._done.get(kind, 0.0) + self._efforts.get(key, 0.0)


def _efforts(steps: Sequence[Step]) -> dict[str, float]:
    """A fixed part that all steps have, one that all steps of a kind have, and the cost."""
    costs: dict[str, list[float]] = {}
    for step in steps:
        costs.setdefault(step.kind, []).append(step.cost)
    fixed = FIXED * sum(map(sum, costs.values())) / max(1, len(steps)) or 1.0
    return {s.key: fixed + s.cost / 2 + sum(costs[s.kind]) / len(costs[s.kind]) / 2 for s in steps}


Silent = Tally


class PlainLines(Tally):
    """Plain lines for a log file: what will run, failures at once, finished steps at most once a second.

    When nothing was said for half a minute, the step that advances is.
    """

    def __init__(self, stream: IO[str] | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.stream = sys.stderr if stream is None else stream
        self._last = self.begun
        self._held: list[str] = []

    def __exit__(self, *error: object) -> None:
        self._flush()

    def planned(self, steps: Sequence[Step]) -> None:
        super().planned(steps)
        kinds = Counter(step.kind for step in steps)
        if steps:  # the first of them may take minutes
            self.log(f"{len(steps):,} steps to run: {', '.join(f'{kind} {n:,}' for kind, n in kinds.items())}")

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
