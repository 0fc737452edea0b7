"""Normal form and grapheme clusters, which no change may break, whichever perturbation proposes it.

A text in NFC stays in NFC and one in NFD in NFD (one in neither has no form to keep). The pieces of a
rewrite meet at borders of grapheme clusters (UAX #29), in the original as in the rewritten text: what is
kept is kept by whole clusters, and what is new neither joins its neighbours nor is joined by them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import regex

from crosswind.perturb.alternatives import Option
from crosswind.perturb.codes import CodeTable, Integers, SliceTable
from crosswind.perturb.graphemes import is_border, is_simple
from crosswind.perturb.pieces import Keep, New, Piece

NormalForm = Literal["NFC", "NFD"]


def normal_form(text: str) -> NormalForm | None:
    """The normal form that a text is in: NFC if it is in both, `None` if it is in neither."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return "NFC"
    return "NFD" if unicodedata.is_normalized("NFD", text) else None


def composed(codes: Integers, text: str) -> bool:
    """Whether a text, of which `codes` are the code points, is in NFC."""
    return not len(uncomposed(codes, text))


def uncomposed(codes: Integers, text: str) -> Integers:
    """Where a text is not in NFC: of each stretch that its composition would change the first code point that may join
    others or is written otherwise. It lies in the text itself, where what is before it may be the end of another.

    A stretch begins with a code point that never joins what is before it (UAX #15, §9.1: of combining class 0, quick
    check yes) and has the others behind it. These come again and again, so that each is normalised once.
    """
    if text.isascii():
        return codes[:0]
    at = np.flatnonzero(codes > _ASCII)
    at = at[_may_compose.some(codes[at])]
    if not len(at):
        return at
    apart = at[1:] - at[:-1] > 1
    first, last = at[np.append(True, apart)], at[np.append(apart, True)]
    starts = np.maximum(first - 1, 0)
    changing: Integers = first[_changes_composed(codes, text, starts, last + 1) > 0]
    return changing


_ASCII = 127  # the last code point of it: all up to there stay what they are in every form
_STABLE = regex.compile(r"(?=\p{NFC_Quick_Check=Yes})\p{ccc=0}")
_may_compose = CodeTable(lambda char: int(_STABLE.match(char) is None or unicodedata.combining(char) > 0))


@lru_cache(maxsize=65536)
def _is_changed(stretch: str) -> int:
    return int(not unicodedata.is_normalized("NFC", stretch))


_changes_composed = SliceTable(_is_changed)


def in_form(option: Option, form: NormalForm) -> Option:
    """An option with what it brings in a normal form."""
    if isinstance(option, str):
        return option if option.isascii() else unicodedata.normalize(form, option)
    if not any(isinstance(piece, New) for piece in option):
        return option
    return tuple(New(unicodedata.normalize(form, p.text), p.over, p.tag) if isinstance(p, New) else p for p in option)


def keeps_form(text: str, pieces: Sequence[Piece], result: str, form: NormalForm | None) -> bool:
    """Whether the rewriting of `text` by `pieces` to `result` keeps its normal form and tears no cluster."""
    if form is not None and not result.isascii() and not unicodedata.is_normalized(form, result):
        return False
    if is_simple(result) and is_simple(text):
        return True
    at = 0
    for piece in pieces:
        if not is_border(result, at):
            return False
        if isinstance(piece, Keep):
            if not (is_border(text, piece.start) and is_border(text, piece.end)):
                return False
            at += piece.end - piece.start
        else:
            at += len(piece.text)
    return True
