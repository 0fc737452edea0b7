"""Sites of a whole batch as columns of numbers: what makes noise fast where a text needs no further care.

Alternatives that offer `columns` beside `sites` (`Alternatives`) say the same by both: the same sites in
the same order, and by the same bits the same choice. `noise.py` takes the columns for plain texts and `sites`
for those with labels, words or constraints; attacks take `sites`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.codes import (
    BETWEEN_TEXTS,
    CodeSlices,
    CodeTable,
    Integers,
    NumbersOnce,
    SliceTable,
    TextBatch,
    is_letter_code,
)
from crosswind.perturb.draw import Words, below, choose
from crosswind.perturb.passage import Passage

_MOST_UNITS = 200_000  # words that a table keeps: an endless input must not fill the memory


@dataclass(frozen=True, slots=True)
class Columns:
    """The sites of a batch, ascending by text and start; none has a group or weights, its counter is its start.

    * `starts` and `ends` are offsets in the joined text of the batch.
    * `options(i, first)` are the options of site i, whose text begins at `first` in the joined text.
    * `become(at, bits)` are the texts, in NFC, that the sites `at` (indices) become by their bits: those of
      `options(i, first)[bits * n >> 64]`; as texts or as slices of an array of code points.
    * `pieces` says that an option may be more than the text that it becomes: pieces of the text in another order.
    * `most` are, for each text, how many of its sites may change; without it all may. A text in which more are drawn
      goes by `sites`.
    * `by_bits(i, first, bits)` is the option of site i that bits choose, where options are not listed.
    """

    starts: Integers
    ends: Integers
    options: Callable[[int, int], tuple[Option, ...]]
    become: Callable[[Integers, Words], Sequence[str] | CodeSlices]
    pieces: bool = False
    most: Integers | None = None
    by_bits: Callable[[int, int, int], Option] | None = None

    def option(self, i: int, first: int, bits: int) -> Option:
        """The option of site i, in a text that begins at `first`, that bits choose."""
        if self.by_bits is not None:
            return self.by_bits(i, first, bits)
        options = self.options(i, first)
        return options[choose(bits, len(options))]

    def slices(self, at: Integers, bits: Words) -> CodeSlices:
        """What sites become by their bits, as slices of an array."""
        become = self.become(at, bits)
        return become if isinstance(become, CodeSlices) else CodeSlices.of(become)

    def texts(self, at: Integers, bits: Words) -> Sequence[str]:
        """What sites become by their bits, as texts."""
        become = self.become(at, bits)
        return become.texts() if isinstance(become, CodeSlices) else become


class Columnar(Protocol):
    """Alternatives that give the sites of plain texts as columns."""

    def columns(self, batch: TextBatch) -> Columns:
        """The sites of all texts of a batch."""
        ...


def is_columnar(alternatives: Alternatives) -> TypeGuard[Columnar]:
    """Whether alternatives give columns; faster than `isinstance` of a protocol."""
    return hasattr(alternatives, "columns")


class PlainColumned(Listed):
    """Alternatives that a function of the passage lists, and for a batch of plain texts another one."""

    def __init__(self, of: Callable[[Passage], Sites], columns: Callable[[TextBatch], Columns]) -> None:
        super().__init__(of)
        self.columns = columns


class Columned(Listed):
    """Alternatives that a function lists for a whole batch of texts, knowing nothing of them but the text."""

    def __init__(self, columns: Callable[[TextBatch], Columns]) -> None:
        super().__init__(lambda passage: self.sites([passage])[0])
        self.columns = columns

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        """The sites of each passage."""
        return list(self._sites(passages))

    def _sites(self, passages: Sequence[Passage]) -> Iterator[Sites]:
        batch = TextBatch([p.text for p in passages])
        columns = self.columns(batch)
        bounds = np.searchsorted(columns.starts, batch.first).tolist()
        shifts = batch.first.tolist()
        for i, passage in enumerate(passages):
            low, high, shift = bounds[i], bounds[i + 1], shifts[i]
            starts = (columns.starts[low:high] - shift).tolist()
            ends = (columns.ends[low:high] - shift).tolist()
            yield Sites(starts, ends, _options_of(columns, low, shift), passage=passage)


def _options_of(columns: Columns, low: int, shift: int) -> Callable[[int], tuple[Option, ...]]:
    return lambda i: columns.options(low + i, shift)


class OptionTable:
    """The evenly likely options of units of text (clusters, words), which do not depend on what stands beside them.

    `options(unit)` is empty where a unit never changes.
    """

    def __init__(self, options: Callable[[str], tuple[str, ...]]) -> None:
        self.options = options
        self.epoch = 0
        self._reset()

    def _reset(self) -> None:
        self.numbers = NumbersOnce(self._added)
        self._texts: list[str] = []
        self._first: list[int] = [0]  # of number n from 1: where its options begin in `_texts`
        self.units: list[str] = []  # the unit of number n is n - 1 here
        self._slices = CodeSlices.of(())  # of `_texts`
        self._bounds = np.zeros(1, dtype=np.int64)  # `_first` as an array

    def _added(self, unit: str) -> int:
        options = self.options(unit)
        if not options:
            return 0
        self._texts += (o if o.isascii() else unicodedata.normalize("NFC", o) for o in options)
        self._first.append(len(self._texts))
        self.units.append(unit)
        return len(self.units)

    def chosen(self, numbers: Integers, bits: Words) -> CodeSlices:
        """The options that bits choose for units by their numbers, in NFC."""
        if len(self._bounds) < len(self._first):
            self._slices = self._slices.and_more(self._texts[len(self._slices.starts) :])
            self._bounds = np.append(self._bounds, self._first[len(self._bounds) :])
        low = self._bounds[numbers - 1]
        at = low + below(bits, self._bounds[numbers] - low)
        codes, starts, lengths = self._slices
        return CodeSlices(codes, starts[at], lengths[at])

    def make_room(self) -> None:
        """Forget all units if there are too many: between batches, whose numbers would mean nothing any more."""
        if len(self.numbers) > _MOST_UNITS:
            self._reset()
            self.epoch += 1

    def columns(self, text: str, starts: Integers, ends: Integers, numbers: Integers) -> Columns:
        """The sites of units of a text, of which `numbers` are those of their options."""
        at = np.flatnonzero(numbers)
        starts, ends, numbers = starts[at], ends[at], numbers[at]

        def options(i: int, first: int) -> tuple[Option, ...]:
            return self.options(text[starts[i] : ends[i]])

        return Columns(starts, ends, options, lambda at, bits: self.chosen(numbers[at], bits))


class ByCluster(Columned):
    """Alternatives of single grapheme clusters: what each may become does not depend on what stands beside it.

    `options[cluster]` is empty where a cluster never changes; a mapping may work them out on first use (`__missing__`).
    A cluster of which `inside` is true changes only behind a letter.
    """

    def __init__(
        self, options: Mapping[str, tuple[str, ...]], inside: Callable[[str], bool] = lambda cluster: False
    ) -> None:
        super().__init__(self._columns)
        self._inside = inside
        self._flags = np.zeros(1, dtype=np.bool_)  # by number
        self._table = OptionTable(options.__getitem__)
        self._single = CodeTable(self._table.numbers.__getitem__)
        self._several = SliceTable(self._table.numbers.__getitem__)

    def _columns(self, batch: TextBatch) -> Columns:
        codes = batch.codes
        if batch.simple:
            starts = batch.asked_offsets
            numbers = self._single(codes[starts])
            at = np.flatnonzero(numbers)
            starts, numbers = starts[at], numbers[at]
            if self._table.numbers[BETWEEN_TEXTS]:  # a table of somebody's may know it; it is no cluster of a text
                numbers[np.isin(starts, batch.first[1:] - 1)] = 0
            alone = np.flatnonzero(self._changes_inside()[numbers])
            if len(alone):
                numbers[alone[~is_letter_code(codes[starts[alone] - 1])]] = 0  # before the first text the last sign is
            return self._table.columns(batch.text, starts, starts + 1, numbers)
        every = batch.clusters
        at = batch.asked(every.starts)
        starts, ends = every.starts[at], every.ends[at]
        numbers = self._single(codes[starts])
        long = np.flatnonzero(ends - starts > 1)
        if len(long):
            numbers[long] = self._several(codes, batch.text, starts[long], ends[long])
        alone = np.flatnonzero(self._changes_inside()[numbers])
        if len(alone):
            before = at[alone] - 1  # of the first site it is the last one, which is not there
            behind = (every.ends[before] == starts[alone]) & is_letter_code(codes[every.starts[before]])
            numbers[alone[~behind]] = 0
        return self._table.columns(batch.text, starts, ends, numbers)

    def _changes_inside(self) -> npt.NDArray[np.bool_]:
        """By number whether the cluster changes only behind a letter."""
        units = self._table.units
        if len(self._flags) <= len(units):
            more = [self._inside(unit) for unit in units[len(self._flags) - 1 :]]
            self._flags = np.append(self._flags, np.array(more, dtype=np.bool_))
        return self._flags
