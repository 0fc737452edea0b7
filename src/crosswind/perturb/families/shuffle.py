"""Full shuffle: the words of a text in a random order. The label need not hold: it measures what order is worth.

What stands between the words (spaces, punctuation) stays where it is; answers and entities move whole. An order in
which the text reads as it did is drawn anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.blocks import moving_blocks
from crosswind.perturb.codes import Integers, TextBatch
from crosswind.perturb.columns import Columns
from crosswind.perturb.draw import Words, key, splitmix64
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, Piece
from crosswind.perturb.words import movable, segmentation, word_columns

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
        words = word_columns(batch, self._language, glued=True)
        bounds = np.searchsorted(words.starts, batch.first)
        low, high = bounds[:-1], bounds[1:]
        some = high > low
        low, high, begins = low[some], high[some], batch.first[:-1][some]
        if len(low):
            differ = np.minimum.reduceat(words.numbers, low) < np.maximum.reduceat(words.numbers, low)
            low, high, begins = low[differ], high[differ], begins[differ]
        asked = batch.asked(words.starts[low])
        low, high, begins = low[asked], high[asked], begins[asked]

        def by_bits(i: int, first: int, bits: int) -> tuple[Piece, ...]:
            of_text = slice(low[i], high[i])
            edges = zip((words.starts[of_text] - first).tolist(), (words.ends[of_text] - first).tolist(), strict=True)
            spans = [Span(start, end) for start, end in edges]
            return _shuffled(spans, [batch.text[first + s.start : first + s.end] for s in spans], bits)

        def become(at: Integers, bits: Words) -> list[str]:
            texts = []
            for i, some in zip(at.tolist(), bits.tolist(), strict=True):
                first = int(begins[i])
                pieces = by_bits(i, first, some)
                texts.append(
                    "".join(batch.text[first + p.start : first + p.end] for p in pieces if isinstance(p, Keep))
                )
            return texts

        starts, ends = words.starts[low], words.ends[high - 1]
        most = movable(batch, words)
        return Columns(starts, ends, lambda i, first: (), become, pieces=True, most=most, by_bits=by_bits)


def _order(passage: Passage, bits: int) -> Option:
    moving = moving_blocks(passage)
    return _shuffled(moving, [passage.text[b.start : b.end] for b in moving], bits)


@lru_cache(maxsize=65536)
def _key_of(start: int) -> int:
    return key("donor", str(start))


def _shuffled(spans: Sequence[Span], texts: Sequence[str], bits: int) -> tuple[Piece, ...]:
    """The spans of a text, which read `texts`, in a random order: that of the hashes of their starts with the bits."""
    keys = np.array([_key_of(span.start) for span in spans], dtype=np.uint64)
    number = bits
    for again in range(1, _DRAWS + 1):
        order = np.argsort(splitmix64(keys ^ np.uint64(number), np.zeros_like(keys)), kind="stable").tolist()
        if [texts[i] for i in order] != texts:
            return reordered_spans(spans, [spans[i] for i in order])
        number = int(splitmix64(np.array([bits], dtype=np.uint64), np.array([again], dtype=np.uint64))[0])
    other = next(i for i, text in enumerate(texts) if text != texts[0])
    return reordered_spans(spans, [spans[other], *spans[1:other], spans[0], *spans[other + 1 :]])


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
    resources=lambda setting: {"shuffle": "2", **segmentation(setting.language)},
)
