"""The longest entries of a lexicon in a text: runs of words, and in scripts without spaces parts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from crosswind.data.examples import Span
from crosswind.perturb.codes import Integers
from crosswind.perturb.graphemes import positioned

_MOST_WORDS = 4  # of a phrase: Tan & Joty 2021 (Bumblebee), §3.2


def longest_phrases(
    text: str, words: Sequence[Span], known: Callable[[str], bool], gap: str, most: int = _MOST_WORDS
) -> list[Span]:
    """The runs of at most `most` words, with `gap` between them, that are known: from the left, the longest first."""
    spans: list[Span] = []
    at = 0
    while at < len(words):
        last = at
        while last + 1 < min(at + most, len(words)) and text[words[last].end : words[last + 1].start] == gap:
            last += 1
        while last >= at and not known(text[words[at].start : words[last].end]):
            last -= 1
        if last >= at:
            spans.append(Span(words[at].start, words[last].end))
        at = max(last, at) + 1
    return spans


def longest_entries(
    text: str,
    starts: Integers,
    ends: Integers,
    known: Callable[[str], int],
    inside: Callable[[str], Sequence[tuple[int, int]]],
) -> tuple[Integers, Integers]:
    """Entries in a text without spaces: runs of the segmenter's words, or of two letters and more inside one.

    Lexicons and segmenters cut words differently: what the one joins the other may have in parts. `known` is 0 of what
    is no entry. `inside(word)` are
    the entries within a word (`entries_inside`, which a caller keeps).
    """
    low: list[int] = []
    high: list[int] = []
    lasts = _last_of_run(starts, ends).tolist()
    begin, end = starts.tolist(), ends.tolist()
    at, count = 0, len(begin)
    while at < count:
        start, last = begin[at], lasts[at]
        while last >= at and not known(text[start : end[last]]):
            last -= 1
        if last >= at:
            low.append(start)
            high.append(end[last])
            at = last + 1
            continue
        for a, b in inside(text[start : end[at]]):
            low.append(start + a)
            high.append(start + b)
        at += 1
    return np.array(low, dtype=np.int64), np.array(high, dtype=np.int64)


def _last_of_run(starts: Integers, ends: Integers) -> Integers:
    """Of each word the last one that a phrase from it may have: nothing stands between them."""
    last = np.arange(len(starts))
    joined = starts[1:] == ends[:-1]
    alive = np.ones(len(starts), dtype=np.bool_)
    for step in range(1, min(_MOST_WORDS, len(starts))):
        alive[:-step] &= joined[step - 1 :]
        alive[len(starts) - step :] = False
        last += alive
    return last


def entries_inside(word: str, known: Callable[[str], int]) -> tuple[tuple[int, int], ...]:
    """The entries of two letters and more within a word, from the left, the longest first."""
    units, offsets = positioned(word)
    borders = [*offsets, len(word)]
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(units) - 1:
        end = next((e for e in range(len(units), at + 1, -1) if known(word[borders[at] : borders[e]])), 0)
        if end:
            spans.append((borders[at], borders[end]))
        at = end or at + 1
    return tuple(spans)
