"""Repeated words: a word comes twice, as in fast writing and speech.

In a sentence with part-of-speech tags the second has the tag of the first; words of entities do not repeat.
"""

from __future__ import annotations

import numpy as np
import regex

from crosswind.perturb.alternatives import Alternatives, Option, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.chunks import WordMemo
from crosswind.perturb.codes import CodeSlices, Integers, TextBatch, code_points
from crosswind.perturb.columns import Columns, PlainColumned
from crosswind.perturb.draw import Words
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, New
from crosswind.perturb.words import is_unspaced, tokenization, word_columns

_LETTER = regex.compile(r"\p{L}")
_IOB = regex.compile(r"[BIES]-")


def _prepare(setting: Setting, given: Given) -> Alternatives:
    gap = "" if is_unspaced(setting.language) else " "

    def sites(passage: Passage) -> Sites:
        text = passage.text
        words = [w for w in passage_words(passage) if _LETTER.search(text, w.start, w.end)]
        tag_of = dict(zip(passage.words, passage.tags or (), strict=False))
        words = [w for w in words if not _IOB.match(tag_of.get(w, ""))]

        def options(index: int) -> tuple[Option, ...]:
            word = words[index]
            again = text[word.start : word.end]
            if passage.words:
                second = New(f" {again}", tag=tag_of.get(word, "X"))
                return ((Keep(word.start, word.end), second),)
            return (again + gap + again,)

        return Sites([w.start for w in words], [w.end for w in words], options)

    has_letter = WordMemo(lambda word: int(_LETTER.search(word) is not None))

    def columns(batch: TextBatch) -> Columns:
        words = word_columns(batch, setting.language, glued=True, asked=0)
        words = words.where(np.flatnonzero(has_letter(words)))
        words = words.where(batch.asked(words.starts))
        starts, ends, text = words.starts, words.ends, batch.text

        def options(i: int, first: int) -> tuple[Option, ...]:
            again = text[starts[i] : ends[i]]
            return (again + gap + again,)

        def become(at: Integers, bits: Words) -> CodeSlices:
            word = starts[at] + len(gap), ends[at] - starts[at]
            between = np.zeros_like(at), np.full_like(at, len(gap))
            return CodeSlices.of_parts(np.concatenate((code_points(gap), batch.codes)), word, between, word)

        return Columns(starts, ends, options, become)

    return PlainColumned(sites, columns)


REPEAT = Perturbation(
    name="repeat",
    nature="preserving",
    summary="a word comes twice: the the",
    source="own: the disfluency of speech and fast writing",
    unit="word",
    languages="all",
    changes_words=True,
    prepare=_prepare,
    resources=lambda setting: tokenization(setting.language),
)
