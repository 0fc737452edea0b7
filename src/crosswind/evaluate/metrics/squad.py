"""Exact match and token F1 of extractive question answering, by the official SQuAD scripts.

XQuAD and TyDiQA-GoldP use this English normalisation in every language, as the official XTREME code
does (lower case, no ASCII punctuation, no a/an/the).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from crosswind.evaluate.metrics.base import Array, Metric, mean_of

COLUMNS = ("exact_match", "f1", "n")
SCORES = {"f1": mean_of(1, 2), "exact_match": mean_of(0, 2)}
COMPOSITE = ("exact_match", "f1")

SQUAD = Metric("squad", 1, COLUMNS, SCORES, COMPOSITE, {"normaliser": "english", "rules": "squad-1.1"})
SQUAD2 = Metric("squad2", 1, COLUMNS, SCORES, COMPOSITE, {"normaliser": "english", "rules": "squad-2.0"})

Normaliser = Callable[[str], str]
Rules = Literal["1.1", "2.0"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def statistics(
    predicted: Sequence[str | None],
    answers: Sequence[Sequence[str]],
    *,
    rules: Rules = "1.1",
) -> Array:
    """`(items, 3)`: exact match and F1 (0 to 1, the best over an item's gold answers), and 1.

    A missing prediction (`None`) scores 0. A question without gold answers is unanswerable: the
    empty prediction is right.
    """
    return answer_statistics(predicted, answers, normalise, rules=rules)


def normalise(text: str) -> str:
    """SQuAD v1.1's `normalize_answer`."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def answer_statistics(
    predicted: Sequence[str | None],
    answers: Sequence[Sequence[str]],
    normaliser: Normaliser,
    *,
    rules: Rules = "1.1",
) -> Array:
    """`statistics` with another normaliser, whose result is split at white space into tokens."""
    if len(predicted) != len(answers):
        raise ValueError(f"{len(predicted)} predictions for {len(answers)} questions")
    rows = [_best(p, golds, normaliser, rules) for p, golds in zip(predicted, answers, strict=True)]
    return np.array([(em, f1, 1.0) for em, f1 in rows], dtype=np.float64).reshape(-1, 3)


def _best(predicted: str | None, answers: Sequence[str], normaliser: Normaliser, rules: Rules) -> tuple[float, float]:
    if predicted is None:
        return 0.0, 0.0
    guess = normaliser(predicted)
    golds = [normaliser(a) for a in answers]
    if rules == "2.0":
        golds = [g for g in golds if g]  # the 2.0 script drops answers that normalise to nothing
    if not golds:
        return float(guess == ""), float(guess == "")
    return float(guess in golds), max(_token_f1(guess, g) for g in golds)


def _token_f1(predicted: str, gold: str) -> float:
    """F1 of the bags of tokens; two empty bags share no token and score 0, as in the 1.1 script."""
    guess, right = predicted.split(), gold.split()
    same = sum((Counter(guess) & Counter(right)).values())
    return 2 * same / (len(guess) + len(right)) if same else 0.0
