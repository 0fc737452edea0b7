"""The words of a passage as blocks that may move, repeat or go: labelled spans stay in one piece."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.data.examples import Span
from crosswind.perturb.direction_marks import spans_with_marks
from crosswind.perturb.passage import Passage
from crosswind.perturb.words import tokens


def passage_words(passage: Passage, *, endings: bool = True) -> list[Span]:
    """The words of a passage: of a tagged sentence those it is given in, otherwise what stands between spaces.

    Japanese words have their `endings` on, but for what is looked up.
    """
    if passage.words:
        return sorted(passage.words, key=lambda w: w.start)
    return tokens(passage.text, passage.language, endings=endings)


def moving_blocks(passage: Passage) -> list[Span]:
    """The words of a passage with their marks of direction, those of a labelled span (an answer, an entity) as one."""
    words = passage_words(passage) if passage.words else spans_with_marks(passage.text, passage_words(passage))
    spans = sorted(passage.labels, key=lambda s: (s.start, -s.end))
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    free = [w for w in words if not _touches(w, merged)]
    # A word that juts out of a label goes with it.
    wide = [_widened(span, words) for span in merged]
    return sorted([*free, *_apart(wide)], key=lambda s: s.start)


def _touches(word: Span, spans: Sequence[Span]) -> bool:
    return any(word.start < s.end and s.start < word.end for s in spans)


def _widened(span: Span, words: Sequence[Span]) -> Span:
    near = [w for w in words if w.start < span.end and span.start < w.end]
    return Span(min([span.start, *(w.start for w in near)]), max([span.end, *(w.end for w in near)]))


def _apart(spans: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        if joined and span.start < joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined
