"""What of an example's texts a model sees: changes beyond it cannot matter, so nothing is attacked there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, assert_never

from crosswind.data.examples import ChoiceExample, Example, PairExample, QueryExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.model.lengths import QUESTION_TOKENS
from crosswind.model.offsets import longest_first, raw, template, tokenize

if TYPE_CHECKING:
    from crosswind.evaluate.predict import Predictor


def seen_characters(predictor: Predictor, example: Example) -> Mapping[str, Span]:
    """Of each text that is cut, the characters that the model sees; a text that it sees whole is left out.

    Raises a `UserError` where the tokenizer of a cut text has no offsets.
    """
    tokenizer, length = predictor.encoder.tokenizer, predictor.max_length
    match example:
        case PairExample():
            seen = _pair(tokenizer, example.first, example.second, length)
            return _cut_ones({"first": example.first, "second": example.second}, dict(zip(_PAIR, seen, strict=True)))
        case ChoiceExample():
            return _choice(tokenizer, example, length)
        case SpanExample():
            room = min(QUESTION_TOKENS, (length - template(tokenizer).overhead) * 3 // 4)
            return _cut_ones({"question": example.question}, {"question": _first(tokenizer, example.question, room)})
        case QueryExample():
            pooling = predictor.head.pooling
            prefix = pooling.prefix if pooling else ""
            room = max(predictor.query_length - template(tokenizer).single_overhead, 1)
            span = _first(tokenizer, prefix + example.query, room)
            seen_query = Span(max(0, span.start - len(prefix)), max(0, span.end - len(prefix)))
            return _cut_ones({"query": example.query}, {"query": seen_query})
        case TaggingExample():
            return {}  # long sentences are read in windows
        case _:
            assert_never(example)


_PAIR = ("first", "second")


def _cut_ones(texts: Mapping[str, str], seen: Mapping[str, Span]) -> dict[str, Span]:
    return {name: span for name, span in seen.items() if (span.start, span.end) != (0, len(texts[name]))}


def _choice(tokenizer: Any, example: ChoiceExample, length: int) -> dict[str, Span]:
    """What at least one row of a choice question shows of the context and the question, and of each choice."""
    prompt = " ".join(part for part in (example.context, example.question) if part)
    parts = [_pair(tokenizer, prompt, choice, length) for choice in example.choices]
    start, end = min(p[0].start for p in parts), max(p[0].end for p in parts)
    behind = len(example.context) + 1 if example.context and example.question else 0
    question = Span(max(0, start - behind), max(0, min(end - behind, len(example.question))))
    context = Span(min(start, len(example.context)), min(end, len(example.context)))
    seen = {"context": context, "question": question if example.question else Span(0, 0)}
    seen |= {f"choices.{i}": part[1] for i, part in enumerate(parts)}
    texts = {"context": example.context, "question": example.question}
    texts |= {f"choices.{i}": choice for i, choice in enumerate(example.choices)}
    return _cut_ones(texts, seen)


def _pair(tokenizer: Any, first: str, second: str, length: int) -> tuple[Span, Span]:
    whole = (Span(0, len(first)), Span(0, len(second)))
    (row,) = tokenize(tokenizer, [first], [second], length)
    if not row.cut:
        return whole
    n, m = (len(ids) for ids, _ in raw(tokenizer, [first, second], offsets=False))
    room = max(length - template(tokenizer).overhead, 2)
    kept = longest_first(n, m, room, odd_to_first=not tokenizer.is_fast)
    return _first(tokenizer, first, kept[0]), _first(tokenizer, second, kept[1])


def _first(tokenizer: Any, text: str, room: int) -> Span:
    """The characters of the first `room` tokens, or of the last ones where the tokenizer cuts on the left."""
    ((ids, offsets),) = raw(tokenizer, [text], offsets=tokenizer.is_fast)
    if len(ids) <= room:
        return Span(0, len(text))
    if len(offsets) != len(ids):
        raise UserError(
            f"the tokenizer {type(tokenizer).__name__} gives no character offsets, and a text of {len(ids)} tokens is "
            f"longer than the {room} that the model sees of it",
            where="MODEL",
            hint="save a fast tokenizer (tokenizer.json) beside the model, or raise max_length",
        )
    if getattr(tokenizer, "truncation_side", "right") == "left":
        return Span(offsets[len(ids) - room][0], len(text))
    return Span(0, offsets[room - 1][1])
