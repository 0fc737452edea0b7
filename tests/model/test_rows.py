"""Rows are what the tokenizer itself would build; nothing of a text is lost between windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PhobertTokenizer

from crosswind.data.examples import ChoiceExample, PairExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.model.offsets import raw
from crosswind.model.rows import (
    QUESTION_TOKENS,
    Padding,
    Row,
    encode_choices,
    encode_pairs,
    encode_spans,
    encode_tagging,
    encode_texts,
    pad,
)
from crosswind.train.objectives import _span_target
from tiny_models import CLS, PAD, SEP, TEXTS, TOKENIZERS, UNK, byte_bpe, metaspace, wordpiece, xlnet

NAMES = ("wordpiece", "byte_bpe", "metaspace", "canine")
WORDS = ("fox", "Fußballspiel", "首都", "ประเทศไทย", "القاهرة", "👩‍👩‍👧", "don't", "½", "x")


@pytest.fixture(scope="module")
def tokenizers() -> dict[str, Any]:
    return {name: make() for name, make in TOKENIZERS.items()}


@pytest.fixture(scope="module", params=NAMES)
def tokenizer(request: pytest.FixtureRequest, tokenizers: dict[str, Any]) -> Any:
    return tokenizers[request.param]


def pair(first: str, second: str) -> PairExample:
    return PairExample("i", "c", "en", first, second)


def tagging(*words: str) -> TaggingExample:
    return TaggingExample("i", "c", "en", words)


def span(question: str, context: str, *answers: Span) -> SpanExample:
    return SpanExample("i", "c", "en", question, context, answers)


def ids(rows: list[Row]) -> list[list[int]]:
    return [r.ids.tolist() for r in rows]


def test_single_texts_carry_the_tokenizers_own_special_tokens(tokenizer: Any) -> None:
    assert ids(encode_texts(tokenizer, TEXTS, 512)) == [tokenizer(t)["input_ids"] for t in TEXTS]


def test_pairs_carry_the_tokenizers_own_special_tokens(tokenizer: Any) -> None:
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    rows = encode_pairs(tokenizer, [pair(a, b) for a, b in pairs], 512)
    assert ids(rows) == [tokenizer(a, b)["input_ids"] for a, b in pairs]


def test_segment_ids_are_the_tokenizers_where_the_model_reads_them() -> None:
    typed, plain = wordpiece(), wordpiece(types=False)
    row = encode_pairs(typed, [pair("the fox", "a dog over")], 512)[0]
    assert row.types is not None
    assert row.types.tolist() == typed("the fox", "a dog over")["token_type_ids"]
    assert set(row.types.tolist()) == {0, 1}
    assert encode_texts(typed, ["the fox"], 512)[0].types.tolist() == typed("the fox")["token_type_ids"]  # type: ignore[union-attr]
    assert encode_pairs(plain, [pair("the fox", "a dog over")], 512)[0].types is None


def test_a_text_is_a_pair_only_with_its_own_context_whatever_stands_beside_it(tokenizer: Any) -> None:
    alone = encode_texts(tokenizer, ["the fox"], 64)
    beside = encode_texts(tokenizer, ["the fox", "a dog"], 64, ["", "over the lazy dog"])
    assert ids(beside) == [*ids(alone), tokenizer("a dog", "over the lazy dog")["input_ids"]]


@settings(max_examples=60, deadline=None)
@given(n=st.integers(0, 40), m=st.integers(1, 40), limit=st.integers(8, 41), name=st.sampled_from(NAMES))
def test_pairs_are_truncated_as_the_tokenizer_truncates_longest_first(
    tokenizers: dict[str, Any], n: int, m: int, limit: int, name: str
) -> None:
    tokenizer = tokenizers[name]
    first, second = "x" * n if name == "canine" else "fox " * n, "y" * m if name == "canine" else "dog " * m
    expected = tokenizer(first, second, truncation="longest_first", max_length=limit)["input_ids"]
    assert ids(encode_pairs(tokenizer, [pair(first, second)], limit)) == [expected]


@pytest.mark.parametrize("limit", [6, 9, 10, 33])
def test_single_texts_are_truncated_as_the_tokenizer_truncates(tokenizer: Any, limit: int) -> None:
    expected = [tokenizer(t, truncation=True, max_length=limit)["input_ids"] for t in TEXTS]
    assert ids(encode_texts(tokenizer, TEXTS, limit)) == expected


def test_the_real_encoders_rows_are_its_tokenizers(real_encoder: Any) -> None:
    from crosswind.model.encoder import load_tokenizer

    tokenizer = load_tokenizer(str(real_encoder))
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))
    assert ids(encode_texts(tokenizer, TEXTS, 512)) == [tokenizer(t)["input_ids"] for t in TEXTS]
    for limit in (16, 17, 512):
        expected = [tokenizer(a, b, truncation="longest_first", max_length=limit)["input_ids"] for a, b in pairs]
        assert ids(encode_pairs(tokenizer, [pair(a, b) for a, b in pairs], limit)) == expected
    rows = encode_tagging(tokenizer, [tagging(*WORDS)], 512)
    assert ids(rows) == [tokenizer(list(WORDS), is_split_into_words=True)["input_ids"]]


def test_each_choice_is_a_pair_of_context_with_question_and_choice(tokenizer: Any) -> None:
    examples = [
        ChoiceExample("a", "a", "en", "The fox jumps.", "Why?", ("the dog", "a man", "rain")),
        ChoiceExample("b", "b", "en", "", "Who?", ("he", "they")),
    ]
    rows = encode_choices(tokenizer, examples, 512)
    assert [r.owner for r in rows] == [0, 0, 0, 1, 1]
    assert ids(rows[1:4:2]) == [
        tokenizer("The fox jumps. Why?", "a man")["input_ids"],
        tokenizer("Who?", "he")["input_ids"],
    ]


# Tagging


@pytest.mark.parametrize("make", [wordpiece, byte_bpe, metaspace, lambda: metaspace(scheme="first")])
def test_words_are_tokenized_as_is_split_into_words_does(make: Any) -> None:
    tokenizer = make()
    expected = tokenizer([list(WORDS)], is_split_into_words=True)
    (row,) = encode_tagging(tokenizer, [tagging(*WORDS)], 512)
    assert row.ids.tolist() == expected["input_ids"][0]
    words = expected.word_ids(0)
    assert row.positions.tolist() == [words.index(i) for i in range(len(WORDS))]


def test_words_of_byte_level_bpe_have_their_leading_space_without_add_prefix_space_too() -> None:
    tokenizer = byte_bpe(prefix=False)
    (row,) = encode_tagging(tokenizer, [tagging("the", "lazy", "dog")], 512)
    assert row.ids.tolist() == tokenizer(" the lazy dog")["input_ids"]


def test_the_words_of_canine_are_their_characters() -> None:
    tokenizer = TOKENIZERS["canine"]()
    (row,) = encode_tagging(tokenizer, [tagging("ab", "ก")], 512)
    assert row.ids.tolist() == [0xE000, ord("a"), ord("b"), ord("ก"), 0xE001]  # CANINE's private [CLS] and [SEP]
    assert row.positions.tolist() == [1, 3]


@settings(max_examples=60, deadline=None)
@given(
    sentences=st.lists(
        st.lists(st.sampled_from(WORDS) | st.text(max_size=12), min_size=0, max_size=14), min_size=1, max_size=3
    ),
    limit=st.integers(3, 24),
    name=st.sampled_from(NAMES),
)
def test_windows_hold_every_word_once_in_order_at_its_first_sub_token(
    tokenizers: dict[str, Any], sentences: list[list[str]], limit: int, name: str
) -> None:
    tokenizer = tokenizers[name]
    sentences = [[w.encode("utf-8", "ignore").decode() for w in words] for words in sentences]
    rows = encode_tagging(tokenizer, [tagging(*words) for words in sentences], limit)
    for i, words in enumerate(sentences):
        mine = [r for r in rows if r.owner == i]
        assert [r.first + k for r in mine for k in range(len(r.positions))] == list(range(len(words)))
        for row in mine:
            assert len(row) <= limit
            assert np.all(np.diff(row.positions) > 0)
            starts = [*row.positions.tolist(), len(row) - 1]
            for k in range(len(row.positions)):
                piece = row.ids[starts[k] : starts[k + 1]].tolist()
                lead = " " if name == "byte_bpe" else ""
                whole = raw(tokenizer, [lead + words[row.first + k]])[0][0] or [_unknown(tokenizer)]
                assert piece == whole[: len(piece)]
                assert len(piece) == min(len(whole), limit - 2)


def _unknown(tokenizer: Any) -> int:
    return int(tokenizer.pad_token_id if tokenizer.unk_token_id is None else tokenizer.unk_token_id)


@pytest.mark.parametrize("make", [wordpiece, metaspace])
def test_a_word_without_any_token_becomes_the_unknown_token(make: Any) -> None:
    tokenizer = make()
    (row,) = encode_tagging(tokenizer, [tagging("fox", "", "\u0000", "dog")], 64)
    assert len(row.positions) == 4
    assert row.ids[row.positions[1]] == tokenizer.convert_tokens_to_ids(UNK)


# Span QA


@settings(max_examples=60, deadline=None)
@given(
    context=st.sampled_from(TEXTS) | st.text(max_size=60),
    question=st.sampled_from(TEXTS),
    limit=st.integers(14, 60),
    stride=st.integers(1, 20),
    name=st.sampled_from(NAMES),
)
def test_windows_cover_the_context_share_the_stride_and_keep_within_the_length(
    tokenizers: dict[str, Any], context: str, question: str, limit: int, stride: int, name: str
) -> None:
    tokenizer = tokenizers[name]
    context = context.encode("utf-8", "ignore").decode()
    tokens, offsets = raw(tokenizer, [context])[0]
    rows = encode_spans(tokenizer, [span(question, context)], limit, stride)
    covered: set[int] = set()
    begin = 0
    for row in rows:
        assert len(row) <= limit
        assert row.offsets is not None
        size = len(row.positions)
        assert row.ids[row.positions].tolist() == tokens[begin : begin + size]
        assert row.offsets.tolist() == [list(o) for o in offsets[begin : begin + size]]
        covered |= set(range(begin, begin + size))
        begin += max(size - stride, 1)
    assert covered == set(range(len(tokens)))


def test_the_first_window_is_the_tokenizers_own_pair(tokenizer: Any) -> None:
    context = " ".join(TEXTS)
    rows = encode_spans(tokenizer, [span("Who jumps?", context)], 40, 8)
    expected = tokenizer("Who jumps?", context, truncation="only_second", max_length=40)["input_ids"]
    assert rows[0].ids.tolist() == expected


def test_windows_are_those_of_the_tokenizers_overflow() -> None:
    tokenizer = wordpiece()
    question, context, limit, stride = "Who jumps?", " ".join(TEXTS), 40, 10
    rows = encode_spans(tokenizer, [span(question, context)], limit, stride)
    expected = tokenizer(
        question,
        context,
        truncation="only_second",
        max_length=limit,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert ids(rows) == expected["input_ids"]
    for row, types, all_offsets in zip(rows, expected["token_type_ids"], expected["offset_mapping"], strict=True):
        assert row.types is not None
        assert row.offsets is not None
        assert row.types.tolist() == types
        assert row.offsets.tolist() == [list(all_offsets[p]) for p in row.positions]


def test_questions_are_cut_at_64_tokens_and_sooner_in_short_windows() -> None:
    tokenizer = wordpiece()
    long = span("fox " * 90, "the lazy dog")
    assert len(raw(tokenizer, [long.question])[0][0]) > QUESTION_TOKENS
    assert encode_spans(tokenizer, [long], 384, 128)[0].positions[0] == 1 + 64 + 1
    short = encode_spans(tokenizer, [long], 32, 8)
    assert all(len(r) <= 32 for r in short)
    assert short[0].positions[0] == 1 + (32 - 3) * 3 // 4 + 1


@pytest.mark.parametrize("context", [t for t in TEXTS if t])
def test_every_run_of_tokens_is_found_again_as_an_answer_and_decodes_exactly(tokenizer: Any, context: str) -> None:
    offsets = [o for o in raw(tokenizer, [context])[0][1] if o[1] > o[0]]
    for i in range(0, len(offsets), 3):
        for j in range(i, min(i + 9, len(offsets)), 4):
            text = context[offsets[i][0] : offsets[j][1]]
            answer = text.strip()
            if not answer:
                continue
            start = offsets[i][0] + text.index(answer)
            example = span("Who?", context, Span(start, start + len(answer)))
            (row,) = encode_spans(tokenizer, [example], 512, 128)
            first, last = _span_target(row, example)
            assert row.offsets is not None
            places = row.positions.tolist()
            found = context[row.offsets[places.index(first)][0] : row.offsets[places.index(last)][1]]
            assert found.strip() == answer


def test_the_space_before_a_metaspace_piece_is_inside_its_offsets() -> None:
    """Why decoded answers are trimmed."""
    tokenizer = metaspace()
    offsets = raw(tokenizer, ["the lazy dog"])[0][1]
    assert any("the lazy dog"[a:b].startswith(" ") for a, b in offsets)


def test_an_answer_outside_or_cut_by_a_window_is_targeted_at_its_first_token() -> None:
    tokenizer = wordpiece()
    context = " ".join(["fox", "dog"] * 30)
    example = span("Who?", context, Span(0, 7))  # "fox dog"
    rows = encode_spans(tokenizer, [example], 24, 6)
    assert len(rows) > 3
    assert _span_target(rows[0], example)[0] == rows[0].positions[0]
    assert {_span_target(r, example) for r in rows[2:]} == {(0, 0)}
    whole = span("Who?", context, Span(0, len(context)))
    assert {_span_target(r, whole) for r in encode_spans(tokenizer, [whole], 24, 6)} == {(0, 0)}


def test_white_space_and_control_characters_at_an_answers_border_do_not_hide_it() -> None:
    context = "The \u0000 lazy dog\u200b runs."
    example = span("Who?", context, Span(3, 16))  # " NUL lazy dog ZWSP"
    tokenizer = wordpiece()
    (row,) = encode_spans(tokenizer, [example], 64, 32)
    first, last = _span_target(row, example)
    assert row.offsets is not None
    places = row.positions.tolist()
    found = context[row.offsets[places.index(first)][0] : row.offsets[places.index(last)][1]]
    assert found.strip("\u200b") == "lazy dog"


def test_an_unanswerable_question_is_targeted_at_the_first_token() -> None:
    example = SpanExample("i", "c", "en", "Who?", "The fox.", ())
    assert _span_target(encode_spans(wordpiece(), [example], 64, 32)[0], example) == (0, 0)


# Batches


def test_a_batch_is_padded_and_filled_with_its_last_row() -> None:
    tokenizer = wordpiece()
    rows = encode_pairs(tokenizer, [pair("the fox", "a dog"), pair("fox", "x")], 64)
    batch = pad(rows, Padding(0), height=4, length=16)
    assert {k: tuple(v.shape) for k, v in batch.items()} == dict.fromkeys(
        ("input_ids", "attention_mask", "token_type_ids"), (4, 16)
    )
    assert batch["attention_mask"].sum(1).tolist() == [len(rows[0]), *[len(rows[1])] * 3]
    assert batch["input_ids"][0, : len(rows[0])].tolist() == rows[0].ids.tolist()
    assert batch["input_ids"][2].tolist() == batch["input_ids"][1].tolist()
    assert tuple(pad(rows, Padding(0))["input_ids"].shape) == (2, max(len(r) for r in rows))


def test_special_tokens_are_read_off_the_tokenizer() -> None:
    from crosswind.model.offsets import template

    tokenizer = metaspace()
    shape = template(tokenizer)
    names = [tokenizer.convert_ids_to_tokens(list(p)) for p in (shape.head, shape.tail, shape.middle, shape.tail2)]
    assert names == [[CLS], [SEP], [SEP, SEP], [SEP]]
    assert shape.single_types is shape.pair_types is None
    assert tokenizer.convert_tokens_to_ids(PAD) == tokenizer.pad_token_id


def test_padding_is_on_the_side_and_of_the_segment_that_the_tokenizer_declares() -> None:
    tokenizer = xlnet()
    tokenizer._pad_token_type_id = 3  # as XLNet's older tokenizers declare
    rows = encode_pairs(tokenizer, [pair("the fox", "a dog"), pair("fox", "x")], 64)
    expected = tokenizer(["the fox", "fox"], ["a dog", "x"], padding="max_length", max_length=16, return_tensors="pt")
    batch = pad(rows, Padding.of(tokenizer), length=16)
    assert Padding.of(tokenizer) == Padding(tokenizer.pad_token_id, 3, left=True)
    assert {k: v.tolist() for k, v in batch.items()} == {k: v.tolist() for k, v in expected.items()}
    assert batch["token_type_ids"][1].tolist()[-3:] == [1, 1, 2]  # of the second text, its end, the classifying token


@pytest.mark.parametrize("name", ["wordpiece", "byte_bpe", "metaspace", "t5", "byt5"])
def test_the_names_of_special_tokens_in_a_text_are_text(name: str) -> None:
    tokenizer = TOKENIZERS[name]()
    text = " ".join(["the fox", *tokenizer.all_special_tokens, "the dog"])
    for row in (
        encode_texts(tokenizer, [text], 256)[0],
        encode_tagging(tokenizer, [tagging(*text.split())], 256)[0],
        encode_spans(tokenizer, [span("Who?", text)], 256, 64)[0],
    ):
        special = {i for i in tokenizer.all_special_ids if i != tokenizer.unk_token_id}
        assert len([i for i in row.ids.tolist() if i in special]) <= 4  # those that stand around texts
        assert len(row) > len(tokenizer("the fox the dog")["input_ids"])


def slow(folder: Path) -> Any:
    """PhoBERT's, which has no fast class: words cut by merges that lie in a file."""
    (folder / "vocab.txt").write_text("the 9\nfox 8\nd@@ 7\nog 6\n", encoding="utf-8")
    (folder / "bpe.codes").write_text("t h 9\nth e</w> 8\nf o 7\nfo x</w> 6\no g</w> 5\n", encoding="utf-8")
    return PhobertTokenizer(str(folder / "vocab.txt"), str(folder / "bpe.codes"))


def test_a_tokenizer_without_a_fast_class_serves_kinds_that_need_no_offsets(tmp_path: Path) -> None:
    tokenizer = slow(tmp_path)
    assert not tokenizer.is_fast
    assert ids(encode_texts(tokenizer, ["the dog"], 32)) == [tokenizer("the dog")["input_ids"]]
    assert ids(encode_pairs(tokenizer, [pair("the fox", "the dog")], 32)) == [
        tokenizer("the fox", "the dog")["input_ids"]
    ]
    (row,) = encode_tagging(tokenizer, [tagging("the", "dog", "fox")], 32)
    assert row.ids.tolist() == tokenizer("the dog fox")["input_ids"]
    assert row.positions.tolist() == [1, 2, 4]
    with pytest.raises(UserError, match="PhobertTokenizer gives no character offsets, which span tasks need"):
        encode_spans(tokenizer, [span("Who?", "the dog")], 32, 8)


def test_a_tokenizer_that_truncates_on_the_left_keeps_the_end() -> None:
    tokenizer = wordpiece()
    tokenizer.truncation_side = "left"
    assert ids(encode_texts(tokenizer, [TEXTS[0]], 9)) == [
        tokenizer(TEXTS[0], truncation=True, max_length=9)["input_ids"]
    ]
