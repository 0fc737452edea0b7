"""Donors: members of a whole data set that lend a distractor or a negative.

Which donor an example gets is the one of lowest hash of (the example's bits, the donor's id). It
depends neither on the rows that are perturbed nor on the order of the donors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import numpy as np

from crosswind.perturb.draw import key, splitmix64

D = TypeVar("D")


class Donors(Generic[D]):
    """Donors with their ids."""

    def __init__(self, donors: Sequence[D], ids: Sequence[str]) -> None:
        self._donors = donors
        self._keys = np.array([key("donor", name) for name in ids], dtype=np.uint64)

    def ranked(self, bits: int) -> Iterator[D]:
        """The donors in the order of their hashes with 64 random bits of an example."""
        hashes = splitmix64(self._keys ^ np.uint64(bits), np.zeros(len(self._keys), dtype=np.uint64))
        if not len(hashes):
            return
        # Mostly the first fits: all are put in order only where it does not.
        first = int(hashes.argmin())
        yield self._donors[first]
        yield from (self._donors[i] for i in np.argsort(hashes, kind="stable").tolist() if i != first)

    def pick(self, bits: int, fits: Callable[[D], bool] = lambda donor: True) -> D | None:
        """The first donor that fits; `None` if none does."""
        return next((donor for donor in self.ranked(bits) if fits(donor)), None)
