"""Grapheme clusters and words in writing systems with and without spaces."""

from __future__ import annotations

import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import UserError
from crosswind.evaluate.segments import segmentation_name
from crosswind.perturb.graphemes import clusters, positioned
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.spec import parse_spec
from crosswind.perturb.words import script, segmentation, tokens, words


def cut(text: str, language: str) -> list[str]:
    return [text[s.start : s.end] for s in words(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "It's 3.5 e-mails!", ["It", "s", "3", "5", "e", "mails"]),
        ("hi", "हिन्दी में बोलते", ["हिन्दी", "में", "बोलते"]),
        ("fa", "می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
        ("vi", "tiếng Việt", ["tiếng", "Việt"]),
        ("zh", "我昨天在北京大学学习。", ["我", "昨天", "在", "北京", "大学", "学习"]),
        ("ja", "私は昨日東京大学で勉強した。", ["私", "は", "昨日", "東京", "大学", "で", "勉強", "した"]),
        ("th", "ฉันเรียนภาษาไทย", ["ฉัน", "เรียน", "ภาษา", "ไทย"]),
    ],
)
def test_words_are_those_of_the_writing_system(language: str, text: str, expected: list[str]) -> None:
    assert cut(text, language) == expected


@pytest.mark.parametrize(
    "divided",
    [
        "昨日、 私 は 寿司 を 食べました。",
        "彼 は 学校 へ 行かなければならない",
        "美しかったです",
        "お茶 を 飲んでいます",
        "東京 大学 で 日本語 を 勉強している。",
        "テストしました",
        "これ は ペン では ありません",
        "読み書き が できる よう に なった",
        "子どもたち と 公園 に 行きたかった",
        "静かな 部屋",
        "多く の 人々 が 亡くなった。",
        "3 月 に 始まった",
        "今日 とても 楽しかった",
        "彼女 は もっと ゆっくり 話すべきだ",
        "お金 が あれば 買います",
        "雨 が 降っている ので、 出かけません。",
        "田中さん は 医者 でした",
    ],
)
def test_japanese_words_that_move_have_their_endings_on_and_particles_stand_alone(divided: str) -> None:
    text = divided.replace(" ", "")
    expected = [part.strip("。、") for part in divided.split()]
    assert [text[s.start : s.end] for s in tokens(text, "ja")] == expected
    # What dictionaries and metrics look up is cut as ICU cuts it, and every border of a word is one of these.
    pieces = words(text, "ja")
    assert tokens(text, "ja", endings=False) == pieces
    assert {s.start for s in tokens(text, "ja")} <= {s.start for s in pieces}


def test_the_rule_for_japanese_endings_is_signed_where_words_move() -> None:
    assert segmentation("ja").keys() - segmentation("ja", endings=False).keys() == {"japanese endings"}
    assert segmentation("zh") == segmentation("zh", endings=False)
    assert "japanese endings" not in segmentation_name("ja")
    moved = parse_spec("word-order:1")
    outputs = {out for draw in range(40) for out in perturb_lines(["寿司を食べました"], moved, "ja", draw=draw)}
    assert len(outputs) > 1
    assert all("食べました" in out for out in outputs)


def test_tokens_hold_together_what_is_typed_without_a_space() -> None:
    text = "L'homme a 3.5 e-mails, don't!"
    assert [text[s.start : s.end] for s in tokens(text, "fr")] == ["L'homme", "a", "3.5", "e-mails", "don't"]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "about 5,000 people", ["about", "5,000", "people"]),
        ("en", "one, two;three, 1;2", ["one", "two", "three", "1;2"]),
        ("en", "$100 and 50% of #tag (C++), 20° or −3", ["$100", "and", "50%", "of", "#tag", "C++", "20°", "or", "−3"]),
        ("he", 'צה"ל הודיע "כן"', ['צה"ל', "הודיע", "כן"]),
        ("ko", "24만5,000 명", ["24만5,000", "명"]),
        ("ar", "نحو ٥٬٠٠٠ شخص", ["نحو", "٥٬٠٠٠", "شخص"]),
        ("fr", "12,5 € et l'an", ["12,5", "et", "l'an"]),
    ],
)
def test_numbers_abbreviations_and_signs_at_a_word_are_not_taken_apart(
    language: str, text: str, expected: list[str]
) -> None:
    assert [text[s.start : s.end] for s in tokens(text, language)] == expected


def test_word_order_moves_numbers_with_their_signs() -> None:
    spec = parse_spec("word-order:1")
    (english,) = perturb_lines(["$100 and"], spec, "en")
    assert english == "and $100"
    (hebrew,) = perturb_lines(['צה"ל הודיע'], spec, "he")
    assert hebrew == 'הודיע צה"ל'


def test_a_missing_segmenter_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)
    with pytest.raises(UserError, match="pip install 'icu4py"):
        words("我昨天", "zh")


def test_an_unknown_language_code_is_an_error_for_people() -> None:
    with pytest.raises(UserError, match="no registered language code"):
        script("not a language")


@given(st.text(max_size=60))
def test_clusters_join_to_the_text_and_know_their_places(text: str) -> None:
    units, starts = positioned(text)
    assert "".join(units) == text
    assert units == clusters(text)
    assert all(text.startswith(u, s) for u, s in zip(units, starts, strict=True))


@given(st.text(st.characters(categories=("L", "M", "N", "Zs", "Po")), max_size=60), st.sampled_from(["en", "hi", "th"]))
def test_words_ascend_and_hold_no_space(text: str, language: str) -> None:
    found = words(text, language)
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
    # A space that carries a mark is a cluster of its own, and no space.
    assert all(s.start < s.end and not any(c.isspace() for c in clusters(text[s.start : s.end])) for s in found)


def test_a_family_emoji_and_a_conjunct_are_one_cluster() -> None:
    assert clusters("👨‍👩‍👧क्षि") == ["👨‍👩‍👧", "क्षि"]
