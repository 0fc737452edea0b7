"""Exact match and token F1 of extractive question answering, by the official SQuAD scripts.

XQuAD and TyDiQA-GoldP use this English normalisation in every language, as the official XTREME code
does (lower case, no ASCII punctuation, no a/an/the).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from crosswind.data.examples import SpanExample
from crosswind.data.languages import name_of
from crosswind.evaluate.metrics.base import AnswerTokens, Array, Judge, Judged, Metric, mean_of
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.segments import WHITE_SPACE, segmentation_name

ANSWER_COLUMNS = ("exact_match", "f1", "n")
ANSWER_SCORES = {"f1": mean_of(1, 2), "exact_match": mean_of(0, 2)}
ANSWER_TASK_SCORE = ("exact_match", "f1")
ANSWER_FORMULA = "mean over questions of the highest token F1 with a gold answer (exact match: whether one is equal)"
ANSWER_CHANCE = "a guessed span scores by what its context repeats; the official scripts name no baseline"

Normaliser = Callable[[str], str]
Rules = Literal["1.1", "2.0"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_english(text: str) -> str:
    """SQuAD v1.1's `normalize_answer`."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def answer_statistics(
    predicted: Sequence[str | None],
    answers: Sequence[Sequence[str]],
    normaliser: Normaliser = normalise_english,
    *,
    rules: Rules = "1.1",
) -> Array:
    """`(items, 3)`: exact match and F1 (0 to 1, the best over an item's gold answers), and 1.

    What `normaliser` gives is split at white space into tokens. A missing prediction (`None`) scores
    0. A question without gold answers is unanswerable: the empty prediction is right.
    """
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


def _judge(rules: Rules) -> Judge:
    def judge(
        examples: Sequence[SpanExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]
    ) -> Judged:
        texts, answers = [p["text"] for p in predictions], [e.answer_texts for e in examples]
        return Judged.by_example(examples, answer_statistics(texts, answers, rules=rules))

    return judge


def _tokens_of(language: str) -> AnswerTokens:
    """Text without spaces is one token, as in the official scripts: then F1 says little more than exact match."""
    better = segmentation_name(language)
    if better == WHITE_SPACE:
        return AnswerTokens()
    note = f"squad divides answers at white space, which {name_of(language)} ({language}) does not write between words"
    return AnswerTokens(WHITE_SPACE, f"{note}: F1 is near exact match; the metric mlqa divides them ({better})")


def _metric(name: str, rules: Rules) -> Metric:
    return Metric(
        name=name,
        version=1,
        columns=ANSWER_COLUMNS,
        scores=ANSWER_SCORES,
        judge=_judge(rules),
        kinds=("span",),
        task_score=ANSWER_TASK_SCORE,
        tokens=_tokens_of,
        settings={"normaliser": "english", "rules": f"squad-{rules}"},
        formula=ANSWER_FORMULA,
        source=f"evaluate-v{rules}.py of SQuAD (Rajpurkar et al. {2016 if rules == '1.1' else 2018})",
        unknown_chance=ANSWER_CHANCE,
    )


SQUAD_METRIC = _metric("squad", "1.1")
SQUAD2_METRIC = _metric("squad2", "2.0")
