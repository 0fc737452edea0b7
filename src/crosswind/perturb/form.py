"""Normal form and grapheme clusters, which no change may break, whichever perturbation proposes it.

A text in NFC stays in NFC and one in NFD in NFD (one in neither has no form to keep). The pieces of a
rewrite meet at borders of grapheme clusters (UAX #29), in the original as in the rewritten text: what is
kept is kept by whole clusters, and what is new neither joins its neighbours nor is joined by them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

from crosswind.perturb.alternatives import Option
from crosswind.perturb.graphemes import is_border, is_simple
from crosswind.perturb.pieces import Keep, New, Piece

NormalForm = Literal["NFC", "NFD"]


def normal_form(text: str) -> NormalForm | None:
    """The normal form that a text is in: NFC if it is in both, `None` if it is in neither."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return "NFC"
    return "NFD" if unicodedata.is_normalized("NFD", text) else None


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
