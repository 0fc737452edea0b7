"""Input defences: what they put right, what they leave, and that answers come back in the text's own words."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.evaluate.purify import PURIFIERS, Purification
from crosswind.evaluate.purify.correct import Speller
from crosswind.evaluate.purify.sanitize import derive_classes
from crosswind.tasks.refs import DataRef, library


def sanitized(text: str, language: str) -> str:
    return Purification(["sanitize"]).rewrite(text, language).apply(text)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Тhe quісk brоwn fох", "en", "The quick brown fox"),  # Cyrillic letters
        ("мoсквa", "ru", "москва"),  # Latin o and a
        ("κaλός", "el", "καλός"),  # Latin a
        ("pass\u200bword", "en", "password"),
        ("x \u202eabc\u202c y", "en", "x abc y"),
        ("soft\u00adhyphen", "en", "softhyphen"),
        ("tag\U000e0041s", "en", "tags"),
        ("abX\b c", "en", "ab c"),
        ("abXY\b\b c", "en", "ab c"),
        ("\babc", "en", "abc"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "en", "full width"),
        ("ﬁne", "en", "fine"),
    ],
)
def test_what_is_not_seen_or_looks_like_another_letter_is_put_right(text: str, language: str, expected: str) -> None:
    assert sanitized(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("A plain sentence, with 3 numbers: 1,000.5!", "en"),
        ("naïve café, Größe, ñandú", "de"),
        ("Москва is a foreign name", "en"),
        ("می\u200cخواهم", "fa"),  # the joiner is spelling
        ("क्\u200dष क्\u200cष", "hi"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "en"),
        ("日本語のテスト、カタカナ", "ja"),
        ("한국어 문장", "ko"),
        ("这是中文。", "zh"),
        ("ประโยคภาษาไทย", "th"),
        ("line\tand\nend", "en"),
    ],
)
def test_ordinary_text_stays_as_it_is(text: str, language: str) -> None:
    assert sanitized(text, language) == text


def test_clean_test_sets_are_hardly_touched(official_data: Callable[..., Path]) -> None:
    data = library({"source": "files", "root": str(official_data("xnli"))})
    for language in ("en", "de", "ru", "hi", "ar", "vi", "el", "bg"):
        purification = Purification(["sanitize"])
        examples = data.dataset(DataRef("xnli", language, "test", rows="0-599")).examples
        texts = [e.first for e in examples if isinstance(e, PairExample)]
        touched = [t for t in texts if purification.rewrite(t, language).apply(t) != t]
        assert len(touched) / len(texts) < 0.05, (language, touched[:3])


def test_an_answer_is_given_in_the_words_of_the_text_as_it_was() -> None:
    context = "He l\u200bives in Pаris\u200b and ﬁne"  # a Cyrillic а
    example = SpanExample("s", "c", "en", "Where?", context, (Span(12, 17),))
    purification = Purification(["sanitize"])
    read = purification.example(example)
    assert isinstance(read, SpanExample)
    assert read.context == "He lives in Paris and fine"
    assert read.answers is None
    start = read.context.index("Paris")
    assert purification.answer(example, start, start + 5) == ("Pаris", 13, 18)
    start = read.context.index("lives")
    assert purification.answer(example, start, start + 5) == ("l\u200bives", 3, 9)
    start = read.context.index("fine")
    assert purification.answer(example, start, start + 2) == ("ﬁ", context.index("ﬁ"), context.index("ﬁ") + 1)


def test_a_tagged_sentence_keeps_its_words_even_where_nothing_is_left_of_one() -> None:
    example = TaggingExample("t", "c", "en", ("Pаris", "\u200b", "ok"), ("A", "B", "C"))
    read = Purification(["sanitize"]).example(example)
    assert isinstance(read, TaggingExample)
    assert read.words == ("Paris", "\u200b", "ok")
    assert read.tags == example.tags


def test_the_candidates_of_a_pool_are_read_in_their_own_language() -> None:
    pool = Pool((Candidate("a", "en", "Pаris"), Candidate("b", "ru", "Париж")))
    assert [c.text for c in Purification(["sanitize"]).pool(pool).candidates] == ["Paris", "Париж"]


def test_the_table_of_letters_is_that_of_the_unicode_file(official_data: Callable[..., Path]) -> None:
    path = official_data("confusables") / "confusables" / "confusables.txt"
    table = derive_classes(path.read_text(encoding="utf-8-sig").splitlines())
    kept = files("crosswind.evaluate.purify").joinpath("confusables.json").read_text(encoding="utf-8")
    assert json.loads(kept) == table


def test_an_answer_holds_what_a_backspace_takes_back_at_its_end() -> None:
    context = "the caX\bt satX\b down"
    example = SpanExample("q", "q", "en", "who?", context, (Span(4, 9),))
    purification = Purification(["sanitize"])
    assert purification.example(example).context == "the cat sat down"  # type: ignore[union-attr]
    assert purification.answer(example, 4, 7) == ("caX\bt", 4, 9)
    assert purification.answer(example, 8, 11) == ("satX\b", 10, 15)
    assert purification.answer(example, 8, 10) == ("sa", 10, 12)


def test_a_mention_is_marked_where_it_stands_in_the_purified_context() -> None:
    query = QueryExample("q", "q", "en", "", ("a",), "x\u200b\u200by saw Аnna today", "Аnna", Span(9, 13))
    read = Purification(["sanitize"]).example(query)
    assert isinstance(read, QueryExample)
    assert (read.context, read.mention, read.span) == ("xy saw Anna today", "Anna", Span(7, 11))


SPELLER = Speller({"house": 100, "horse": 50, "mouse": 80, "the": 1000, "garden": 10})


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("house", "house"),
        ("hosue", "house"),  # neighbours swapped
        ("housse", "house"),
        ("huse", "house"),
        ("hoose", "house"),  # also one edit from nothing more frequent
        ("gardne", "garden"),
        ("gxrdxn", "gxrdxn"),  # two edits away
        ("teh", "teh"),  # too short
    ],
)
def test_a_word_becomes_the_most_frequent_known_one_that_is_an_edit_away(word: str, expected: str) -> None:
    assert SPELLER.corrected(word) == expected


def test_one_edit_is_what_an_exhaustive_search_finds() -> None:
    letters = "abc"
    known = ["".join(w) for n in (4, 5) for w in itertools.product(letters, repeat=n)][::7]
    speller = Speller({w: i + 1 for i, w in enumerate(known)})
    for word in ["".join(w) for w in itertools.product(letters, repeat=4)][::5]:
        edits = {word[:i] + word[i + 1 :] for i in range(len(word))}
        edits |= {word[:i] + c + word[i + 1 :] for i in range(len(word)) for c in letters}
        edits |= {word[:i] + c + word[i:] for i in range(len(word) + 1) for c in letters}
        edits |= {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
        near = (edits & set(known)) - {word}
        best = max(near, key=lambda w: known.index(w), default=word)
        assert speller.corrected(word) == (word if word in known else best)


def test_corrected_words_keep_their_case_and_numbers_stay(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("house\t100\ngarden 5\n")
    purification = Purification(["correct"], str(tmp_path))
    text = "The Hosue, HOSUE and hosue of 2019a in the gardne."
    assert purification.rewrite(text, "en").apply(text) == "The House, HOUSE and house of 2019a in the garden."


def test_a_list_of_words_that_is_not_there_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="needs lists of words"):
        Purification(["correct"]).rewrite("x", "en")
    with pytest.raises(UserError, match="no list of words for de"):
        Purification(["correct"], str(tmp_path)).rewrite("x", "de")
    (tmp_path / "en.txt").write_text("house 3\nno number\n")
    with pytest.raises(UserError) as caught:
        Purification(["correct"], str(tmp_path)).rewrite("x", "en")
    assert str(caught.value.where).endswith("en.txt:2")
    assert Purification(["correct"], str(tmp_path)).rewrite("中文", "zh").is_identity


def test_a_question_that_a_task_asks_in_english_of_every_language_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "et.txt").write_text("maja 3\nwhut 9\n")
    example = ChoiceExample("copa/test/1", "c", "et", "See maia.", "What was the cause?", ("maia", "muu"), 0)
    purification = Purification(["correct"], str(tmp_path))
    (read,) = purification.dataset(Dataset("xcopa", "et", "test", (example,))).examples
    assert isinstance(read, ChoiceExample)
    assert (read.context, read.question, read.choices) == ("See maja.", "What was the cause?", ("maja", "muu"))


def test_purifiers_work_one_after_another(tmp_path: Path) -> None:
    (tmp_path / "en.txt").write_text("house 3\n")
    text = "hоsue"  # a Cyrillic о and a swap
    assert Purification(["sanitize", "correct"], str(tmp_path)).rewrite(text, "en").apply(text) == "house"
    pair = Purification(["sanitize", "correct"], str(tmp_path)).example(PairExample("p", "c", "en", text, "ok", 1))
    assert isinstance(pair, PairExample)
    assert (pair.first, pair.second, pair.label) == ("house", "ok", 1)
    assert PURIFIERS.names() == ["correct", "sanitize"]
