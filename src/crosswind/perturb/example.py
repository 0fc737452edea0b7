"""Passages cut out of examples, and examples put together from passages that were written anew.

Gold answers are re-sliced from their new offsets, never searched for; tags and entities move with
their words; the right option of a choice question is found again wherever it went. Protection `none`
rewrites answers and entities like the rest, `answers` and `entities` leave them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, Literal, assert_never, get_args

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    kind_of,
    text_fields,
)
from crosswind.errors import UserError, unknown
from crosswind.perturb.passage import SEPARATOR, WHOLE, Passage, Written
from crosswind.perturb.pieces import span_at
from crosswind.perturb.retag import entity_groups, moved_tags, unmoved_tags

Protection = Literal["none", "answers", "entities"]
PROTECTIONS: tuple[Protection, ...] = get_args(Protection)


def check_protection(protect: str) -> Protection:
    """`protect` if it is a protection; a `UserError` otherwise."""
    for known in PROTECTIONS:
        if protect == known:
            return known
    raise unknown("protection", protect, PROTECTIONS)


def cut_passages(
    examples: Sequence[Example], fields: Sequence[str], *, task: str, protect: Protection, whole: bool
) -> tuple[list[Passage], list[int]]:
    """The `passages` of many examples one after another, and how many each has."""
    if not whole and len(fields) == 1 and fields[0] in _PAIR_TEXTS and set(map(type, examples)) == {PairExample}:
        # The commonest case, three times as fast.
        (name,), texts = fields, list(map(_PAIR_TEXTS[fields[0]], examples))
        flat = [
            Passage(e.id, task, name, "pair", e.language, text, (), (), (), None, (), e)
            for e, text in zip(examples, texts, strict=True)
            if text
        ]
        return flat, [1 if text else 0 for text in texts]
    flat, counts = [], list[int]()
    for example in examples:
        some = passages(example, fields, task=task, protect=protect, whole=whole)
        flat += some
        counts.append(len(some))
    return flat, counts


_PAIR_TEXTS: dict[str, Callable[[Any], str]] = {"first": attrgetter("first"), "second": attrgetter("second")}


def passages(
    example: Example, fields: Sequence[str], *, task: str = "", protect: Protection = "none", whole: bool = False
) -> list[Passage]:
    """The passages of `example` that `fields` name (`choices` stands for all of them), empty texts left out.

    `whole` gives one passage with `parts` instead, in which the fields that are not named are locked; a
    tagged sentence and a query are the same either way. Raises a `UserError` for a field that the
    example's kind does not have.
    """
    if whole and not isinstance(example, TaggingExample | QueryExample):
        return _whole(example, fields, task, protect)
    match example:
        case TaggingExample():
            known: tuple[str, ...] = ("words",)
            cut = [_tagging(example, task, protect)] if "words" in fields else []
        case SpanExample():
            known = ("question", "context")
            cut = []
            if "question" in fields and example.question:
                cut.append(
                    Passage(example.id, task, "question", "span", example.language, example.question, example=example)
                )
            if "context" in fields and example.context:
                cut.append(_context(example, task, protect))
        case PairExample():
            known = ("first", "second")
            cut = []
            if "first" in fields and example.first:
                cut.append(Passage(example.id, task, "first", "pair", example.language, example.first, example=example))
            if "second" in fields and example.second:
                cut.append(
                    Passage(example.id, task, "second", "pair", example.language, example.second, example=example)
                )
        case ChoiceExample():
            texts = text_fields(example)
            known = ("choices", *texts)
            cut = [
                Passage(example.id, task, name, "choice", example.language, text, example=example)
                for name, text in texts.items()
                if text and (name in fields or ("choices" in fields and name.startswith("choices.")))
            ]
        case QueryExample():
            known = ("query", "context")
            cut = []
            if "query" in fields and example.query:
                cut.append(
                    Passage(example.id, task, "query", "query", example.language, example.query, example=example)
                )
            if "context" in fields and example.context:
                cut.append(_around_mention(example, task, protect))
        case _:
            assert_never(example)
    for name in fields:
        if name not in known:
            raise unknown("text field", name, known)
    return cut


def rebuild(example: Example, written: Iterable[Written]) -> Example:
    """`example` with what became of the passages that `passages` cut out of it."""
    if isinstance(example, PairExample):
        return _pair(example, written)
    by_field = {w.passage.field: w.passage for w in written}
    if WHOLE in by_field:
        return _from_parts(example, by_field[WHOLE])
    new = {name: p.text for name, p in by_field.items()}
    match example:
        case TaggingExample():
            return _sentence(example, by_field["words"]) if "words" in by_field else example
        case SpanExample():
            context = by_field.get("context")
            return replace(
                example,
                question=new.get("question", example.question),
                context=new.get("context", example.context),
                answers=example.answers if context is None or example.answers is None else _answers(context),
            )
        case ChoiceExample():
            return replace(
                example,
                context=new.get("context", example.context),
                question=new.get("question", example.question),
                choices=tuple(new.get(f"choices.{i}", c) for i, c in enumerate(example.choices)),
            )
        case QueryExample():
            return _query(replace(example, query=new.get("query", example.query)), by_field.get("context"))
        case _:
            assert_never(example)


def _pair(example: PairExample, written: Iterable[Written]) -> PairExample:
    new: dict[str, str] = {}
    for w in written:
        passage = w.passage
        if passage.field == WHOLE:
            new = {name: passage.text[p.start : p.end] for name, p in zip(_PAIR_TEXTS, passage.parts, strict=True)}
        else:
            new[passage.field] = passage.text
    return pair_with(example, new.get("first", example.first), new.get("second", example.second))


def pair_with(example: PairExample, first: str, second: str) -> PairExample:
    """A pair with new texts."""
    # A frozen dataclass takes twice as long to make by its `__init__`, and millions are made.
    pair = object.__new__(PairExample)
    _put_id(pair, example.id)
    _put_cluster(pair, example.cluster)
    _put_language(pair, example.language)
    _put_first(pair, first)
    _put_second(pair, second)
    _put_label(pair, example.label)
    return pair


_PUT: list[Callable[[PairExample, Any], None]] = [getattr(PairExample, n).__set__ for n in PairExample.__match_args__]
_put_id, _put_cluster, _put_language, _put_first, _put_second, _put_label = _PUT


def candidate_passage(candidate: Candidate, *, task: str = "") -> Passage:
    """The text of a candidate, or its context with the text as a labelled span.

    The candidates of one paragraph share its context: the draw is the paragraph's (`cluster`).
    """
    at = candidate.context.find(candidate.text) if candidate.context and candidate.text else -1
    language = candidate.language
    if at < 0:
        return Passage(candidate.id, task, "pool.text", "candidate", language, candidate.text, example=candidate)
    span = Span(at, at + len(candidate.text))
    group = candidate.cluster or candidate.id
    return Passage(
        group, task, "pool.context", "candidate", language, candidate.context, labels=(span,), example=candidate
    )


def rebuild_candidate(candidate: Candidate, written: Written) -> Candidate:
    """`candidate` with what became of its passage."""
    passage = written.passage
    if passage.field == "pool.text":
        return replace(candidate, text=passage.text)
    (span,) = _answers(passage)
    return replace(candidate, text=passage.text[span.start : span.end], context=passage.text)


def _answers(passage: Passage) -> tuple[Span, ...]:
    """The labels of a passage without white space at their ends, which a deletion may have brought there."""
    trimmed = []
    for span in passage.labels:
        text = passage.text[span.start : span.end]
        start = span.end - len(text.lstrip())
        trimmed.append(Span(start, start + len(text.strip())))
    return tuple(trimmed)


def _context(example: SpanExample, task: str, protect: Protection) -> Passage:
    answers = example.answers or ()
    for answer in answers:
        if not 0 <= answer.start < answer.end <= len(example.context):
            raise UserError(
                f"the answer {answer.start}:{answer.end} of {example.id!r} is no part of its context",
                hint="check answer_start and the answer's text in the data file",
            )
    locked = answers if protect == "answers" else ()
    language = example.context_language or example.language
    return Passage(example.id, task, "context", "span", language, example.context, answers, locked, example=example)


def _around_mention(example: QueryExample, task: str, protect: Protection) -> Passage:
    """The context of a query, its mention a label that moves with the text."""
    labels = (example.span,) if example.span is not None else ()
    locked = labels if protect == "entities" else ()
    text = example.context
    return Passage(example.id, task, "context", "query", example.language, text, labels, locked, example=example)


def _query(example: QueryExample, context: Passage | None) -> QueryExample:
    if context is None:
        return example
    if not context.labels:
        return replace(example, context=context.text)
    (span,) = _answers(context)
    return replace(example, context=context.text, mention=context.text[span.start : span.end], span=span)


def _tagging(example: TaggingExample, task: str, protect: Protection) -> Passage:
    spans, at = [], 0
    for word in example.words:
        if not word:
            raise UserError(f"{example.id!r} has an empty word")
        end = at + len(word)
        spans.append(span_at(at, end))
        at = end + 1
    groups = entity_groups(example.tags) if example.tags else ()
    runs = tuple(Span(spans[g[0]].start, spans[g[-1]].end) for g in groups)
    return Passage(
        example.id,
        task,
        "words",
        "tagging",
        example.language,
        " ".join(example.words),
        labels=runs,
        locked=runs if protect == "entities" else (),
        words=tuple(spans),
        tags=example.tags,
        example=example,
    )


def _sentence(example: TaggingExample, passage: Passage) -> TaggingExample:
    """The sentence with the words and tags of a passage, in the order in which they now stand."""
    starts = [word.start for word in passage.words]
    if starts == sorted(starts):
        kept = tuple([passage.text[word.start : word.end] for word in passage.words])
        return replace(example, words=kept, tags=example.tags if passage.tags is None else unmoved_tags(passage.tags))
    order = sorted(range(len(passage.words)), key=starts.__getitem__)
    words = tuple(passage.text[passage.words[i].start : passage.words[i].end] for i in order)
    if passage.tags is None:
        return replace(example, words=words)
    tags = moved_tags(passage.tags, {word: position for position, word in enumerate(order)})
    return replace(example, words=words, tags=tuple(tags[i] for i in order))


def _whole(
    example: PairExample | ChoiceExample | SpanExample, fields: Sequence[str], task: str, protect: Protection
) -> list[Passage]:
    """The texts of an example as the parts of one passage; the parts that `fields` do not name are locked."""
    texts = text_fields(example)
    known = {*texts, *(name.partition(".")[0] for name in texts)}
    for name in fields:
        if name not in known:
            raise unknown("text field", name, known)
    labels: list[Span] = []
    locked: list[Span] = []
    parts: list[Span] = []
    at = 0
    for n, (name, text) in enumerate(texts.items()):
        if SEPARATOR in text:
            raise UserError(f"{example.id!r} has a record separator (U+001E) in its {name}")
        span = Span(at, at + len(text))
        parts.append(span)
        if name == "context" and isinstance(example, SpanExample):
            context = _context(example, task, protect)
            labels += (Span(s.start + at, s.end + at) for s in context.labels)
            locked += (Span(s.start + at, s.end + at) for s in context.locked)
        if isinstance(example, ChoiceExample) and example.label is not None and n == example.label + 2:
            labels.append(span)
        if name not in fields and name.partition(".")[0] not in fields and text:
            locked.append(span)
        at = span.end + 1
    return [
        Passage(
            example.id,
            task,
            WHOLE,
            kind_of(example),
            example.language,
            SEPARATOR.join(texts.values()),
            labels=tuple(labels),
            locked=tuple(locked),
            parts=tuple(parts),
            example=example,
        )
    ]


def _from_parts(example: Example, passage: Passage) -> Example:
    texts = [passage.text[p.start : p.end] for p in passage.parts]
    match example:
        case ChoiceExample():
            label = example.label
            if label is not None:
                right = passage.labels[-1]
                label = next(i for i, p in enumerate(passage.parts) if p.start <= right.start and right.end <= p.end)
                label -= 2
            return replace(example, context=texts[0], question=texts[1], choices=tuple(texts[2:]), label=label)
        case SpanExample():
            start = passage.parts[1].start
            answers = tuple(Span(s.start - start, s.end - start) for s in _answers(passage))
            return replace(
                example, question=texts[0], context=texts[1], answers=None if example.answers is None else answers
            )
        case PairExample() | TaggingExample() | QueryExample():
            raise ValueError(f"{example.id!r} has no parts to put together here")
        case _:
            assert_never(example)
