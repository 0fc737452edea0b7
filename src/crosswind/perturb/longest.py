"""The longest entries of a lexicon in a text: runs of words, and in scripts without spaces parts of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosswind.data.examples import Span
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


def longest_entries(text: str, words: Sequence[Span], known: Callable[[str], bool]) -> list[Span]:
    """Entries in a text without spaces: runs of the segmenter's words, or of two letters and more inside one.

    Lexicons and segmenters cut words differently: what the one joins the other may have in parts.
    """
    spans = longest_phrases(text, words, known, "")
    taken = {i for s in spans for i in range(s.start, s.end)}
    for word in words:
        if word.start not in taken:
            spans += _inside(text, word, known)
    return sorted(spans, key=lambda s: s.start)


def _inside(text: str, word: Span, known: Callable[[str], bool]) -> list[Span]:
    units, offsets = positioned(text[word.start : word.end])
    borders = [word.start + offset for offset in offsets] + [word.end]
    spans: list[Span] = []
    at = 0
    while at < len(units) - 1:
        end = next((e for e in range(len(units), at + 1, -1) if known(text[borders[at] : borders[e]])), 0)
        if end:
            spans.append(Span(borders[at], borders[end]))
        at = end or at + 1
    return spans
