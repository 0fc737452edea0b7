"""Exact match and token F1 as MLQA's own evaluation script normalises answers, language by language.

The rules are those of facebookresearch/MLQA, `mlqa_evaluation_v1.py`. The Arabic pattern is kept
verbatim although it deletes every ال: published numbers have it.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from functools import partial

from crosswind.errors import unknown
from crosswind.evaluate.metrics.base import Array, Metric
from crosswind.evaluate.metrics.squad import COLUMNS, COMPOSITE, SCORES, answer_statistics

MLQA = Metric("mlqa", 1, COLUMNS, SCORES, COMPOSITE, {"normaliser": "mlqa"})

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


def statistics(predicted: Sequence[str | None], answers: Sequence[Sequence[str]], language: str) -> Array:
    """`(items, 3)`: exact match and F1 (0 to 1, the best over an item's gold answers), and 1.

    `language` is the answers' (the context's), one of ar de en es hi vi zh; a `UserError` otherwise.
    """
    if language not in _ARTICLES:
        raise unknown("MLQA language", language, _ARTICLES)
    return answer_statistics(predicted, answers, partial(normalise, language=language))


def normalise(text: str, language: str) -> str:
    """MLQA's `normalize_answer`: tokens joined by single spaces."""
    text = "".join(c for c in text.lower() if not _is_punctuation(c))
    articles = _ARTICLES[language]
    if articles is not None:
        text = articles.sub(" ", text)
    tokens = _mixed_segmentation(text) if language == "zh" else text.split()
    return " ".join(tokens)


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


def _mixed_segmentation(text: str) -> Iterator[str]:
    """Each Han character alone, everything between them by white space."""
    for part in re.split(f"({_HAN.pattern})", text):
        yield from part.split()
