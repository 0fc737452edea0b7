"""Sequences whose members are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

_Member = TypeVar("_Member")


class Lazy(Sequence[_Member], Generic[_Member]):
    """`make(i)` for `i` below `size`; nothing is kept."""

    def __init__(self, size: int, make: Callable[[int], _Member]) -> None:
        self.size, self.make = size, make

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> _Member: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[_Member]: ...

    def __getitem__(self, index: int | slice) -> _Member | Sequence[_Member]:
        if isinstance(index, slice):
            return tuple(self.make(i) for i in range(*index.indices(self.size)))
        if not -self.size <= index < self.size:
            raise IndexError(index)
        return self.make(index % self.size)
