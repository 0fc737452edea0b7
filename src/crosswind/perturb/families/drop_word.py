"""Dropped words: a word is missing, and the space beside it. The label need not hold.

The space may be one that does not break the line, and marks of direction go with their word. One word of a text always
stays. A word of a tagged sentence goes with its tag, and no labelled span is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import regex

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.chunks import WordColumns
from crosswind.perturb.codes import CodeSlices, CodeTable, Integers, TextBatch
from crosswind.perturb.columns import Columns, PlainColumned
from crosswind.perturb.direction_marks import spans_with_marks, with_marks
from crosswind.perturb.draw import Words
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import tokenization, word_columns


def dropping(passage: Passage, words: Sequence[Span], drops: Callable[[int], bool]) -> Sites:
    """A site for each of the words that `drops` names, with one of the spaces at it; one word stays at least."""
    text = passage.text
    at = [i for i in range(len(words)) if drops(i)]
    # The words of a tagged sentence are apart by spaces, and what else is in them is theirs.
    whole, spaces = (words, _SPACE) if passage.words else (spans_with_marks(text, words), _ANY_SPACE)
    starts, ends = [], []
    for i in at:
        start, end = whole[i].start, whole[i].end
        if spaces.match(text, end):
            end += 1
        elif start and spaces.match(text, start - 1) and (not passage.words or end == len(text)):
            start -= 1
        starts.append(start)
        ends.append(end)
    return Sites(starts, ends, lambda i: ("",), groups=[0] * len(at), most=min(len(at), len(words) - 1))


_SPACE, _ANY_SPACE = regex.compile(" "), regex.compile(r"\p{Zs}")  # of the latter U+00A0 does not break the line
_is_space = CodeTable(lambda char: int(_ANY_SPACE.match(char) is not None))


def dropped_columns(batch: TextBatch, words: WordColumns, drops: npt.NDArray[np.bool_]) -> Columns:
    """As `dropping`, of a batch of plain texts: `drops` says of each of all words whether it is a site."""
    owners = np.searchsorted(batch.first, words.starts, side="right") - 1
    every = np.bincount(owners, minlength=len(batch.texts))
    at = np.flatnonzero(drops)
    sites = np.bincount(owners[at], minlength=len(batch.texts))
    words, codes = with_marks(batch, words), batch.codes
    starts, ends = words.starts[at], words.ends[at]
    # What stands between two texts is no space, nor does one stand before the first text.
    behind = _is_space.some(codes[ends])
    before = ~behind & (starts > 0) & _is_space.some(codes[starts - 1])
    starts, ends = starts - before, ends + behind
    asked = batch.asked(starts)

    def become(at: Integers, bits: Words) -> CodeSlices:
        return CodeSlices(codes, np.zeros_like(at), np.zeros_like(at))

    return Columns(
        starts[asked], ends[asked], lambda i, first: ("",), become, most=np.minimum(sites, np.maximum(every - 1, 0))
    )


def _prepare(setting: Setting, given: Given) -> Alternatives:
    def sites(passage: Passage) -> Sites:
        return dropping(passage, passage_words(passage), lambda i: True)

    def columns(batch: TextBatch) -> Columns:
        words = word_columns(batch, setting.language, glued=True)
        return dropped_columns(batch, words, np.ones(len(words.starts), dtype=np.bool_))

    return PlainColumned(sites, columns)


DROP_WORD = Perturbation(
    name="drop-word",
    nature="diagnostic",
    summary="a word is missing",
    source="Wei & Zou 2019 (EDA), random deletion",
    unit="word",
    languages="all",
    changes_words=True,
    prepare=_prepare,
    resources=lambda setting: tokenization(setting.language),
)
