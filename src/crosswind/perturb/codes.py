"""Texts of a batch as one array of code points, so that a scan of all of them is a few operations on arrays."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crosswind.perturb.graphemes import cluster_starts

Integers = npt.NDArray[np.int64]

BETWEEN_TEXTS = "\x1e"
"""What stands behind every text of a batch: a control, of which no cluster, word or composition reaches across."""


class Clusters(NamedTuple):
    """The grapheme clusters of a batch: where each begins and ends in the joined text."""

    starts: Integers
    ends: Integers


class TextBatch:
    """Texts joined to one: `text`, its code points `codes`, and the offset `first[i]` of text i in them.

    `first` has one member more than there are texts; text i ends before `first[i + 1] - 1`, where
    `BETWEEN_TEXTS` stands.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.text = BETWEEN_TEXTS.join([*texts, ""])
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.first: Integers = np.concatenate(([0], np.cumsum(lengths + 1)))

    @cached_property
    def codes(self) -> Integers:
        """The code points of the joined text."""
        return code_points(self.text)

    @cached_property
    def ascii(self) -> bytes | None:
        """The joined text where every character of it is a cluster and one byte; `None` of all others."""
        return self.text.encode("ascii") if self.text.isascii() and "\r" not in self.text else None

    @cached_property
    def clusters(self) -> Clusters:
        """The grapheme clusters of the texts, those between the texts left out."""
        size = int(self.first[-1])
        begins = np.ones(size, dtype=np.bool_) if self.ascii is not None else cluster_starts(self.codes)
        # Each cluster ends where the next begins, and the last of a text before what stands between texts.
        borders = np.append(np.flatnonzero(begins), size)
        begins[self.first[1:] - 1] = False
        in_text = begins[borders[:-1]]
        return Clusters(borders[:-1][in_text], borders[1:][in_text])

    @cached_property
    def letters(self) -> npt.NDArray[np.bool_]:
        """Of each cluster whether it is a letter, with marks or without."""
        starts = self.clusters.starts
        if self.ascii is not None:
            return np.frombuffer(self.ascii.translate(ASCII_LETTERS), dtype=np.bool_)[starts]
        return _is_letter(self.codes[starts]) > 0

    @cached_property
    def letter_pairs(self) -> Integers:
        """The indices of the clusters that are a letter behind which another stands."""
        starts, ends = self.clusters
        return np.flatnonzero(self.letters[:-1] & self.letters[1:] & (ends[:-1] == starts[1:]))


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
        return gathered(self.codes, self.starts, self.lengths)

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
        values = self._known[codes]
        if not values.all():
            for code in np.unique(codes[values == 0]).tolist():
                self._known[code] = self._of(chr(code)) + 1
            values = self._known[codes]
        return values.astype(np.int64) - 1


_is_letter = CodeTable(lambda char: int(unicodedata.category(char)[0] == "L"))
ASCII_LETTERS = bytes(code < 128 and chr(code).isalpha() for code in range(256))
"""For `bytes.translate`: 1 for the letters of ASCII, 0 for all other bytes."""


def code_points(text: str) -> Integers:
    """The code points of a text."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)


def text_of(codes: Integers) -> str:
    """The text that has these code points."""
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def gathered(codes: Integers, starts: Integers, lengths: Integers) -> Integers:
    """Slices of an array, each from a start and of a length, one after another."""
    at = np.cumsum(lengths)
    index = np.repeat(starts - at + lengths, lengths)
    index += np.arange(len(index))
    return codes[index]


def alternating(first: Integers, second: Integers) -> Integers:
    """The members of two arrays in turn: the first of one, the first of the other, and so on."""
    both = np.empty(len(first) + len(second), dtype=np.int64)
    both[::2] = first
    both[1::2] = second
    return both
