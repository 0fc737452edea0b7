"""How much of what a model sees a perturbation changed: the shares of its tokens that differ and that are unknown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never

from crosswind.data.examples import Candidate, Example
from crosswind.evaluate.differing import TokenCount as TokenCount
from crosswind.evaluate.differing import compared as compared
from crosswind.evaluate.predict import Predictor
from crosswind.model.rows import (
    Row,
    encode_choices,
    encode_pairs,
    encode_queries,
    encode_spans,
    encode_tagging,
    encode_texts,
)

Ids = tuple[int, ...]
"""The tokens of an example as the model sees them: cut as it cuts them, without special tokens."""


def tokens_seen(predictor: Predictor, examples: Sequence[Example]) -> list[Ids]:
    """The tokens of each example, in order; a token of overlapping windows once, unknown ones included."""
    seen: list[list[int]] = [[] for _ in examples]
    special = _special(predictor)
    ends: dict[int, int] = {}  # of each span example: how far its windows have come in the context
    for row in _rows(predictor, examples):
        first = row.owner not in ends
        seen[row.owner] += [i for i in _fresh(row, first, ends.get(row.owner, 0)) if i not in special]
        ends[row.owner] = int(row.offsets[-1, 1]) if row.offsets is not None and len(row.offsets) else 0
    return [tuple(ids) for ids in seen]


def tokens_embedded(predictor: Predictor, candidates: Sequence[Candidate]) -> list[Ids]:
    """The tokens of each candidate of a pool, in order."""
    pooling = predictor.head.pooling
    texts = [(pooling.prefix if pooling else "") + c.text for c in candidates]
    rows = encode_texts(predictor.encoder.tokenizer, texts, predictor.max_length, [c.context for c in candidates])
    special = _special(predictor)
    return [tuple(int(i) for i in row.ids if int(i) not in special) for row in rows]


def unknown_share(predictor: Predictor, tokens: Iterable[Ids]) -> float:
    """The share of tokens that are the unknown one, in [0, 1]; 0 for a tokenizer that knows every text."""
    unknown = predictor.encoder.tokenizer.unk_token_id
    count = total = 0
    for ids in tokens:
        total += len(ids)
        count += ids.count(unknown) if unknown is not None else 0
    return count / total if total else 0.0


def _fresh(row: Row, first: bool, end: int) -> list[int]:
    """The ids of a row that no earlier window of its example had."""
    if first or row.offsets is None:
        return [int(i) for i in row.ids]
    return [int(row.ids[p]) for p, (start, _) in zip(row.positions, row.offsets, strict=True) if start >= end]


def _rows(predictor: Predictor, examples: Sequence[Any]) -> list[Row]:
    tokenizer, length = predictor.encoder.tokenizer, predictor.max_length
    match predictor.head.kind:
        case "pair":
            return encode_pairs(tokenizer, examples, length)
        case "choice":
            return encode_choices(tokenizer, examples, length)
        case "tagging":
            return encode_tagging(tokenizer, examples, length)
        case "span":
            return encode_spans(tokenizer, examples, length, predictor.stride)
        case "query":
            pooling = predictor.head.pooling
            return encode_queries(tokenizer, examples, predictor.query_length, pooling.prefix if pooling else "")
        case other:
            assert_never(other)


def _special(predictor: Predictor) -> frozenset[int]:
    tokenizer = predictor.encoder.tokenizer
    return frozenset(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
