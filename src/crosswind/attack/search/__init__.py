"""Searches, one file each: generators that ask about states of one example and are told what the victim says.

A search yields states and receives for each its verdict, or `None` where the text cannot be (a label would be lost, a
constraint refuses it) or where the budget ended. It knows one example; the engine runs many of them in lockstep. What
it does may not depend on the budget, so that an attack of a smaller one is the beginning of the same attack.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

from crosswind.attack.space import Space, State


@dataclass(frozen=True, slots=True)
class Estimates:
    """Asks by how much the loss would rise from `base` to each of `states`, by the gradient there: two queries.

    `more`: at least so many further ones, each with a state that is a text (`Space.trial`), follow before the search
    asks about a text, whatever this one says. Where the budget does not reach that text, and no constraint refuses
    texts, nothing is computed and the answer is 0. `None` promises nothing.
    """

    base: State
    states: tuple[State, ...]
    more: int | None = None


Asking = Generator[Any, Any, Any]
"""Yields states and receives a verdict for each; or `Estimates`, and receives a number or `None` for each."""


@dataclass(frozen=True)
class Search:
    """A way to search: `run(space, rng)` for one example.

    `drawn` says that it depends on `rng`, so that another start may end elsewhere (`restarts`). An `endless` one ends
    only with its space: there is nothing left for another start. `settings` are the numbers that it was made with, for
    signatures.
    """

    name: str
    run: Callable[[Space, random.Random], Asking]
    drawn: bool = False
    endless: bool = False
    settings: tuple[tuple[str, float], ...] = field(default=())

    def __str__(self) -> str:
        settings = ",".join(f"{k}={v:g}" for k, v in self.settings)
        return f"{self.name}({settings})" if settings else self.name


def word_after_word(space: Space, words: Iterable[int]) -> Asking:
    """From the clean example, word after word in the order given: of each the change that hurts most, if one does."""
    state: State = ()
    best = space.clean.badness
    for word in words:
        states = [
            extended
            for site in space.by_word[word]
            for option in range(len(space.sites[site].options))
            if (extended := space.extended(state, site, option)) is not None
        ]
        if not states:
            continue
        verdicts = yield states
        for candidate, verdict in zip(states, verdicts, strict=True):
            if verdict is not None and verdict.badness > best:
                state, best = candidate, verdict.badness
