"""Rows: the token sequences that a model sees, made from examples of every kind.

A row is one input sequence; an example becomes one row (pair, query), one a choice, or several
windows (long tagging sentences split at word borders, long QA contexts with a stride).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.model.lengths import QUESTION_TOKENS
from crosswind.model.offsets import Ints, Tokens, tokenize, tokenize_words, windows

BLOCK = 20_000  # texts that are tokenized at once: what the tokenizer gives is ten times as large as the rows


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence: token ids `(length,)`, segment ids where the model has them, and its owner.

    `owner` is the position of the example in the list that was encoded. For tagging, `positions`
    holds the first sub-token of each word of the window and `first` the index of its first word; for
    span QA, `positions` holds the context tokens and `offsets` `(len(positions), 2)` their
    characters. `cut` says that a text (of span QA, the question) was longer than there is room for.
    """

    ids: Ints
    types: Ints | None
    owner: int
    positions: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    first: int = 0
    offsets: Ints | None = None
    cut: bool = False

    def __len__(self) -> int:
        return len(self.ids)


def encode_pairs(tokenizer: Any, examples: Sequence[PairExample], max_length: int) -> list[Row]:
    """One row a pair: `first </s> second`, the longer text cut first."""
    tokens = tokenize(tokenizer, [e.first for e in examples], [e.second for e in examples], max_length)
    return [_row(t, i) for i, t in enumerate(tokens)]


def encode_choices(tokenizer: Any, examples: Sequence[ChoiceExample], max_length: int) -> list[Row]:
    """One row a choice: `context question </s> choice`, the rows of an example next to each other."""
    firsts: list[str] = []
    seconds: list[str] = []
    owners: list[int] = []
    for i, e in enumerate(examples):
        prompt = " ".join(part for part in (e.context, e.question) if part)
        firsts += [prompt] * len(e.choices)
        seconds += e.choices
        owners += [i] * len(e.choices)
    tokens = tokenize(tokenizer, firsts, seconds, max_length)
    return [_row(t, owner) for t, owner in zip(tokens, owners, strict=True)]


def encode_texts(
    tokenizer: Any, texts: Sequence[str], max_length: int, contexts: Sequence[str] | None = None
) -> list[Row]:
    """A row a text; a text with a context that is not empty becomes a pair with it."""
    seconds = [c or None for c in contexts or [""] * len(texts)]
    rows: list[Row] = []
    for start in range(0, len(texts), BLOCK):
        part = slice(start, start + BLOCK)
        rows += [_row(t, start + i) for i, t in enumerate(tokenize(tokenizer, texts[part], seconds[part], max_length))]
    return rows


def encode_queries(tokenizer: Any, examples: Sequence[QueryExample], max_length: int, prefix: str = "") -> list[Row]:
    """One row a query, behind `prefix` (e5's "query: ")."""
    return encode_texts(tokenizer, [prefix + query_text(e) for e in examples], max_length)


def query_text(example: QueryExample) -> str:
    """What a model reads of a query: its text, or its mention marked in its context.

    `Smith: He was seen by { Smith } again.` is how XTREME-R's `preprocess_mention` (utils_mewslix.py) writes it: the
    mention stands in front too, where no length cuts it, and braces of the text become parentheses.
    """
    if example.span is None:
        return example.query
    parts = example.context[: example.span.start], example.context[example.span.end :]
    left, right = (_BRACES.sub(r"(\1)", part) for part in parts)
    marked = f"{example.mention}: {left} {{ {example.mention} }} {right}"
    return " ".join(marked.splitlines()).replace("  ", " ").strip()


_BRACES = re.compile(r"\{(.*?)\}")


def encode_tagging(tokenizer: Any, examples: Sequence[TaggingExample], max_length: int) -> list[Row]:
    """Windows of whole words; every word of every sentence stands in exactly one window.

    The first sub-token of a word carries its label (Pires et al. 2019; XTREME).
    """
    rows: list[Row] = []
    for i, parts in enumerate(tokenize_words(tokenizer, [e.words for e in examples], max_length)):
        for first, tokens in parts:
            rows.append(Row(tokens.ids, tokens.types, i, tokens.starts, first))
    return rows


def encode_spans(tokenizer: Any, examples: Sequence[SpanExample], max_length: int, stride: int) -> list[Row]:
    """Windows over the context, `stride` tokens of which two neighbours share; questions cut at 64 tokens."""
    rows: list[Row] = []
    for i, parts in enumerate(
        windows(tokenizer, [(e.question, e.context) for e in examples], max_length, stride, QUESTION_TOKENS)
    ):
        rows += [Row(t.ids, t.types, i, t.starts, 0, t.offsets, t.cut) for t in parts]
    return rows


def _row(tokens: Tokens, owner: int) -> Row:
    return Row(tokens.ids, tokens.types, owner, cut=tokens.cut)


@dataclass(frozen=True)
class Padding:
    """What fills a row up: the token, its segment id, and the side (XLNet's is the left one)."""

    token: int
    type: int = 0
    left: bool = False

    @classmethod
    def of(cls, tokenizer: Any) -> Padding:
        """What the tokenizer declares."""
        side, segment = tokenizer.padding_side, getattr(tokenizer, "pad_token_type_id", 0)
        return cls(int(tokenizer.pad_token_id), int(segment or 0), side == "left")


def pad(
    rows: Sequence[Row], padding: Padding, *, height: int | None = None, length: int | None = None
) -> dict[str, Any]:
    """Rows as one batch of tensors `(height, length)`: input_ids, attention_mask, token_type_ids.

    Rows beyond `len(rows)` repeat the last one: some architectures look for separators or an end in every row.
    """
    import torch

    height = height or len(rows)
    length = length or max(len(r) for r in rows)
    ids = np.full((height, length), padding.token, dtype=np.int64)
    mask = np.zeros((height, length), dtype=np.int64)
    typed = any(r.types is not None for r in rows)
    types = np.full((height, length), padding.type, dtype=np.int64)
    for i in range(height):
        row = rows[min(i, len(rows) - 1)]
        part = slice(length - len(row), length) if padding.left else slice(0, len(row))
        ids[i, part] = row.ids
        mask[i, part] = 1
        if row.types is not None:
            types[i, part] = row.types
    batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
    if typed:
        batch["token_type_ids"] = torch.from_numpy(types)
    return batch
