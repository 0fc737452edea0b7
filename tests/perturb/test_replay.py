"""Stored rewrites give the perturbed example back."""

from __future__ import annotations

import json

import pytest

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.perturb.dataset import perturb_example, perturb_pool
from crosswind.perturb.replay import replay, replay_candidate
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import parse_spec

TEXT = "Größere Häuser stehen in der schönen Straße neben dem Fluß und glänzen"
EXAMPLES: tuple[tuple[Example, tuple[str, ...]], ...] = (
    (PairExample("x/1", "x", "de", TEXT, TEXT, 2), ("first", "second")),
    (ChoiceExample("x/2", "x", "de", TEXT, "", (TEXT, "kürzer"), 0), ("context", "choices")),
    (SpanExample("x/3", "x", "de", TEXT, TEXT, (Span(8, 14), Span(25, 40))), ("question", "context")),
    (QueryExample("x/4", "x", "de", TEXT, ("c",)), ("query",)),
    (TaggingExample("x/5", "x", "de", tuple(TEXT.split()), (*"OOOOO", "B-LOC", "I-LOC", *"OOOOO")), ("words",)),
)  # fmt: skip
SPECS = (
    "swap:0.3",
    "word-order:0.5",
    "swap:0.2+diacritics:0.5+word-order:0.4",
    "word-order:0.4+word-order:0.4+keyboard:0.3",
)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("draw", range(5))
@pytest.mark.parametrize(("example", "fields"), EXAMPLES)
def test_replaying_stored_rewrites_gives_the_same_example(
    example: Example, fields: tuple[str, ...], spec: str, draw: int
) -> None:
    new = perturb_example(example, parse_spec(spec), task="t", draw=draw, fields=fields)
    stored = json.loads(json.dumps({name: r.to_json() for name, r in new.rewrites.items()}))
    again = replay(example, {name: Rewrite.from_json(r) for name, r in stored.items()})
    assert again.example == new.example
    assert again.changed == new.changed


@pytest.mark.parametrize("draw", range(5))
def test_replaying_gives_the_same_candidate(draw: int) -> None:
    context = f"Vorher. {TEXT}. Nachher!"
    pool = Pool((Candidate("c", "de", TEXT, context, "p"), Candidate("d", "de", "kürzer")))
    for spec in SPECS:
        for old, new in zip(pool.candidates, perturb_pool(pool, parse_spec(spec), task="t", draw=draw), strict=True):
            assert replay_candidate(old, new.rewrites).example == new.example
