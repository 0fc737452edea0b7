"""From the records of a user's own table to examples: which column fills which field, and what its values mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, assert_never

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Kind,
    PairExample,
    Pool,
    QueryExample,
    TaggingExample,
)
from crosswind.data.records import TableRecord
from crosswind.data.source import Content
from crosswind.data.squad import Paragraph, Question, answers_of, offset_of
from crosswind.errors import UserError, unknown

CHOICE = re.compile(r"choice[0-9]+")
FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "pair": ("first", "second", "label"),
    "choice": ("context", "question", "choices", "choice1", "choice2", "choice3", "choice4", "choice5", "label"),
    "tagging": ("words", "tags"),
    "span": ("question", "context", "answers", "answer", "start"),
    "query": ("query", "candidate"),
}
"""The fields of an example that columns may fill, beside those of `COMMON`."""
COMMON = ("id", "cluster", "language")
_OPTIONAL: Mapping[Kind, tuple[str, ...]] = {"pair": ("second",), "choice": ("context", "question")}
UNLABELLED = ("", "-1")  # what a file writes for a label that it does not have


@dataclass(frozen=True)
class Form:
    """How records become the examples of the task `task`.

    `columns` are the columns that fill the fields: those that the user names, and else the official name or the
    field's own (`usual`, of which the first that a record has counts). `labels` are what the files may write ->
    the index; `questions` what a name in the field `question` asks; `map` what tags of another set become. Fields that
    are `required` have a column in every file; others may be empty, with a note.
    Examples of one id in several languages are translations of each other where the languages are `parallel`.
    """

    task: str
    kind: Kind
    columns: Mapping[str, str]
    usual: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, int]
    required: frozenset[str] = frozenset()
    label_names: tuple[str, ...] = ()
    questions: Mapping[str, str] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    source_language: str = "en"
    parallel: bool = True

    def content(self, records: Iterable[TableRecord], language: str, code: str, split: str) -> Content:
        """The examples of records that are not span QA; `code` is the language as the files write it."""
        rows = list(self.of_language(records, code))
        lacking = self._lacking(rows)
        notes = tuple(f"no column fills the field {name}: it is empty in every example" for name in lacking)
        match self.kind:
            case "pair":
                return Content(tuple(self._pairs(rows, language, split, lacking)), notes=notes)
            case "choice":
                return Content(tuple(self._choice(r, language, split, lacking) for r in rows), notes=notes)
            case "tagging":
                return Content(tuple(self._tagging(r, language, split) for r in rows))
            case "query":
                return self._queries(rows, language, split)
            case "span":
                raise ValueError("span QA is made of paragraphs")
            case _:
                assert_never(self.kind)

    def paragraphs(self, records: Iterable[TableRecord], code: str) -> list[Paragraph]:
        """The records of span QA as SQuAD's paragraphs; neighbours with one context form one."""
        rows = self.of_language(records, code)
        grouped = groupby(rows, key=lambda record: self._text(record, "context"))
        return [Paragraph(context, tuple(self._question(r) for r in group)) for context, group in grouped]

    def of_language(self, records: Iterable[TableRecord], code: str) -> Iterator[TableRecord]:
        """The records of a language, where a column says it."""
        column = self.columns.get("language")
        if column is None:
            yield from records
            return
        for row, record in enumerate(r for r in records if str(r.get(column)) == code):
            yield replace(record, row=row)

    def name(self, native: object, language: str, split: str) -> str:
        """`TASK/SPLIT/ID`, of an item or a cluster; with the language where equal ids do not mean translations."""
        return f"{self.task}/{split}/{native}" if self.parallel else f"{self.task}/{split}/{language}-{native}"

    def item(self, record: TableRecord, language: str, split: str) -> str:
        """The name of the record's example: by its id, or by its row in the language where there is none."""
        column = self._column(record, "id")
        return self.name(record.row if column is None else _plain(record.get(column)), language, split)

    def _cluster(self, record: TableRecord, language: str, split: str, usual: str) -> str:
        column = self._column(record, "cluster")
        return usual if column is None else self.name(f"c-{_plain(record.get(column))}", language, split)

    def _column(self, record: TableRecord, name: str) -> str | None:
        """The column of a field: the one that is named, or a usual one that the record has; `None` for neither."""
        if name in self.columns:
            return self.columns[name]
        return next((column for column in self.usual.get(name, ()) if column in record.values), None)

    def _lacking(self, rows: Sequence[TableRecord]) -> tuple[str, ...]:
        """The fields that may be empty and have a column in no record."""
        names = (n for n in _OPTIONAL.get(self.kind, ()) if n not in self.required and n not in self.columns)
        return tuple(n for n in names if not any(self._column(record, n) for record in rows))

    def _text(self, record: TableRecord, name: str) -> str:
        column = self._column(record, name)
        if column is None:
            usual = self.usual.get(name, (name,))
            raise UserError(
                f"no column {' or '.join(repr(c) for c in usual)} for the field {name}",
                where=record.where,
                hint=f"name it: columns: {{{usual[0]}: …}}; the columns here are: {', '.join(map(str, record.values))}",
            )
        optional = name in _OPTIONAL.get(self.kind, ()) and name not in self.required and name not in self.columns
        return "" if optional and record.get(column) is None else record.text(column)

    def _pairs(
        self, rows: Sequence[TableRecord], language: str, split: str, lacking: Sequence[str]
    ) -> Iterator[PairExample]:
        """Neighbours with one first text form a cluster, as the hypotheses of a premise do."""
        first, cluster = None, ""
        for record in rows:
            item, text = self.item(record, language, split), self._text(record, "first")
            if text != first:
                first, cluster = text, item
            name = self._cluster(record, language, split, cluster)
            second = "" if "second" in lacking else self._text(record, "second")
            yield PairExample(item, name, language, text, second, self._label(record))

    def _choice(self, record: TableRecord, language: str, split: str, lacking: Sequence[str]) -> ChoiceExample:
        item = self.item(record, language, split)
        context, question = ("" if n in lacking else self._text(record, n) for n in ("context", "question"))
        if self.questions:
            if question not in self.questions:
                raise unknown("question", question, self.questions, where=record.where)
            question = self.questions[question]
        name = self._cluster(record, language, split, item)
        return ChoiceExample(item, name, language, context, question, self._choices(record), self._label(record))

    def _choices(self, record: TableRecord) -> tuple[str, ...]:
        column = self._column(record, "choices")
        if column is not None:
            return record.strings(column)
        numbered = {name for name in (*self.columns, *self.usual) if CHOICE.fullmatch(name)}
        there = {int(n[6:]) for n in numbered if n in self.required or self._column(record, n) is not None} or {1}
        # A number that is left out is a column of another name: the error says so.
        return tuple(self._text(record, f"choice{i}") for i in range(min(1, *there), max(there) + 1))

    def _label(self, record: TableRecord) -> int | None:
        column = self._column(record, "label")
        value = None if column is None else record.get(column)
        if value is None:
            return None
        name = _plain(value).strip()
        for written in record.named(str(column), name):
            if written in self.labels:
                return self.labels[written]
        if name in UNLABELLED:
            return None
        if self.kind == "choice" and not self.label_names and name.isdecimal():
            return int(name)
        if name.isdecimal() and not any(key.isdecimal() for key in self.labels):
            first = self.label_names[0] if self.label_names else "…"
            raise UserError(
                f"the label is a number, {name}, and nothing says which label that is",
                where=record.where,
                hint=f'data sets differ in the order: say what each number is: labels: {{"0": {first}, …}}',
            )
        raise unknown("label", record.named(str(column), name)[0], self.labels, where=record.where)

    def _tagging(self, record: TableRecord, language: str, split: str) -> TaggingExample:
        item = self.item(record, language, split)
        words = _listed(record, self._column(record, "words") or "words")
        column = self._column(record, "tags")
        tags = None if column is None or record.get(column) is None else _listed(record, column)
        named = None if tags is None else tuple(self._tag(record, str(column), tag) for tag in tags)
        return TaggingExample(item, self._cluster(record, language, split, item), language, words, named)

    def tag(self, tag: str) -> str | None:
        """The task's tag of what a file writes: mapped, a name, or what `labels` says; None for an unknown one."""
        if tag in self.map or tag in self.label_names:
            return self.map.get(tag, tag)
        return self.label_names[self.labels[tag]] if tag in self.labels else None

    def _tag(self, record: TableRecord, column: str, tag: str) -> str:
        names = record.named(column, tag)
        for written in names:
            known = self.tag(written)
            if known is not None:
                return known
        if tag.isdecimal() and len(names) == 1:
            what = f"the tag is a number, {tag}, and nothing says which tag that is"
            hint = f"data sets differ in the order: say what each number is: map: {{{tag}: {self.label_names[0]}, …}}"
            raise UserError(what, where=record.where, hint=hint)
        tag = names[0]
        error = unknown("tag", tag, self.label_names, where=record.where)
        hint = f"{error.hint}; a tag of another set is mapped: map: {{{tag}: O}}"
        raise UserError(error.what, where=record.where, hint=hint)

    def _queries(self, rows: Sequence[TableRecord], language: str, split: str) -> Content:
        queries, candidates = [], []
        for record in rows:
            item = self.item(record, language, split)
            name, gold = self._cluster(record, language, split, item), f"{item}/{language}"
            text = self._text(record, "query")
            queries.append(QueryExample(item, name, self.source_language, text, (gold,)))
            candidates.append(Candidate(gold, language, self._text(record, "candidate"), cluster=name))
        return Content(tuple(queries), Pool(tuple(candidates)))

    def _question(self, record: TableRecord) -> Question:
        name = self._column(record, "id")
        native = str(record.row) if name is None else _plain(record.get(name))
        where = f"{record.where}, question {native}"
        impossible = _plain(record.values.get("is_impossible")).lower() in ("true", "1")
        answers = () if impossible else self._answers(record, native, where)
        return Question(native, self._text(record, "question"), answers, where, impossible)

    def _answers(self, record: TableRecord, native: str, where: str) -> tuple[tuple[str, int], ...]:
        """SQuAD's `answers`; or the columns of one answer and its start, of which an empty one is none."""
        column, single = self._column(record, "answers"), self._column(record, "answer")
        try:
            if column is not None:
                return answers_of(record.get(column), native)
            if single is not None and record.get(single) in (None, ""):
                return ()
            start = record.get(self._column(record, "start") or "start")
            return ((self._text(record, "answer"), offset_of(start)),)
        except (AttributeError, KeyError, TypeError):
            raise UserError(
                "no readable answers",
                where=where,
                hint="SQuAD's answers {text: […], answer_start: […]}, or the columns `answer` and `start`",
            ) from None


def _plain(value: Any) -> str:
    """A value of JSON or Parquet as a text file would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _listed(record: TableRecord, column: str) -> tuple[str, ...]:
    """A list of texts or numbers, or a text of words between blanks."""
    value = record.get(column)
    if isinstance(value, str):
        return tuple(re.findall(r"[^ \t]+", value))
    if isinstance(value, list | tuple) and all(isinstance(v, str | int) for v in value):
        return tuple(_plain(v) for v in value)
    return record.strings(column)
