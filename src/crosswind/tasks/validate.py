"""What every example of a task must be, whoever wrote the reader: checked where data come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    Kind,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.data.source import Content
from crosswind.errors import UserError, unknown
from crosswind.tasks.base import Task

_TYPES: dict[Kind, type[Any]] = {
    "pair": PairExample,
    "choice": ChoiceExample,
    "tagging": TaggingExample,
    "span": SpanExample,
    "query": QueryExample,
}
_FROM_0 = 'labels are numbered from 0; own data map theirs, for example labels: {"1": 0, "2": 1}'


def check_content(task: Task, content: Content, where: Callable[[], str]) -> None:
    """Check the examples and the pool that a reader gave; `where()` names task, split, language and file.

    Raises `UserError` with the id of the first example that is of another kind, has an id or a type that is none,
    a label out of range, other than one tag a word, an unknown tag, an empty word, an answer outside its context or
    a gold candidate outside the pool.
    """
    seen: set[str] = set()
    for number, example in enumerate(content.examples):
        if not isinstance(example, _TYPES[task.kind]):
            what = f"example {number} is a {type(example).__name__}, and {task.name} is a {task.kind} task"
            raise UserError(what, where=where(), hint=f"its reader gives {_TYPES[task.kind].__name__}s")
        if not _is_text(example.id) or not _is_text(example.cluster) or not example.language:
            names = f"the id {example.id!r}, cluster {example.cluster!r}, language {example.language!r}"
            what = f"example {number} has {names}"
            raise UserError(what, where=where(), hint="each is a text that is not empty")
        if example.id in seen:
            raise UserError(
                f"two examples are called {example.id!r}", where=where(), hint="every id stands once in a split"
            )
        seen.add(example.id)
        for what, hint in _faults(task, example, content.pool):
            raise UserError(f"{example.id}: {what}", where=where(), hint=hint)
    if content.pool is not None and len(content.pool.index) < len(content.pool):
        raise UserError("two candidates of the pool have one id", where=where(), hint="every id stands once in a pool")


def _faults(task: Task, example: Example, pool: Pool | None) -> Iterator[tuple[str, str]]:
    """(what is wrong, what to do), the first of which counts."""
    match example:
        case PairExample():
            yield from _texts(first=example.first, second=example.second)
            yield from _label(example.label, len(task.labels), f"{task.name} has {len(task.labels)} labels")
        case ChoiceExample():
            named = {f"choices.{i}": choice for i, choice in enumerate(example.choices)}
            yield from _texts(context=example.context, question=example.question, **named)
            yield from _label(example.label, len(example.choices), f"there are {len(example.choices)} choices")
        case TaggingExample():
            yield from _tags(task, example)
        case SpanExample():
            yield from _texts(question=example.question, context=example.context)
            yield from _answers(task, example)
        case QueryExample():
            yield from _texts(query=example.query, context=example.context, mention=example.mention)
            yield from _mention(example)
            yield from _gold(example, pool)
        case _:
            assert_never(example)


def _texts(**fields: object) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if not isinstance(value, str):
            yield f"{name} is no text: {value!r:.60}", "its reader gives texts"


def _label(label: object, count: int, there: str) -> Iterator[tuple[str, str]]:
    if label is None:
        return
    if not isinstance(label, int) or isinstance(label, bool):
        yield f"the label {label!r:.60} is no whole number", "a label is the index of a class or of a choice, or None"
    elif not 0 <= label < count:
        yield f"the label {label} is out of range: {there}, 0 to {count - 1}", _FROM_0


def _tags(task: Task, example: TaggingExample) -> Iterator[tuple[str, str]]:
    if not example.words:
        yield "there are no words", "a sentence has a word at least"
    for i, word in enumerate(example.words):
        if not isinstance(word, str) or not word.strip():
            yield f"word {i} is empty or no text: {word!r:.60}", "leave out what is no word, and its tag"
    if example.tags is None:
        return
    if len(example.tags) != len(example.words):
        yield f"{len(example.tags)} tags for {len(example.words)} words", "every word has one tag"
    for tag in example.tags:
        if not task.open_labels and tag not in task.labels:
            error = unknown("tag", str(tag), task.labels)
            yield error.what, f"{error.hint}; own data map the tags of another set, for example map: {{{tag}: O}}"


def _answers(task: Task, example: SpanExample) -> Iterator[tuple[str, str]]:
    if example.answers is None:
        return
    if not example.answers and not example.unplaced and not task.unanswerable:
        what = f"the question has no answer, and every question of {task.name} has one"
        yield what, "data with unanswerable questions are like squad2; None stands for unlabelled"
    for answer in example.answers:
        if not isinstance(answer, Span):
            yield f"the answer {answer!r:.60} is no span", "an answer is a Span of offsets into the context"
        elif not 0 <= answer.start < answer.end <= len(example.context):
            what = f"the answer at {answer.start}-{answer.end} lies outside its context"
            yield f"{what} of {len(example.context)} characters", "offsets count characters (code points), not bytes"


def _mention(example: QueryExample) -> Iterator[tuple[str, str]]:
    span = example.span
    if span is None and example.query.strip():
        return
    if span is None:
        yield "the query is empty", "a query has a text, or a mention in its context"
    elif not isinstance(span, Span) or not 0 <= span.start < span.end <= len(example.context):
        yield f"the mention at {span} lies outside its context", "offsets count characters (code points), not bytes"
    elif example.context[span.start : span.end] != example.mention:
        there = example.context[span.start : span.end]
        yield f"its context has {there!r:.60} where the mention {example.mention!r:.60} is", "fetch the file again"


def _gold(example: QueryExample, pool: Pool | None) -> Iterator[tuple[str, str]]:
    if pool is None:
        yield "there is no pool to find its answer in", "the reader of a query task gives a Pool"
        return
    for name in example.gold:
        if name not in pool.index:
            yield f"its gold candidate {name!r} is not in the pool", "gold are the ids of candidates"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)
