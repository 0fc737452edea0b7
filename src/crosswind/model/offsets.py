"""Tokens with character offsets, from any tokenizer.

Every row is built the same way: raw tokens of each text, truncated or cut into windows by us, put
into the tokenizer's own template of special tokens (read off an encoded pair). So windows, offsets
and truncation do not depend on what a tokenizer class supports; tokenizers without offsets (CANINE:
one token a character; ByT5: one a byte) only need `_raw_slow`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from crosswind.errors import UserError

Ints = npt.NDArray[np.int64]
_EMPTY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Tokens:
    """One row: `ids` and `types` `(length,)`; `starts`, the positions of the first sub-token of each
    word (tagging) or of every context token (span QA), with their `offsets` `(n, 2)` in characters.
    `cut`: a text was longer than the row has room for, of span QA the question.
    """

    ids: Ints
    types: Ints | None
    starts: Ints = field(default_factory=lambda: _EMPTY)
    offsets: Ints | None = None
    cut: bool = False


@dataclass(frozen=True)
class Template:
    """The special tokens around one text, `head A tail`, and two, `head A middle B tail2`."""

    head: tuple[int, ...]
    tail: tuple[int, ...]
    middle: tuple[int, ...]
    tail2: tuple[int, ...]
    second_type: int | None  # segment id of the second text; None where the model has no segments

    def single(self, a: Sequence[int]) -> tuple[Ints, Ints | None]:
        """The ids of one text with its special tokens."""
        ids = np.array([*self.head, *a, *self.tail], dtype=np.int64)
        return ids, None if self.second_type is None else np.zeros(len(ids), dtype=np.int64)

    def pair(self, a: Sequence[int], b: Sequence[int]) -> tuple[Ints, Ints | None]:
        """The ids of two texts with their special tokens."""
        ids = np.array([*self.head, *a, *self.middle, *b, *self.tail2], dtype=np.int64)
        if self.second_type is None:
            return ids, None
        types = np.zeros(len(ids), dtype=np.int64)
        types[len(ids) - len(b) - len(self.tail2) :] = self.second_type
        return ids, types

    @property
    def overhead(self) -> int:
        """Special tokens of a pair."""
        return len(self.head) + len(self.middle) + len(self.tail2)

    @property
    def single_overhead(self) -> int:
        """How many special tokens stand around one text."""
        return len(self.head) + len(self.tail)


def template(tokenizer: Any) -> Template:
    """Read the special tokens off the tokenizer."""
    typed = "token_type_ids" in tokenizer.model_input_names
    if not tokenizer.is_fast:
        head = () if tokenizer.cls_token_id is None else (int(tokenizer.cls_token_id),)
        end = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
        tail = () if end is None else (int(end),)
        return Template(head, tail, tail, tail, 1 if typed else None)
    single = tokenizer(["a"])
    pair = tokenizer(["a"], ["a"])
    one, two = single.encodings[0].sequence_ids, pair.encodings[0].sequence_ids
    ids1, ids2 = single["input_ids"][0], pair["input_ids"][0]
    first = one.index(0)
    a_end = len(two) - two[::-1].index(0)
    b_start, b_end = two.index(1), len(two) - two[::-1].index(1)
    second_type = int(pair["token_type_ids"][0][b_start]) if typed else None
    return Template(
        tuple(ids1[:first]),
        tuple(ids1[len(one) - one[::-1].index(0) :]),
        tuple(ids2[a_end:b_start]),
        tuple(ids2[b_end:]),
        second_type,
    )


Raw = tuple[list[int], list[tuple[int, int]]]


def raw(tokenizer: Any, texts: Sequence[str]) -> list[Raw]:
    """Token ids and character offsets of each text, without special tokens."""
    if not texts:
        return []
    if not tokenizer.is_fast:
        return [_raw_slow(tokenizer, t) for t in texts]
    # Not verbose: a text longer than the model is no fault here, we cut it ourselves.
    batch = tokenizer(
        list(texts), add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False, verbose=False
    )
    return [(e.ids, e.offsets) for e in batch.encodings]


def _raw_slow(tokenizer: Any, text: str) -> Raw:
    name = type(tokenizer).__name__
    if name == "CanineTokenizer":
        return [ord(c) for c in text], [(i, i + 1) for i in range(len(text))]
    if name == "ByT5Tokenizer":
        spans = [(i, i + 1) for i, c in enumerate(text) for _ in c.encode()]
        return [int(i) for i in tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))], spans
    raise UserError(
        f"the tokenizer {name} gives no character offsets",
        where="encoder",
        hint="save a fast tokenizer (tokenizer.json) beside the encoder",
    )


def tokenize(tokenizer: Any, firsts: Sequence[str], seconds: Sequence[str | None], max_length: int) -> list[Tokens]:
    """One row a text or, where there is a second, a pair, the longer part truncated first."""
    shape = template(tokenizer)
    unique = list(dict.fromkeys(t for t in (*firsts, *seconds) if t is not None))
    tokens = {t: ids for t, (ids, _) in zip(unique, raw(tokenizer, unique), strict=True)}
    alone = max(max_length - shape.single_overhead, 1)
    room = max(max_length - shape.overhead, 2)
    rows: list[Tokens] = []
    for first, second in zip(firsts, seconds, strict=True):
        a = tokens[first]
        if second is None:
            rows.append(Tokens(*shape.single(a[:alone]), cut=len(a) > alone))
            continue
        b = tokens[second]
        n, m = _longest_first(len(a), len(b), room, odd_to_first=not tokenizer.is_fast)
        rows.append(Tokens(*shape.pair(a[:n], b[:m]), cut=n + m < len(a) + len(b)))
    return rows


def _longest_first(n: int, m: int, room: int, *, odd_to_first: bool) -> tuple[int, int]:
    """Lengths after cutting the longer of two texts until both fit, as `truncation="longest_first"`.

    Where both are cut and the room is odd, fast tokenizers leave the odd token to the longer text
    (of equal ones the second), those written in Python to the first.
    """
    if n + m <= room:
        return n, m
    half = room // 2
    if min(n, m) <= half:
        return (n, room - n) if n <= m else (room - m, m)
    return (room - half, half) if odd_to_first or n > m else (half, room - half)


def tokenize_words(
    tokenizer: Any, sentences: Sequence[tuple[str, ...]], max_length: int
) -> list[list[tuple[int, Tokens]]]:
    """Windows of whole words for each sentence: (index of the first word, tokens).

    Words are tokenized one by one, as `is_split_into_words` does. A word without a token (a lone
    control character) becomes the unknown token; one longer than a window is cut.
    """
    shape = template(tokenizer)
    room = max(max_length - shape.single_overhead, 1)
    unique = list(dict.fromkeys(w for words in sentences for w in words))
    lead = " " if _needs_space(tokenizer) else ""
    unknown = tokenizer.unk_token_id if tokenizer.unk_token_id is not None else tokenizer.pad_token_id
    pieces = {
        w: (ids or [int(unknown)])[:room]
        for w, (ids, _) in zip(unique, raw(tokenizer, [lead + w for w in unique]), strict=True)
    }
    result: list[list[tuple[int, Tokens]]] = []
    for words in sentences:
        parts: list[tuple[int, Tokens]] = []
        ids: list[int] = []
        starts: list[int] = []
        first = 0
        for i, word in enumerate(words):
            piece = pieces[word]
            if ids and len(ids) + len(piece) > room:
                parts.append((first, _words_row(shape, ids, starts)))
                ids, starts, first = [], [], i
            starts.append(len(shape.head) + len(ids))
            ids = ids + piece
        parts.append((first, _words_row(shape, ids, starts)))
        result.append(parts)
    return result


def _words_row(shape: Template, ids: list[int], starts: list[int]) -> Tokens:
    return Tokens(*shape.single(ids), np.array(starts, dtype=np.int64))


def _needs_space(tokenizer: Any) -> bool:
    """Byte-level BPE writes a word inside a text with its leading space."""
    if not tokenizer.is_fast:
        return False
    return "ByteLevel" in repr(getattr(tokenizer.backend_tokenizer, "pre_tokenizer", ""))


def windows(
    tokenizer: Any, pairs: Sequence[tuple[str, str]], max_length: int, stride: int, question_tokens: int
) -> list[list[Tokens]]:
    """Windows of (question, context) rows, as long as fits behind the question; two neighbours share `stride` context
    tokens (the `stride` of Hugging Face's tokenizers).

    A question is cut at `question_tokens`, and earlier where it would leave the context less than a
    quarter of a short window.
    """
    shape = template(tokenizer)
    texts = list(dict.fromkeys(t for pair in pairs for t in pair))
    tokens = dict(zip(texts, raw(tokenizer, texts), strict=True))
    result: list[list[Tokens]] = []
    for question, context in pairs:
        q = tokens[question][0][: min(question_tokens, (max_length - shape.overhead) * 3 // 4)]
        ids, spans = tokens[context]
        room = max(max_length - shape.overhead - len(q), 1)
        parts: list[Tokens] = []
        start = 0
        while True:
            piece = ids[start : start + room]
            row, types = shape.pair(q, piece)
            begin = len(shape.head) + len(q) + len(shape.middle)
            positions = np.arange(begin, begin + len(piece), dtype=np.int64)
            offsets = np.array(spans[start : start + room], dtype=np.int64).reshape(-1, 2)
            parts.append(Tokens(row, types, positions, offsets, len(q) < len(tokens[question][0])))
            if start + room >= len(ids):
                break
            start += max(room - stride, 1)
        result.append(parts)
    return result
