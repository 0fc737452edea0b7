"""At most a share of the words may be hit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosswind.perturb.constraint import ConstraintKind, Settings, Threshold
from crosswind.perturb.diff import rewrite_between
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param
from crosswind.perturb.words import words


def _measure(settings: Settings, given: Given) -> Callable[[Sequence[tuple[Passage, Passage]]], Sequence[float]]:
    def rates(pairs: Sequence[tuple[Passage, Passage]]) -> Sequence[float]:
        return [
            rewrite_between(before.text, after.text).edit_rate(before.words or words(before.text, before.language))
            for before, after in pairs
        ]

    return rates


_THRESHOLD = Threshold("most", _measure, decimals=4)

EDIT_RATE = ConstraintKind(
    name="edit-rate",
    summary="words hit (changed, moved, joined, put in) for each word of the original, at most this many",
    source="BERT-Attack's limit on changed words, 0.4 (Li et al. 2020, §4.2)",
    make=_THRESHOLD.constraint,
    params=(Param("most", "number", "words hit for each word of the original", default=0.4, low=0.0),),
    version="3",
    threshold=_THRESHOLD,
)
