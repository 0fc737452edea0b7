"""Repeated words: a word comes twice, as in fast writing and speech.

In a sentence with part-of-speech tags the second has the tag of the first; words of entities do not repeat.
"""

from __future__ import annotations

import regex

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, New
from crosswind.perturb.words import is_unspaced, segmentation

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

    return Listed(sites)


REPEAT = Perturbation(
    name="repeat",
    nature="preserving",
    summary="a word comes twice: the the",
    source="own: the disfluency of speech and fast writing",
    unit="word",
    languages="all",
    changes_words=True,
    prepare=_prepare,
    resources=lambda setting: segmentation(setting.language),
)
