"""Texts of a batch as one array of code points, so that a scan of all of them is a few operations on arrays."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from crosswind.perturb.draw import Sieve
from crosswind.perturb.graphemes import are_simple, cluster_starts, clusters

Integers = npt.NDArray[np.int64]

BETWEEN_TEXTS = "\x1e"
"""What stands behind every text of a batch: a control, of which no cluster, word or composition reaches across."""


_SHORT = 512  # characters of joined texts of which clusters are found one by one: operations on arrays cost more


class Clusters(NamedTuple):
    """The grapheme clusters of a batch: where each begins and ends in the joined text."""

    starts: Integers
    ends: Integers


class Pairs(NamedTuple):
    """Pairs of adjacent clusters: where the first begins, where it ends and the second begins, where that ends."""

    starts: Integers
    middles: Integers
    ends: Integers


class TextBatch:
    """Texts joined to one: `text`, its code points `codes`, and the offset `first[i]` of text i in them.

    `first` has one member more than there are texts; text i ends before `first[i + 1] - 1`, where
    `BETWEEN_TEXTS` stands. With a sieve sites are asked for that will change, not all that could.
    """

    def __init__(self, texts: Sequence[str], sieve: Sieve | None = None) -> None:
        self.texts, self._sieve = texts, sieve
        self.text = BETWEEN_TEXTS.join([*texts, ""])
        self.first: Integers = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1, out=self.first[1:])

    def asked(self, starts: Integers) -> Integers:
        """The indices of the sites, which begin at ascending `starts`, that are asked for."""
        return np.arange(len(starts)) if self._sieve is None else self._sieve(self.first, starts)

    @cached_property
    def asked_offsets(self) -> Integers:
        """The offsets in the joined text at which sites begin that are asked for, if any do."""
        size = int(self.first[-1])
        return np.arange(size) if self._sieve is None else self._sieve.offsets(self.first)

    @cached_property
    def codes(self) -> Integers:
        """The code points of the joined text."""
        return code_points(self.text)

    @cached_property
    def simple(self) -> bool:
        """Whether every character of the joined text is a grapheme cluster of its own."""
        return are_simple(self.codes)

    @cached_property
    def clusters(self) -> Clusters:
        """The grapheme clusters of the texts, those between the texts left out."""
        size = int(self.first[-1])
        if not self.simple and size < _SHORT:
            borders = np.array([0, *itertools.accumulate(map(len, clusters(self.text)))], dtype=np.int64)
            in_text = np.ones(len(borders) - 1, dtype=np.bool_)
            in_text[np.searchsorted(borders, self.first[1:] - 1)] = False
            return Clusters(borders[:-1][in_text], borders[1:][in_text])
        begins = np.ones(size, dtype=np.bool_) if self.simple else cluster_starts(self.codes)
        # Each cluster ends where the next begins, and the last of a text before what stands between texts.
        borders = np.append(np.flatnonzero(begins), size)
        begins[self.first[1:] - 1] = False
        in_text = begins[borders[:-1]]
        return Clusters(borders[:-1][in_text], borders[1:][in_text])

    @cached_property
    def letters(self) -> npt.NDArray[np.bool_]:
        """Of each cluster whether it is a letter, with marks or without."""
        return is_letter_code(self.codes[self.clusters.starts])

    def letter_pairs(self, site: Literal["starts", "middles"] = "starts") -> Pairs:
        """The letters behind which another stands; those asked for, whose site begins at the `starts` or `middles`."""
        behind = int(site == "middles")
        codes = self.codes
        if self.simple:
            at = self.asked_offsets - behind
            at = at[(at >= 0) & (at < len(codes) - 1)]
            at = at[is_letter_code(codes[at])]
            at = at[is_letter_code(codes[at + 1])]
            return Pairs(at, at + 1, at + 2)
        starts, ends = self.clusters
        at = self.asked(starts[1:] if behind else starts[:-1])
        at = at[ends[at] == starts[at + 1]]
        at = at[is_letter_code(codes[starts[at]]) & is_letter_code(codes[starts[at + 1]])]
        return Pairs(starts[at], ends[at], ends[at + 1])


class CodeSlices(NamedTuple):
    """Texts as slices of an array of code points: text i is `codes[starts[i] : starts[i] + lengths[i]]`."""

    codes: Integers
    starts: Integers
    lengths: Integers

    @classmethod
    def of(cls, texts: Sequence[str]) -> CodeSlices:
        """Slices that are these texts."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        return cls(code_points("".join(texts)), np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def of_parts(cls, codes: Integers, *parts: tuple[Integers, Integers]) -> CodeSlices:
        """Slices that are each some `parts` of `codes` one after another: every part as starts and lengths."""
        starts = np.stack([start for start, _ in parts], axis=1).ravel()
        lengths = np.stack([length for _, length in parts], axis=1)
        whole = lengths.sum(axis=1)
        return cls(gathered_slices(codes, starts, lengths.ravel()), np.cumsum(whole) - whole, whole)

    def and_more(self, texts: Sequence[str]) -> CodeSlices:
        """These and further texts."""
        more = CodeSlices.of(texts)
        return CodeSlices(
            np.concatenate((self.codes, more.codes)),
            np.concatenate((self.starts, more.starts + len(self.codes))),
            np.concatenate((self.lengths, more.lengths)),
        )

    def joined(self) -> Integers:
        """The code points of the texts one after another."""
        codes, starts, lengths = self
        whole = len(starts) > 0 and starts[0] == 0 and starts[-1] + lengths[-1] == len(codes)
        if whole and (starts[1:] == starts[:-1] + lengths[:-1]).all():
            return codes  # as `of` and `of_parts` make them
        return gathered_slices(codes, starts, lengths)

    def texts(self) -> list[str]:
        """The texts."""
        text = text_of(self.joined())
        ends = np.cumsum(self.lengths).tolist()
        return [text[start:end] for start, end in itertools.pairwise([0, *ends])]


class CodeTable:
    """A number from 0 for every code point, worked out when the code point first occurs."""

    def __init__(self, of: Callable[[str], int]) -> None:
        self._of = of
        # Zero is "not yet known". The pages that nothing is written to take no memory.
        self._known = np.zeros(0x110000, dtype=np.int32)

    def __call__(self, codes: Integers) -> Integers:
        """The numbers of an array of code points."""
        return self._more(codes).astype(np.int64) - 1

    def some(self, codes: Integers) -> npt.NDArray[np.bool_]:
        """Of which code points the number is not 0."""
        return self._more(codes) > 1

    def _more(self, codes: Integers) -> npt.NDArray[np.int32]:
        """The numbers plus 1."""
        values = self._known[codes]
        if len(values) and not values.min():
            for code in np.unique(codes[values == 0]).tolist():
                self._known[code] = self._of(chr(code)) + 1
            values = self._known[codes]
        return values


class NumbersOnce(dict[str, int]):
    """Text -> its number, given when the text first occurs."""

    def __init__(self, added: Callable[[str], int]) -> None:
        super().__init__()
        self._added = added

    def __missing__(self, text: str) -> int:
        self[text] = number = self._added(text)
        return number


class SliceTable:
    """A number for every slice of a text; those of two or three code points are looked up without making a text."""

    _BITS = 16  # of the table's size

    def __init__(self, of: Callable[[str], int]) -> None:
        self._of = of
        self._slices = np.zeros(1 << self._BITS, dtype=np.int64)  # the code points of one slice a row, 21 bits each
        self._numbers = np.zeros(1 << self._BITS, dtype=np.int64)

    def __call__(self, codes: Integers, text: str, starts: Integers, ends: Integers) -> Integers:
        """The numbers of the slices `starts` to `ends` of `text`, of which `codes` are the code points."""
        lengths = ends - starts
        packed = codes[starts] | codes[np.minimum(starts + 1, len(codes) - 1)] << 21
        third = np.flatnonzero(lengths > 2)
        packed[third] |= codes[starts[third] + 2] << 42
        packed[(lengths > 3) | (lengths < 2)] = -1
        rows = (packed.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - self._BITS)).astype(np.int64)
        numbers = self._numbers[rows]
        missed = np.flatnonzero(self._slices[rows] != packed)
        if len(missed):
            edges = zip(starts[missed].tolist(), ends[missed].tolist(), strict=True)
            numbers[missed] = [self._of(text[start:end]) for start, end in edges]
            kept = missed[packed[missed] >= 0]
            self._slices[rows[kept]], self._numbers[rows[kept]] = packed[kept], numbers[kept]
        return numbers


_letters = CodeTable(lambda char: int(unicodedata.category(char)[0] == "L"))
is_letter_code = _letters.some
"""Of code points whether they are letters."""


@lru_cache(maxsize=1)
def keep_heap() -> None:
    """Let the C library keep what large arrays leave behind, once a process.

    The arrays of a batch have about a megabyte each. glibc asks the kernel for every block above a threshold and gives
    it back, so that a third of the time goes into pages that are zeroed again; the threshold rises to the size of the
    largest such block that was freed (mallopt(3), M_MMAP_THRESHOLD). This one is never written to and takes no memory.
    """
    np.empty(_LARGE, dtype=np.uint8)


_LARGE = 8 << 20


def code_points(text: str) -> Integers:
    """The code points of a text."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


def text_of(codes: Integers, *, ascii: bool = False) -> str:
    """The text that has these code points; faster where all are known to be `ascii`."""
    if ascii:
        return codes.astype(np.uint8).tobytes().decode("ascii")
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def slice_members(starts: Integers, lengths: Integers) -> Integers:
    """The indices of the members of slices, each from a start and of a length, one after another."""
    if not lengths.all():
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
    after = np.cumsum(lengths)
    steps = np.ones(after[-1] if len(after) else 0, dtype=np.int64)
    if len(after):
        steps[0] = starts[0]
        steps[after[:-1]] = starts[1:] - starts[:-1] - lengths[:-1] + 1
    return np.cumsum(steps, out=steps)


def gathered_slices(codes: Integers, starts: Integers, lengths: Integers) -> Integers:
    """Slices of an array, each from a start and of a length, one after another."""
    return codes[slice_members(starts, lengths)]


def alternating(first: Integers, second: Integers) -> Integers:
    """The members of two arrays in turn: the first of one, the first of the other, and so on."""
    both = np.empty(len(first) + len(second), dtype=np.int64)
    both[::2] = first
    both[1::2] = second
    return both
