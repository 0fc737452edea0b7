"""Answers and entities carried back from a translation: the range that fits best, tags, round trips."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import Span, TaggingExample
from crosswind.perturb.retag import entities
from crosswind.prepare.carry import TranslatedExample, waiting_json, with_waiting
from crosswind.prepare.project import (
    CarriedBack,
    LinkedWords,
    TranslatedPassage,
    aligned_words,
    best_range,
    linked_words,
    links_json,
    links_of,
    passage_json,
    passage_of,
    sentence_words,
    tags_back,
)
from crosswind.prepare.translate import joined_words
from crosswind.prepare.wordwise import Wordwise
from crosswind.prepare.wordwise_examples import linked_wordwise

LINKS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=14)


@given(LINKS, st.sets(st.integers(0, 5), min_size=1))
def test_the_range_is_the_best_of_all_ranges_by_the_papers_formula(
    links: set[tuple[int, int]], inside: set[int]
) -> None:
    """RC, PR and F1 as in equation 1 of Lewis et al. 2020, over every range there is."""

    def f1(first: int, last: int) -> float:
        both = sum(i in inside and first <= j <= last for i, j in links)
        if not both:
            return 0.0
        recall = both / sum(i in inside for i, _ in links)
        precision = both / sum(first <= j <= last for _, j in links)
        return 2 * recall * precision / (recall + precision)

    ranges = [(a, b) for a in range(7) for b in range(a, 7)]
    best = max(f1(*r) for r in ranges)
    chosen = best_range(links, inside)
    if best == 0:
        assert chosen is None
        return
    assert chosen is not None
    assert abs(f1(*chosen) - best) < 1e-12
    equal = [r for r in ranges if abs(f1(*r) - best) < 1e-12]
    assert chosen == min(equal, key=lambda r: (r[1] - r[0], r[0]))


def test_an_answer_comes_back_where_its_words_are_linked() -> None:
    source, target = "Im Jahr 1870 sah ein Hund die rote Katze.", "In 1870 a dog saw the red cat."
    linked = LinkedWords(
        aligned_words(source, "de"),  # Im Jahr 1870 sah ein Hund die rote Katze
        aligned_words(target, "en"),  # In 1870 a dog saw the red cat
        ((0, 0), (2, 1), (4, 2), (5, 3), (3, 4), (6, 5), (7, 6), (8, 7)),
    )

    def back(answer: str) -> str | None:
        span = linked.back(Span(target.index(answer), target.index(answer) + len(answer)))
        return None if span is None else source[span.start : span.end]

    assert back("the red cat") == "die rote Katze"
    assert back("1870") == "1870"
    assert back("dog saw") == "sah ein Hund"  # F1 4/5; each word alone has 2/3
    assert back(".") is None
    assert linked.keeps_span(Span(source.index("die"), len(source) - 1))
    assert not linked.keeps_span(Span(3, 7))  # Jahr has no link
    assert links_of(json.loads(json.dumps(links_json(["a"], linked)))) == linked


def test_entities_go_to_the_words_that_fit_them_and_the_better_one_wins() -> None:
    #      0 Frau 1 Merkel 2 besucht 3 Paris ;  0 Mrs 1 Merkel 2 visits 3 Paris 4 France
    linked = LinkedWords((Span(0, 1),) * 4, (Span(0, 1),) * 5, ((0, 0), (1, 1), (2, 2), (3, 3), (3, 4)))
    counts = CarriedBack()
    tags = tags_back(linked, ["B-PER", "I-PER", "O", "B-LOC", "O"], counts, "x/1")
    assert tags == ("B-PER", "I-PER", "O", "B-LOC")
    assert (counts.predicted, counts.lost) == (2, 0)
    # Two entities on one word: each has F1 2/3, so the first stays and the second is lost.
    tags = tags_back(linked, ["O", "O", "O", "B-LOC", "B-ORG"], counts, "x/2")
    assert tags == ("O", "O", "O", "B-LOC")
    assert (counts.predicted, counts.lost, counts.first_lost) == (4, 1, ["x/2"])
    assert counts.note("entities", "by the word aligner").endswith(
        "1 of 4 could not be carried and count as not given (x/2)."
    )
    assert tags_back(LinkedWords((Span(0, 1),), (), ()), ["I-ORG"], counts, "x/3") == ("O",)
    assert entities(["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-ORG"]) == [
        [0, 1], [2], [4], [5],
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), min_size=1, max_size=9))
def test_word_for_word_every_entity_comes_back_as_it_was(tags: list[str]) -> None:
    span = (Span(0, 1),) * len(tags)
    linked = LinkedWords(span, span, tuple((i, i) for i in range(len(tags))))
    counts = CarriedBack()
    back = tags_back(linked, tags, counts, "x")
    assert entities(back) == entities(tags)
    assert counts.lost == 0
    assert all(not (b.startswith("I-") and a[2:] != b[2:]) for a, b in pairwise(("O", *back)))


def test_words_are_linked_within_their_sentences_by_what_other_sentences_teach() -> None:
    lexicon = {"der": "the", "hund": "dog", "katze": "cat", "sieht": "sees", "haus": "house", "rote": "red"}
    german = ["Der Hund sieht.", "Der Katze sieht.", "Haus sieht Hund.", "Rote Haus.", "Rote Hund.", "Katze Haus."]
    passages = []
    for first, second in pairwise(german):
        source = f"{first} {second}"
        target = " ".join(lexicon.get(w.lower().strip("."), w) for w in source.split())
        words = aligned_words(source, "de"), aligned_words(target, "en")
        cut, there = source.index(".") + 1, len(" ".join(target.split()[: len(first.split())]))
        sentences = ((Span(0, cut), Span(0, there)), (Span(cut + 1, len(source)), Span(there + 1, len(target))))
        passages.append(TranslatedPassage(source, target, *words, sentences))
    for passage, linked in zip(passages, linked_words(passages), strict=True):
        assert set(linked.links) == {(i, i) for i in range(len(passage.source_words))}, passage.source
        assert passage_of(json.loads(json.dumps(passage_json(passage)))) == passage


def test_word_by_word_every_answer_comes_back_exactly() -> None:
    by = Wordwise({"hund": ["big dog"], "katze": ["cat"], "rote": ["red"]}, "de")
    text = "Der Hund, die rote Katze (1870)."
    moved = by.text(text)
    linked = linked_wordwise(moved)
    for word in ("Hund", "rote Katze", "1870", "Hund, die rote"):
        start = text.index(word)
        there = moved.span(Span(start, start + len(word)))
        assert linked.back(there) == Span(start, start + len(word))


def test_tagged_words_become_a_text_as_their_language_writes_it() -> None:
    german = TaggingExample("a/b/1", "a/b/1", "de", ("Frau", "Merkel", ",", "Paris"))
    assert joined_words(german) == ("Frau Merkel , Paris", (Span(0, 4), Span(5, 11), Span(12, 13), Span(14, 19)))
    chinese = TaggingExample("a/b/1", "a/b/1", "zh", ("巴", "黎"))
    assert joined_words(chinese) == ("巴黎", (Span(0, 1), Span(1, 2)))
    text = "Mrs Merkel, (in 5,000 U.S. houses)"
    assert [text[s.start : s.end] for s in sentence_words(text, "en")] == [
        "Mrs", "Merkel", ",", "(", "in", "5,000", "U.S", ".", "houses", ")",
    ]  # fmt: skip
    passage = TranslatedPassage("a", "b", (Span(0, 1),), (Span(0, 1),), ((Span(0, 1), Span(0, 1)),))
    item = TranslatedExample(german, passage=passage)
    assert with_waiting(german, json.loads(json.dumps(waiting_json(item)))) == item
