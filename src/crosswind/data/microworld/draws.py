"""Random choices that depend on a key alone.

`random.Random.random` gives the same numbers in every version of Python; its other methods need not.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


def number(*key: object) -> int:
    """A 64-bit number named by a key, the same on every machine."""
    text = "\x1f".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


class WorldDraw:
    """The stream of choices of one item."""

    __slots__ = ("random",)

    def __init__(self, *key: object) -> None:
        self.random = Random(number(*key)).random

    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""
        return int(self.random() * n)

    def chance(self, p: float) -> bool:
        """True with probability `p`."""
        return self.random() < p

    def pick(self, items: Sequence[_T]) -> _T:
        """One of the items, each as likely."""
        return items[int(self.random() * len(items))]

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """The items in random order."""
        mixed = list(items)
        for i in range(len(mixed) - 1, 0, -1):
            j = int(self.random() * (i + 1))
            mixed[i], mixed[j] = mixed[j], mixed[i]
        return mixed

    def distinct(self, items: Sequence[_T], n: int) -> list[_T]:
        """`n` items at different places, in random order."""
        mixed = list(items)
        for i in range(n):
            j = i + int(self.random() * (len(mixed) - i))
            mixed[i], mixed[j] = mixed[j], mixed[i]
        return mixed[:n]


class Weighted(Sequence[_T]):
    """Items with weights; `WorldDraw.pick` of it is uniform, `by` is not."""

    __slots__ = ("items", "steps")

    def __init__(self, items: Sequence[_T], weights: Sequence[float]) -> None:
        self.items, self.steps = tuple(items), tuple(accumulate(weights))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self.items[index]

    def by(self, draw: WorldDraw) -> _T:
        """One of the items, as likely as its weight says."""
        position = bisect_right(self.steps, draw.random() * self.steps[-1])
        return self.items[min(position, len(self.items) - 1)]
