"""SQuAD-format question answering: the JSON files, the hub's flat rows, the examples made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from crosswind.data.answers import BadAnswers, Gold, Repairs, misplaced, placed_gold
from crosswind.data.examples import Span, SpanExample
from crosswind.data.ids import text_hash
from crosswind.data.records import TableRecord, hub_table
from crosswind.data.source import Content
from crosswind.data.writing import CLUSTER
from crosswind.errors import UserError, shown
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
    at = "data"
    try:
        for i, article in enumerate(content["data"]):
            at = f"data[{i}]"
            for j, paragraph in enumerate(article["paragraphs"]):
                at = f"data[{i}].paragraphs[{j}]"
                context = _scalar(paragraph["context"], "context", at)
                questions = []
                for k, entry in enumerate(paragraph["qas"]):
                    at = f"data[{i}].paragraphs[{j}].qas[{k}]"
                    questions.append(_question(path, at, entry))
                extra = {k: v for k, v in paragraph.items() if k not in ("context", "qas")}
                if questions:
                    paragraphs.append(Paragraph(context, tuple(questions), extra))
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f"not a SQuAD file: {_reason(error)} (at {at})",
            where=str(path),
            hint="expected data > paragraphs > context and qas > id, question, answers > text, answer_start",
        ) from None
    return paragraphs


def _reason(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def hub_squad(rows: Iterable[Mapping[str, Any]]) -> list[Paragraph]:
    """The paragraphs of the hub's rows (id, context, question, answers); neighbours with one context form one."""
    paragraphs = []
    for context, group in groupby(hub_table(rows), key=lambda record: record.text("context")):
        paragraphs.append(Paragraph(context, tuple(_hub_question(record) for record in group)))
    return paragraphs


SQUAD_COLUMNS = ("id", "context", "question", "answers.text", "answers.answer_start")
"""The columns of data sets in SQuAD's schema on the hub."""

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


def span_content(
    paragraphs: Iterable[Paragraph],
    language: str,
    *,
    item: Naming,
    cluster: Naming,
    context_language: str = "",
    bad_answers: BadAnswers = "repair",
    unanswerable: bool = False,
) -> Content:
    """The examples of the paragraphs, named by `item` and `cluster`, and notes on answers that were mended.

    A paragraph that Crosswind wrote names its cluster itself.

    Answers are checked against the context (`bad_answers`). A question without any gold answer is left out, unless
    no question has one: then the file is unlabelled (`answers=None`), as XTREME strips the answers of test files. One
    that is marked impossible has `answers=()`; of data with `unanswerable` questions, so has every one without answers
    in a labelled file. Raises `UserError` with file and question id for too many bad answers
    and for an id that is given twice.
    """
    held = list(paragraphs)
    questions = [question for paragraph in held for question in paragraph.questions]
    labelled = any(any(text.strip() for text, _ in question.answers) for question in questions)
    examples: list[SpanExample] = []
    repairs = Repairs(len(questions))
    seen: dict[str, int] = {}
    for paragraph in held:
        for question in paragraph.questions:
            name = item(paragraph, question)
            number = len(seen) + 1
            if name in seen:
                raise UserError(
                    f"the question id {question.id!r} is given twice: question {seen[name]:,} of the file has it too",
                    where=question.where,
                    hint="every question has an id of its own: give one of the two another, or leave one out",
                )
            seen[name] = number
            if unanswerable and labelled and not any(text.strip() for text, _ in question.answers):
                question = replace(question, impossible=True)
            gold = _gold(paragraph.context, question, labelled, bad_answers, repairs)
            if gold is not None and not (gold.spans or gold.unplaced or question.impossible):
                repairs.left_out.append(question.id)
                continue
            examples.append(
                SpanExample(
                    id=name,
                    cluster=str(paragraph.extra.get(CLUSTER) or cluster(paragraph, question)),
                    language=language,
                    question=question.text,
                    context=paragraph.context,
                    answers=None if gold is None else gold.spans,
                    context_language=context_language or language,
                    unplaced=() if gold is None else gold.unplaced,
                )
            )
    repairs.check(bad_answers)
    return Content(tuple(examples), notes=repairs.notes())


def _gold(context: str, question: Question, labelled: bool, bad_answers: BadAnswers, repairs: Repairs) -> Gold | None:
    """The gold of a question, None where nothing is labelled; what was done goes into `repairs`."""
    if question.impossible:
        return Gold(())
    if not labelled:
        return None
    gold = placed_gold(context, question.answers, question.where, bad_answers)
    if gold.moved:
        repairs.moved.append(question.id)
    if gold.unplaced:
        text, start = next((t, s) for t, s in question.answers if t == gold.unplaced[0])
        repairs.bad.append((question.where, misplaced(context, text, start)))
        if bad_answers == "drop":
            return replace(gold, unplaced=())
        repairs.unplaced.append(question.id)
    return gold


def answer_spans(context: str, question: Question) -> tuple[Span, ...]:
    """The answers that stand in the context, as spans; see `span_content`."""
    return () if question.impossible else placed_gold(context, question.answers, question.where, "repair").spans


def _question(path: Path, at: str, entry: Mapping[str, Any]) -> Question:
    name = _scalar(entry.get("id"), "id", at)
    where = f"{path}: question {name}"
    pairs = answers_of(entry.get("answers"), name)
    impossible = bool(entry.get("is_impossible", False))
    text = _scalar(entry.get("question"), "question", name)
    return Question(name, text, () if impossible else pairs, where, impossible)


def answers_of(value: Any, name: str) -> tuple[tuple[str, int], ...]:
    """SQuAD's answers to the question `name` as (text, start), whoever wrote them; null is none.

    They are a list of {text, answer_start}, or a table of two lists. Raises `TypeError`, `KeyError` or
    `AttributeError` for anything else.
    """
    if isinstance(value, Mapping):
        texts, starts = value["text"], value["answer_start"]
        if len(texts) != len(starts):
            raise TypeError(f"{len(texts)} texts of answers, and {len(starts)} starts")
        return tuple((_scalar(t, "an answer", name), offset_of(s)) for t, s in zip(texts, starts, strict=True))
    return tuple((_scalar(a["text"], "an answer", name), offset_of(a.get("answer_start"))) for a in value or ())


def _scalar(value: object, what: str, where: str) -> str:
    """A text, or a number as one."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise TypeError(f"{what} of {where} is no text: {shown(value)}")


def offset_of(value: object) -> int:
    """A place in the context; -1, which is nowhere, for null and for an empty cell; a `TypeError` for no number."""
    if value is None or value == "":
        return -1
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"answer_start is no number: {shown(value)}")
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise TypeError(f"answer_start is no number: {shown(value)}") from None


def _hub_question(record: TableRecord) -> Question:
    name = record.text("id")
    where = f"{record.where}: question {name}"
    answers = record.get("answers")
    try:
        pairs = answers_of(answers, name)
    except (AttributeError, KeyError, TypeError) as error:
        hint = "answers are {text: [...], answer_start: [...]}"
        raise UserError(f"no answers: {_reason(error)}", where=where, hint=hint) from None
    return Question(name, record.text("question"), pairs, where, impossible=answers is not None and not pairs)
