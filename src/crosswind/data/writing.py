"""Data sets as the text of their official files: what the readers of this room read back to the same examples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError, shown

CLUSTER = "crosswind_cluster"
"""A key of a paragraph that official readers pass over: the unit of resampling, where questions of one official
paragraph stand in paragraphs of their own because a perturbation changed the context for each of them apart."""


def file_id(example: Example) -> str:
    """The id that the official files give an example: what follows `corpus/split/`."""
    return example.id.split("/", 2)[-1]


def pair_lines(dataset: Dataset, label: Callable[[int], str]) -> str:
    """TSV without header or quoting: first text, second text and, where labelled, what `label` writes for the class."""
    rows = []
    for example in of_kind(dataset, PairExample):
        cells = [example.first, example.second]
        rows.append([*cells, *([] if example.label is None else [label(example.label)])])
    return tab_separated(rows, dataset)


def tab_separated(rows: Iterable[Sequence[str]], dataset: Dataset) -> str:
    """Lines of cells; a `UserError` for a cell that holds a tab or the end of a line."""
    lines = []
    for cells in rows:
        for cell in cells:
            require_one_line(cell, dataset, tabs=True)
        lines.append("\t".join(cells))
    return "".join(f"{line}\n" for line in lines)


def require_one_line(text: str, dataset: Dataset, *, tabs: bool = False) -> None:
    """A `UserError` for a text that a line of the official file cannot hold."""
    if "\n" in text or "\r" in text or (tabs and "\t" in text):
        raise UserError(
            f"a text holds a tab or the end of a line: {shown(text)}",
            where=f"{dataset.task} {dataset.split}, {dataset.language}",
            hint="the official layout has no way to write it; export it with --format hf",
        )


def tagged_lines(dataset: Dataset) -> str:
    """XTREME's layout: `word TAB tag` a line (words alone where unlabelled), an empty line after each sentence."""
    sentences = []
    for example in of_kind(dataset, TaggingExample):
        rows = zip(example.words, example.tags, strict=True) if example.tags else ((w,) for w in example.words)
        sentences.append(tab_separated(rows, dataset) + "\n")
    return "".join(sentences)


def squad_file(dataset: Dataset, title: str = "") -> str:
    """SQuAD's JSON: neighbours that share context and cluster form a paragraph, which names its cluster (`CLUSTER`)."""
    paragraphs = []
    examples = of_kind(dataset, SpanExample)
    for (context, cluster), members in groupby(examples, key=lambda e: (e.context, e.cluster)):
        paragraphs.append({"context": context, "qas": [squad_question(e) for e in members], CLUSTER: cluster})
    value = {"version": "1.1", "data": [{"title": title or dataset.task, "paragraphs": paragraphs}]}
    return json_text(value)


def squad_question(example: SpanExample) -> dict[str, Any]:
    """A question as SQuAD's files have it; an unanswerable one is marked."""
    spans = [
        {"text": example.context[span.start : span.end], "answer_start": span.start} for span in example.answers or ()
    ]
    answers = [*spans, *({"text": text, "answer_start": -1} for text in example.unplaced)]
    question: dict[str, Any] = {"id": file_id(example), "question": example.question, "answers": answers}
    if example.answers is not None and not answers:
        question["is_impossible"] = True
    return question


def squad_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """Rows of the hub's schema of SQuAD: id, title, context, question, answers as two lists."""
    rows = []
    for example in of_kind(dataset, SpanExample):
        question = squad_question(example)
        answers = {key: [answer[key] for answer in question["answers"]] for key in ("text", "answer_start")}
        row = {"id": question["id"], "title": "", "context": example.context}
        rows.append({**row, "question": example.question, "answers": answers})
    return rows


def with_questions(value: Any, dataset: Dataset) -> str:
    """A SQuAD file with the questions of a data set in the place of its own; questions that it lacks are left out."""
    texts = {file_id(e): e.query for e in of_kind(dataset, QueryExample)}
    for article in value["data"]:
        for paragraph in article["paragraphs"]:
            kept = [entry for entry in paragraph["qas"] if str(entry["id"]) in texts]
            paragraph["qas"] = [{**entry, "question": texts[str(entry["id"])]} for entry in kept]
    return json_text(value)


def choice_lines(dataset: Dataset, questions: Mapping[str, str], number: Callable[[Example], object]) -> str:
    """JSON lines as COPA's: premise, choice1, choice2, question (by name), label and `idx`, which `number` gives."""
    names = {text: name for name, text in questions.items()}
    lines = []
    for example in of_kind(dataset, ChoiceExample):
        if example.question not in names:
            raise UserError(
                f"the question is none of the named ones: {shown(example.question)}",
                where=f"{dataset.task} {dataset.split}, {dataset.language}: {example.id}",
                hint="the official layout names questions; export it with --format hf",
            )
        row: dict[str, Any] = {"premise": example.context}
        row |= {f"choice{i}": text for i, text in enumerate(example.choices, 1)}
        row |= {"question": names[example.question], "idx": number(example)}
        lines.append(row if example.label is None else {**row, "label": example.label})
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in lines)


def line_pair(dataset: Dataset) -> tuple[str, str]:
    """Two aligned files, queries and their translations; a `UserError` where the pool is more than these."""
    queries, pool = of_kind(dataset, QueryExample), pool_of(dataset)
    if [e.gold for e in queries] != [(c.id,) for c in pool.candidates]:
        raise UserError(
            f"{len(pool)} candidates for {len(queries)} queries: aligned lines cannot hold them",
            where=f"{dataset.task} {dataset.split}, {dataset.language}",
            hint="export it with --format hf",
        )
    texts = [e.query for e in queries], [c.text for c in pool.candidates]
    for text in (*texts[0], *texts[1]):
        require_one_line(text, dataset)
    return tuple("".join(f"{text}\n" for text in side) for side in texts)  # type: ignore[return-value]


def pool_of(dataset: Dataset) -> Pool:
    """The pool of a retrieval data set."""
    if dataset.pool is None:
        raise ValueError(f"{dataset.task} has no pool")
    return dataset.pool


def of_kind(dataset: Dataset, kind: type[Any]) -> list[Any]:
    """The examples, which are all of one kind."""
    other = next((e for e in dataset.examples if not isinstance(e, kind)), None)
    if other is not None:
        raise ValueError(f"{dataset.task} has a {type(other).__name__} where {kind.__name__} is written")
    return list(dataset.examples)


def json_text(value: Any) -> str:
    """JSON as files hold it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"
