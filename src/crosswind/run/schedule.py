"""The order of a run: which steps go together into the next unit, and what a failure means for the rest."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping

from crosswind.run.outcome import Failure, Outcome
from crosswind.run.step import Graph, Step

# A unit is worth ten loads of its model. Loading a model and predicting tokens with it both take time in proportion
# to its parameters: a load takes as long as about 4,000 tokens (benchmarks/README.md).
SMALLEST_UNIT = 40_000.0
ALONE = "\0"  # begins the names under which steps without an affinity wait
SHARES = 8  # units that each slot gets of the whole work, so that none waits long for the last


class Schedule:
    """Hands out units of steps whose inputs are there, the longest remaining path of cost first.

    A unit holds steps of one affinity, and what becomes ready inside it; a step without one is a unit. A step that
    needs a failed one is skipped; everything else goes on.
    """

    def __init__(self, graph: Graph, keys: Collection[str]) -> None:
        self.outcome = Outcome()
        self._graph = graph
        chosen = set(keys)
        self._order = {key: position for position, key in enumerate(graph) if key in chosen}
        self._users: dict[str, list[str]] = {key: [] for key in self._order}
        self._waits: dict[str, int] = {}  # how many inputs of a step are still to be made
        for key in self._order:
            inputs = {i for i in graph[key].inputs.values() if i in self._order}
            self._waits[key] = len(inputs)
            for maker in inputs:
                self._users[maker].append(key)
        self._remaining = self._remaining_cost()
        self._left = sum(graph[key].cost for key in self._order)
        self._open = set(self._order)
        self._taken: set[str] = set()
        self._causes: dict[str, str] = {}
        self._ready: dict[str, list[tuple[float, int, str]]] = {}
        for key, count in self._waits.items():
            if not count:
                self._push(key)

    @property
    def finished(self) -> bool:
        """Whether no chosen step is left to do."""
        return not self._open

    def take(
        self, slots: int = 1, *, prefer: str = "", fits: Callable[[Step], bool] = lambda step: True
    ) -> list[Step] | None:
        """The steps of the next unit, inputs first; `None` if none is ready now that `fits`.

        `slots` are the units that run at once; `prefer` is the affinity of whoever asks: it is taken unless a step of
        another has twice as much work behind it.
        """
        affinity = self._choose(prefer, fits)
        if affinity is None:
            return None
        quota = max(SMALLEST_UNIT, self._left / max(slots, 1) / SHARES)
        return self._cut(affinity, quota)

    def settle(self, steps: Collection[Step], published: Collection[str], failures: Mapping[str, Failure]) -> None:
        """Record how a unit ended; a step neither published nor failed counts as skipped or failed."""
        there = set(published)
        for step in steps:
            key = step.key
            if key not in self._open:
                continue
            lost = self._lost_input(key)
            self._close(key)
            if key in there:
                self.outcome.done.append(key)
                self._release(key)
            elif key in failures or lost is None:
                self.outcome.failed[key] = failures.get(key) or Failure("ended without publishing its result")
                self._causes[key] = key
            else:
                self._skip(key, lost)
        for step in steps:
            if step.key in self._causes:
                self._drop_users(step.key)

    def again(self, steps: Collection[Step]) -> None:
        """Hand out the steps of a lost unit that are still open once more."""
        for step in steps:
            self._taken.discard(step.key)
        for step in steps:
            lost = self._lost_input(step.key)
            if step.key not in self._open:
                continue
            if lost is not None:
                self._close(step.key)
                self._skip(step.key, lost)
                self._drop_users(step.key)
            elif not self._waits[step.key]:
                self._push(step.key)

    def claim(self, keys: Collection[str]) -> list[Step]:
        """Take steps that run already elsewhere; those of them that are open."""
        chosen = set(keys)
        claimed = [self._graph[key] for key in self._order if key in chosen and key in self._open]
        self._taken.update(step.key for step in claimed)
        return claimed

    def _choose(self, prefer: str, fits: Callable[[Step], bool]) -> str | None:
        best: str | None = None
        most = -1.0
        for affinity in [*self._ready]:
            top = self._top(affinity)
            if top is None or not fits(self._graph[top]):
                continue
            if affinity == prefer and self._remaining[top] * 2 >= most:
                best, most = affinity, self._remaining[top] * 2
            elif self._remaining[top] > most:
                best, most = affinity, self._remaining[top]
        return best

    def _top(self, affinity: str) -> str | None:
        """The ready step of an affinity with most work behind it, without those that are taken or settled."""
        heap = self._ready[affinity]
        while heap and (heap[0][2] in self._taken or heap[0][2] not in self._open):
            heapq.heappop(heap)
        if not heap:
            del self._ready[affinity]
            return None
        return heap[0][2]

    def _cut(self, affinity: str, quota: float) -> list[Step]:
        """Take ready steps of an affinity up to the quota of cost, with those that become ready by them."""
        depth: dict[str, int] = {}
        inside: dict[str, int] = {}  # how many inputs of a step are made in this unit
        heap: list[tuple[float, int, str]] = []
        cost = 0.0
        while not depth or (cost < quota and not affinity.startswith(ALONE)):
            if heap:
                key = heapq.heappop(heap)[2]
            else:
                top = self._top(affinity) if affinity in self._ready else None
                if top is None:
                    break
                key = top
            self._taken.add(key)
            inputs = [depth[i] for i in self._graph[key].inputs.values() if i in depth]
            depth[key] = 1 + max(inputs, default=-1)
            cost += self._graph[key].cost
            for user in self._users[key]:
                inside[user] = inside.get(user, 0) + 1
                if inside[user] == self._waits[user] and self._graph[user].affinity == affinity:
                    heapq.heappush(heap, self._entry(user))
        # Steps of one kind come one after another, so that their work can be batched.
        ordered = sorted(depth, key=lambda key: (depth[key], self._graph[key].kind, self._order[key]))
        return [self._graph[key] for key in ordered]

    def _entry(self, key: str) -> tuple[float, int, str]:
        return (-self._remaining[key], self._order[key], key)

    def _push(self, key: str) -> None:
        # Steps without an affinity wait by kind: what one kind needs of a machine does not hold up another.
        step = self._graph[key]
        heapq.heappush(self._ready.setdefault(step.affinity or f"{ALONE}{step.kind}", []), self._entry(key))

    def _close(self, key: str) -> None:
        self._open.discard(key)
        self._left -= self._graph[key].cost

    def _release(self, key: str) -> None:
        for user in self._users[key]:
            self._waits[user] -= 1
            if not self._waits[user] and user in self._open and user not in self._taken:
                self._push(user)

    def _drop_users(self, key: str) -> None:
        """Skip whatever needs a lost step, directly or through others, and is not under way."""
        pending = [key]
        while pending:
            for user in self._users[pending.pop()]:
                if user in self._open and user not in self._taken:
                    self._close(user)
                    self._skip(user, next(i for i in self._graph[user].inputs.values() if i in self._causes))
                    pending.append(user)

    def _lost_input(self, key: str) -> str | None:
        return next((i for i in self._graph[key].inputs.values() if i in self._causes), None)

    def _skip(self, key: str, lost: str) -> None:
        cause = self._causes[lost]
        self._causes[key] = cause
        self.outcome.skipped[key] = f"needs {self._graph[cause].label or cause[:8]}, which failed"

    def _remaining_cost(self) -> dict[str, float]:
        """Of each step: its cost and that of the costliest chain of steps that wait for it."""
        remaining: dict[str, float] = {}
        for key in reversed(self._order):
            behind = max((remaining[user] for user in self._users[key]), default=0.0)
            remaining[key] = self._graph[key].cost + behind
        return remaining
