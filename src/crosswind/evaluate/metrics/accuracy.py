"""Accuracy: classification, multiple choice, Tatoeba's nearest neighbour; and its complement, the error rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import ArrayLike

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample
from crosswind.evaluate.metrics.base import Array, Judged, Metric, mean_of
from crosswind.evaluate.predictions import Prediction

_Classified = PairExample | ChoiceExample | QueryExample


def accuracy_statistics(predicted: ArrayLike, gold: ArrayLike, guessed: ArrayLike = 0.0) -> Array:
    """`(items, 3)`: whether each prediction equals its gold label, 1, and how probably a guess would.

    Labels are whole numbers; a missing prediction is any number that is no label (-1).
    """
    p, g = np.asarray(predicted), np.asarray(gold)
    if p.shape != g.shape or p.ndim != 1:
        raise ValueError(f"{p.shape} predictions for {g.shape} labels")
    chance = np.broadcast_to(np.asarray(guessed, dtype=np.float64), p.shape)
    return np.stack([(p == g).astype(np.float64), np.ones(len(g)), chance], axis=1)


def _judge(examples: Sequence[_Classified], predictions: Sequence[Prediction], fitted: Mapping[str, float]) -> Judged:
    labels = [e.label for e in examples if isinstance(e, PairExample)]
    commonest = Counter(labels).most_common(1)[0][0] if labels else None
    rows = [_row(e, p, commonest) for e, p in zip(examples, predictions, strict=True)]
    return Judged.by_example(examples, np.array(rows, dtype=np.float64).reshape(-1, 3))


def _row(example: _Classified, prediction: Prediction, commonest: int | None) -> tuple[bool, float, float]:
    """Whether the prediction is right, 1, and how probably a guess is. A query without gold has no right one."""
    match example:
        case PairExample():
            return prediction["predicted"] == example.label, 1.0, float(example.label == commonest)
        case ChoiceExample():
            return prediction["predicted"] == example.label, 1.0, 1 / len(example.choices)
        case QueryExample():
            ranks, pool = prediction["ranks"], prediction.get("pool")
            return bool(ranks) and ranks[0] == 1, 1.0, 1 / pool if pool else 0.0
        case _:
            assert_never(example)


ACCURACY = Metric(
    name="accuracy",
    version=1,
    columns=("correct", "n", "guessed"),
    scores={"accuracy": mean_of(0, 1)},
    judge=_judge,
    chance=mean_of(2, 1),
    kinds=("pair", "choice", "query"),
    formula="100 * right predictions / items",
    source="Hu et al. 2020, XTREME, section 3 and evaluate.py",
)
ERROR_RATE = Metric(
    name="error-rate",
    version=1,
    columns=ACCURACY.columns,
    scores={"error_rate": lambda sums: 100.0 - mean_of(0, 1)(sums)},
    judge=_judge,
    better="lower",
    chance=lambda sums: 100.0 - mean_of(2, 1)(sums),
    kinds=ACCURACY.kinds,
    formula="100 * (1 - right predictions / items)",
    source="Artetxe and Schwenk 2019, Massively Multilingual Sentence Embeddings, section 4.3 (Tatoeba's error rate)",
)
