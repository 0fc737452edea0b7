"""Question answering: `{id: text}`; the labels are SQuAD files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, Span, SpanExample
from crosswind.errors import UserError
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
    value = parse_json(submission_text(path), str(path))
    answers: dict[str, list[str]] = {}
    try:
        for question in (q for article in value["data"] for p in article["paragraphs"] for q in p["qas"]):
            name, texts = question["id"], [answer["text"] for answer in question["answers"]]
            if not isinstance(name, str) or not all(isinstance(text, str) for text in texts):
                raise UserError(f"id or answer of {name!r} is no text", where=str(path))
            if name in answers:
                raise UserError(f"two questions are called {name!r}", where=str(path), hint="each id stands once")
            answers[name] = texts
    except (KeyError, TypeError) as error:
        raise UserError(f"not a SQuAD file ({error!r})", where=str(path), hint="labels of QA are SQuAD JSON") from None
    return answers


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
