"""Words of a spaced script in a text without spaces: they get spaces around them."""

from __future__ import annotations

import regex

from crosswind.perturb.alternatives import Option
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
