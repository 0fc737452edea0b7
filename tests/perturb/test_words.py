"""Grapheme clusters and words in writing systems with and without spaces."""

from __future__ import annotations

import itertools
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import UserError
from crosswind.evaluate.segments import segmentation_name
from crosswind.perturb.graphemes import clusters, positioned
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.spec import TextScope, parse_spec
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


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "see https://a.org/p?q=1&x=%20b~c+d#e now.", ["see", "https://a.org/p?q=1&x=%20b~c+d#e", "now"]),
        ("en", "(http://x.org/a_(b)), or www.x.org/~me/!", ["http://x.org/a_(b)", "or", "www.x.org/~me/"]),
        ("en", "a.b+c@x.org; x.org/a?b=c.", ["a.b+c@x.org", "x.org/a?b=c"]),
        ("ru", "http://ru.wikipedia.org/wiki/Ссылка_(x)?", ["http://ru.wikipedia.org/wiki/Ссылка_(x)"]),
        ("en", "he/she 3.5/4?no what?Yes e.g./i.e.", ["he/she", "3.5/4", "no", "what", "Yes", "e.g", "i.e"]),
        ("zh", "看https://a.org/p?q=1&c=d吧", ["看", "https://a.org/p?q=1&c=d", "吧"]),
        ("ja", "me.x+y@z.jpへ", ["me.x+y@z.jp", "へ"]),
        ("th", "ดูที่ https://x.org/a?b=c#d ครับ", ["ดู", "ที่", "https://x.org/a?b=c#d", "ครับ"]),
    ],
)
def test_an_address_is_one_word_where_words_move(language: str, text: str, expected: list[str]) -> None:
    assert [text[s.start : s.end] for s in tokens(text, language)] == expected
    whole = max(expected, key=len)
    for draw in range(20):
        (out,) = perturb_lines([text], parse_spec("shuffle:1"), language, draw=draw)
        assert whole in out
    # What the frozen suite was made with takes it apart.
    assert whole not in [text[s.start : s.end] for s in tokens(text, language, addresses=False)] or whole == "he/she"


def test_no_text_takes_long_to_search_for_addresses() -> None:
    for part in ("a+", "http://a(", "a.", "a@", "(((", "www.", "a.b/", "a://"):
        begin = time.process_time()
        tokens(part * 20_000, "en")
        assert time.process_time() - begin < 2


def test_what_depends_on_the_rules_for_words_that_move_is_signed() -> None:
    for name in ("drop-word", "word-order", "shuffle", "repeat"):
        assert parse_spec(f"{name}:1").resources(TextScope("en"))["tokens"] == "2"
    assert parse_spec("swap:1").resources(TextScope("en")) == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("the\u200f old \u200ehouse\u200e by", ("the\u200f", "old", "\u200ehouse\u200e", "by")),
        ("the\u061c \u200fold house by", ("the\u061c", "\u200fold", "house", "by")),
    ],
)
def test_marks_of_direction_go_with_their_word(text: str, kept: tuple[str, ...]) -> None:
    for spec in ("drop-word:0.5", "word-order:0.7", "shuffle:1"):
        parsed = parse_spec(spec)
        many = list(perturb_lines([text] * 100, parsed, "en"))
        assert all(set(out.split(" ")) <= set(kept) for out in many), spec
        assert len(set(many)) > 4
        texts = [f"{text} {i}" for i in range(60)]
        alone = [out for one in texts for out in perturb_lines([one], parsed, "en")]
        assert list(perturb_lines(texts, parsed, "en")) == alone
    # A pair around a stretch of text stays where it is.
    pairs = "\u2067the old\u2069 house"
    for out in perturb_lines([pairs] * 50, parse_spec("drop-word:0.5"), "en"):
        assert (out.count("\u2067"), out.count("\u2069")) == (1, 1)


def test_a_dropped_word_takes_a_space_that_does_not_break_the_line_with_it() -> None:
    text = "the\u00a0old\u202fhouse by"
    outs = set(perturb_lines([text] * 200, parse_spec("drop-word:0.4"), "en"))
    assert {"the\u00a0house by", "the\u00a0old\u202fby", "old\u202fhouse by", "the\u00a0old\u202fhouse"} <= outs
    assert not any(a + b in out for out in outs for a in "\u00a0\u202f " for b in "\u00a0\u202f ")
    assert list(perturb_lines(["mot\u00a0!"], parse_spec("drop-word:1"), "fr")) == ["mot\u00a0!"]


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
