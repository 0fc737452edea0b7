"""The pieces of a rewrite, and where they lie.

A piece is `Keep(start, end)` of the original or `New(text, over)`. Characters that no piece keeps are
deleted. `over` says what a new text stands for, so that labelled spans are carried exactly and
composition loses nothing:

* `Keep(start, end)`: it replaces these characters of the original;
* `Between(neighbours)`: it was inserted between them;
* nothing: it belongs to no part of the original (an appended sentence, an insertion at an end).
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from crosswind.data.examples import Span


class Keep(NamedTuple):
    """Characters `start:end` of the original."""

    start: int
    end: int


class Between(NamedTuple):
    """The place of an insertion: the characters of the original around it (none: no place)."""

    neighbours: tuple[Keep, ...]


class New(NamedTuple):
    """A text that the original does not have, and what it stands for.

    `tag` is the tag of each of its words, for a perturbation that adds words to tagged sentences.
    """

    text: str
    over: tuple[Keep | Between, ...] = ()
    tag: str = ""


span_at = lru_cache(maxsize=65536)(Span)
"""`Span(start, end)`, made once: those of words come again and again, and a frozen dataclass takes long to make."""

Piece = Keep | New
NOWHERE = Between(())


class Placement:
    """Pieces with their output offsets and, where sources ascend, an index by source."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.offsets: list[int] = []
        self._low: list[int] = []
        self._high: list[int] = []
        at = high = 0
        for piece in pieces:
            self.offsets.append(at)
            if isinstance(piece, Keep):
                at += piece.end - piece.start
                low, high = piece
            else:
                at += len(piece.text)
                ranges = list(_ranges(piece.over))
                low = min((r.start for r in ranges), default=high)
                high = max((r.end for r in ranges), default=high)
            self._low.append(low)
            self._high.append(high)
        self.total = at
        self._ascending = _ascending(self._low) and _ascending(self._high)

    def place(self, start: int, end: int) -> Span | None:
        """The run of output characters that belong to `start:end` of the original."""
        window = range(len(self.pieces))
        if self._ascending:
            window = range(bisect_right(self._high, start), bisect_left(self._low, end))
        first = last = -1
        for i in window:
            piece, at = self.pieces[i], self.offsets[i]
            if isinstance(piece, Keep):
                low, high = max(piece.start, start) - piece.start, min(piece.end, end) - piece.start
            else:
                belongs = _belongs(piece.over, start, end)
                if belongs is None:
                    return None
                low, high = 0, len(piece.text) if belongs else 0
            if low >= high:
                continue
            if first >= 0 and at + low != last:
                return None
            first, last = (at + low if first < 0 else first), at + high
        return Span(first, last) if first >= 0 else None

    def carry(self, spans: Iterable[Span]) -> tuple[Span, ...] | None:
        """The places of spans; `None` if one has none."""
        carried: list[Span] = []
        pieces, lows, highs, count = self.pieces, self._low, self._high, len(self.pieces)
        for span in spans:
            if self._ascending:  # as `place` begins: most words of a text lie within what is kept
                start, end = span.start, span.end
                low = bisect_right(highs, start)
                piece = pieces[low] if low < count else None
                if (
                    isinstance(piece, Keep)
                    and piece[0] <= start < end <= piece[1]
                    and (low + 1 == count or lows[low + 1] >= end)
                ):
                    shift = self.offsets[low] - piece[0]
                    carried.append(span_at(start + shift, end + shift) if shift else span)
                    continue
            moved = self.place(span.start, span.end)
            if moved is None:
                return None
            carried.append(moved)
        return tuple(carried)

    def tag(self, start: int, end: int) -> str:
        """The tag of what was inserted at `start:end` of the output; empty if there is none."""
        return next((p.tag for p in self.cut(start, end) if isinstance(p, New) and p.tag), "")

    def cut(self, start: int, end: int) -> Iterator[Piece]:
        """The pieces that make up `start:end` of the output."""
        i = max(0, bisect_right(self.offsets, start) - 1)
        while i < len(self.pieces) and self.offsets[i] < end:
            piece, at = self.pieces[i], self.offsets[i]
            size = piece.end - piece.start if isinstance(piece, Keep) else len(piece.text)
            low, high = max(start - at, 0), min(end - at, size)
            if low < high:
                if isinstance(piece, Keep):
                    yield Keep(piece.start + low, piece.start + high)
                else:
                    yield New(piece.text[low:high], piece.over, piece.tag)
            i += 1

    def origin(self, over: Iterable[Keep | Between]) -> tuple[Keep | Between, ...]:
        """What characters of the output stand for, in terms of the original."""
        sources: list[Keep | Between] = []
        for source in over:
            if isinstance(source, Keep):
                for piece in self.cut(*source):
                    parts = (piece,) if isinstance(piece, Keep) else piece.over or (NOWHERE,)
                    sources.extend(p for p in parts if p not in sources)
            else:
                sources.append(self._between(source))
        return () if sources == [NOWHERE] else tuple(_joined(sources))

    def _between(self, source: Between) -> Between:
        near: list[Keep] = []
        for neighbour in source.neighbours:
            for piece in self.cut(*neighbour):
                parts = (piece,) if isinstance(piece, Keep) else piece.over
                if not parts or any(isinstance(p, Between) and not p.neighbours for p in parts):
                    return NOWHERE
                near.extend(r for r in _ranges(parts) if r not in near)
        return Between(tuple(near))


def _belongs(over: Sequence[Keep | Between], start: int, end: int) -> bool | None:
    """Whether a new text lies in the span: True, False, or `None` if it tears it."""
    inside = outside = False
    for source in over:
        if isinstance(source, Between):
            near = source.neighbours
            within = bool(near) and all(start <= n.start and n.end <= end for n in near)
        elif start <= source.start and source.end <= end:
            within = True
        elif source.end <= start or end <= source.start:
            within = False
        else:
            return None
        inside, outside = inside or within, outside or not within
    return None if inside and outside else inside


def tearable(over: Sequence[Keep | Between]) -> bool:
    """Whether a piece stands for more than one character: a cut could fall inside it, so it is kept even when empty."""
    return len(over) > 1 or any(isinstance(o, Keep) and o.end - o.start > 1 for o in over)


def _ranges(over: Iterable[Keep | Between]) -> Iterator[Keep]:
    for source in over:
        if isinstance(source, Keep):
            yield source
        else:
            yield from source.neighbours


def _joined(sources: Iterable[Keep | Between]) -> Iterator[Keep | Between]:
    last: Keep | Between | None = None
    for source in sources:
        if isinstance(source, Keep) and isinstance(last, Keep) and last.end == source.start:
            last = Keep(last.start, source.end)
            continue
        if last is not None:
            yield last
        last = source
    if last is not None:
        yield last


def _ascending(values: Sequence[int]) -> bool:
    return all(a <= b for a, b in itertools.pairwise(values))
