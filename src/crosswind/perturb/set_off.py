"""Words of a spaced script in a text without spaces: they get spaces around them."""

from __future__ import annotations

import regex

from crosswind.perturb.alternatives import Option
from crosswind.perturb.pieces import Between, Keep, New, Piece

_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_WORD_CHARACTER = regex.compile(r"[\p{L}\p{M}\p{N}]")


def set_off(text: str, start: int, end: int, other: str, *, before: bool = True) -> Option:
    """`other` in place of `start:end`, with spaces where it is in a spaced script and would touch another word.

    `before` is false where a neighbour brings the space between. The spaces belong to a labelled span only if both
    sides of them do.
    """
    if _UNSPACED.match(other):
        return other
    pieces: list[Piece] = [New(other, (Keep(start, end),))]
    if before and start > 0 and _WORD_CHARACTER.match(text[start - 1]):
        pieces.insert(0, New(" ", (Between((Keep(start - 1, start), Keep(start, start + 1))),)))
    if end < len(text) and _WORD_CHARACTER.match(text[end]):
        pieces.append(New(" ", (Between((Keep(end - 1, end), Keep(end, end + 1))),)))
    return tuple(pieces) if len(pieces) > 1 else other
