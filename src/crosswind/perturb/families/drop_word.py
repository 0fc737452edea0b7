"""Dropped words: a word is missing, and the space beside it. The label need not hold.

One word of a text always stays. A word of a tagged sentence goes with its tag, and no labelled span is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, Listed, Sites
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.words import segmentation


def dropping(passage: Passage, words: Sequence[Span], drops: Callable[[int], bool]) -> Sites:
    """A site for each of the words that `drops` names, with one of the spaces at it; one word stays at least."""
    text = passage.text
    at = [i for i in range(len(words)) if drops(i)]
    starts, ends = [], []
    for i in at:
        start, end = words[i].start, words[i].end
        if text[end : end + 1] == " ":
            end += 1
        elif start and text[start - 1] == " " and (not passage.words or end == len(text)):
            start -= 1
        starts.append(start)
        ends.append(end)
    return Sites(starts, ends, lambda i: ("",), groups=[0] * len(at), most=min(len(at), len(words) - 1))


def _prepare(setting: Setting, given: Given) -> Alternatives:
    def sites(passage: Passage) -> Sites:
        return dropping(passage, passage_words(passage), lambda i: True)

    return Listed(sites)


DROP_WORD = Perturbation(
    name="drop-word",
    nature="diagnostic",
    summary="a word is missing",
    source="Wei & Zou 2019 (EDA), random deletion",
    unit="word",
    languages="all",
    changes_words=True,
    prepare=_prepare,
    resources=lambda setting: segmentation(setting.language),
)
