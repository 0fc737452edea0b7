"""Full shuffle: the words of a text in a random order. The label need not hold: it measures what order is worth.

What stands between the words (spaces, punctuation) stays where it is; answers and entities move whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.blocks import moving_blocks
from crosswind.perturb.donors import Donors
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, Piece
from crosswind.perturb.words import segmentation


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
    order = Donors(moving, [str(b.start) for b in moving]).ranked(bits)
    return reordered_spans(moving, list(order))


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
    resources=lambda setting: segmentation(setting.language),
)
