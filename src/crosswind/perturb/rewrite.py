"""The rewrite algebra: what became of every character of a text.

A `Rewrite` is a sequence of pieces (`pieces.py`) in output order. A new text belongs to a span if all
it stands for does; it lies outside if none does; a replacement of which only a part does tears the
span. An insertion belongs to a span only if both neighbours do, so that an insertion at a span's
border falls outside.
"""

from __future__ import annotations

import itertools
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crosswind.data.examples import Span
from crosswind.perturb.pieces import Between, Keep, New, Piece, Placement, tearable

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_keep: Callable[[tuple[int, int]], Keep] = partial(tuple.__new__, Keep)  # as `Keep(*pair)`, without its Python frame

Edit = tuple[int, int, str]
"""(start, end, replacement)."""

_RegionChange = tuple[int, int, str | tuple[Piece, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """The changes of a batch of texts as columns: start and end of each in its text, and its option.

    Those of text n are `bounds[n]` to `bounds[n + 1]`. `option(i, n)` is that of change i, which lies in text n; or
    `texts()` are the options of all.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    bounds: npt.NDArray[np.int64]
    option: Callable[[int, int], str | tuple[Piece, ...]] | None = None
    texts: Callable[[], Sequence[str]] | None = None

    def of(self, n: int) -> list[_RegionChange]:
        """The changes of text n: start and end in it, and what it becomes."""
        columns = _listed(self)
        some = slice(columns.bounds[n], columns.bounds[n + 1])
        option = self.option
        options = columns.texts[some] if option is None else [option(i, n) for i in range(some.start, some.stop)]
        return list(zip(columns.starts[some], columns.ends[some], options, strict=True))


class _Lists(NamedTuple):
    starts: list[int]
    ends: list[int]
    bounds: list[int]
    texts: Sequence[str]


@lru_cache(maxsize=4)  # the rewrites of a batch are mostly looked at one after another
def _listed(changes: Changes) -> _Lists:
    texts = () if changes.texts is None else changes.texts()
    return _Lists(changes.starts.tolist(), changes.ends.tolist(), changes.bounds.tolist(), texts)


class Rewrite:
    """A rewriting of a text of `length` characters. Pieces are in normal form (see `of`).

    It never changes. Where it was made from columns (`of_columns`), the pieces are made when they are looked at.
    """

    __slots__ = ("_changes", "_pieces", "_text", "length")

    def __init__(self, pieces: tuple[Piece, ...], length: int) -> None:
        self._pieces: tuple[Piece, ...] | None = pieces
        self._changes: Changes | None = None
        self._text = 0  # the number of its text among those of `_changes`
        self.length = length

    @classmethod
    def of_columns(cls, changes: Changes, texts: Iterable[int], lengths: Iterable[int]) -> list[Rewrite]:
        """The rewrites of some texts of a batch, by number, of which no change overlaps another or inserts anything."""
        rewrites = []
        for text, length in zip(texts, lengths, strict=True):
            rewrite = object.__new__(cls)  # without the frame of `__init__`: as many are made as there are texts
            rewrite._pieces, rewrite._changes, rewrite._text, rewrite.length = None, changes, text, length
            rewrites.append(rewrite)
        return rewrites

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces in the order of the rewritten text."""
        if self._pieces is None:
            assert self._changes is not None
            self._pieces = Rewrite.from_changes(self.length, self._changes.of(self._text)).pieces
            self._changes = None
        return self._pieces

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rewrite) and (self.length, self.pieces) == (other.length, other.pieces)

    def __hash__(self) -> int:
        return hash((self.length, self.pieces))

    def __repr__(self) -> str:
        return f"Rewrite(pieces={self.pieces!r}, length={self.length})"

    def __reduce__(self) -> tuple[type[Rewrite], tuple[tuple[Piece, ...], int]]:
        return Rewrite, (self.pieces, self.length)

    @classmethod
    def of(cls, pieces: Iterable[Piece], length: int) -> Rewrite:
        """The rewrite with these pieces in normal form: neighbours that can be one piece are one.

        Raises `ValueError` for a `Keep` outside the text.
        """
        normal: list[Piece] = []
        low = high = -1  # of the last piece, where it is kept
        for piece in pieces:
            if isinstance(piece, Keep):
                start, end = piece
                if not 0 <= start <= end <= length:
                    raise ValueError(f"{piece} of a text of {length} characters")
                if start == high < end:
                    normal[-1] = _keep((low, end))
                    high = end
                elif start < end:
                    low, high = start, end
                    normal.append(piece)
                continue
            if not piece.text and not tearable(piece.over):
                continue
            last = normal[-1] if normal else None
            if isinstance(last, New) and last[1:] == piece[1:]:
                normal[-1] = New(last.text + piece.text, *last[1:])
            else:
                normal.append(piece)
            low = high = -1
        return cls(tuple(normal), length)

    @classmethod
    def identity(cls, text: str) -> Rewrite:
        """The rewrite that keeps all of `text`."""
        return cls((Keep(0, len(text)),) if text else (), len(text))

    @classmethod
    def from_edits(cls, text: str, edits: Iterable[Edit]) -> Rewrite:
        """Replace `text[start:end]` by each replacement; insertions at one place keep their order.

        Raises `ValueError` if two edits overlap.
        """
        return cls.from_changes(len(text), sorted(edits, key=lambda e: (e[0], e[1])))

    @classmethod
    def from_changes(cls, length: int, changes: Iterable[tuple[int, int, str | tuple[Piece, ...]]]) -> Rewrite:
        """Change regions in ascending order; each becomes a text or pieces (a local permutation).

        Raises `ValueError` if two regions overlap or one lies outside the text.
        """
        pieces: list[Piece] = []
        done = 0
        normal = True
        for start, end, change in changes:
            if not done <= start <= end <= length:
                raise ValueError(f"the change of {start}:{end} overlaps another or leaves the text")
            if start > done:
                pieces.append(_keep((done, start)))
            if start == end or not isinstance(change, str):
                normal = False
            if not isinstance(change, str):
                pieces.extend(change)
            elif change:
                pieces.append(New(change, (_keep((start, end)),) if start < end else _insertion(start, length)))
            done = end
        if done < length:
            pieces.append(Keep(done, length))
        return cls(tuple(pieces), length) if normal else cls.of(pieces, length)

    @property
    def is_identity(self) -> bool:
        """Whether it leaves its text as it is."""
        return self.pieces == ((Keep(0, self.length),) if self.length else ())

    def apply(self, text: str) -> str:
        """The rewritten text; `ValueError` if `text` has another length than the original."""
        self._check(text)
        return "".join([text[p.start : p.end] if isinstance(p, Keep) else p.text for p in self.pieces])

    def carry(self, spans: Iterable[Span]) -> tuple[Span, ...] | None:
        """Where spans of the original lie in the rewritten text; `None` rejects the rewrite.

        It is rejected if a span is split (its parts are no longer one run of the text), torn (a
        replacement stands for a part of it and something else), emptied or was empty.
        """
        return Placement(self.pieces).carry(spans)

    def then(self, other: Rewrite) -> Rewrite:
        """This rewrite followed by `other` (a rewrite of the rewritten text) as one rewrite.

        Spans that survive both one after the other are carried to the same place; a span that the
        first splits and the second joins again survives the composition only.
        """
        layout = Placement(self.pieces)
        if other.length != layout.total:
            raise ValueError(f"a rewrite of {other.length} characters cannot follow one that gives {layout.total}")
        pieces: list[Piece] = []
        for piece in other.pieces:
            if isinstance(piece, Keep):
                pieces.extend(layout.cut(piece.start, piece.end))
            else:
                pieces.append(New(piece.text, layout.origin(piece.over)))
        shown = {p.over for p in pieces if isinstance(p, New)}
        hidden = [p for p in self.pieces if isinstance(p, New) and p.over not in shown]
        # A replacement that is deleted afterwards has torn its span all the same.
        pieces.extend(New("", p.over) for p in hidden)
        return Rewrite.of(pieces, self.length)

    def positions(self, words: Sequence[Span]) -> Iterator[int | None]:
        """The output offset of each word that one piece keeps whole (of the first piece that does), else `None`."""
        kept: list[tuple[int, int, int]] = []
        at = 0
        for piece in self.pieces:
            if isinstance(piece, Keep):
                kept.append((piece.start, piece.end, at))
                at += piece.end - piece.start
            else:
                at += len(piece.text)
        kept.sort(key=itemgetter(0))
        twice = any(a[1] > b[0] for a, b in itertools.pairwise(kept))
        starts = [k[0] for k in kept]
        for word in words:
            start, end = word.start, word.end
            last = bisect_right(starts, start)
            # Only where something is kept twice may a piece before the nearest one hold the word.
            around = [k for k in kept[:last] if k[1] >= end] if twice else kept[max(0, last - 1) : last]
            offsets = [offset + start - low for low, high, offset in around if high >= end]
            yield min(offsets, default=None)

    def words_hit(self, words: Sequence[Span]) -> int:
        """Words of the original that are not kept whole, that moved or were joined to a neighbour, and insertions.

        Read off the alignment: one inserted word is one hit, however many words follow it. The
        words that moved are those outside the longest run of kept words in their old order.
        """
        positions = list(self.positions(words))
        kept = [p for p in positions if p is not None]
        starts, ends = [w.start for w in words], [w.end for w in words]
        inserted = 0
        for piece in self.pieces:
            if isinstance(piece, New) and piece.text and all(isinstance(o, Between) for o in piece.over):
                at = [n.start for o in piece.over if isinstance(o, Between) for n in o.neighbours[1:]]
                last = bisect_left(starts, at[0]) - 1 if at else -1
                inserted += not (last >= 0 and at[0] < ends[last])
        return len(words) - _longest_ascending(kept) + inserted + _joined_words(words, positions)

    def edit_rate(self, words: Sequence[Span]) -> float:
        """Words hit for each word of the original (`words` ascend and do not overlap)."""
        return self.words_hit(words) / max(1, len(words))

    def to_json(self) -> list[Any]:
        """`[length, [piece…]]`; a piece is `[start, end]` or `[text, source…]`, an insertion's source a list."""
        return [self.length, [list(p) if isinstance(p, Keep) else [p.text, *map(_dump, p.over)] for p in self.pieces]]

    def dumps(self) -> str:
        """`to_json` as a text, made faster."""
        if self._changes is not None:
            if self._changes.option is None:
                return _dumped_texts(self.length, self._changes.of(self._text))
            plain = _dumped(self.length, self._changes.of(self._text))
            if plain is not None:
                return plain
        pieces = [p if isinstance(p, Keep) else (p.text, *map(_bare, p.over)) for p in self.pieces]
        return _ENCODER.encode((self.length, pieces))

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Rewrite:
        """The rewrite that `to_json` gave; `ValueError` for a `Keep` outside the text."""
        length, stored = value
        pieces: list[Piece] = []
        for p in stored:
            if isinstance(p[0], str):
                pieces.append(New(p[0], tuple(map(_load, p[1:]))))
            else:
                start, end = p
                if not 0 <= start < end <= length:
                    raise ValueError(f"Keep(start={start}, end={end}) of a text of {length} characters")
                pieces.append(Keep(start, end))
        return cls(tuple(pieces), length)

    def _check(self, text: str) -> None:
        if len(text) != self.length:
            raise ValueError(f"a rewrite of {self.length} characters does not fit a text of {len(text)}")


def _dumped_texts(length: int, changes: Iterable[_RegionChange]) -> str:
    """The JSON of a rewrite that replaces regions by texts."""
    parts, done = [], 0
    for start, end, text in changes:
        if done < start:
            parts.append(_kept_json(done, start))
        if text and isinstance(text, str):
            parts.append(_new_json(text, start, end))
        done = end
    if done < length:
        parts.append(_kept_json(done, length))
    return f"[{length}, [{', '.join(parts)}]]"


def _dumped(length: int, changes: Iterable[_RegionChange]) -> str | None:
    """The JSON of a rewrite by changes of regions; `None` where new pieces beside one another may be one."""
    parts: list[str] = []
    low = high = done = 0  # `low:high` is kept and not yet written
    open_ = True  # whether nothing new stands last
    for start, end, change in changes:
        if done < start:
            if low < high != done:
                parts.append(_kept_json(low, high))
                low = done
            elif low == high:
                low = done
            high, open_ = start, True
        for piece in (change,) if isinstance(change, str) else change:
            if isinstance(piece, Keep):
                if low < high != piece.start:
                    parts.append(_kept_json(low, high))
                if high != piece.start or low == high:
                    low = piece.start
                high, open_ = piece.end, True
                continue
            text = piece if isinstance(piece, str) else piece.text
            if not text:
                if isinstance(piece, str):
                    continue
                return None
            if low < high:
                parts.append(_kept_json(low, high))
                low = high
            if isinstance(piece, str) and start < end:
                parts.append(_new_json(text, start, end))
            elif open_:
                over = _insertion(start, length) if isinstance(piece, str) else piece.over
                parts.append(_inserted_json(text, over))
            else:
                return None
            open_ = False
        done = end
    if done < length:
        if low < high != done:
            parts.append(_kept_json(low, high))
        if high != done or low == high:
            low = done
        high = length
    if low < high:
        parts.append(_kept_json(low, high))
    return f"[{length}, [{', '.join(parts)}]]"


@lru_cache(maxsize=65536)  # short stretches come again and again
def _kept_json(start: int, end: int) -> str:
    return f"[{start}, {end}]"


@lru_cache(maxsize=65536)
def _inserted_json(text: str, over: tuple[Keep | Between, ...]) -> str:
    return _ENCODER.encode((text, *map(_bare, over)))


@lru_cache(maxsize=65536)
def _new_json(text: str, start: int, end: int) -> str:
    return f"[{_ENCODER.encode(text)}, [{start}, {end}]]"


def _insertion(at: int, length: int) -> tuple[Between, ...]:
    return (Between((Keep(at - 1, at), Keep(at, at + 1))),) if 0 < at < length else ()


def _joined_words(words: Sequence[Span], positions: Sequence[int | None]) -> int:
    """Words that are kept whole and of which the space or sign to a neighbour was deleted."""
    joined: set[int] = set()
    for i, (word, at, after) in enumerate(zip(words, positions, positions[1:], strict=False)):
        if at is not None and after == at + word.end - word.start and words[i + 1].start > word.end:
            joined |= {i, i + 1}
    return len(joined)


def _longest_ascending(values: Iterable[int]) -> int:
    tails: list[int] = []
    for value in values:
        at = bisect_left(tails, value)
        tails[at : at + 1] = [value]
    return len(tails)


def _bare(source: Keep | Between) -> tuple[Any, ...]:
    return source if isinstance(source, Keep) else source.neighbours


def _dump(source: Keep | Between) -> list[Any]:
    return list(source) if isinstance(source, Keep) else [list(n) for n in source.neighbours]


def _load(value: Sequence[Any]) -> Keep | Between:
    if value and isinstance(value[0], int):
        return Keep(*value)
    return Between(tuple(Keep(*n) for n in value))
