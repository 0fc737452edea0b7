"""The longest entries of a lexicon in a text: runs of words, and in scripts without spaces what they consist of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import regex

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
    """Entries in a text without spaces: runs of the segmenter's words, or those that one of them consists of.

    Lexicons and segmenters cut words differently: what the one joins the other may have in parts. `known` is 0 of what
    is no entry. `inside(word)` are the entries that a word consists of (`entries_inside`, which a caller keeps).
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
    """The fewest entries of two letters and more that a word consists of; none where they would leave a part of it.

    A word of another script (a name in Latin letters, a loan in Katakana) has none: what stands in it by chance is no
    word of it.
    """
    if not _OWN_SCRIPT.fullmatch(word):
        return ()
    units, offsets = positioned(word)
    borders = [*offsets, len(word)]
    count = len(units)
    # Of every rest of the word, from its end on: how many entries it consists of, and where the first of them ends.
    rests: list[tuple[int, int] | None] = [None] * count + [(0, count)]
    for at in range(count - 2, -1, -1):
        for end in range(min(count, at + _MOST_UNITS), at + 1, -1):
            rest, best = rests[end], rests[at]
            shorter = rest is not None and (best is None or rest[0] + 1 < best[0])
            if rest is not None and shorter and known(word[borders[at] : borders[end]]):
                rests[at] = rest[0] + 1, end
    spans: list[tuple[int, int]] = []
    first = 0
    while first < count and (step := rests[first]) is not None:
        spans.append((borders[first], borders[step[1]]))
        first = step[1]
    return tuple(spans)


_OWN_SCRIPT = regex.compile(r"[\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{M}]+")
_MOST_UNITS = 32  # grapheme clusters of an entry within a word
