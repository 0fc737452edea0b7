"""Noise on plain texts, a batch at once: what has neither labels nor words nor constraints to care for.

All is done on arrays, from the draw to the rewritten text; rewrites are made from the arrays when they are
looked at. A text whose changes need more care (its normal form or a cluster would be torn, a site overlaps
more than its neighbours) is left to the ordinary way, which draws the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crosswind.perturb.codes import (
    CodeSlices,
    Integers,
    TextBatch,
    alternating,
    gathered_slices,
    slice_members,
    text_of,
)
from crosswind.perturb.columns import Columns
from crosswind.perturb.draw import Words, draw_batch
from crosswind.perturb.form import uncomposed
from crosswind.perturb.graphemes import are_simple, cluster_starts_at
from crosswind.perturb.pieces import Keep, Piece
from crosswind.perturb.rewrite import Changes, Rewrite


@dataclass(frozen=True, slots=True)
class PlainNoise:
    """What became of a batch: the indices of the texts that `changed`, what each has become and by which rewrite.

    `overlaps` counts by index the drawn sites that lay over others. The `refused` texts are left to the ordinary way.
    """

    changed: list[int]
    texts: list[str]
    rewrites: list[Rewrite]
    overlaps: dict[int, int]
    refused: list[int]


def plain_noise(
    batch: TextBatch, columns: Columns, keys: Words, severity: float, formless: Integers | None = None
) -> PlainNoise:
    """Noise on texts in NFC, and in no normal form (the indices `formless`); `keys` are those of the draws."""
    first, n = batch.first, len(batch.texts)
    drawn = draw_batch(keys, first, columns.starts, severity)
    hits = _Hits(*drawn, columns.starts[drawn.at], columns.ends[drawn.at])
    free = np.zeros(n, dtype=np.bool_)
    free[() if formless is None else formless] = True
    refused: set[int] = set()
    overlaps: dict[int, int] = {}
    if columns.most is not None:
        many = np.flatnonzero(np.bincount(hits.owners, minlength=n) > columns.most)
        if len(many):
            refused.update(many.tolist())
            hits = hits.where(~np.isin(hits.owners, many))
    crossed = hits.owners[2:][hits.starts[2:] < hits.ends[:-2]]
    if len(crossed):  # sites that overlap more than their neighbours
        refused.update(crossed.tolist())
        hits = hits.where(~np.isin(hits.owners, crossed))
    keep = _apart(hits.starts, hits.ends, hits.u)
    if not keep.all():
        lost = np.bincount(hits.owners[~keep], minlength=n)
        overlaps = {i: int(lost[i]) for i in np.flatnonzero(lost).tolist()}
        hits = hits.where(keep)
    at, owners, _, bits, starts, ends = hits
    texts = columns.slices(at, bits)
    if formless is not None:
        texts = _as_they_are(texts, columns, hits, np.flatnonzero(free[owners]), batch)
    new = texts.joined()
    after = _joined(batch.codes, starts, ends, texts.lengths, new)
    joined = text_of(after, ascii=batch.text.isascii() and int(new.max(initial=0)) < 128)
    grown = np.zeros(len(at) + 1, dtype=np.int64)  # by how much the joined text is longer before each change
    np.cumsum(texts.lengths - (ends - starts), out=grown[1:])
    bounds = np.searchsorted(owners, np.arange(n + 1))
    new_first = first + grown[bounds]
    # The texts were in NFC, so that only those that changed may be in it no more; others have no form to leave.
    left = np.searchsorted(new_first, uncomposed(after, joined), side="right") - 1
    refused.update(left[~free[left]].tolist())
    if not (batch.simple and are_simple(new)):
        refused.update(_in_clusters(after, starts + grown[:-1], ends + grown[1:], owners))
    if not batch.simple:  # what is taken away may be a part of a cluster of the original: a mark stands behind it
        refused.update(_in_clusters(batch.codes, starts, ends, owners))
    some = np.flatnonzero(bounds[1:] > bounds[:-1])
    edges, before = zip(new_first[some].tolist(), (new_first[some + 1] - 1).tolist(), strict=True), batch.texts
    became = [joined[start:end] for start, end in edges]
    changed = some.tolist()
    # A text in which nothing is new is counted by who handles the rest.
    refused.update(i for i, text in zip(changed, became, strict=True) if text == before[i])
    if refused:
        overlaps = {i: n for i, n in overlaps.items() if i not in refused}
        kept = [i not in refused for i in changed]
        some, became, changed = some[kept], list(compress(became, kept)), list(compress(changed, kept))
    rewrites = Rewrite.of_columns(
        _changes(columns, hits, texts, first, bounds), changed, map(len, map(before.__getitem__, changed))
    )
    return PlainNoise(changed, became, rewrites, overlaps, sorted(refused))


class _Hits(NamedTuple):
    """The drawn sites: index among all, text, u and bits of the draw, start and end."""

    at: Integers
    owners: Integers
    u: Words
    bits: Words
    starts: Integers
    ends: Integers

    def where(self, mask: npt.NDArray[np.bool_]) -> _Hits:
        at, owners, u, bits, starts, ends = self
        return _Hits(at[mask], owners[mask], u[mask], bits[mask], starts[mask], ends[mask])


def _apart(starts: Integers, ends: Integers, u: Words) -> npt.NDArray[np.bool_]:
    """Which sites change so that none overlap, greedily in ascending u; none overlaps more than its neighbours.

    A site of which u is below that of its neighbours is taken and these go; so on with the rest. That is what
    taking them one by one gives.
    """
    over = starts[1:] < ends[:-1]
    keep = np.ones(len(starts), dtype=np.bool_)
    if not over.any():
        return keep
    lower = u[1:] < u[:-1]
    left = np.concatenate(([False], over & ~lower))  # its left neighbour overlaps it and comes first
    right = np.concatenate((over & lower, [False]))
    over_left, over_right = np.concatenate(([False], over)), np.concatenate((over, [False]))
    open_ = over_left | over_right
    while open_.any():
        before, after = np.roll(open_, 1), np.roll(open_, -1)
        taken = open_ & ~(left & before) & ~(right & after)
        gone = open_ & ((over_left & np.roll(taken, 1)) | (over_right & np.roll(taken, -1)))
        keep &= ~gone
        open_ &= ~(taken | gone)
    return keep


def _changes(columns: Columns, hits: _Hits, texts: CodeSlices, first: Integers, bounds: Integers) -> Changes:
    at, owners, _, bits, starts, ends = hits
    shifts = first[owners]
    starts, ends = starts - shifts, ends - shifts
    if not columns.pieces:
        return Changes(starts, ends, bounds, texts=texts.texts)

    def option(i: int, n: int) -> str | tuple[Piece, ...]:
        return columns.option(int(at[i]), int(first[n]), int(bits[i]))

    return Changes(starts, ends, bounds, option=option)


def _joined(codes: Integers, starts: Integers, ends: Integers, new_lengths: Integers, new: Integers) -> Integers:
    """The code points of the joined text after all changes, which bring the code points `new`."""
    lengths = ends - starts
    if (new_lengths == lengths).all():
        after = codes.copy()
        after[starts if (lengths == 1).all() else slice_members(starts, lengths)] = new
        return after
    at = np.cumsum(new_lengths) - new_lengths + len(codes)
    kept = np.append(0, ends)
    kept_lengths = np.append(starts, len(codes)) - kept
    pool = np.concatenate((codes, new))
    return gathered_slices(pool, alternating(kept, at), alternating(kept_lengths, new_lengths))


def _as_they_are(texts: CodeSlices, columns: Columns, hits: _Hits, some: Integers, batch: TextBatch) -> CodeSlices:
    """What sites become, `some` of them not in NFC but as their options are."""
    become: list[str] = []
    for at, owner, bits in zip(
        hits.at[some].tolist(), hits.owners[some].tolist(), hits.bits[some].tolist(), strict=True
    ):
        shift = int(batch.first[owner])
        option = columns.option(at, shift, bits)
        if not isinstance(option, str):
            text = batch.texts[owner]
            option = "".join(text[p.start : p.end] if isinstance(p, Keep) else p.text for p in option)
        become.append(option)
    more = CodeSlices.of(become)
    starts, lengths = texts.starts.copy(), texts.lengths.copy()
    starts[some], lengths[some] = more.starts + len(texts.codes), more.lengths
    return CodeSlices(np.concatenate((texts.codes, more.codes)), starts, lengths)


def _in_clusters(codes: Integers, starts: Integers, ends: Integers, owners: Integers) -> list[int]:
    """The owners of slices that begin or end within a cluster."""
    inside: list[int] = owners[~(cluster_starts_at(codes, starts) & cluster_starts_at(codes, ends))].tolist()
    return inside
