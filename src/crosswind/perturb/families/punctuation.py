"""Dropped punctuation: a comma, full stop, quotation mark, bracket, apostrophe or hyphen is missing.

Signs of numbers (3.5, -1, 10:30) and those with a meaning of their own (% & @ #) stay. A sign that is a word of
a tagged sentence goes with its tag.
"""

from __future__ import annotations

import numpy as np
import regex

from crosswind.perturb.alternatives import Alternatives, Sites
from crosswind.perturb.codes import CodeSlices, CodeTable, Integers, TextBatch
from crosswind.perturb.columns import Columns, PlainColumned
from crosswind.perturb.draw import Words
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting

_KEPT = r"[#@%&*/\\‰§¶٪]|[\p{Pd}.,:'’]\p{N}|(?<=\p{N})\p{P}\p{N}"
_SIGN = regex.compile(rf"(?!{_KEPT})\p{{P}}(?![\p{{M}}\u200d])")
_PUNCTUATION = regex.compile(r"\p{P}")
_punctuation = CodeTable(lambda char: int(_PUNCTUATION.match(char) is not None))


def _prepare(setting: Setting, given: Given) -> Alternatives:
    def sites(passage: Passage) -> Sites:
        text = passage.text
        spans = [m.span() for m in _SIGN.finditer(text)]
        if passage.words:
            spans = [_with_space(text, start, end) for start, end in spans]
            spans = [(start, end) for start, end in spans if end - start < len(text)]
        return Sites([start for start, _ in spans], [end for _, end in spans], lambda i: ("",))

    def columns(batch: TextBatch) -> Columns:
        at = np.flatnonzero(_punctuation.some(batch.codes))
        at = at[batch.asked(at)]
        text = batch.text
        at = at[[_SIGN.match(text, start) is not None for start in at.tolist()]] if len(at) else at

        def become(chosen: Integers, bits: Words) -> CodeSlices:
            return CodeSlices(batch.codes, np.zeros_like(chosen), np.zeros_like(chosen))

        return Columns(at, at + 1, lambda i, first: ("",), become)

    return PlainColumned(sites, columns)


def _with_space(text: str, start: int, end: int) -> tuple[int, int]:
    """A sign that is a word, with the space that separates it."""
    if (start == 0 or text[start - 1] == " ") and text[end : end + 1] == " ":
        return start, end + 1
    if end == len(text) and start and text[start - 1] == " ":
        return start - 1, end
    return start, end


PUNCTUATION = Perturbation(
    name="punctuation",
    nature="preserving",
    summary="a punctuation mark is missing",
    source="Náplava et al. 2021 (KaziText), punctuation",
    unit="punctuation mark",
    languages="all",
    changes_words=True,
    prepare=_prepare,
)
