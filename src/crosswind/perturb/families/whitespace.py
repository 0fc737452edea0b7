"""Spaces in the wrong places: a word is split in two, or two words are joined.

In writing systems without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) a space comes between two
letters. Digits are not split. The words of a tagged sentence are given: there is nothing to split or join.
"""

from __future__ import annotations

import numpy as np

from crosswind.perturb.alternatives import Alternatives, Option
from crosswind.perturb.codes import CodeSlices, Integers, TextBatch, is_letter_code
from crosswind.perturb.columns import Columned, Columns
from crosswind.perturb.draw import Words
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import is_unspaced


def _applies(setting: Setting) -> str | None:
    if setting.kind == "tagging":
        return "the words of a tagged sentence are given: none is split or joined"
    if is_unspaced(setting.language) and setting.params["mode"] == "join":
        return f"{setting.language} is written without spaces: there are none to leave out"
    return None


class _Spaces(Columned):
    """Gaps between two letters of a word, where a space comes, and spaces between two words, which go."""

    def __init__(self, *, split: bool, join: bool) -> None:
        super().__init__(self._columns)
        self._split, self._join = split, join

    def _columns(self, batch: TextBatch) -> Columns:
        gaps = batch.letter_pairs("middles").middles if self._split else np.zeros(0, dtype=np.int64)
        spaces = _spaces(batch) if self._join else gaps[:0]
        at = np.concatenate((gaps, spaces))
        order = np.argsort(at, kind="stable")
        at, joins = at[order], order >= len(gaps)
        code = np.array([ord(" ")])

        def options(i: int, first: int) -> tuple[Option, ...]:
            return ("",) if joins[i] else (" ",)

        def become(chosen: Integers, bits: Words) -> CodeSlices:
            lengths = 1 - joins[chosen].astype(np.int64)
            return CodeSlices(code, np.zeros_like(lengths), lengths)

        return Columns(at, at + joins, options, become, pieces=True)


def _spaces(batch: TextBatch) -> Integers:
    """Where single spaces stand between two letters."""
    codes = batch.codes
    if batch.simple:
        at = batch.asked_offsets
        at = at[codes[at] == ord(" ")]
        between: Integers = at[is_letter_code(codes[at - 1]) & is_letter_code(codes[at + 1])]
        return between
    starts, ends = batch.clusters
    at = np.flatnonzero(codes[starts] == ord(" "))
    at = at[batch.asked(starts[at])]
    at = at[(at > 0) & (at < len(starts) - 1)]
    at = at[(ends[at - 1] == starts[at]) & (ends[at] == starts[at + 1]) & (ends[at] - starts[at] == 1)]
    spaces: Integers = starts[at[is_letter_code(codes[starts[at - 1]]) & is_letter_code(codes[starts[at + 1]])]]
    return spaces


def _prepare(setting: Setting, given: Given) -> Alternatives:
    mode = setting.params["mode"]
    return _Spaces(split=mode != "join", join=mode != "split")


WHITESPACE = Perturbation(
    name="whitespace",
    nature="preserving",
    summary="a space inside a word, or none between two",
    source="Náplava et al. 2021 (KaziText), white space",
    unit="gap between letters or words",
    languages="all; without spaces between words a space comes between two letters",
    applies=_applies,
    prepare=_prepare,
    params=(
        Param("mode", "text", "split words, join them, or both", default="both", choices=("both", "split", "join")),
    ),
)
