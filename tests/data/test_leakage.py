from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import (
    ChoiceExample,
    PairExample,
    ParallelLine,
    QueryExample,
    SpanExample,
    TaggingExample,
    TextLine,
    text_fields,
)
from crosswind.data.leakage import leakage_hashes, normalized_hash


def test_width_case_and_white_space_do_not_hide_a_text() -> None:
    assert normalized_hash("Ａ  b\n") == normalized_hash("a B")
    assert normalized_hash("Straße") == normalized_hash("STRASSE")
    assert normalized_hash("a b") != normalized_hash("ab")
    # sha256("a b")
    assert normalized_hash("a b") == "c8687a08aa5d6ed2"


def test_several_texts_are_kept_apart() -> None:
    assert normalized_hash("a", "b") != normalized_hash("a b")
    assert normalized_hash("a", "b") != normalized_hash("b", "a")


@given(st.text(), st.text())
def test_a_pair_is_recognised_in_either_order(first: str, second: str) -> None:
    one = PairExample("1", "1", "en", first, second, 0)
    other = PairExample("2", "2", "en", second.upper(), first, None)
    assert leakage_hashes(one) == leakage_hashes(PairExample("2", "2", "en", second, first, 1))
    assert (leakage_hashes(one) == leakage_hashes(other)) == (
        normalized_hash(second) == normalized_hash(second.upper())
    )


def test_what_is_hashed_depends_on_the_kind() -> None:
    qa = SpanExample("1", "1", "en", "Who?", "Ann came.")
    assert leakage_hashes(qa) == {normalized_hash("Ann came.", "Who?")}
    tagged = TaggingExample("1", "1", "en", ("Ann", "came"), None)
    assert leakage_hashes(tagged) == leakage_hashes(TextLine("2", "en", "ann  came"))
    choice = ChoiceExample("1", "1", "en", "c", "q", ("x", "y"), 0)
    assert leakage_hashes(choice) == leakage_hashes(ChoiceExample("2", "2", "en", "c", "q", ("y", "x"), 1))
    line = ParallelLine("1", (("en", "one"), ("de", "eins")))
    assert leakage_hashes(line) == {normalized_hash("one"), normalized_hash("eins")}


def test_a_mention_is_the_same_only_in_its_context() -> None:
    plain = QueryExample("q", "q", "de", "Paris", ())
    mention = replace(plain, context="Paris liegt an der Seine.", mention="Paris")
    assert text_fields(plain) == {"query": "Paris"}
    assert text_fields(mention) == {"query": "Paris", "context": "Paris liegt an der Seine.", "mention": "Paris"}
    assert leakage_hashes(plain) == {normalized_hash("Paris")}
    assert leakage_hashes(mention) == {normalized_hash("Paris", "Paris liegt an der Seine.", "Paris")}
