"""What is made anew in every epoch, kept while a window of batches may ask for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from crosswind.train.batching import WINDOW

T = TypeVar("T")


class Epochs(Generic[T]):
    """`make(epoch)`, for the last used epochs: a window of batches may hold several of a small source of `size`."""

    def __init__(self, make: Callable[[int], T], size: int, batch_size: int) -> None:
        self._make, self._most = make, 2 + WINDOW * batch_size // max(1, size)
        self._made: OrderedDict[int, T] = OrderedDict()

    def __getitem__(self, epoch: int) -> T:
        if epoch not in self._made:
            while len(self._made) >= self._most:
                self._made.popitem(last=False)
            self._made[epoch] = self._make(epoch)
        self._made.move_to_end(epoch)
        return self._made[epoch]
