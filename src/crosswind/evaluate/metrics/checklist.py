"""Error rates of MultiCheckList: the share of test cases that a model does not pass, of each of the six tests.

A case is a set of questions on contexts that are filled alike; it is passed where every answer is right. An answer is
right where it equals the gold text after the cleaning of the official code (multichecklist/generate_test_utils.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from crosswind.data.examples import SpanExample
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import Array, Judged, Metric, Score, ratio
from crosswind.evaluate.predictions import Prediction

CHECKLIST_TESTS = ("comparisons", "intensifiers", "properties", "profession", "animal", "animal-v2")
"""The tests as the ids of their items name them, in the order of the official table."""

# Language -> pattern of what is no part of an answer: articles, as the official `clean` has them.
_ARTICLES: Mapping[str, str] = {
    "af": r"(’n)\b",
    "ar": r"\sال^|ال",
    "bn": r"\b(একটি|একজন)",
    "de": r"\b(ein|eine|einen)\b",
    "el": r"\b(Ο|ένα|μια)\b",
    "en": r"\b(a|an|the|in|at)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "eu": r"\b(bat)\b",
    "fa": r"\b(یک)\b",
    "fr": r"\b(un|une|le|la|en)\b",
    "hi": r"\b(एक)",
    "hu": r"\b(egy)\b",
    "it": r"\b(un|una)\b",
    "ml": r"\b(ഒരു)",
    "mr": r"\b(एक)",
    "my": r"\b(တစ်ဦး)",
    "nl": r"\b(een)\b",
    "pa": r"\b(ਇੱਕ|ਇਕ)",
    "pt": r"\b(um|uma)\b",
    "ta": r"\b(ஒரு)",
    "tl": r"\b(Si)\b",
    "tr": r"\b(bir)\b",
    "vi": r"\b(một)\b",
    "wo": r"\b(dafa)\b",
    "yo": r"\b(kan)\b",
}
_STRIPPED: Mapping[str, str] = {"bn": ",. ৷", "hi": ",. ৷", "pa": ",. ।", "pl": "„”,. ", "ur": ",. \u200f"}


def clean_answer(text: str, language: str) -> str:
    """An answer as it is compared: the language's articles become blanks, punctuation goes at the ends."""
    pattern = _ARTICLES.get(language, "")
    return (re.sub(pattern, " ", text) if pattern else text).strip(_STRIPPED.get(language, ",. "))


def _judge(examples: Sequence[SpanExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]) -> Judged:
    """A row a case: of its test whether it failed, and 1; zeros of the others."""
    failed: dict[str, bool] = {}
    for example, prediction in zip(examples, predictions, strict=True):
        text = prediction["text"]  # None: it was not answered
        guess = None if text is None else clean_answer(text, example.language)
        right = any(guess == clean_answer(gold, example.language) for gold in example.answer_texts)
        failed[example.cluster] = failed.get(example.cluster, False) or not right
    statistics = np.zeros((len(failed), 2 * len(CHECKLIST_TESTS)))
    for row, (case, wrong) in enumerate(failed.items()):
        test = case.split("/")[-1].rpartition("-")[0]
        if test not in CHECKLIST_TESTS:
            hint = "it judges multichecklist; other questions are judged by squad or mlqa"
            raise UserError(f"{case} is a case of none of the six tests", where=examples[0].language, hint=hint)
        at = 2 * CHECKLIST_TESTS.index(test)
        statistics[row, at : at + 2] = wrong, 1.0
    return Judged(tuple(failed), tuple(failed), statistics)


def _error(test: int) -> Score:
    def score(sums: Array) -> Array:
        return ratio(sums[..., 2 * test], sums[..., 2 * test + 1], empty=float("nan"))

    return score


def _mean_error(sums: Array) -> Array:
    """The mean over the tests that there are cases of; NaN of none."""
    errors = np.stack([_error(test)(sums) for test in range(len(CHECKLIST_TESTS))], axis=-1)
    there = ~np.isnan(errors)
    total = np.where(there, errors, 0.0).sum(axis=-1)
    mean: Array = np.divide(total, there.sum(axis=-1), out=np.full(total.shape, np.nan), where=there.any(axis=-1))
    return mean


CHECKLIST_ERROR = Metric(
    name="checklist-error",
    version=1,
    columns=tuple(f"{what} {test}" for test in CHECKLIST_TESTS for what in ("failed", "cases of")),
    scores={"error_rate": _mean_error, **{f"error_{test}": _error(i) for i, test in enumerate(CHECKLIST_TESTS)}},
    judge=_judge,
    better="lower",
    kinds=("span",),
    settings={"normaliser": "checklist"},
    formula="100 * (1 - passed cases / cases) of each test, and the mean over the six tests",
    source="Ruder et al. 2021, XTREME-R, section 5.2; multichecklist/test_models.py of google-research/xtreme",
    unknown_chance="a case is passed by chance where a guess is right in all of its 2 to 12 questions: almost never",
)
