"""The order of a run: which unit is ready next, and what a failure means for the rest."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping

from crosswind.run.demand import units
from crosswind.run.outcome import Failure, Outcome
from crosswind.run.step import Graph, Step


class Schedule:
    """Hands out units whose inputs are there, the longest remaining path of cost first.

    A step that needs a failed one is skipped; everything else goes on. Engines share it.
    """

    def __init__(self, graph: Graph, keys: Collection[str]) -> None:
        self.outcome = Outcome()
        self._graph = graph
        self._units = units(graph, keys)
        self._unit_of = {key: number for number, unit in enumerate(self._units) for key in unit}
        self._waits: list[set[str]] = [
            {i for key in unit for i in graph[key].inputs.values() if self._unit_of.get(i, number) != number}
            for number, unit in enumerate(self._units)
        ]
        self._users: dict[str, list[int]] = {key: [] for key in keys}
        for number, waits in enumerate(self._waits):
            for key in waits:
                self._users[key].append(number)
        self._priority = self._remaining_cost()
        self._causes: dict[str, str] = {}
        self._ready: list[tuple[float, int]] = []
        self._open = set(keys)
        for number, waits in enumerate(self._waits):
            if not waits:
                self._push(number)

    @property
    def finished(self) -> bool:
        return not self._open

    def take(self) -> list[Step] | None:
        """The steps of the next ready unit, inputs first; `None` if none is ready now."""
        if not self._ready:
            return None
        _, number = heapq.heappop(self._ready)
        return [self._graph[key] for key in self._units[number] if key in self._open]

    def settle(self, steps: Collection[Step], published: Collection[str], failures: Mapping[str, Failure]) -> None:
        """Record how a unit ended; a step neither published nor failed counts as skipped or failed."""
        settled = []
        for step in steps:
            key = step.key
            lost = self._lost_input(key)
            if key in published:
                self.outcome.done.append(key)
            elif key in failures or lost is None:
                self.outcome.failed[key] = failures.get(key) or Failure("ended without publishing its result")
                self._causes[key] = key
            else:
                self._skip(key, lost)
            self._open.discard(key)
            settled.append(key)
        self._release(settled)

    def again(self, steps: Collection[Step]) -> None:
        """Hand out the steps of a unit that are still open once more."""
        for number in sorted({self._unit_of[step.key] for step in steps}):
            self._push(number)

    def _release(self, settled: list[str]) -> None:
        while settled:
            key = settled.pop()
            for number in self._users[key]:
                self._waits[number].discard(key)
                if not self._waits[number]:
                    settled.extend(self._drop_lost(number))
                    self._push(number)

    def _drop_lost(self, number: int) -> list[str]:
        dropped = []
        for key in self._units[number]:
            lost = self._lost_input(key)
            if lost is not None:
                self._skip(key, lost)
                self._open.discard(key)
                dropped.append(key)
        return dropped

    def _push(self, number: int) -> None:
        if any(key in self._open for key in self._units[number]):
            heapq.heappush(self._ready, (-self._priority[number], number))

    def _lost_input(self, key: str) -> str | None:
        return next((i for i in self._graph[key].inputs.values() if i in self._causes), None)

    def _skip(self, key: str, lost: str) -> None:
        cause = self._causes[lost]
        self._causes[key] = cause
        self.outcome.skipped[key] = f"needs {self._graph[cause].label or cause[:8]}, which failed"

    def _remaining_cost(self) -> list[float]:
        """Of each unit: its cost and that of the costliest chain of units that wait for it."""
        remaining = [0.0] * len(self._units)
        left = [len({n for key in unit for n in self._users[key]}) for unit in self._units]
        ends = [number for number, count in enumerate(left) if not count]
        while ends:
            number = ends.pop()
            remaining[number] += sum(self._graph[key].cost for key in self._units[number])
            for maker in {self._unit_of[key] for key in self._waits[number]}:
                remaining[maker] = max(remaining[maker], remaining[number])
                left[maker] -= 1
                if not left[maker]:
                    ends.append(maker)
        return remaining
