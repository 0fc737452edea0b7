"""The realised share of a severity: what was changed of the sites that were open, counted from the texts themselves."""

from __future__ import annotations

import pytest

from crosswind.data.examples import Candidate, Dataset, PairExample, Pool, QueryExample, Span, SpanExample
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.example import Protection
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.realised import realised_share
from crosswind.perturb.spec import parse_spec

WORDS = ["great", "rivers", "carry", "small", "boats", "towards", "distant", "harbours", "every", "quiet", "morning"]


def text(n: int) -> str:
    return " ".join(WORDS[(n * k + k) % len(WORDS)] for k in range(1, 9))


def made(
    data: Dataset, spec: str, fields: tuple[str, ...], protect: Protection = "none"
) -> tuple[PerturbedDataset, float | None]:
    parsed = parse_spec(spec)
    changed = perturb_dataset(data, parsed, draw=3, fields=fields, protect=protect)
    return changed, realised_share(data, changed, parsed, draw_number=3, fields=fields, protect=protect)


PAIRS = Dataset("xnli", "en", "test", tuple(PairExample(f"x/{n}", "x", "en", text(n), "", 0) for n in range(1, 1501)))


def test_where_nothing_stands_against_a_change_it_is_the_share_that_is_drawn() -> None:
    """Every letter is a site, and each stands where it stood."""
    changed, share = made(PAIRS, "case(to=upper):0.25", ("first",))
    sample = [i * 1500 // 1000 for i in range(1000)]
    hit = of = 0
    for i in sample:
        before, after = PAIRS.examples[i], changed.examples[i].example
        assert isinstance(before, PairExample)
        assert isinstance(after, PairExample)
        hit += sum(a != b for a, b in zip(before.first, after.first, strict=True))
        of += sum(map(str.isalpha, before.first))
    assert share == pytest.approx(hit / of)
    assert 0.24 < hit / of < 0.26


def test_what_is_drawn_and_not_made_lowers_it() -> None:
    """At 1 every pair of neighbours is drawn, and of those that overlap one changes: fewer than the half."""
    share = made(PAIRS, "swap:1", ("first",))[1]
    assert share is not None
    assert 0.3 < share < 0.52


def test_what_is_protected_is_not_open() -> None:
    context = "Rome lies in Italy."
    span = SpanExample("q", "p", "en", "Where lies Rome?", context, (Span(0, 12),))
    data = Dataset("xquad", "en", "test", (span,))
    changed, share = made(data, "case(to=upper):1", ("context",), "answers")
    assert changed.examples[0].example.context == "Rome lies in ITALY."  # type: ignore[union-attr]
    assert share == 1


def test_joined_ones_and_added_candidates_have_none_and_candidates_count() -> None:
    assert made(PAIRS, "swap:0.5+delete:0.1", ("first",))[1] is None
    pool = Pool(tuple(Candidate(f"c{n}", "de", f"der kleine Fluss {n}") for n in range(4)))
    query = QueryExample("q/1", "q/1", "de", "wo liegt der Fluss", ("c1",))
    queries = Dataset("tatoeba", "de", "test", (query,), pool)
    assert made(queries, "case(to=upper):1", ("query", "pool"))[1] == 1
    # No text of digits has a letter that may change.
    digits = Dataset("xnli", "en", "test", (PairExample("x", "x", "en", "1 2 3", "", 0),))
    assert made(digits, "swap:1", ("first",))[1] is None
