"""Hashes of normalised text, by which a training example is recognised among test examples."""

from __future__ import annotations

import hashlib
import unicodedata

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    ParallelLine,
    QueryExample,
    SpanExample,
    TaggingExample,
    TextLine,
)


def normalized_hash(*texts: str) -> str:
    """16 hex digits of the SHA-256 of the texts after NFKC, case folding and collapsing of white space.

    `normalized_hash("Ａ  b") == normalized_hash("a B")`; the order of several texts counts.
    """
    plain = ("\x00".join(_normalized(text) for text in texts)).encode()
    return hashlib.sha256(plain).hexdigest()[:16]


def leakage_hashes(example: Example | TextLine | ParallelLine) -> frozenset[str]:
    """What must not appear on both sides of a split.

    Pairs and choices: the texts together (a pair in either order, choices in any order). Tagging:
    the sentence. QA: context with question. Retrieval: the query, with its context and mention if it
    has them. Raw text: each line.
    """
    match example:
        case PairExample():
            return frozenset({normalized_hash(*sorted((_normalized(example.first), _normalized(example.second))))})
        case ChoiceExample():
            choices = sorted(_normalized(choice) for choice in example.choices)
            return frozenset({normalized_hash(example.context, example.question, *choices)})
        case TaggingExample():
            return frozenset({normalized_hash(" ".join(example.words))})
        case SpanExample():
            return frozenset({normalized_hash(example.context, example.question)})
        case QueryExample():
            more = (text for text in (example.context, example.mention) if text)
            return frozenset({normalized_hash(example.query, *more)})
        case TextLine():
            return frozenset({normalized_hash(example.text)})
        case ParallelLine():
            return frozenset(normalized_hash(text) for _, text in example.texts)


def _normalized(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())
