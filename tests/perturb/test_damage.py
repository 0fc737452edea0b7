"""Damage: against sacreBLEU, against edit distances written out, and on what every perturbation makes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import CHRF

from crosswind.data.examples import Candidate, ChoiceExample, Dataset, PairExample, Pool, QueryExample, Span
from crosswind.perturb.damage import Damage, chrf, damage, damage_of
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.diff import rewrite_between
from crosswind.perturb.pieces import Between, Keep, New
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import parse_spec
from crosswind.perturb.words import words

TEXT = "The little boy is reading a book."
LETTERS = st.text("ab cé\u0301नि水", max_size=24)


def measured(before: str, after: str) -> Damage:
    return damage(before, after, rewrite_between(before, after), words(before, "en"))


def sacrebleu(reference: str, hypothesis: str) -> float:
    return float(CHRF().sentence_score(hypothesis, [reference]).score)


@pytest.mark.parametrize(
    ("after", "hit", "edits"),
    [
        (TEXT, 0, 0),
        ("The little boy is raeding a book.", 1, 1),  # two neighbours exchanged
        ("The little boi is reading a bok.", 2, 2),
        ("The little boy is slowly reading a book.", 1, 7),  # a word put in, with its space
        ("The boy is reading a book.", 1, 7),
        ("Thelittle boy is reading a book.", 2, 1),
    ],
)
def test_words_and_characters_are_counted(after: str, hit: int, edits: int) -> None:
    one = measured(TEXT, after)
    assert (one.words, one.words_hit, one.characters, one.edits) == (7, hit, len(TEXT), edits)
    assert one.changed == (after != TEXT)
    assert one.chrf == pytest.approx(sacrebleu(TEXT, after), abs=0.01)


def test_a_word_that_moved_is_hit_and_no_other() -> None:
    rewrite = Rewrite.of([Keep(4, 11), Keep(0, 4), Keep(11, 33)], 33)
    one = damage(TEXT, rewrite.apply(TEXT), rewrite, words(TEXT, "en"))
    assert one.words_hit == 1
    assert one.chrf == pytest.approx(sacrebleu(TEXT, "little The boy is reading a book."), abs=0.01)


def test_an_insertion_at_the_end_of_a_word_and_one_inside_are_one_hit_each() -> None:
    spans = words("dog cat", "en")
    at_end = Rewrite.of([Keep(0, 3), New("s", (Between((Keep(2, 3), Keep(3, 4))),)), Keep(3, 7)], 7)
    inside = Rewrite.of([Keep(0, 2), New("o", (Between((Keep(1, 2), Keep(2, 3))),)), Keep(2, 7)], 7)
    assert at_end.words_hit(spans) == 1
    assert inside.words_hit(spans) == 1
    assert Rewrite.identity("dog cat").words_hit(spans) == 0


@given(LETTERS, LETTERS)
def test_a_difference_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    rewrite = rewrite_between(before, after)
    assert rewrite.apply(before) == after
    assert (rewrite.is_identity or before == "") == (before == after) or before == ""


@settings(max_examples=200)
@given(LETTERS, LETTERS, st.data())
def test_chrf_is_sacrebleus_whatever_the_rewrite_keeps(before: str, after: str, data: st.DataObject) -> None:
    # sacreBLEU rounds nothing for one sentence; where a side has no characters it says 0.
    assert chrf(before, after) == pytest.approx(sacrebleu(before, after), abs=1e-6)
    assert chrf(before, after, rewrite_between(before, after)) == pytest.approx(chrf(before, after), abs=1e-9)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(before)), max_size=5)))
    parts = [Keep(a, b) for a, b in zip([0, *cuts], [*cuts, len(before)], strict=True) if a < b]
    some = data.draw(st.permutations(parts))
    mixed = [p for part in some for p in (part, New(data.draw(st.sampled_from(["", "a", "c d"]))))]
    rewrite = Rewrite.of(mixed, len(before))
    moved = rewrite.apply(before)
    assert chrf(before, moved, rewrite) == pytest.approx(sacrebleu(before, moved), abs=1e-6)


def test_damage_adds_up() -> None:
    both = measured(TEXT, TEXT) + measured(TEXT, TEXT.replace("book", "bok"))
    assert (both.texts, both.changed, both.words, both.words_hit, both.edits) == (2, 1, 14, 1, 1)
    assert both.word_share == pytest.approx(1 / 14)
    assert both.edits_per_text == 0.5
    assert both.chrf == pytest.approx((100 + sacrebleu(TEXT, TEXT.replace("book", "bok"))) / 2, abs=0.01)
    assert Damage().chrf == 100.0


def test_a_data_set_is_measured_in_the_fields_that_may_change() -> None:
    examples = tuple(PairExample(f"x/{i}", f"x/{i}", "en", TEXT, "A boy reads.", 0) for i in range(40))
    data = Dataset("xnli", "en", "test", examples, fingerprint="f")
    perturbed = perturb_dataset(data, parse_spec("swap:0.2"), draw=1, fields=("second",))
    one = damage_of(data, perturbed, ("second",))
    assert (one.texts, one.words, one.characters) == (40, 120, 40 * 12)
    by_hand = [measured(e.second, p.example.second) for e, p in zip(examples, perturbed, strict=True)]  # type: ignore[union-attr]
    assert one.edits == sum(d.edits for d in by_hand)
    assert one.changed == round(perturbed.changed_share * 40)
    assert one.edits > 0
    assert damage_of(data, perturbed, ("first", "second")).texts == 80
    # Of more examples than are measured some are taken, evenly spread.
    assert damage_of(data, perturbed, ("second",), most=8).edits == sum(d.edits for d in by_hand[::5])


def test_options_and_pools_are_measured() -> None:
    choice = ChoiceExample("c/0", "c/0", "en", "A context.", "Why?", ("because of rain", "because of snow"), 0)
    data = Dataset("xcopa", "en", "test", (choice,), fingerprint="f")
    perturbed = perturb_dataset(data, parse_spec("swap:1"), draw=1, fields=("choices",))
    assert damage_of(data, perturbed, ("choices",)).texts == 2
    query = QueryExample("q/0", "q/0", "en", "Who was it?", ("k/0",))
    pool = Pool((Candidate("k/0", "en", "It was Anna.", "It was Anna. She said so."),))
    data = Dataset("lareqa", "en", "test", (query,), pool, fingerprint="f")
    perturbed = perturb_dataset(data, parse_spec("swap:1"), draw=1, fields=("query", "pool"))
    assert damage_of(data, perturbed, ("query", "pool")).texts == 2
    assert damage_of(data, perturbed, ("pool",)).changed >= 1


def test_words_of_carried_spans_do_not_matter_to_the_measure() -> None:
    assert rewrite_between("a b", "a c").carry([Span(0, 1)]) == (Span(0, 1),)


@pytest.mark.parametrize(
    ("before", "after", "hit"),
    [
        ("the dog sleeps", "der Hund schläft", 3),  # each became another, some of them longer
        ("मैंने उससे दोबारा", "maine usase dobara", 3),
        ("the dog sleeps", "the big dog sleeps", 1),  # put in
        ("the dog sleeps", "the cats there sleeps", 2),  # one became another, one was put in
        ("the dog sleeps", "the xdog sleeps", 1),
        ("the dog sleeps", "the dogs sleeps", 1),
        ("the dog", "thedog", 2),
    ],
)
def test_a_word_that_became_another_is_hit_once(before, after, hit):
    rewrite = rewrite_between(before, after)
    assert rewrite.apply(before) == after
    assert rewrite.words_hit(words(before, "hi" if before > "z" else "en")) == hit
