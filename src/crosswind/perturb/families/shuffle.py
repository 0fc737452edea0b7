"""Full shuffle: the words of a text in a random order. The label need not hold: it measures what order is worth.

What stands between the words (spaces, punctuation) stays where it is; answers and entities move whole. An order in
which the text reads as it did is drawn anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.blocks import moving_blocks
from crosswind.perturb.donors import Donors
from crosswind.perturb.draw import splitmix64
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, Piece
from crosswind.perturb.words import segmentation

_DRAWS = 64  # two words are then left in their order once in 2^64; of many equal words two change places


class _Shuffled:
    """One site a passage: all of its words."""

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


def _order(passage: Passage, bits: int) -> Option:
    moving = moving_blocks(passage)
    texts = [passage.text[b.start : b.end] for b in moving]
    donors = Donors(moving, [str(b.start) for b in moving])
    number = bits
    for again in range(1, _DRAWS + 1):
        order = list(donors.ranked(number))
        if [passage.text[b.start : b.end] for b in order] != texts:
            return reordered_spans(moving, order)
        number = int(splitmix64(np.array([bits], dtype=np.uint64), np.array([again], dtype=np.uint64))[0])
    other = next(i for i, text in enumerate(texts) if text != texts[0])
    return reordered_spans(moving, [moving[other], *moving[1:other], moving[0], *moving[other + 1 :]])


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
    return _Shuffled()


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
