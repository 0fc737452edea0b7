"""Marks of direction at words: what is said of a word's direction goes where the word goes, though nobody sees it.

These are the implicit marks of UAX #9, §2.6 (LRM, RLM, ALM), which stand at a word as a letter of no width does. The
controls of §2.1 to §2.4 come in pairs around a stretch of text: they stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crosswind.data.examples import Span
from crosswind.perturb.chunks import WordColumns
from crosswind.perturb.codes import CodeTable, TextBatch

_MARKS = "\u200e\u200f\u061c"
_is_mark = CodeTable(lambda char: int(char in _MARKS))


def has_marks(batch: TextBatch) -> bool:
    """Whether a mark of direction stands in any of the texts."""
    return not batch.text.isascii() and any(mark in batch.text for mark in _MARKS)


def with_marks(batch: TextBatch, words: WordColumns) -> WordColumns:
    """Words with the marks behind them, and those before them that are not behind another."""
    if not has_marks(batch):
        return words
    marks = _is_mark.some(batch.codes)  # none is what stands behind the last text
    starts, ends = words.starts.copy(), words.ends.copy()
    while (more := marks[ends]).any():
        ends += more
    floors = np.append(0, ends[:-1])[: len(starts)]
    while (more := marks[starts - 1] & (starts > floors)).any():
        starts -= more
    numbers = words.numbers.copy()
    for i in np.flatnonzero((starts < words.starts) | (ends > words.ends)).tolist():
        numbers[i] = words.names.number(batch.text[starts[i] : ends[i]])
    return WordColumns(starts, ends, numbers, words.names)


def spans_with_marks(text: str, spans: Sequence[Span]) -> list[Span]:
    """As `with_marks`, of ascending words of a text."""
    whole: list[Span] = []
    floor = 0
    for start, end in ((s.start, s.end) for s in spans):
        while text[end : end + 1] and text[end] in _MARKS:
            end += 1
        while start > floor and text[start - 1] in _MARKS:
            start -= 1
        whole.append(Span(start, end))
        floor = end
    return whole
