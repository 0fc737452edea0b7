"""Words of a spaced script in a text without spaces: they get spaces around them."""

from __future__ import annotations

import numpy as np
import regex

from crosswind.perturb.alternatives import Option
from crosswind.perturb.codes import Integers, TextBatch
from crosswind.perturb.columns import Columns
from crosswind.perturb.draw import Words
from crosswind.perturb.pieces import Between, Keep, New, Piece

_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_WORD_CHARACTER = regex.compile(r"[\p{L}\p{M}\p{N}]")


def with_spaces(text: str, start: int, end: int, other: str) -> tuple[str, str, str]:
    """`other` in place of `start:end`, with a space before and after it where it would touch another word.

    A word in a script without spaces needs none.
    """
    if _UNSPACED.match(other):
        return "", other, ""
    before = start > 0 and _WORD_CHARACTER.match(text[start - 1])
    after = end < len(text) and _WORD_CHARACTER.match(text[end])
    return " " if before else "", other, " " if after else ""


def set_off(text: str, start: int, end: int, other: str, *, lead: bool = True) -> Option:
    """`other` in place of `start:end` with the spaces around it that it needs.

    Without `lead` a neighbour brings the space before it. The spaces belong to a labelled span only if both sides
    of them do.
    """
    before, _, after = with_spaces(text, start, end, other)
    pieces: list[Piece] = [New(other, (Keep(start, end),))]
    if before and lead:
        pieces.insert(0, New(before, (Between((Keep(start - 1, start), Keep(start, start + 1))),)))
    if after:
        pieces.append(New(after, (Between((Keep(end - 1, end), Keep(end, end + 1))),)))
    return tuple(pieces) if len(pieces) > 1 else other


def set_off_columns(batch: TextBatch, plain: Columns) -> Columns:
    """The sites of texts without spaces, what they become with the spaces around it that it needs."""
    borders = batch.first

    def set_off_by(option: Option, i: int, first: int) -> Option:
        start, end = int(plain.starts[i]), int(plain.ends[i])
        line = batch.text[first : borders[np.searchsorted(borders, first) + 1] - 1]
        return set_off(line, start - first, end - first, str(option))

    def options(i: int, first: int) -> tuple[Option, ...]:
        return tuple(set_off_by(option, i, first) for option in plain.options(i, first))

    def by_bits(i: int, first: int, bits: int) -> Option:
        return set_off_by(plain.option(i, first, bits), i, first)

    def become(at: Integers, bits: Words) -> list[str]:
        texts = plain.texts(at, bits)
        edges = zip(plain.starts[at].tolist(), plain.ends[at].tolist(), texts, strict=True)
        return ["".join(with_spaces(batch.text, start, end, other)) for start, end, other in edges]

    return Columns(plain.starts, plain.ends, options, become, pieces=True, most=plain.most, by_bits=by_bits)
