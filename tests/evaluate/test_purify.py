"""Input defences: what they put right, what they leave, and that answers come back in the text's own words."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
from rapidfuzz.distance import OSA
from transformers import AutoModelForMaskedLM, AutoTokenizer

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
from crosswind.evaluate.purify import PURIFIERS, Purification, parse_purifier
from crosswind.evaluate.purify.correct import Speller
from crosswind.evaluate.purify.sanitize import derive_classes
from crosswind.model.choosing import WordScorer
from crosswind.model.filling import EncoderFiller
from crosswind.perturb.graphemes import clusters
from crosswind.tasks.refs import DataRef, library
from tiny_models import write_encoder


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


def test_a_model_is_named_where_one_chooses_and_nowhere_else() -> None:
    assert str(parse_purifier("correct")) == "correct"
    call = parse_purifier('correct(model="a,b/c")')
    assert (call.purifier, call.model, str(call)) == ("correct", "a,b/c", 'correct(model="a,b/c")')
    assert parse_purifier("correct()") == parse_purifier("correct")
    for text, what in (
        ("sanitize(model=m)", "model"),
        ("correct(modle=m)", "did you mean 'model'"),
        ("corect(model=m)", "did you mean 'correct'"),
        ("correct(model=m", "bracket"),
    ):
        with pytest.raises(UserError) as caught:
            parse_purifier(text, where="defences.x.purify")
        assert what in str(caught.value)
        assert caught.value.where == "defences.x.purify"


KNOWN = {"house": 90, "horse": 50, "mouse": 80, "houses": 7, "garden": 10, "harden": 30, "wardens": 2, "quick": 4}


def plainly(model: Any, tokenizer: Any, text: str, start: int, end: int, word: str) -> float:
    """The log-probability of a word in its place: one text, one pass, no padding; pieces by their characters."""
    whole = text[:start] + word + text[end:]
    encoded = tokenizer(whole, return_offsets_mapping=True, return_tensors="pt")
    ids = encoded["input_ids"][0]
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    spans = encoded["offset_mapping"][0].tolist()
    at = [
        i
        for i, (s, e) in enumerate(spans)
        if int(ids[i]) not in special and set(range(s, max(e, s + 1))) & set(range(start, start + len(word)))
    ]
    masked = ids.clone()
    masked[at] = tokenizer.mask_token_id
    inputs = {k: v for k, v in encoded.items() if k not in ("offset_mapping", "input_ids")}
    with torch.inference_mode():
        logits = model(input_ids=masked[None], **inputs).logits[0].double()
    return float(sum(logits[i].log_softmax(0)[ids[i]] for i in at))


@pytest.fixture(scope="module", params=["bert", "roberta", "xlm-roberta"])
def masked_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("masked") / request.param, request.param)


def word_list(folder: Path) -> str:
    (folder / "en.txt").write_text("".join(f"{word}\t{n}\n" for word, n in KNOWN.items()))
    return str(folder)


def damaged_texts() -> list[str]:
    draw = random.Random(5)
    others = [
        "The",
        "old",
        "xouse",
        "hoXse",
        "garxen",
        "Hxuse",
        "(wouse)",
        "quick",
        "warden",
        "2ouse",
        "hxxse",
        "xxrden",
    ]
    return [" ".join(draw.choices(others, k=draw.randint(1, 12))) + draw.choice([".", "", "!"]) for _ in range(12)]


def test_the_likeliest_neighbour_is_what_a_plain_pass_a_word_finds(masked_model: Path, tmp_path: Path) -> None:
    scorer = EncoderFiller(str(masked_model)).scorer
    tokenizer = AutoTokenizer.from_pretrained(masked_model)
    model = AutoModelForMaskedLM.from_pretrained(masked_model).eval()
    purification = Purification(["correct(model=m)"], word_list(tmp_path), {"m": scorer})
    several = changed_otherwise = 0
    for text in damaged_texts():
        expected, at = text, 0
        for piece in text.split(" "):
            bare = piece.strip("().!")
            start = at + piece.index(bare)
            at += len(piece) + 1
            near = [w for w in KNOWN if OSA.distance(w, bare.lower()) == 1]
            if not near and len(bare) >= 5:
                near = [w for w in KNOWN if OSA.distance(w, bare.lower()) == 2]
            if bare.lower() in KNOWN or len(bare) < 3 or not near or bare[0].isdigit():
                continue
            near = [w.capitalize() if bare[0].isupper() else w for w in near]
            end = start + len(bare)
            scores = {w: plainly(model, tokenizer, text, start, end, w) for w in near}
            (given,) = scorer.likelihoods([(text, start, end)], [near])
            assert given == pytest.approx([scores[w] for w in near], abs=1e-4)
            best = max(near, key=scores.__getitem__)
            several += len(near) > 1
            changed_otherwise += best != max(near, key=lambda w: KNOWN[w.lower()])
            shift = len(expected) - len(text)
            expected = expected[: start + shift] + best + expected[end + shift :]
        assert purification.rewrite(text, "en").apply(text) == expected
    assert several > 20
    assert changed_otherwise > 5  # the model does not choose what frequency would


def test_what_a_model_says_of_a_word_depends_on_nothing_else_that_is_asked(masked_model: Path) -> None:
    scorer = EncoderFiller(str(masked_model)).scorer
    places = [(t, t.index(w), t.index(w) + len(w)) for t in damaged_texts() for w in t.strip(".!").split(" ")[:3]]
    words = [[w for w in KNOWN if (i + len(w)) % 3] for i in range(len(places))]
    together = scorer.likelihoods(places, words)
    for size in (1, 7):
        apart: list[list[float]] = []
        for i in range(0, len(places), size):
            apart += scorer.likelihoods(places[i : i + size], words[i : i + size])
        assert apart == together
    assert scorer.likelihoods(places[::-1], words[::-1]) == together[::-1]
    assert scorer.likelihoods([], []) == []
    assert scorer.likelihoods([("", 0, 0)], [[""]]) == [[float("-inf")]]  # nothing to mask


def test_a_long_text_is_read_around_the_word(masked_model: Path) -> None:
    scorer = EncoderFiller(str(masked_model)).scorer
    text = "the old man sees a dog " * 40
    for start in (0, text.index("man", 400), len(text) - 4):
        (scores,) = scorer.likelihoods([(text, start, start + 3)], [["house", "mouse"]])
        assert all(-500 < score < 0 for score in scores)
        assert len(set(scores)) == 2


class Counting:
    """A scorer that counts how often it is asked, and for how many words."""

    def __init__(self, scorer: WordScorer) -> None:
        self.scorer, self.asked = scorer, []  # type: ignore[var-annotated]

    def likelihoods(self, places: Sequence[tuple[str, int, int]], words: Sequence[Sequence[str]]) -> list[list[float]]:
        self.asked += [[place[0] for place in places]] if places else []
        return self.scorer.likelihoods(places, words)


def test_texts_of_a_data_set_are_asked_about_together_and_each_once(masked_model: Path, tmp_path: Path) -> None:
    scorer = EncoderFiller(str(masked_model)).scorer
    texts = damaged_texts()
    pairs = tuple(PairExample(f"p{i}", "c", "en", a, b, 0) for i, (a, b) in enumerate(itertools.pairwise(texts)))
    counting = Counting(scorer)
    read = Purification(["sanitize", "correct(model=m)"], word_list(tmp_path), {"m": counting}).dataset(
        Dataset("xnli", "en", "test", pairs)
    )
    assert len(counting.asked) == 1
    alone = Purification(["correct(model=m)"], word_list(tmp_path), {"m": scorer})
    assert [*read.examples] == [alone.example(e) for e in pairs]
    # `garxen` has one neighbour: the model is not asked about it.
    counting.asked.clear()
    one = Purification(["correct(model=m)"], word_list(tmp_path), {"m": counting})
    assert one.rewrite("a garxen", "en").apply("a garxen") == "a garden"
    assert counting.asked == []


def test_tagged_words_are_read_in_their_sentence_and_keep_their_tags(masked_model: Path, tmp_path: Path) -> None:
    scorer = EncoderFiller(str(masked_model)).scorer
    purification = Purification(["sanitize", "correct(model=m)"], word_list(tmp_path), {"m": scorer})
    for text in damaged_texts():
        words = (*text.split(" "), "gаrdenx")  # a Cyrillic letter, and a letter too many
        tags = tuple(f"T{i}" for i in range(len(words)))
        read = purification.example(TaggingExample("t", "c", "en", words, tags))
        assert isinstance(read, TaggingExample)
        assert read.tags == tags
        assert read.words[-1] == "garden"
        assert " ".join(read.words) == purification.rewrite(" ".join(words), "en").apply(" ".join(words))
    read = purification.example(TaggingExample("t", "c", "en", ("xouse", "\u200b", "xouse"), tags[:3]))
    assert isinstance(read, TaggingExample)
    assert read.words[1] == "\u200b"  # nothing would be left of it


def test_an_answer_behind_a_model_is_in_the_words_of_the_text(masked_model: Path, tmp_path: Path) -> None:
    scorer = EncoderFiller(str(masked_model)).scorer
    purification = Purification(["correct(model=m)"], word_list(tmp_path), {"m": scorer})
    context = "the wardenss xouse, garxen"
    read = purification.example(SpanExample("s", "c", "en", "Wher?", context, (Span(9, 14),)))
    assert isinstance(read, SpanExample)
    assert read.context.startswith("the wardens ")
    start = read.context.index("garden")
    assert purification.answer(SpanExample("s", "c", "en", "", context), start, start + 6) == ("garxen", 20, 26)


def test_what_a_model_chooses_from_is_what_an_exhaustive_search_finds() -> None:
    draw = random.Random(2)
    letters = "abce\u0301"  # one of the clusters has a mark
    known = {"".join(draw.choices(letters, k=draw.randint(3, 7))): draw.randint(1, 9) for _ in range(150)}
    speller = Speller(known)
    far = 0
    for _ in range(150):
        word = "".join(draw.choices(letters, k=draw.randint(2, 7)))
        parts = clusters(word)
        apart = {w: OSA.distance(parts, clusters(w)) for w in known}
        near = {w for w, d in apart.items() if d == 1 and len(parts) >= 3}
        if not near and len(parts) >= 5:
            near = {w for w, d in apart.items() if d == 2}
            far += len(near) > 1
        expected = [] if word in known else sorted(near, key=lambda w: (-known[w], w))[:32]
        assert speller.choices(word) == expected
        assert speller.choices(word) == expected  # as it is kept
    assert far > 10
