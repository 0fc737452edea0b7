"""Texts of a batch as one array of code points, so that a scan of all of them is a few operations on arrays."""

from __future__ import annotations

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
        self.codes = code_points(self.text)
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        self.first: Integers = np.concatenate(([0], np.cumsum(lengths + 1)))

    @cached_property
    def clusters(self) -> Clusters:
        """The grapheme clusters of the texts, those between the texts left out."""
        borders = np.flatnonzero(cluster_starts(self.codes))
        between = np.zeros(len(self.codes), dtype=np.bool_)
        between[self.first[1:] - 1] = True
        in_text = ~between[borders]
        ends = np.append(borders[1:], len(self.codes))
        return Clusters(borders[in_text], ends[in_text])


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


def code_points(text: str) -> Integers:
    """The code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
