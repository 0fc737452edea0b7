"""The examples of a task word by word in another language; answers, tags and pools come along exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import assert_never

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.prepare.project import LinkedWords
from crosswind.prepare.wordwise import MovedText, Wordwise


def wordwise_example(example: Example, by: Wordwise, target: str, kept: Collection[str] = ()) -> Example:
    """The example in `target`; texts in `kept` stay. A tagged word stays one: it gets a translation without space."""

    def new(text: str) -> str:
        return text if text in kept else by.text(text).text

    match example:
        case PairExample():
            return replace(example, language=target, first=new(example.first), second=new(example.second))
        case ChoiceExample():
            choices = tuple(map(new, example.choices))
            question, context = new(example.question), new(example.context)
            return replace(example, language=target, context=context, question=question, choices=choices)
        case TaggingExample():
            return replace(example, language=target, words=tuple(by.word(w, single=True) for w in example.words))
        case SpanExample():
            context_moved = by.text(example.context)
            spans = example.answers and tuple(context_moved.span(answer) for answer in example.answers)
            return replace(
                example,
                language=target,
                context_language=target,
                question=new(example.question),
                context=context_moved.text,
                answers=spans,
                unplaced=tuple(map(new, example.unplaced)),
            )
        case QueryExample():
            query = new(example.query)
            if example.span is None:
                return replace(example, language=target, query=query, context=new(example.context))
            moved = by.text(example.context)
            span = moved.span(example.span)
            mention = moved.text[span.start : span.end]
            return replace(example, language=target, query=query, context=moved.text, mention=mention, span=span)
        case _:
            assert_never(example)


def wordwise_candidates(candidates: Sequence[Candidate], by: Wordwise, target: str) -> list[Candidate]:
    """The candidates of a pool, under their ids."""
    return [replace(c, language=target, text=by.text(c.text).text, context=by.text(c.context).text) for c in candidates]


def linked_wordwise(moved: MovedText) -> LinkedWords:
    """The words of a text and of its translation, each linked to its own."""
    pairs = [(a, b) for a, b, word in moved.pieces if word]
    return LinkedWords(tuple(a for a, _ in pairs), tuple(b for _, b in pairs), tuple((i, i) for i in range(len(pairs))))
