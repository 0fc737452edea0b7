"""Tokens with character offsets, from any tokenizer.

Every row is built the same way: raw tokens of each text, truncated or cut into windows by us, put
into the tokenizer's own template of special tokens (read off an encoded pair). So windows, offsets
and truncation do not depend on what a tokenizer class supports. Tokenizers without a fast class serve
all kinds but span QA; of CANINE (one token a character) and ByT5 (one a byte) offsets are known.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from crosswind.errors import UserError
from crosswind.model.sampled import SampledTokenizer

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
    """The special tokens around one text, `head A tail`, and two, `head A middle B tail2`.

    The segment ids of these parts, in the same order, are `single_types` (three) and `pair_types` (five): one for each
    special token, one for a whole text; `None` where the model has no segments. They are the tokenizer's own: XLNet's
    closing token has a third one.
    """

    head: tuple[int, ...]
    tail: tuple[int, ...]
    middle: tuple[int, ...]
    tail2: tuple[int, ...]
    single_types: tuple[tuple[int, ...], ...] | None
    pair_types: tuple[tuple[int, ...], ...] | None

    def single(self, a: Sequence[int]) -> tuple[Ints, Ints | None]:
        """The ids of one text with its special tokens."""
        return _joined((self.head, a, self.tail), self.single_types)

    def pair(self, a: Sequence[int], b: Sequence[int]) -> tuple[Ints, Ints | None]:
        """The ids of two texts with their special tokens."""
        return _joined((self.head, a, self.middle, b, self.tail2), self.pair_types)

    @property
    def overhead(self) -> int:
        """Special tokens of a pair."""
        return len(self.head) + len(self.middle) + len(self.tail2)

    @property
    def single_overhead(self) -> int:
        """How many special tokens stand around one text."""
        return len(self.head) + len(self.tail)


def _joined(parts: Sequence[Sequence[int]], types: Sequence[tuple[int, ...]] | None) -> tuple[Ints, Ints | None]:
    ids = np.array([i for part in parts for i in part], dtype=np.int64)
    if types is None:
        return ids, None
    of_tokens = [
        segment for i, part in enumerate(parts) for segment in (types[i] if i % 2 == 0 else types[i] * len(part))
    ]
    return ids, np.array(of_tokens, dtype=np.int64)


def template(tokenizer: Any) -> Template:
    """Read the special tokens, and their segment ids, off what the tokenizer makes of one text and of two."""
    if isinstance(tokenizer, SampledTokenizer):
        tokenizer = tokenizer.plain
    typed = "token_type_ids" in tokenizer.model_input_names
    texts = [ids for ids, _ in raw(tokenizer, ["a", "b"], offsets=False)]
    one, two = tokenizer("a"), tokenizer("a", "b")
    single, pair = [int(i) for i in one["input_ids"]], [int(i) for i in two["input_ids"]]
    first = _position(texts[0], single, 0)
    begin = _position(texts[0], pair, 0)
    behind = begin + len(texts[0])
    second = _position(texts[1], pair, behind)
    cuts1 = (0, first, first + len(texts[0]), len(single))
    cuts2 = (0, begin, behind, second, second + len(texts[1]), len(pair))
    parts1, parts2 = _cut(single, cuts1), _cut(pair, cuts2)
    if parts1[0] != parts2[0]:
        raise UserError(
            f"the tokenizer {type(tokenizer).__name__} begins a pair with other special tokens than a text",
            where="encoder",
            hint="no tokenizer of an encoder that we know does; save one that begins both alike",
        )
    return Template(
        tuple(parts1[0]),
        tuple(parts1[2]),
        tuple(parts2[2]),
        tuple(parts2[4]),
        _types(one["token_type_ids"], cuts1) if typed else None,
        _types(two["token_type_ids"], cuts2) if typed else None,
    )


def _position(part: Sequence[int], whole: Sequence[int], start: int) -> int:
    """Where the tokens of a part begin in a row, from `start` on."""
    for i in range(start, len(whole) - len(part) + 1):
        if part and list(whole[i : i + len(part)]) == list(part):
            return i
    raise UserError(
        "the tokenizer makes other tokens of a letter alone than of the same letter in a row",
        where="encoder",
        hint="save a fast tokenizer (tokenizer.json) beside the encoder",
    )


def _cut(row: Sequence[int], cuts: Sequence[int]) -> list[list[int]]:
    return [list(row[a:b]) for a, b in pairwise(cuts)]


def _types(types: Sequence[int], cuts: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The segment ids of each part: of texts, every second one, that of their first token."""
    parts = [tuple(int(t) for t in types[a:b]) for a, b in pairwise(cuts)]
    return tuple(part if i % 2 == 0 else part[:1] for i, part in enumerate(parts))


MASK_SIGN = "\U0010fffd\U0010fffc\U0010fffd"
"""What stands in a text for the tokenizer's mask token: private characters in an order that no text of a task holds."""

Raw = tuple[list[int], list[tuple[int, int]]]


def raw(tokenizer: Any, texts: Sequence[str], *, offsets: bool = True) -> list[Raw]:
    """Token ids and character offsets of each text, without special tokens: `</s>` or `<mask>` in a text is text.

    Without `offsets` they may be empty: tokenizers without a fast class have none. Only `MASK_SIGN` is a mask token.
    """
    if not texts:
        return []
    if isinstance(tokenizer, SampledTokenizer):
        usual = tokenizer.plain
        return [cut or raw(usual, [t])[0] for t, cut in zip(texts, tokenizer.raw(texts), strict=True)]
    if tokenizer.mask_token_id is not None and any(MASK_SIGN in t for t in texts):
        return _masked(tokenizer, texts, offsets)
    if not tokenizer.is_fast:
        return [_raw_slow(tokenizer, t, offsets) for t in texts]
    # Not verbose: a text longer than the model is no fault here, we cut it ourselves.
    batch = tokenizer(
        list(texts),
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    cut: list[Raw] = []
    for text, encoding in zip(texts, batch.encodings, strict=True):
        ids = encoding.ids  # made anew, as offsets are, each time that they are asked for
        if special.isdisjoint(ids):
            cut.append((ids, encoding.offsets if offsets else []))
        else:
            cut.append(_spelled(tokenizer, text, encoding, special))
    return cut


def _masked(tokenizer: Any, texts: Sequence[str], offsets: bool) -> list[Raw]:
    """Texts with masks: what stands between these is cut apart, as tokenizers do at special tokens.

    White space before a mask goes, as mask tokens take it.
    """
    cut_up = [t.split(MASK_SIGN) for t in texts]
    parts = [[*(p.rstrip() for p in some[:-1]), some[-1]] for some in cut_up]
    flat = list(dict.fromkeys(p for some in parts for p in some if p))
    tokens = {"": ([], []), **dict(zip(flat, raw(tokenizer, flat, offsets=offsets), strict=True))}
    made: list[Raw] = []
    for whole, some in zip(cut_up, parts, strict=True):
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        at = 0
        for number, (text, part) in enumerate(zip(whole, some, strict=True)):
            if number:
                ids.append(int(tokenizer.mask_token_id))
                spans.append((at - len(MASK_SIGN), at))
            ids += tokens[part][0]
            spans += [(at + start, at + end) for start, end in tokens[part][1]]
            at += len(text) + len(MASK_SIGN)
        made.append((ids, spans if offsets else []))
    return made


def _spelled(tokenizer: Any, text: str, encoding: Any, special: Set[int]) -> Raw:
    """A text whose words are named like special tokens: these letter by letter.

    SentencePiece's vocabularies hold `</s>` as a piece of text too.
    """
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    for token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        if token not in special:
            ids.append(token)
            spans.append((start, end))
            continue
        for i in range(start, end):
            letter = None if text[i].isspace() else tokenizer.convert_tokens_to_ids(text[i])
            if letter is not None and letter not in special:
                ids.append(int(letter))
                spans.append((i, i + 1))
    return ids, spans


def _raw_slow(tokenizer: Any, text: str, offsets: bool) -> Raw:
    name = type(tokenizer).__name__
    if name == "CanineTokenizer":
        return [ord(c) for c in text], [(i, i + 1) for i in range(len(text))]
    if name == "ByT5Tokenizer":
        # Behind the ids of padding, end and unknown, which come first.
        ids = [byte + int(tokenizer.offset) for byte in text.encode()]
        return ids, [(i, i + 1) for i, c in enumerate(text) for _ in c.encode()]
    if offsets:
        raise UserError(
            f"the tokenizer {name} gives no character offsets, which span tasks need",
            where="encoder",
            hint="save a fast tokenizer (tokenizer.json) beside the encoder",
        )
    encoded = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)
    return [int(i) for i in encoded["input_ids"]], []


def tokenize(tokenizer: Any, firsts: Sequence[str], seconds: Sequence[str | None], max_length: int) -> list[Tokens]:
    """One row a text or, where there is a second, a pair, the longer part truncated first."""
    shape = template(tokenizer)
    unique = list(dict.fromkeys(t for t in (*firsts, *seconds) if t is not None))
    tokens = {t: ids for t, (ids, _) in zip(unique, raw(tokenizer, unique, offsets=False), strict=True)}
    alone = max(max_length - shape.single_overhead, 1)
    room = max(max_length - shape.overhead, 2)
    last = getattr(tokenizer, "truncation_side", "right") == "left"
    rows: list[Tokens] = []
    for first, second in zip(firsts, seconds, strict=True):
        a = tokens[first]
        if second is None:
            rows.append(Tokens(*shape.single(_kept(a, alone, last)), cut=len(a) > alone))
            continue
        b = tokens[second]
        n, m = longest_first(len(a), len(b), room, odd_to_first=not tokenizer.is_fast)
        rows.append(Tokens(*shape.pair(_kept(a, n, last), _kept(b, m, last)), cut=n + m < len(a) + len(b)))
    return rows


def _kept(ids: list[int], room: int, last: bool) -> list[int]:
    """The first tokens that fit, or the last ones where the tokenizer truncates on the left."""
    return ids[max(len(ids) - room, 0) :] if last else ids[:room]


def longest_first(n: int, m: int, room: int, *, odd_to_first: bool) -> tuple[int, int]:
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

    def pieces_of(tokenizer: Any, words: Sequence[str]) -> list[list[int]]:
        cut = raw(tokenizer, [lead + w for w in words], offsets=False)
        return [(ids or [int(unknown)])[:room] for ids, _ in cut]

    sampled = tokenizer if isinstance(tokenizer, SampledTokenizer) else None
    usual = dict(zip(unique, pieces_of(tokenizer, unique), strict=True)) if sampled is None else {}
    result: list[list[tuple[int, Tokens]]] = []
    for words in sentences:
        parts: list[tuple[int, Tokens]] = []
        ids: list[int] = []
        starts: list[int] = []
        first = 0
        # A word that is cut by chance is cut anew wherever it stands.
        of_words = [usual[w] for w in words] if sampled is None else pieces_of(sampled.salted(*words), words)
        for i, piece in enumerate(of_words):
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
