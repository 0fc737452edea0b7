"""Best-first search with a bounded queue: the state of highest loss is taken up next, whatever its depth.

Tan and Joty 2021 (Code-Mixing on Sesame Street), algorithm 1: a state remembers how far it has come in each text.
Every translation of the next word of each text, and leaving that word as it is, give its successors.
"""

from __future__ import annotations

import heapq

from crosswind.attack.search import Asking, Search
from crosswind.attack.space import Space, State


def best_first(width: int = 1) -> Search:
    """The queue keeps the `width` best states; 0 keeps all."""
    return Search("best-first", lambda space, rng: _run(space, width), settings=(("width", width),))


def _run(space: Space, width: int) -> Asking:
    # The words of each passage that can change, in order.
    lanes: list[list[int]] = [[] for _ in space.passages]
    for word, sites in space.by_word.items():
        lanes[space.sites[sites[0]].passage].append(word)
    start = tuple(0 for _ in lanes)
    counter = 0
    queue: list[tuple[tuple[float, float], int, State, tuple[int, ...]]] = []
    heapq.heappush(queue, (_negated(space.clean.badness), counter, (), start))
    seen: set[tuple[State, tuple[int, ...]]] = {((), start)}
    while queue:
        badness, _, state, at = heapq.heappop(queue)
        asked: list[State] = []
        ends: list[tuple[int, ...]] = []
        passed: list[tuple[int, ...]] = []
        for lane, words in enumerate(lanes):
            if at[lane] >= len(words):
                continue
            behind = tuple(n + (i == lane) for i, n in enumerate(at))
            passed.append(behind)
            for site in space.by_word[words[at[lane]]]:
                for option in range(len(space.sites[site].options)):
                    extended = space.extended(state, site, option)
                    if extended is not None and (extended, behind) not in seen:
                        asked.append(extended)
                        ends.append(behind)
        fresh = [*dict.fromkeys(asked)]
        verdicts = dict(zip(fresh, (yield fresh), strict=True)) if fresh else {}
        for extended, behind in zip(asked, ends, strict=True):
            verdict = verdicts[extended]
            if verdict is not None:
                seen.add((extended, behind))
                counter += 1
                heapq.heappush(queue, (_negated(verdict.badness), counter, extended, behind))
        for behind in passed:
            if (state, behind) not in seen:
                seen.add((state, behind))
                counter += 1
                heapq.heappush(queue, (badness, counter, state, behind))
        if width and len(queue) > width:
            queue = heapq.nsmallest(width, queue)  # sorted, so it is a heap


def _negated(badness: tuple[float, float]) -> tuple[float, float]:
    return (-badness[0], -badness[1])
