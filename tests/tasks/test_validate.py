"""Examples are checked where they come in, whoever wrote the reader."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from crosswind.data.source import Content
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS
from crosswind.tasks.validate import check_content

PAIR = PairExample("p", "p", "de", "a", "b", 2)
CHOICE = ChoiceExample("c", "c", "de", "a", "?", ("x", "y"), 1)
TAGGED = TaggingExample("t", "t", "de", ("Rom", "ist"), ("B-LOC", "O"))
SPAN = SpanExample("s", "s", "de", "?", "In Rom.", (Span(3, 6),), "de")
QUERY = QueryExample("q", "q", "en", "house", ("d1",))
POOL = Pool((Candidate("d1", "de", "Haus"), Candidate("d2", "de", "Hof")))
RIGHT = {"xnli": PAIR, "xcopa": CHOICE, "panx": TAGGED, "xquad": SPAN, "tatoeba": QUERY}


def check(task: str, *examples: Example, pool: Pool | None = POOL) -> None:
    check_content(TASKS[task], Content(examples, pool), lambda: "mine test, de (mine/de.tsv)")


@pytest.mark.parametrize("task", sorted(RIGHT))
def test_right_and_unlabelled_examples_pass(task: str) -> None:
    example: Any = RIGHT[task]
    check(task, example)
    unlabelled = {"tagging": "tags", "span": "answers", "pair": "label", "choice": "label"}.get(TASKS[task].kind)
    if unlabelled:
        check(task, replace(example, **{unlabelled: None}))


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        ("xnli", {"label": 3}, "p: the label 3 is out of range: xnli has 3 labels, 0 to 2"),
        ("xnli", {"label": -1}, "p: the label -1 is out of range: xnli has 3 labels, 0 to 2"),
        ("xnli", {"label": True}, "p: the label True is no whole number"),
        ("xnli", {"label": "neutral"}, "p: the label 'neutral' is no whole number"),
        ("xnli", {"second": None}, "p: second is no text: None"),
        ("xnli", {"id": ""}, "example 0 has the id '', cluster 'p', language 'de'"),
        ("xcopa", {"label": 2}, "c: the label 2 is out of range: there are 2 choices, 0 to 1"),
        ("xcopa", {"choices": ("x", 3)}, "c: choices.1 is no text: 3"),
        ("panx", {"tags": ("O",)}, "t: 1 tags for 2 words"),
        ("panx", {"tags": ("B-LOK", "O")}, "t: unknown tag 'B-LOK'"),
        ("panx", {"words": ("Rom", " ")}, "t: word 1 is empty or no text: ' '"),
        ("panx", {"words": (), "tags": ()}, "t: there are no words"),
        ("xquad", {"answers": (Span(3, 8),)}, "s: the answer at 3-8 lies outside its context of 7 characters"),
        ("xquad", {"answers": (Span(3, 3),)}, "s: the answer at 3-3 lies outside its context of 7 characters"),
        ("xquad", {"answers": ((3, 6),)}, "s: the answer (3, 6) is no span"),
        ("xquad", {"answers": ()}, "s: the question has no answer, and every question of xquad has one"),
        ("tatoeba", {"gold": ("d3",)}, "q: its gold candidate 'd3' is not in the pool"),
    ],
)
def test_what_would_give_a_wrong_number_or_a_traceback_is_named(
    task: str, change: dict[str, Any], message: str
) -> None:
    example: Any = RIGHT[task]
    with pytest.raises(UserError) as caught:
        check(task, replace(example, **change))
    assert (caught.value.what, caught.value.where) == (message, "mine test, de (mine/de.tsv)")
    assert caught.value.hint


def test_choice_labels_that_count_from_1_are_refused_with_what_to_write() -> None:
    with pytest.raises(UserError, match="out of range") as caught:
        check("xcopa", replace(CHOICE, label=1), replace(CHOICE, id="d", label=2))
    assert 'labels: {"1": 0, "2": 1}' in str(caught.value.hint)


def test_an_example_of_another_kind_is_named() -> None:
    with pytest.raises(UserError, match="example 1 is a ChoiceExample, and xnli is a pair task"):
        check("xnli", PAIR, CHOICE)


def test_ids_stand_once() -> None:
    with pytest.raises(UserError, match="two examples are called 'p'"):
        check("xnli", PAIR, PAIR)
    with pytest.raises(UserError, match="two candidates of the pool have one id"):
        check("tatoeba", QUERY, pool=Pool((POOL.candidates[0], POOL.candidates[0])))
    with pytest.raises(UserError, match="no pool to find its answer in"):
        check("tatoeba", QUERY, pool=None)


def test_an_unanswerable_question_is_right_where_the_task_has_such() -> None:
    check("squad2", replace(SPAN, answers=()))
