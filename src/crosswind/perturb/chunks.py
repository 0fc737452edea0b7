"""Words of a batch of texts, looked up by the chunks between white space: most come again and are cut once.

No word of a spaced script holds white space, so that the words of a chunk depend on the chunk alone. Every word
has a number, so that what is known of it (what it becomes, whether it is a function word) is an array of numbers too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import regex

from crosswind.data.examples import Span
from crosswind.perturb.codes import CodeTable, Integers, NumbersOnce, TextBatch

_MOST_WORDS = 200_000  # that are kept with their numbers: an endless input must not fill the memory

_LETTERS = regex.compile(r"[\p{L}\p{N}]")
_MARKS = regex.compile(r"\p{M}")
_WHITE, _OTHER, _MARK, _LETTER = 0, 1, 2, 3  # a code point is white space, none of these, a mark, a letter or number


def _kind(char: str) -> int:
    if char.isspace():
        return _WHITE
    return _LETTER if _LETTERS.match(char) else _MARK if _MARKS.match(char) else _OTHER


_kinds = CodeTable(_kind)


class WordNames:
    """Words by number, from 0. When there are too many, numbers are given anew, and `epoch` is another."""

    def __init__(self) -> None:
        self.epoch = 0
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, word: str) -> int:
        """The number of a word."""
        known = self._numbers.setdefault(word, len(self.names))
        if known == len(self.names):
            self.names.append(word)
        return known

    def make_room(self) -> None:
        """Forget all words if there are too many: between batches, whose numbers would mean nothing any more."""
        if len(self.names) > _MOST_WORDS:
            self.epoch += 1
            self.names, self._numbers = [], {}


class WordColumns(NamedTuple):
    """The words of a batch: where each begins and ends in the joined text, and its number among `names`."""

    starts: Integers
    ends: Integers
    numbers: Integers
    names: WordNames

    def where(self, at: Integers) -> WordColumns:
        """Some of the words, by their indices."""
        return WordColumns(self.starts[at], self.ends[at], self.numbers[at], self.names)


class WordMemo:
    """A number for every word, worked out when the word first occurs."""

    def __init__(self, of: Callable[[str], int]) -> None:
        self._of = of
        self._names: WordNames | None = None
        self._epoch = -1
        self._known = np.zeros(0, dtype=np.int64)

    def forget(self) -> None:
        """Ask anew for every word."""
        self._names = None

    def __call__(self, words: WordColumns) -> Integers:
        """The number of each of the words."""
        names = words.names
        if self._names is not names or self._epoch != names.epoch:
            self._names, self._epoch, self._known = names, names.epoch, np.zeros(0, dtype=np.int64)
        if len(self._known) < len(names.names):
            more = np.full(max(len(names.names) - len(self._known), len(self._known)), -1, dtype=np.int64)
            self._known = np.append(self._known, more)
        values = self._known[words.numbers]
        missed = values < 0
        if missed.any():
            for number in np.unique(words.numbers[missed]).tolist():
                self._known[number] = self._of(names.names[number])
            values = self._known[words.numbers]
        return values


class ChunkTable:
    """The words of chunks: `cut(chunk)` gives them, or `None` if more than the chunk decides it."""

    def __init__(self, cut: Callable[[str], Sequence[Span] | None]) -> None:
        self._cut = cut
        self._reset()

    def _reset(self) -> None:
        self.names = WordNames()
        self._numbers = NumbersOnce(self._added)
        self._count = 0  # of chunks
        # What is not yet in the arrays: start and end of each word in its chunk and its number, and by chunk how many.
        self._new: list[tuple[int, int, int]] = []
        self._new_counts: list[int] = []
        self._spans = np.zeros((3, 0), dtype=np.int64)
        self._first = np.zeros(1, dtype=np.int64)  # of each chunk, where its words begin in `_spans`
        self._unsure = np.zeros(0, dtype=np.bool_)

    def _added(self, chunk: str) -> int:
        spans = self._cut(chunk)
        self._new += ((s.start, s.end, self.names.number(chunk[s.start : s.end])) for s in spans or ())
        self._new_counts.append(-1 if spans is None else len(spans))
        self._count += 1
        return self._count - 1

    def _grow(self) -> None:
        """Bring what is new into the arrays."""
        counts = np.array(self._new_counts, dtype=np.int64)
        self._unsure = np.append(self._unsure, counts < 0)
        self._first = np.append(self._first, self._first[-1] + np.cumsum(np.maximum(counts, 0)))
        self._spans = np.concatenate((self._spans, np.array(self._new, dtype=np.int64).reshape(-1, 3).T), axis=1)
        self._new, self._new_counts = [], []

    def words(self, batch: TextBatch, *, asked: int | None = None) -> tuple[WordColumns, Integers]:
        """The words of a batch, and the indices of the texts of which chunks do not decide them (they have none).

        With `asked` words may be missing but those at which a site is asked for and, of each, the next `asked` before
        which nothing but white space stands.
        """
        if self._count > _MOST_WORDS or len(self.names.names) > _MOST_WORDS:
            self._reset()
        begins, chunks = _chunks(batch) if asked is None else _chunks_asked(batch, asked)
        numbers = np.fromiter(map(self._numbers.__getitem__, chunks), dtype=np.int64, count=len(chunks))
        if self._new_counts:
            self._grow()
        unsure = self._unsure[numbers]
        others = np.zeros(0, dtype=np.int64)
        if unsure.any():
            owners = np.searchsorted(batch.first, begins, side="right") - 1
            others = np.unique(owners[unsure])
            sure = ~np.isin(owners, others)
            begins, numbers = begins[sure], numbers[sure]
        low = self._first[numbers]
        counts = self._first[numbers + 1] - low
        after = np.cumsum(counts)
        total = int(after[-1]) if len(after) else 0
        at = np.arange(total) + np.repeat(low - after + counts, counts)
        shifts = np.repeat(begins, counts)
        starts, ends, names = self._spans[:, at]
        return WordColumns(starts + shifts, ends + shifts, names, self.names), others


def _chunks(batch: TextBatch) -> tuple[Integers, list[str]]:
    """Where the chunks begin that `str.split` gives of the joined text, and the chunks."""
    solid = _kinds.some(batch.codes)
    solid[1:] &= ~solid[:-1]
    return np.flatnonzero(solid), batch.text.split()


def _chunks_asked(batch: TextBatch, following: int) -> tuple[Integers, list[str]]:
    """As `_chunks`, those in which a word may begin where a site is asked for, and some that follow each of them."""
    kinds = _kinds(batch.codes)
    solid = kinds != _WHITE
    # The joined text ends with what stands between texts, which is white space.
    borders = np.flatnonzero(np.diff(solid, prepend=False))
    begins, ends = borders[::2], borders[1::2]
    # A word begins neither with white space nor at what follows a letter or number in it; a mark may be in none.
    solid[1:] &= (kinds[1:] < _MARK) | (kinds[:-1] < _LETTER)
    at = np.flatnonzero(solid)
    at = at[batch.asked(at)]
    first = np.searchsorted(begins, at, side="right") - 1
    holds = np.zeros(len(begins) + following, dtype=np.bool_)
    for step in range(following + 1):
        holds[first + step] = True
    begins, ends = begins[holds[: len(begins)]], ends[holds[: len(begins)]]
    text = batch.text
    return begins, [text[start:end] for start, end in zip(begins.tolist(), ends.tolist(), strict=True)]
