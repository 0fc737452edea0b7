"""SQuAD-format question answering: the JSON files, the hub's flat rows, the examples made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from crosswind.data.examples import Span, SpanExample
from crosswind.data.ids import text_hash
from crosswind.data.records import TableRecord, hub_table
from crosswind.data.source import Content
from crosswind.errors import UserError
from crosswind.reading import json_file


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answers as (text, start); `impossible` is SQuAD 2.0's `is_impossible`."""

    id: str
    text: str
    answers: tuple[tuple[str, int], ...]
    where: str
    impossible: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A context and its questions; `extra` holds further fields of the file (LAReQA's sentences)."""

    context: str
    questions: tuple[Question, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first_id(self) -> str:
        """The smallest question id: the same for the paragraph's translations, in any order of questions."""
        return min(question.id for question in self.questions)

    @property
    def text_hash(self) -> str:
        """12 hex digits of the SHA-256 of the context."""
        return text_hash(self.context, 12)


def read_squad(path: Path) -> list[Paragraph]:
    """The paragraphs of a SQuAD v1.1 or v2.0 file; a `UserError` with file and question id for a fault."""
    paragraphs = []
    content = json_file(path)
    try:
        for article in content["data"]:
            for paragraph in article["paragraphs"]:
                questions = tuple(_question(path, entry) for entry in paragraph["qas"])
                extra = {k: v for k, v in paragraph.items() if k not in ("context", "qas")}
                if questions:
                    paragraphs.append(Paragraph(str(paragraph["context"]), questions, extra))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"not a SQuAD file: {error}",
            where=str(path),
            hint="expected data > paragraphs > context and qas > id, question, answers",
        ) from None
    return paragraphs


def hub_squad(rows: Iterable[Mapping[str, Any]]) -> list[Paragraph]:
    """The paragraphs of the hub's rows (id, context, question, answers); neighbours with one context form one."""
    paragraphs = []
    for context, group in groupby(hub_table(rows), key=lambda record: record.text("context")):
        paragraphs.append(Paragraph(context, tuple(_hub_question(record) for record in group)))
    return paragraphs


Naming = Callable[[Paragraph, Question], str]
"""Gives the id of a question, or of its cluster."""

ParagraphContent = Callable[[list[Paragraph], str, str], Content]
"""(paragraphs, language, split) -> content"""


def reads_squad(content: ParagraphContent) -> Callable[[tuple[Path, ...], str, str], Content]:
    """The `read` of a layout of one SQuAD file."""
    return partial(_read_file, content)


def converts_squad(content: ParagraphContent) -> Callable[[Iterable[Mapping[str, Any]], str, str], Content]:
    """The `convert` of a hub source with SQuAD's columns."""
    return partial(_convert_rows, content)


def _read_file(content: ParagraphContent, paths: tuple[Path, ...], language: str, split: str) -> Content:
    return content(read_squad(paths[0]), language, split)


def _convert_rows(content: ParagraphContent, rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return content(hub_squad(rows), language, split)


def squad_item(split: str) -> Naming:
    """Item ids of everything that is built on SQuAD: `squad/SPLIT/QID`."""

    def name(paragraph: Paragraph, question: Question) -> str:
        return f"squad/{split}/{question.id}"

    return name


def squad_cluster(split: str) -> Naming:
    """The paragraph, named by its smallest question id, so that translations share it."""

    def name(paragraph: Paragraph, question: Question) -> str:
        return f"squad/{split}/p-{paragraph.first_id}"

    return name


def span_examples(
    paragraphs: Iterable[Paragraph],
    language: str,
    *,
    item: Naming,
    cluster: Naming,
    context_language: str = "",
) -> tuple[SpanExample, ...]:
    """The examples of the paragraphs, named by `item` and `cluster`; answers are checked against the context.

    Raises `UserError` with file and question id for an answer that is not at its offset and for an
    id that is given twice. A question whose answer texts are all empty is unlabelled (`answers=None`):
    XTREME strips the answers of test files so. One that is marked impossible has `answers=()`.
    """
    examples: dict[str, SpanExample] = {}
    for paragraph in paragraphs:
        for question in paragraph.questions:
            name = item(paragraph, question)
            if name in examples:
                raise UserError(
                    f"the question id {question.id!r} is given twice", where=question.where, hint="fetch the file again"
                )
            examples[name] = SpanExample(
                id=name,
                cluster=cluster(paragraph, question),
                language=language,
                question=question.text,
                context=paragraph.context,
                answers=answer_spans(paragraph.context, question),
                context_language=context_language or language,
            )
    return tuple(examples.values())


def answer_spans(context: str, question: Question) -> tuple[Span, ...] | None:
    """The answers as checked spans of the context; see `span_examples`."""
    if question.impossible:
        return ()
    if all(not text for text, _ in question.answers):
        return None
    return tuple(_span(context, text, start, question.where) for text, start in question.answers)


def _span(context: str, text: str, start: int, where: str) -> Span:
    end = start + len(text)
    if not text or start < 0 or end > len(context):
        what = f"the answer {text!r} at {start}-{end} lies outside the context of {len(context)} characters"
        raise UserError(what, where=where, hint=_OFFSETS)
    if context[start:end] != text:
        what = f"the answer is {text!r}, but the context has {context[start:end]!r} at {start}"
        raise UserError(what, where=where, hint=_OFFSETS)
    return Span(start, end)


_OFFSETS = "offsets count characters (code points), not bytes; was the context edited or normalised?"


def _question(path: Path, entry: Mapping[str, Any]) -> Question:
    answers = tuple((str(a["text"]), int(a["answer_start"])) for a in entry["answers"])
    impossible = bool(entry.get("is_impossible", False))
    where = f"{path}: question {entry['id']}"
    return Question(str(entry["id"]), str(entry["question"]), () if impossible else answers, where, impossible)


def _hub_question(record: TableRecord) -> Question:
    answers = record.get("answers")
    pairs = tuple(zip(answers["text"], (int(start) for start in answers["answer_start"]), strict=True))
    where = f"{record.where}, question {record.text('id')}"
    return Question(record.text("id"), record.text("question"), pairs, where, impossible=not pairs)
