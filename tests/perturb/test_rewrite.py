"""The rewrite algebra, by properties over texts of many scripts."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import Span
from crosswind.perturb.pieces import Between, Keep, New, Piece
from crosswind.perturb.rewrite import Rewrite

SAMPLES = (
    "The quick fox",
    "नमस्ते दुनिया",
    "ภาษาไทยดี",
    "مرحبا بالعالم",
    "我昨天在北京",
    "tiếng Việt",
    "👨‍👩‍👧 a👍🏽 é",
    "e\u0301\u0301x",
)
texts = st.one_of(st.sampled_from(SAMPLES), st.text(max_size=24))


@st.composite
def edits_of(draw: st.DrawFn, text: str) -> list[tuple[int, int, str]]:
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return [(a, b, draw(st.text(max_size=4))) for a, b in pairs]


@st.composite
def rewrites_of(draw: st.DrawFn, text: str) -> Rewrite:
    """Edits, or pieces of the text in any order with new texts among them."""
    if draw(st.booleans()):
        return Rewrite.from_edits(text, draw(edits_of(text)))
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=6))})
    pieces: list[Piece] = []
    for start, end in itertools.pairwise(cuts):
        kind = draw(st.sampled_from(("keep", "keep", "replace", "delete")))
        if kind == "keep":
            pieces.append(Keep(start, end))
        elif kind == "replace":
            pieces.append(New(draw(st.text(min_size=1, max_size=3)), (Keep(start, end),)))
        if start > 0 and draw(st.booleans()):
            pieces.append(New("+", (Between((Keep(start - 1, start), Keep(start, start + 1))),)))
    return Rewrite.of(draw(st.permutations(pieces)), len(text))


@st.composite
def spans_of(draw: st.DrawFn, text: str) -> Span:
    start = draw(st.integers(0, max(0, len(text) - 1)))
    return Span(start, draw(st.integers(min(start + 1, len(text)), len(text))))


@given(texts)
def test_identity_changes_nothing_and_carries_every_span(text: str) -> None:
    same = Rewrite.identity(text)
    assert same.apply(text) == text
    assert same.is_identity
    spans = tuple(Span(i, i + 1) for i in range(len(text)))
    assert same.carry(spans) == spans
    assert same.then(same) == same


@given(st.data(), texts)
def test_edits_apply_as_slicing_does(data: st.DataObject, text: str) -> None:
    edits = data.draw(edits_of(text))
    expected, done = "", 0
    for start, end, new in sorted(edits, key=lambda e: e[:2]):
        expected += text[done:start] + new
        done = end
    assert Rewrite.from_edits(text, edits).apply(text) == expected + text[done:]


@given(st.data(), texts)
def test_an_edited_span_is_where_its_edited_text_is(data: st.DataObject, text: str) -> None:
    """Against slicing: edits inside the span change it, edits outside move it, at its border they stay out."""
    if not text:
        return
    edits, span = data.draw(edits_of(text)), data.draw(spans_of(text))
    edits = [e for e in edits if e[0] != e[1] or e[2]]
    torn = any(
        e[2] and e[0] < e[1] and e[0] < span.end and e[1] > span.start and not (span.start <= e[0] and e[1] <= span.end)
        for e in edits
    )
    prefix, inside, done = "", "", 0
    for start, end, new in [*sorted(edits, key=lambda e: e[:2]), (len(text), len(text), "")]:
        kept = range(done, start)
        prefix += "".join(text[i] for i in kept if i < span.start)
        inside += "".join(text[i] for i in kept if span.start <= i < span.end)
        replaces = start < end and span.start <= start and end <= span.end
        if replaces or (start == end and span.start < start < span.end):
            inside += new
        elif end <= span.start:
            prefix += new
        done = end
    rewrite = Rewrite.from_edits(text, edits)
    carried = rewrite.carry([span])
    if torn or not inside:
        assert carried is None
    elif carried is not None:
        new_text = rewrite.apply(text)
        assert new_text[carried[0].start : carried[0].end] == inside
        assert new_text[: carried[0].start] == prefix
    else:
        # Only insertions at borders that deletions brought inside can still split it.
        assert any(a == b for a, b, _ in edits)


@given(st.data(), texts)
def test_an_untouched_span_keeps_its_text(data: st.DataObject, text: str) -> None:
    if not text:
        return
    span = data.draw(spans_of(text))
    edits = [e for e in data.draw(edits_of(text)) if e[1] <= span.start or e[0] >= span.end]
    rewrite = Rewrite.from_edits(text, edits)
    (carried,) = rewrite.carry([span]) or ()
    assert rewrite.apply(text)[carried.start : carried.end] == text[span.start : span.end]


@given(st.data(), texts)
def test_composition_is_one_application_after_another(data: st.DataObject, text: str) -> None:
    first = data.draw(rewrites_of(text))
    middle = first.apply(text)
    second = data.draw(rewrites_of(middle))
    both = first.then(second)
    assert both.apply(text) == second.apply(middle)
    if not text:
        return
    span = data.draw(spans_of(text))
    halfway = first.carry([span])
    end = None if halfway is None else second.carry(halfway)
    if end is not None:
        assert both.carry([span]) == end


@given(st.data(), texts)
def test_composition_accepts_more_only_where_a_split_is_undone(data: st.DataObject, text: str) -> None:
    """Edits never split a span for good, so for edits composition and sequence agree on every span."""
    if not text:
        return
    first = Rewrite.from_edits(text, [e for e in data.draw(edits_of(text)) if e[0] < e[1] and e[2]])
    middle = first.apply(text)
    second = Rewrite.from_edits(middle, [e for e in data.draw(edits_of(middle)) if e[0] < e[1] and e[2]])
    span = data.draw(spans_of(text))
    halfway = first.carry([span])
    assert first.then(second).carry([span]) == (None if halfway is None else second.carry(halfway))


@given(st.data(), texts)
def test_composition_is_associative_on_texts(data: st.DataObject, text: str) -> None:
    a = data.draw(rewrites_of(text))
    b = data.draw(rewrites_of(a.apply(text)))
    c = data.draw(rewrites_of(b.apply(a.apply(text))))
    assert a.then(b).then(c).apply(text) == a.then(b.then(c)).apply(text)


@given(st.data(), texts)
def test_json_gives_the_rewrite_back(data: st.DataObject, text: str) -> None:
    rewrite = data.draw(rewrites_of(text))
    assert Rewrite.from_json(json.loads(json.dumps(rewrite.to_json()))) == rewrite
    assert json.loads(rewrite.dumps()) == json.loads(json.dumps(rewrite.to_json()))


def test_json_is_compact() -> None:
    rewrite = Rewrite.from_edits("abcdef", [(1, 2, "X"), (4, 4, "+"), (6, 6, "!")])
    assert rewrite.to_json() == [6, [[0, 1], ["X", [1, 2]], [2, 4], ["+", [[3, 4], [4, 5]]], [4, 6], ["!"]]]


def test_a_permutation_moves_spans_with_their_words() -> None:
    swap = Rewrite.of([Keep(6, 11), Keep(5, 6), Keep(0, 5)], 11)
    assert swap.apply("hello world") == "world hello"
    assert swap.carry([Span(0, 5), Span(6, 11)]) == (Span(6, 11), Span(0, 5))
    assert swap.carry([Span(0, 11)]) == (Span(0, 11),)
    assert swap.carry([Span(4, 7)]) is None  # "o w" is split


def test_an_insertion_at_a_border_falls_outside_and_inside_it_belongs() -> None:
    text = "a bc d"
    answer = Span(2, 4)
    assert Rewrite.from_edits(text, [(2, 2, "+")]).carry([answer]) == (Span(3, 5),)
    assert Rewrite.from_edits(text, [(4, 4, "+")]).carry([answer]) == (Span(2, 4),)
    assert Rewrite.from_edits(text, [(3, 3, "+")]).carry([answer]) == (Span(2, 5),)


def test_a_replacement_across_a_border_and_an_emptied_span_are_rejected() -> None:
    assert Rewrite.from_edits("abcd", [(1, 3, "X")]).carry([Span(2, 4)]) is None
    assert Rewrite.from_edits("abcd", [(2, 4, "")]).carry([Span(2, 4)]) is None
    assert Rewrite.from_edits("abcd", [(1, 3, "")]).carry([Span(2, 4)]) == (Span(1, 2),)


def test_a_torn_span_stays_torn_after_the_replacement_is_deleted() -> None:
    first = Rewrite.from_edits("abcd", [(1, 3, "X")])
    assert first.then(Rewrite.from_edits("aXd", [(1, 2, "")])).carry([Span(2, 4)]) is None


def test_overlapping_edits_and_a_foreign_text_are_refused() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        Rewrite.from_edits("abcd", [(0, 2, "x"), (1, 3, "y")])
    with pytest.raises(ValueError, match="does not fit"):
        Rewrite.identity("abcd").apply("abc")
    with pytest.raises(ValueError, match="cannot follow"):
        Rewrite.identity("abcd").then(Rewrite.identity("abc"))


def test_the_edit_rate_counts_edits_by_alignment_not_by_position() -> None:
    words = [Span(0, 2), Span(3, 5), Span(6, 8), Span(9, 11)]
    text = "aa bb cc dd"
    assert Rewrite.identity(text).edit_rate(words) == 0
    assert Rewrite.from_edits(text, [(0, 0, "new ")]).edit_rate(words) == 0.25  # by position all four differ
    assert Rewrite.from_edits(text, [(4, 5, "x"), (7, 7, "y")]).edit_rate(words) == 0.5
    moved = Rewrite.of([Keep(3, 5), Keep(2, 3), Keep(0, 2), Keep(5, 11)], 11)
    assert moved.edit_rate(words) == 0.25
