"""Perturbed examples: texts cut out of examples, and examples put together from rewritten texts.

Gold answers are re-sliced from their new offsets, never searched for; tags and entities move with
their words. Protection `none` rewrites answers and entities like the rest, `answers` and `entities`
leave them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar, get_args

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError, unknown
from crosswind.perturb.noise import Text
from crosswind.perturb.rewrite import Rewrite

Protection = Literal["none", "answers", "entities"]
PROTECTIONS: tuple[Protection, ...] = get_args(Protection)

T = TypeVar("T", bound=Example | Candidate)


@dataclass(frozen=True, slots=True)
class Perturbed(Generic[T]):
    """An example after a perturbation.

    `rewrites` holds the fields that changed: field names as in `text_fields`, `words` for the
    words of a tagging example joined by spaces, `text` and `context` of a candidate. `rejected`
    counts the drawn changes that were dropped because a label would not have survived them.
    """

    example: T
    rewrites: Mapping[str, Rewrite]
    rejected: int = 0

    @property
    def changed(self) -> bool:
        """Whether any text of the example differs from the original."""
        return bool(self.rewrites)


def texts_of(example: Example, fields: Sequence[str], protect: Protection) -> list[Text]:
    """The texts of `example` that `fields` name (`choices` stands for all of them).

    Raises a `UserError` for a field that the example's kind does not have.
    """
    match example:
        case TaggingExample():
            texts = [_tagging(example, protect)]
        case SpanExample():
            texts = _span(example, protect)
        case PairExample():
            texts = [_plain(example, "first", example.first), _plain(example, "second", example.second)]
        case ChoiceExample():
            texts = [_plain(example, "context", example.context), _plain(example, "question", example.question)]
            texts += [_plain(example, f"choices.{i}", c) for i, c in enumerate(example.choices)]
        case QueryExample():
            texts = [_plain(example, "query", example.query)]
    known = {t.field for t in texts} | {t.field.partition(".")[0] for t in texts}
    for name in fields:
        if name not in known:
            raise unknown("text field", name, known)
    return [t for t in texts if (t.field in fields or t.field.partition(".")[0] in fields) and t.text]


def rebuilt(example: Example, texts: Sequence[Text]) -> Perturbed[Example]:
    """`example` with the texts that `texts_of` cut out of it, after their perturbation."""
    by_field = {t.field: t for t in texts if t.changed}
    new = {name: t.text for name, t in by_field.items()}
    if not by_field:
        return Perturbed(example, {}, sum(t.rejected for t in texts))
    changed: Example
    match example:
        case TaggingExample():
            changed = _retagged(example, by_field["words"])
        case SpanExample():
            context = by_field.get("context")
            answers = example.answers if context is None or example.answers is None else context.labels
            changed = replace(
                example,
                question=new.get("question", example.question),
                context=new.get("context", example.context),
                answers=answers,
            )
        case ChoiceExample():
            changed = replace(
                example,
                context=new.get("context", example.context),
                question=new.get("question", example.question),
                choices=tuple(new.get(f"choices.{i}", c) for i, c in enumerate(example.choices)),
            )
        case PairExample():
            changed = replace(example, first=new.get("first", example.first), second=new.get("second", example.second))
        case QueryExample():
            changed = replace(example, query=new["query"])
    rewrites = {name: t.rewrite for name, t in by_field.items() if t.rewrite is not None}
    return Perturbed(changed, rewrites, sum(t.rejected for t in texts))


def candidate_text(candidate: Candidate) -> Text:
    """The text of a candidate, or its context with the text as a labelled span.

    The candidates of one paragraph share its context: the draw is the paragraph's (`cluster`).
    """
    at = candidate.context.find(candidate.text) if candidate.context and candidate.text else -1
    if at < 0:
        return Text(candidate.id, "pool.text", candidate.language, candidate.text)
    span = Span(at, at + len(candidate.text))
    group = candidate.cluster or candidate.id
    return Text(group, "pool.context", candidate.language, candidate.context, labels=(span,))


def rebuilt_candidate(candidate: Candidate, text: Text) -> Perturbed[Candidate]:
    if text.rewrite is None or not text.changed:
        return Perturbed(candidate, {}, text.rejected)
    if text.field == "pool.text":
        changed = replace(candidate, text=text.text)
    else:
        span = text.labels[0]
        changed = replace(candidate, text=text.text[span.start : span.end], context=text.text)
    return Perturbed(changed, {text.field.partition(".")[2]: text.rewrite}, text.rejected)


def check_protection(protect: str) -> Protection:
    """`protect` if it is a protection; a `UserError` otherwise."""
    for known in PROTECTIONS:
        if protect == known:
            return known
    raise unknown("protection", protect, PROTECTIONS)


def entities(tags: Sequence[str]) -> list[list[int]]:
    """The word indices of each IOB2 entity, in order. A stray `I-X` begins an entity of its own."""
    found: list[list[int]] = []
    for i, tag in enumerate(tags):
        prefix, dash, kind = tag.partition("-")
        if not dash or prefix not in ("B", "I"):
            continue
        follows = prefix == "I" and found and found[-1][-1] == i - 1 and tags[i - 1].partition("-")[2] == kind
        if follows:
            found[-1].append(i)
        else:
            found.append([i])
    return found


def _plain(example: Example, field: str, text: str) -> Text:
    return Text(example.id, field, example.language, text)


def _span(example: SpanExample, protect: Protection) -> list[Text]:
    answers = example.answers or ()
    for answer in answers:
        if not 0 <= answer.start < answer.end <= len(example.context):
            raise UserError(
                f"the answer {answer.start}:{answer.end} of {example.id!r} is no part of its context",
                hint="check answer_start and the answer's text in the data file",
            )
    context = Text(
        example.id,
        "context",
        example.context_language or example.language,
        example.context,
        labels=answers,
        locked=answers if protect == "answers" else (),
    )
    return [_plain(example, "question", example.question), context]


def _tagging(example: TaggingExample, protect: Protection) -> Text:
    spans, at = [], 0
    for word in example.words:
        if not word:
            raise UserError(f"{example.id!r} has an empty word")
        spans.append(Span(at, at + len(word)))
        at += len(word) + 1
    groups = entities(example.tags) if example.tags else []
    runs = tuple(Span(spans[g[0]].start, spans[g[-1]].end) for g in groups)
    return Text(
        example.id,
        "words",
        example.language,
        " ".join(example.words),
        labels=runs,
        locked=runs if protect == "entities" else (),
        words=tuple(spans),
    )


def _retagged(example: TaggingExample, text: Text) -> TaggingExample:
    order = sorted(range(len(text.words)), key=lambda i: text.words[i].start)
    words = tuple(text.text[text.words[i].start : text.words[i].end] for i in order)
    if example.tags is None:
        return replace(example, words=words)
    tags = list(example.tags)
    # Inside an entity the tags keep their order (B first) when the words change theirs.
    place = {word: position for position, word in enumerate(order)}
    for group in entities(example.tags):
        moved = sorted(group, key=place.__getitem__)
        for word, tag in zip(moved, [example.tags[i] for i in group], strict=True):
            tags[word] = tag
        before = place[moved[0]] - 1
        kind = tags[moved[0]].partition("-")[2]
        if tags[moved[0]][:2] == "I-" and before >= 0 and tags[order[before]].partition("-")[2] == kind:
            tags[moved[0]] = f"B-{kind}"  # A stray `I-X` that now follows an X would continue it.
    return replace(example, words=words, tags=tuple(tags[i] for i in order))
