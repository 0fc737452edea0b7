"""Full shuffle: the words of a text in a random order. The label need not hold: it measures what order is worth.

What stands between the words (spaces, punctuation) stays where it is; answers and entities move whole. An order in
which the text reads as it did is drawn anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import regex

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.blocks import moving_blocks
from crosswind.perturb.codes import (
    CodeSlices,
    CodeTable,
    Integers,
    TextBatch,
    alternating,
    gathered_slices,
    slice_members,
)
from crosswind.perturb.columns import Columns
from crosswind.perturb.direction_marks import with_marks
from crosswind.perturb.draw import Words, key, splitmix64
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, Piece
from crosswind.perturb.words import movable, tokenization, word_columns

_DRAWS = 64  # two words are then left in their order once in 2^64; of many equal words two change places


class _Shuffled:
    """One site a passage: all of its words."""

    def __init__(self, language: str) -> None:
        self._language = language

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        every = []
        for passage in passages:
            moving = moving_blocks(passage)
            differ = len({passage.text[b.start : b.end] for b in moving}) > 1
            starts, ends = ([moving[0].start], [moving[-1].end]) if differ else ([], [])
            every.append(Sites(starts, ends, passage=passage))
        return every

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        return [_order(sites.passage, bits) for sites, _, bits in at if sites.passage is not None]

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[list[Option]]:
        return [
            [_order(sites.passage, bits) for bits in range(most or 1)] for sites, _ in at if sites.passage is not None
        ]

    def columns(self, batch: TextBatch) -> Columns:
        drawn = _perhaps_drawn(batch)
        part = TextBatch([batch.texts[i] for i in drawn.tolist()])
        words = with_marks(part, word_columns(part, self._language, glued=True))
        bounds = np.searchsorted(words.starts, part.first)
        at = np.flatnonzero(bounds[1:] > bounds[:-1])
        if len(at):
            low = bounds[at]
            at = at[np.minimum.reduceat(words.numbers, low) < np.maximum.reduceat(words.numbers, low)]
        shifts = batch.first[drawn[at]] - part.first[at]
        asked = batch.asked(words.starts[bounds[at]] + shifts)
        at, shifts = at[asked], shifts[asked]
        low, high, begins = bounds[at], bounds[at + 1], part.first[at]

        def by_bits(i: int, first: int, bits: int) -> tuple[Piece, ...]:
            spans, texts = of_text(i)
            return reordered_spans(spans, [spans[n] for n in _order_of([s.start for s in spans], texts, bits)])

        def of_text(i: int) -> tuple[list[Span], list[str]]:
            """The words of a text, as spans in it and as texts."""
            begin, edges = begins[i], slice(low[i], high[i])
            starts, ends = (words.starts[edges] - begin).tolist(), (words.ends[edges] - begin).tolist()
            text = part.texts[at[i]]
            return [Span(a, b) for a, b in zip(starts, ends, strict=True)], [
                text[a:b] for a, b in zip(starts, ends, strict=True)
            ]

        def become(chosen: Integers, bits: Words) -> CodeSlices:
            counts = high[chosen] - low[chosen]
            every = slice_members(low[chosen], counts)
            owners = np.repeat(np.arange(len(chosen)), counts)
            starts, places = np.unique(words.starts[every] - begins[chosen][owners], return_inverse=True)
            keys = np.array([_key_of(start) for start in starts.tolist()], dtype=np.uint64)[places]
            hashes = splitmix64(keys ^ bits[owners], np.zeros_like(keys))
            order = every[np.lexsort((hashes, owners))]
            ends = np.cumsum(counts)
            if len(ends):
                same = np.logical_and.reduceat(words.numbers[order] == words.numbers[every], ends - counts)
                for n in np.flatnonzero(same).tolist():  # it reads as before
                    i = int(chosen[n])
                    spans, texts = of_text(i)
                    moved = _order_of([s.start for s in spans], texts, int(bits[n]))
                    order[ends[n] - counts[n] : ends[n]] = low[i] + np.array(moved)
            gaps = words.starts[np.minimum(every + 1, len(words.starts) - 1)] - words.ends[every]
            gaps[ends - 1] = 0  # behind the last word of a text
            sizes = alternating(words.ends[order] - words.starts[order], gaps)
            codes = gathered_slices(part.codes, alternating(words.starts[order], words.ends[every]), sizes)
            lengths = words.ends[high[chosen] - 1] - words.starts[low[chosen]]
            return CodeSlices(codes, np.cumsum(lengths) - lengths, lengths)

        starts, ends = words.starts[low] + shifts, words.ends[high - 1] + shifts
        most = movable(part, words)
        if most is not None:
            most, some = np.ones(len(batch.texts), dtype=np.int64), most
            most[drawn] = some
        return Columns(starts, ends, lambda i, first: (), become, pieces=True, most=most, by_bits=by_bits)


def _perhaps_drawn(batch: TextBatch) -> Integers:
    """The texts of which the site may be among those asked for: their first word begins no later than with its first
    letter or number."""
    codes, first, asked = batch.codes, batch.first, batch.asked_offsets
    within = np.append(np.flatnonzero(_in_words.some(codes)), len(codes))
    latest = within[np.searchsorted(within, first[:-1])]
    owners = np.searchsorted(first, asked, side="right") - 1
    return np.unique(owners[asked <= latest[owners]])


_IN_WORDS = regex.compile(r"[\p{L}\p{N}]")
_in_words = CodeTable(lambda char: int(_IN_WORDS.match(char) is not None))


def _order(passage: Passage, bits: int) -> Option:
    moving = moving_blocks(passage)
    order = _order_of([b.start for b in moving], [passage.text[b.start : b.end] for b in moving], bits)
    return reordered_spans(moving, [moving[i] for i in order])


@lru_cache(maxsize=65536)
def _key_of(start: int) -> int:
    return key("donor", str(start))


def _order_of(starts: Sequence[int], texts: Sequence[str], bits: int) -> list[int]:
    """A random order of spans, which begin at `starts` and read `texts`: that of the hashes of starts with bits."""
    keys = np.array([_key_of(start) for start in starts], dtype=np.uint64)
    number = bits
    for again in range(1, _DRAWS + 1):
        order: list[int] = np.argsort(splitmix64(keys ^ np.uint64(number), np.zeros_like(keys)), kind="stable").tolist()
        if [texts[i] for i in order] != texts:
            return order
        number = int(splitmix64(np.array([bits], dtype=np.uint64), np.array([again], dtype=np.uint64))[0])
    other = next(i for i, text in enumerate(texts) if text != texts[0])
    return [other, *range(1, other), 0, *range(other + 1, len(texts))]


def reordered_spans(spans: Sequence[Span], order: Sequence[Span]) -> tuple[Piece, ...]:
    """The spans in another order, with what stands between them where it is."""
    gaps = [Keep(a.end, b.start) for a, b in itertools.pairwise(spans)]
    pieces: list[Piece] = []
    for span, gap in itertools.zip_longest(order, gaps):
        pieces.append(Keep(span.start, span.end))
        if gap is not None and gap.start < gap.end:
            pieces.append(gap)
    return tuple(pieces)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Shuffled(setting.language)


SHUFFLE = Perturbation(
    name="shuffle",
    nature="diagnostic",
    summary="the words of a text in a random order; answers and entities move whole",
    source="Pham et al. 2021 (Out of Order: How important is the sequential order of words?); Sinha et al. 2021",
    unit="text",
    languages="all",
    prepare=_prepare,
    resources=lambda setting: {"shuffle": "2", **tokenization(setting.language)},
)
