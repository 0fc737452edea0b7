"""F1 of two sets of pairs, predicted and gold: mining translations out of two corpora (BUCC).

A submission holds the pairs (`set-f1`). Predictions of Crosswind hold every mined pair with its margin (`bucc-f1`):
which of them count is decided by a threshold that is fitted on development data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from crosswind.data.examples import QueryExample
from crosswind.evaluate.metrics.base import Array, Judged, Metric, f1_scores
from crosswind.evaluate.predictions import Prediction

THRESHOLD = "threshold"
"""What `bucc-f1` fits: the least margin of a pair that counts."""


def set_statistics(chosen: Sequence[Collection[str]], gold: Sequence[Collection[str]]) -> Array:
    """`(queries, 3)`: pairs in common, predicted pairs, gold pairs of each source-side sentence."""
    rows = [(len(set(c) & set(g)), len(set(c)), len(set(g))) for c, g in zip(chosen, gold, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def judged_pairs(examples: Sequence[QueryExample], chosen: Sequence[Collection[str]]) -> Judged:
    """A row for each source-side sentence with a predicted or a gold pair; those without either would be zeros."""
    statistics = set_statistics(chosen, [e.gold for e in examples])
    kept = np.flatnonzero(statistics.any(axis=1)).tolist()
    return Judged.by_example([examples[i] for i in kept], statistics[kept])


def chosen_pairs(prediction: Prediction, threshold: float) -> list[str]:
    """The mined candidates of a sentence whose margin reaches the threshold."""
    return [name for name, score in zip(prediction["top"], prediction["scores"], strict=True) if score >= threshold]


def fit_threshold(examples: Sequence[QueryExample], predictions: Sequence[Prediction]) -> dict[str, float]:
    """The threshold of the best F1: midway between the last margin that is taken and the next one below it.

    Pairs are taken by descending margin; F1 is compared where the margin changes, so that equal margins are taken
    together, and the first best one wins. Where all pairs are taken there is no next one, and the threshold is the
    last margin itself (the official script has no value there). Where no mined pair is right, every threshold has
    F1 0, and it is 0 as in the official script: all pairs count.
    """
    gold = sum(len(e.gold) for e in examples)
    pairs = [
        (score, name in example.gold)
        for example, prediction in zip(examples, predictions, strict=True)
        for name, score in zip(prediction["top"], prediction["scores"], strict=True)
    ]
    if not any(right for _, right in pairs):
        return {THRESHOLD: 0.0}
    pairs.sort(key=lambda pair: -pair[0])
    margins = np.array([score for score, _ in pairs])
    right = np.cumsum([hit for _, hit in pairs])
    taken = np.arange(1, len(pairs) + 1)
    ends = np.append(margins[1:] < margins[:-1], True)
    f1 = np.where(ends, 2 * right / (taken + gold), -1.0)
    best = int(f1.argmax())
    below = margins[best + 1] if best + 1 < len(margins) else margins[best]
    return {THRESHOLD: _midway(float(margins[best]), float(below))}


def _midway(last: float, below: float) -> float:
    """Halfway between two margins; the upper one where no number lies between them."""
    middle = (last + below) / 2
    return middle if below < middle <= last else last


def _judge(examples: Sequence[QueryExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]) -> Judged:
    """The pairs of a query with each candidate in its prediction's `chosen`."""
    return judged_pairs(examples, [p["chosen"] for p in predictions])


def _judge_mined(
    examples: Sequence[QueryExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]
) -> Judged:
    """The pairs of a query with each mined candidate whose margin reaches the fitted threshold."""
    return judged_pairs(examples, [chosen_pairs(p, fitted[THRESHOLD]) for p in predictions])


_FORMULA = "2 * right pairs / (predicted pairs + gold pairs), in points"
_NO_CHANCE = "of a million possible pairs a thousandth is right: pairs by chance score 0.0"

SET_F1 = Metric(
    name="set-f1",
    version=1,
    columns=("tp", "predicted", "gold"),
    scores=f1_scores(),
    judge=_judge,
    sparse=True,
    kinds=("query",),
    formula=_FORMULA,
    source="Zweigenbaum et al. 2018, Overview of the Third BUCC Shared Task, section 3; XTREME's evaluate.py",
    unknown_chance=_NO_CHANCE,
)
BUCC_F1 = Metric(
    name="bucc-f1",
    version=1,
    columns=SET_F1.columns,
    scores=f1_scores(),
    judge=_judge_mined,
    fit=fit_threshold,
    sparse=True,
    kinds=("query",),
    settings={"pairs": "margin at least the threshold"},
    formula=_FORMULA + "; pairs count whose margin reaches a threshold that maximises F1 on development data",
    source="Artetxe and Schwenk 2019, Margin-based Parallel Corpus Mining, section 4; XTREME's utils_retrieve.py",
    unknown_chance=_NO_CHANCE,
)
