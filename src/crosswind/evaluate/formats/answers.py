"""Question answering: `{id: text}`; the labels are SQuAD files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, Span, SpanExample
from crosswind.errors import UserError, shown
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Submitted,
    count_unanswered,
    native_id,
    parse_json,
    read_mapping,
    stray_note,
    submission_text,
    write_mapping,
)


def _gold_answers(path: Path) -> dict[str, list[str]]:
    """The gold answers by question id of a SQuAD file; a `UserError` for an id that is given twice."""
    answers: dict[str, list[str]] = {}
    articles = _items([("", parse_json(submission_text(path), str(path)))], "data", path)
    for at, question in _items(_items(articles, "paragraphs", path), "qas", path):
        name = _text(question, "id", at, path)
        if name in answers:
            raise UserError(f"two questions are called {name!r}", where=str(path), hint="each id stands once")
        answers[name] = [
            _text(answer, "text", where, path) for where, answer in _items([(at, question)], "answers", path)
        ]
    return answers


_Placed = Iterable[tuple[str, object]]
"""Values of a file, each with its place in it: `data[0].paragraphs[2]`."""


def _items(values: _Placed, key: str, path: Path) -> Iterator[tuple[str, object]]:
    """The items of the lists that objects have under a key."""
    for at, value in values:
        items = _value(value, key, at, path)
        if not isinstance(items, list):
            raise _no_squad(f"{key!r} is no list: {shown(items)}", at, path)
        for i, item in enumerate(items):
            yield f"{at}.{key}[{i}]".removeprefix("."), item


def _text(value: object, key: str, at: str, path: Path) -> str:
    text = _value(value, key, at, path)
    if not isinstance(text, str):
        raise _no_squad(f"{key!r} is no text: {shown(text)}", at, path)
    return text


def _value(value: object, key: str, at: str, path: Path) -> object:
    if not isinstance(value, dict):
        raise _no_squad(f"an object with {key!r} belongs here, not {shown(value)}", at, path)
    if key not in value:
        raise _no_squad(f"there is no {key!r}", at, path)
    return value[key]


def _no_squad(what: str, at: str, path: Path) -> UserError:
    hint = "labels of QA are SQuAD JSON: data > paragraphs > qas > id and answers > text"
    return UserError(f"not a SQuAD file: {what} ({at or 'the whole file'})", where=str(path), hint=hint)


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    predicted, answers = read_mapping(path, str, "{id: text}"), _gold_answers(gold)
    unanswered = count_unanswered(path, [name in predicted for name in answers])
    return Submitted(
        tuple(_example(name, language, texts) for name, texts in answers.items()),
        tuple({"text": predicted.get(name)} for name in answers),
        unanswered,
        stray_note(path, predicted, answers),
    )


def _example(name: str, language: str, texts: Sequence[str]) -> SpanExample:
    """A question whose context is its gold answers: the official scripts compare with their texts, not their places."""
    spans = []
    start = 0
    for text in texts:
        spans.append(Span(start, start + len(text)))
        start += len(text)
    return SpanExample(name, name, language, "", "".join(texts), tuple(spans))


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    write_mapping(path, {native_id(e): p["text"] for e, p in zip(examples, predictions, strict=True)})


ANSWERS_FORMAT = Format("answers", "{id: text}; the labels are SQuAD files", ".json", _read, _write)
