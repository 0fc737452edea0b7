"""Exact match and token F1 as MLQA's own evaluation script normalises answers, language by language.

The rules are those of facebookresearch/MLQA, `mlqa_evaluation_v1.py`, for its seven languages. The Arabic
pattern is kept verbatim although it deletes every ال: published numbers have it. In every other language
punctuation goes likewise, no articles do (but those of a variety of one of the seven), and the tokens are
those of `answer_segments`, which a score signs.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from crosswind.data.examples import SpanExample
from crosswind.evaluate.metrics.base import AnswerTokens, Array, Judged, Metric
from crosswind.evaluate.metrics.squad import (
    ANSWER_CHANCE,
    ANSWER_COLUMNS,
    ANSWER_FORMULA,
    ANSWER_SCORES,
    ANSWER_TASK_SCORE,
    answer_statistics,
)
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.segments import answer_segments, segmentation_name
from crosswind.perturb.words import base_language

_ARTICLES: dict[str, re.Pattern[str] | None] = {
    "en": re.compile(r"\b(a|an|the)\b"),
    "es": re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b"),
    "de": re.compile(r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b"),
    "vi": re.compile(r"\b(của|là|cái|chiếc|những)\b"),
    "ar": re.compile(r"\sال^|ال"),
    "hi": None,
    "zh": None,
}
_HAN = re.compile(r"[\u4e00-\u9fa5]")


def mlqa_statistics(predicted: Sequence[str | None], answers: Sequence[Sequence[str]], language: str) -> Array:
    """`(items, 3)`: exact match and F1 (0 to 1, the best over an item's gold answers), and 1.

    `language` is the answers' (the context's); a `UserError` for a code that is not registered.
    """
    return answer_statistics(predicted, answers, partial(normalise_mlqa, language=language))


def normalise_mlqa(text: str, language: str) -> str:
    """MLQA's `normalize_answer`: tokens joined by single spaces."""
    text = "".join(c for c in text.lower() if not _is_punctuation(c))
    articles = _ARTICLES.get(language if language in _ARTICLES else base_language(language))
    if articles is not None:
        text = articles.sub(" ", text)
    return " ".join(_tokens(text, language))


def _tokens(text: str, language: str) -> Iterator[str]:
    if language == "zh":
        return _mixed_segmentation(text)
    return iter(text.split()) if language in _ARTICLES else answer_segments(text, language)


def _tokens_of(language: str) -> AnswerTokens:
    return AnswerTokens() if language in _ARTICLES else AnswerTokens(segmentation_name(language))


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def _mixed_segmentation(text: str) -> Iterator[str]:
    """Each Han character alone, everything between them by white space."""
    for part in re.split(f"({_HAN.pattern})", text):
        yield from part.split()


def _judge(examples: Sequence[SpanExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]) -> Judged:
    """Answers are normalised in the language of the context, which they are taken from."""
    statistics = np.zeros((len(examples), len(ANSWER_COLUMNS)))
    languages = [e.context_language or e.language for e in examples]
    for language in dict.fromkeys(languages):
        members = [i for i, x in enumerate(languages) if x == language]
        texts, answers = [predictions[i]["text"] for i in members], [examples[i].answer_texts for i in members]
        statistics[members] = mlqa_statistics(texts, answers, language)
    return Judged.by_example(examples, statistics)


MLQA_METRIC = Metric(
    name="mlqa",
    version=1,
    columns=ANSWER_COLUMNS,
    scores=ANSWER_SCORES,
    judge=_judge,
    kinds=("span",),
    task_score=ANSWER_TASK_SCORE,
    settings={"normaliser": "mlqa"},
    tokens=_tokens_of,
    formula=ANSWER_FORMULA,
    source="Lewis et al. 2020, MLQA, section 5; mlqa_evaluation_v1.py of facebookresearch/MLQA",
    unknown_chance=ANSWER_CHANCE,
)
