"""Alternatives of single words: what each may become depends on the word alone, in a tagged sentence on its tag too.

Words of plain texts are found, and what they may become is looked up, for a batch at once; passages with labels, given
words or constraints go word by word.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from crosswind.perturb.alternatives import Option, Sites, weighted
from crosswind.perturb.chunks import WordMemo
from crosswind.perturb.codes import CodeSlices, Integers, NumbersOnce, TextBatch
from crosswind.perturb.columns import Columns, OptionTable, PlainColumned
from crosswind.perturb.draw import Words
from crosswind.perturb.passage import Passage
from crosswind.perturb.words import is_unspaced, word_columns

WeightedOptions = tuple[tuple[str, ...], tuple[float, ...]]
"""What a word may become, with the weights; both may be empty (the word is a site that has no option)."""

_MOST_WORDS = 200_000  # of which what they become is kept: an endless input must not fill the memory


class ByWord(PlainColumned):
    """Words that become one of `options`, all evenly likely; empty where a word is no site.

    `sites` gives those of a passage; of a plain text they are the sites of the words that `options` knows.
    """

    def __init__(
        self, sites: Callable[[Passage], Sites], options: Callable[[str], tuple[str, ...]], language: str
    ) -> None:
        super().__init__(sites, self._columns)
        self._table, self._language = OptionTable(options), language
        self._known = WordMemo(lambda word: self._table.numbers[word])

    def _columns(self, batch: TextBatch) -> Columns:
        before = self._table.epoch
        self._table.make_room()
        if before != self._table.epoch:
            self._known.forget()
        words = word_columns(batch, self._language, glued=not is_unspaced(self._language), asked=0)
        return self._table.columns(batch.text, words.starts, words.ends, self._known(words))


class ByWeightedWord(PlainColumned):
    """Words that become one of `options`, drawn by their weights; `None` where a word is no site.

    `sites` gives those of a passage, as for `ByWord`.
    """

    def __init__(
        self, sites: Callable[[Passage], Sites], options: Callable[[str], WeightedOptions | None], language: str
    ) -> None:
        super().__init__(sites, self._columns)
        self._options, self._language = options, language
        self._reset()

    def _reset(self) -> None:
        self._numbers = NumbersOnce(self._added)
        self._entries: list[WeightedOptions] = []  # the word of number n from 1 has n - 1 here
        self._memo = WordMemo(lambda word: self._numbers[word])
        self._texts: list[str] = []  # the options of all entries, in NFC
        self._sums: list[float] = []  # their weights, added up within an entry
        self._first: list[int] = [0]  # of number n from 1: where its options begin
        self._arrays = np.zeros(0), np.zeros(1, dtype=np.int64), CodeSlices.of(())  # of these lists

    def _added(self, word: str) -> int:
        entry = self._options(word)
        if entry is None:
            return 0
        self._entries.append(entry)
        self._texts += (unicodedata.normalize("NFC", option) for option in entry[0])
        self._sums += itertools.accumulate(entry[1])
        self._first.append(len(self._texts))
        return len(self._entries)

    def _columns(self, batch: TextBatch) -> Columns:
        if len(self._numbers) > _MOST_WORDS:
            self._reset()
        words = word_columns(batch, self._language, glued=not is_unspaced(self._language), asked=0)
        numbers = self._memo(words)
        at = np.flatnonzero(numbers)
        starts, ends, numbers = words.starts[at], words.ends[at], numbers[at]
        if len(self._arrays[1]) < len(self._first):
            texts = self._arrays[2].and_more(self._texts[len(self._arrays[2].starts) :])
            self._arrays = np.array(self._sums, dtype=np.float64), np.array(self._first), texts
        sums, first, texts = self._arrays

        def become(chosen: Integers, bits: Words) -> CodeSlices:
            low, high = first[numbers[chosen] - 1], first[numbers[chosen]]
            option = weighted_rows(sums, low, high, bits)
            return CodeSlices(texts.codes, texts.starts[option], texts.lengths[option])

        entries = [self._entries[n - 1] for n in numbers.tolist()]
        return replace(weighted_columns(batch, starts, ends, entries), become=become)


def weighted_rows(sums: npt.NDArray[np.float64], low: Integers, high: Integers, bits: Words) -> Integers:
    """The row of `low` to `high` that 64 random bits choose as `weighted` does; `sums` are their added weights."""
    wanted = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53 * sums[high - 1]
    at, end = low.copy(), high - 1  # the last row stands for what is left
    while (open_ := at < end).any():
        middle = (at + end) >> 1
        below = open_ & (sums[middle] <= wanted)
        end = np.where(open_ & ~below, middle, end)
        at = np.where(below, middle + 1, at)
    return at


def weighted_columns(batch: TextBatch, starts: Integers, ends: Integers, entries: Sequence[WeightedOptions]) -> Columns:
    """The sites of a batch, of which each becomes one of its entry by weight."""

    def options(i: int, first: int) -> tuple[Option, ...]:
        return entries[i][0]

    def by_bits(i: int, first: int, bits: int) -> Option:
        option = weighted(*entries[i], bits)
        assert option is not None
        return option

    def become(at: Integers, bits: Words) -> Sequence[str]:
        drawn = zip(at.tolist(), bits.tolist(), strict=True)
        return [unicodedata.normalize("NFC", str(by_bits(i, 0, some))) for i, some in drawn]

    bare = [i for i, (texts, _) in enumerate(entries) if not texts]
    return Columns(starts, ends, options, become, most=_without(batch, starts, bare), by_bits=by_bits)


def _without(batch: TextBatch, starts: Integers, bare: Sequence[int]) -> Integers | None:
    """How many sites of each text may change by columns: none where sites, the `bare` ones, have no option."""
    if not bare:
        return None
    most = np.diff(np.searchsorted(starts, batch.first))
    most[np.searchsorted(batch.first, starts[bare], side="right") - 1] = 0
    return most
