import re

import pytest

from crosswind.errors import UserError
from crosswind.evaluate.metrics import mlqa, squad
from crosswind.evaluate.metrics.base import AnswerTokens


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Cat's  hat!", "cats hat"),
        ("an apple, a day", "apple day"),
        ("Theater", "theater"),
        ("¿Dónde?", "¿dónde"),  # only ASCII punctuation goes, in every language
        ("der Hund", "der hund"),
    ],
)
def test_squad_normalises_in_english_whatever_the_language(text, normal):
    assert squad.normalise_english(text) == normal


@pytest.mark.parametrize(
    ("language", "text", "normal"),
    [
        ("en", "The “Cat” a", "cat"),
        ("es", "¿El perro?", "perro"),
        ("de", "dem Hund, den Eimern", "hund eimern"),
        ("vi", "của những người", "người"),
        ("ar", "البيت الكبير", "بيت كبير"),
        ("ar", "جمال", "جم"),  # the official pattern deletes every ال, inside words too
        ("hi", "यह है।", "यह है"),
        ("zh", "在1990年，IBM公司", "在 1990 年 ibm 公 司"),
        ("zh", "the 猫", "the 猫"),
    ],
)
def test_mlqa_normalises_by_language(language, text, normal):
    assert mlqa.normalise_mlqa(text, language) == normal


def test_the_best_gold_answer_counts_and_a_missing_prediction_scores_zero():
    stats = squad.answer_statistics(["black cat", None, "x"], [["dog", "the cat"], ["dog"], ["y"]])
    assert stats.tolist() == [[0.0, pytest.approx(2 / 3), 1.0], [0, 0, 1], [0, 0, 1]]


def test_f1_counts_repeated_tokens():
    # Shared: x once of (x x y) and (x z): 2 * 1 / (3 + 2).
    assert squad.answer_statistics(["x x y"], [["x z"]])[0, 1] == pytest.approx(0.4)


def test_mlqa_scores_chinese_by_character():
    # 北京市 against 北京: two characters in common, of three and two.
    assert mlqa.mlqa_statistics(["北京市"], [["北京"]], "zh").tolist() == [[0.0, pytest.approx(0.8), 1.0]]
    assert squad.answer_statistics(["北京市"], [["北京"]]).tolist() == [[0.0, 0.0, 1.0]]


def test_the_empty_answer_is_right_where_there_is_none():
    stats = squad.answer_statistics(["", "something", None, ""], [[], [], [], ["something"]], rules="2.0")
    assert stats[:, :2].tolist() == [[1, 1], [0, 0], [0, 0], [0, 0]]


def test_answers_of_nothing_but_an_article_are_dropped_in_squad_2_only():
    # evaluate-v2.0.py filters golds that normalise to nothing; the 1.1 script gives them EM 1 and F1 0.
    assert squad.answer_statistics(["the"], [["A", "cat"]], rules="1.1").tolist() == [[1, 0, 1]]
    assert squad.answer_statistics(["the"], [["A", "cat"]], rules="2.0").tolist() == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("language", "text", "normal"),
    [
        ("fr", "L’hôtel, à Paris", "lhôtel à paris"),  # no articles go but those of MLQA's languages
        ("ko", "서울 시", "서울 시"),
        ("de-AT", "dem Hund", "hund"),
        ("zh-TW", "在1990年，IBM公司", "在 1990 年 ibm 公 司"),
        ("yue", "喺香港", "喺 香 港"),
        ("ja", "東京都の人口は約1400万人。", "東京 都 の 人口 は 約 1400 万人"),
        ("th", "กรุงเทพมหานคร เป็นเมืองหลวง", "กรุงเทพมหานคร เป็น เมือง หลวง"),
        ("bo", "བོད་སྐད", "བོ ད སྐ ད"),  # no dictionary: by character; the sign between syllables is punctuation
    ],
)
def test_mlqa_divides_every_language_by_its_script(language, text, normal):
    assert mlqa.normalise_mlqa(text, language) == normal


def test_a_japanese_answer_that_is_a_word_too_long_keeps_most_of_its_f1():
    # 東京 都 against 東京: one word in common, of two and one.
    assert mlqa.mlqa_statistics(["東京都"], [["東京"]], "ja").tolist() == [[0.0, pytest.approx(2 / 3), 1.0]]


def test_mlqa_refuses_what_is_no_language():
    with pytest.raises(UserError, match="xx"):
        mlqa.mlqa_statistics(["x"], [["x"]], "xx")


def test_how_answers_are_divided_is_signed_where_it_is_not_the_official_way():
    signed = mlqa.MLQA_METRIC.tokens
    assert {signed(code).name for code in ("ar", "de", "en", "es", "hi", "vi", "zh")} == {""}
    assert [signed(code).name for code in ("fr", "zh-TW", "bo")] == ["white space", "characters", "characters"]
    assert re.fullmatch(r"words \(icu [0-9.]+\)", signed("ja").name)


def test_squad_says_what_it_does_on_text_without_spaces():
    tokens = squad.SQUAD_METRIC.tokens
    assert tokens("ar") == tokens("ko") == AnswerTokens()
    assert tokens("zh").name == tokens("th").name == "white space"
    assert tokens("zh").note == (
        "squad divides answers at white space, which Chinese (zh) does not write between words: "
        "F1 is near exact match; the metric mlqa divides them (characters)"
    )


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="1 predictions for 2 questions"):
        squad.answer_statistics(["x"], [["x"], ["y"]])
