"""Subword regularisation: usual pieces where nothing is left to chance, else the distribution of the papers."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer

import tiny_models
from crosswind.data.examples import Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.model.offsets import raw, tokenize
from crosswind.model.rows import encode_spans, encode_tagging
from crosswind.model.sampled import SampledTokenizer
from crosswind.model.tokenizer import train_tokenizer
from crosswind.train.subwords import SUBWORDS, resampled

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Ｆｕｌｌ width, ﬁne ligatures and  two blanks",
    "你好,世界! дом 東京タワー สวัสดี",
    "Straße\tund\nZeile \U0001f600\U0001f600 naïve e\u0301",
    "",
    " ",
    "\u2603\u2603 \u0f00x",
]
NOTHING_BY_CHANCE = {
    "bpe-dropout": {"dropout": 0.0}, "maxmatch-dropout": {"dropout": 0.0}, "unigram-sampling": {"alpha": 1e6}
}  # fmt: skip
LINES = ["the brown dog jumps", "over lazy foxes and brown hounds", "dom dym dama", "你好世界"] * 5


def tokenizers() -> Iterator[tuple[str, Any]]:
    yield "wordpiece", tiny_models.wordpiece()
    yield "bytes", tiny_models.byte_bpe()
    yield "unigram", tiny_models.metaspace()
    yield "unigram, first", tiny_models.metaspace(scheme="first")
    yield "t5", tiny_models.t5()
    yield "mbart", tiny_models.mbart()
    yield "ours", train_tokenizer(LINES, 150)


def method_for(tokenizer: Any) -> str:
    kind = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["type"]
    return next(method.name for method in SUBWORDS if method.model == kind)


@pytest.mark.parametrize(("name", "tokenizer"), [pytest.param(n, t, id=n) for n, t in tokenizers()])
def test_without_chance_the_pieces_and_their_places_are_the_usual_ones(name: str, tokenizer: Any) -> None:
    method = method_for(tokenizer)
    sampled = resampled(tokenizer, method, NOTHING_BY_CHANCE[method], seed=1)
    for text, cut, usual in zip(TEXTS, raw(sampled, TEXTS), raw(tokenizer, TEXTS), strict=True):
        assert (list(cut[0]), list(cut[1])) == (list(usual[0]), list(usual[1])), text


@pytest.mark.slow
def test_without_chance_xlm_rs_pieces_are_the_usual_ones(real_encoder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(real_encoder)
    sampled = resampled(tokenizer, "unigram-sampling", {"alpha": 1e6}, seed=1)
    assert raw(sampled, TEXTS) == [(list(ids), list(spans)) for ids, spans in raw(tokenizer, TEXTS)]


def cuts(word: str) -> Iterator[tuple[str, ...]]:
    """Every cut of a word: 2^(n-1) of them."""
    for bits in range(2 ** (len(word) - 1)):
        borders = [0, *(i + 1 for i in range(len(word) - 1) if bits >> i & 1), len(word)]
        yield tuple(word[a:b] for a, b in itertools.pairwise(borders))


def drawn(method: str, model: dict[str, Any], settings: dict[str, float], word: str, n: int = 4000) -> Counter[Any]:
    segment = SUBWORDS[method].prepare(model, settings, frozenset())
    random = Random(5).random
    return Counter(tuple(word[a:b] for _, a, b in segment(word, random)) for _ in range(n))


def agree(counts: Counter[Any], expected: dict[Any, float]) -> None:
    """Frequencies lie within 4.5 standard errors, and nothing else was drawn."""
    n = counts.total()
    assert set(counts) <= {cut for cut, p in expected.items() if p > 0}
    assert math.isclose(sum(expected.values()), 1)
    for cut, p in expected.items():
        assert abs(counts[cut] / n - p) <= 4.5 * math.sqrt(p * (1 - p) / n) + 1e-12, cut


@pytest.mark.parametrize("alpha", [0.0, 0.2, 1.0, 3.0])
def test_a_cut_is_drawn_by_its_probability_to_the_power_of_alpha(alpha: float) -> None:
    """Kudo 2018: P(x)^alpha over its sum, over all cuts; here by enumeration."""
    random = np.random.default_rng(3)
    scores = {piece: float(random.uniform(-6, -1)) for cut in cuts("abcab") for piece in cut if random.random() < 0.8}
    scores |= dict.fromkeys("abc", -4.0)
    model = {"vocab": [["<unk>", 0.0], *scores.items()], "unk_id": 0, "byte_fallback": False}
    weights = {
        cut: math.exp(alpha * sum(scores[piece] for piece in cut)) for cut in cuts("abcab") if set(cut) <= set(scores)
    }
    total = sum(weights.values())
    agree(drawn("unigram-sampling", model, {"alpha": alpha}, "abcab"), {cut: w / total for cut, w in weights.items()})


def bpe_cuts(parts: tuple[str, ...], ranks: dict[tuple[str, str], int], p: float) -> dict[tuple[str, ...], float]:
    """Provilkov et al. 2020, algorithm 1, by enumeration: the best of the merges that are not dropped is made."""
    places = sorted((ranks[pair], i) for i, pair in enumerate(itertools.pairwise(parts)) if pair in ranks)
    result = {parts: p ** len(places)}
    for dropped, (_, i) in enumerate(places):
        merged = (*parts[:i], parts[i] + parts[i + 1], *parts[i + 2 :])
        for cut, q in bpe_cuts(merged, ranks, p).items():
            result[cut] = result.get(cut, 0.0) + p**dropped * (1 - p) * q
    return result


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_merges_are_dropped_as_in_the_papers_algorithm(p: float) -> None:
    merges = [["a", "b"], ["b", "a"], ["ab", "c"], ["ab", "ab"], ["abab", "c"]]
    pieces = ["a", "b", "c", *("".join(pair) for pair in merges)]
    model = {"vocab": {piece: i for i, piece in enumerate(pieces)}, "merges": merges, "unk_token": None}
    ranks = {(a, b): rank for rank, (a, b) in enumerate(merges)}
    agree(drawn("bpe-dropout", model, {"dropout": p}, "ababc"), bpe_cuts(tuple("ababc"), ranks, p))


def matches(word: str, vocabulary: set[str], q: float, start: int = 0) -> dict[tuple[str, ...], float]:
    """Hiraoka 2022, by enumeration: the longest piece that is not dropped; single characters never are."""
    if start == len(word):
        return {(): 1.0}
    result: dict[tuple[str, ...], float] = {}
    left = 1.0
    for end in range(len(word), start, -1):
        if ("##" if start else "") + word[start:end] not in vocabulary:
            continue
        taken = left if end - start == 1 else left * (1 - q)
        left -= taken
        for rest, p in matches(word, vocabulary, q, end).items():
            cut = (word[start:end], *rest)
            result[cut] = result.get(cut, 0.0) + taken * p
    return result


@pytest.mark.parametrize("q", [0.0, 0.3, 1.0])
def test_pieces_are_passed_over_as_in_max_match_dropout(q: float) -> None:
    pieces = ["[UNK]", "a", "##a", "##b", "##c", "ab", "abc", "##bc", "##ca", "##cab"]
    model = {
        "vocab": {piece: i for i, piece in enumerate(pieces)},
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
    }
    agree(drawn("maxmatch-dropout", model, {"dropout": q}, "abcab"), matches("abcab", set(pieces), q))


def test_a_word_of_which_no_piece_would_be_left_is_cut_as_usual() -> None:
    model = {
        "vocab": {"[UNK]": 0, "a": 1, "ab": 2},  # no ##b
        "unk_token": "[UNK]",
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
    }
    assert drawn("maxmatch-dropout", model, {"dropout": 1.0}, "ab") == {("ab",): 4000}


@pytest.fixture
def sampled() -> SampledTokenizer:
    return resampled(train_tokenizer(LINES, 150), "bpe-dropout", {"dropout": 0.5}, seed=1)


def test_a_draw_depends_on_seed_epoch_and_text_alone(sampled: SampledTokenizer) -> None:
    def ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
        return [t.ids.tolist() for t in tokenize(tokenizer, texts, [None] * len(texts), 64)]

    first = sampled.salted("0")
    assert ids(first, LINES[:3])[1] == ids(first, LINES[1:2])[0]
    assert ids(first, LINES[:3]) != ids(sampled.salted("1"), LINES[:3])
    other = resampled(sampled.plain, "bpe-dropout", {"dropout": 0.5}, seed=2).salted("0")
    assert ids(first, LINES[:3]) != ids(other, LINES[:3])


def test_every_word_keeps_its_label_and_is_cut_anew_where_it_stands(sampled: SampledTokenizer) -> None:
    words = ("brown", "dog", "brown", "brown", "jumps", "brown", "brown")
    example = TaggingExample("t/1", "t/1", "en", words, ("A",) * len(words))
    (row,) = encode_tagging(sampled, [example], 128)
    begins = [*row.positions.tolist(), len(row) - 1]
    spelled = [
        "".join(sampled.convert_ids_to_tokens(row.ids[a:b].tolist())).replace("\u2581", "")
        for a, b in itertools.pairwise(begins)
    ]
    assert tuple(spelled) == words
    of_brown = {tuple(row.ids[a:b]) for a, b, w in zip(begins, begins[1:], words, strict=False) if w == "brown"}
    assert len(of_brown) > 1
    (again,) = encode_tagging(sampled, [TaggingExample("t/2", "t/2", "en", ("dama",), ("A",)), example][1:], 128)
    assert again.ids.tolist() == row.ids.tolist()


def test_an_answer_lies_where_it_lay(sampled: SampledTokenizer) -> None:
    from crosswind.train.objectives import _span_target

    context, answer = "the brown dog jumps over lazy foxes", "brown dog"
    example = SpanExample("q/1", "q/1", "en", "dog jumps", context, (Span(4, 13),))
    for epoch in range(5):
        (row,) = encode_spans(sampled.salted(str(epoch)), [example], 128, 16)
        start, end = _span_target(row, example)
        first, last = (row.positions.tolist().index(p) for p in (start, end))
        assert row.offsets is not None
        assert context[row.offsets[first][0] : row.offsets[last][1]] == answer


def test_text_that_looks_like_a_special_token_is_no_special_token(sampled: SampledTokenizer) -> None:
    special = set(sampled.all_special_ids) - {sampled.unk_token_id}
    assert special.isdisjoint(raw(sampled, ["a </s> <mask> b"])[0][0])
    unigram = resampled(tiny_models.t5(), "unigram-sampling", {"alpha": 0.5}, seed=1)
    special = set(unigram.all_special_ids) - {unigram.unk_token_id}
    assert special.isdisjoint(raw(unigram, ["a </s> <pad> b"])[0][0])


@pytest.mark.parametrize(
    ("make", "method", "what"),
    [
        (tiny_models.metaspace, "bpe-dropout", "take unigram-sampling"),
        (tiny_models.wordpiece, "unigram-sampling", "take maxmatch-dropout"),
        (tiny_models.byt5, "bpe-dropout", "fast tokenizer"),
    ],
)
def test_a_method_for_another_tokenizer_is_refused(make: Callable[[], Any], method: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        resampled(make(), method, {"dropout": 0.1, "alpha": 0.1}, seed=1)
    assert what in f"{caught.value} {caught.value.hint}"
