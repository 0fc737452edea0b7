"""Retrieval examples: aligned line pairs, LAReQA's XQuAD-R, and SQuAD-format data as answer retrieval."""

from __future__ import annotations

import ast
import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import regex

from crosswind.data.examples import Candidate, Pool, QueryExample, SpanExample
from crosswind.data.source import Content
from crosswind.data.squad import Paragraph, answer_spans, read_squad, squad_cluster, squad_item
from crosswind.errors import UserError
from crosswind.reading import lines

Group = tuple[str, str, str]
"""What the candidates of one paragraph share: cluster, language, context."""


def pair_content(pairs: Iterable[tuple[str, str]], prefix: str, query_language: str, pool_language: str) -> Content:
    """(query text, candidate text) rows as retrieval: the gold of a query is the candidate of its row.

    `prefix` begins the ids: `tatoeba/test/af` gives `tatoeba/test/af-0`, and its candidate
    `tatoeba/test/af-0/af`. The cluster is the row.
    """
    queries, candidates = [], []
    for row, (query, text) in enumerate(pairs):
        name = f"{prefix}-{row}"
        gold = f"{name}/{pool_language}"
        queries.append(QueryExample(name, name, query_language, query, (gold,)))
        candidates.append(Candidate(gold, pool_language, text, cluster=name))
    return Content(tuple(queries), Pool(tuple(candidates)))


def read_line_pairs(first: Path, second: Path) -> list[tuple[str, str]]:
    """The lines of two aligned files; a `UserError` if one is longer, or a sentence is empty."""
    left, right = ([_sentence(path, *line) for line in lines(path)] for path in (first, second))
    if len(left) != len(right):
        raise UserError(
            f"{len(left)} lines, but {len(right)} in {second.name}",
            where=f"{first}:{min(len(left), len(right)) + 1}",
            hint="aligned files have one sentence a line, equally many: fetch both again",
        )
    return list(zip(left, right, strict=True))


def read_xquad_r(paths: Mapping[str, Path], query_language: str, pool_languages: Sequence[str]) -> Content:
    """XQuAD-R (Roy et al. 2020, section 3): one pool of sentences over all `pool_languages`.

    A candidate is a sentence with its paragraph as context; its id is `squad/dev/p-QID/LANGUAGE/N`,
    N counting the paragraph's sentences from 0. The gold of a query is the sentence in which its
    answer begins, in every pool language. Ids and clusters are XQuAD's.
    """
    candidates: list[Candidate] = []
    gold: dict[str, list[str]] = {}
    for language in pool_languages:
        for paragraph in read_squad(paths[language]):
            cluster = squad_cluster("dev")(paragraph, paragraph.questions[0])
            starts, sentences = _sentences(paragraph)
            names = [f"{cluster}/{language}/{number}" for number in range(len(sentences))]
            candidates += [
                Candidate(name, language, sentence, paragraph.context, cluster)
                for name, sentence in zip(names, sentences, strict=True)
            ]
            for question in paragraph.questions:
                spans = answer_spans(paragraph.context, question)
                holding = sorted({_holding(starts, span.start, question.where) for span in spans})
                gold.setdefault(question.id, []).extend(names[number] for number in holding)
    queries = [
        QueryExample(
            squad_item("dev")(paragraph, question),
            squad_cluster("dev")(paragraph, question),
            query_language,
            question.text,
            tuple(gold.get(question.id, ())),
        )
        for paragraph in read_squad(paths[query_language])
        for question in paragraph.questions
    ]
    return Content(tuple(queries), Pool(tuple(candidates)))


def squad_to_retrieval(content: Content) -> Content:
    """Span QA as answer retrieval: the query is the question, its gold the sentence of its first answer.

    A candidate is an answer's sentence with its paragraph as context (LAReQA's training pairs); its
    id is `CLUSTER/START-END`. Sentences end after `.!?` and their like with white space behind them,
    or after `。！？` at once, closing quotes and brackets included, but never inside the answer.
    Unanswerable and unlabelled questions are left out. Ids and clusters are those of the QA task.
    """
    queries: list[QueryExample] = []
    candidates: dict[str, Candidate] = {}
    borders: dict[str, list[int]] = {}
    for example in content.examples:
        if not isinstance(example, SpanExample) or not example.answers:
            continue
        if example.context not in borders:
            borders[example.context] = sentence_borders(example.context)
        answer = example.answers[0]
        start, end = _around(borders[example.context], answer.start, answer.end)
        name = f"{example.cluster}/{start}-{end}"
        queries.append(QueryExample(example.id, example.cluster, example.language, example.question, (name,)))
        if name not in candidates:
            text = example.context[start:end].strip()
            candidates[name] = Candidate(name, example.context_language, text, example.context, example.cluster)
    notes = (*content.notes, f"sentences are those of the segmenter {SEGMENTER}, not of the official script's sb_sed")
    return replace(content, examples=tuple(queries), pool=Pool(tuple(candidates.values())), notes=notes)


SEGMENTER = "crosswind-sentences 1"
"""The name and version of `sentence_borders`, which cuts training data into candidates."""


def sentence_borders(text: str) -> list[int]:
    """Offsets where a sentence begins, 0 first and the length of the text last."""
    inner = (match.end() for match in _SENTENCE_END.finditer(text))
    return [0, *(offset for offset in inner if offset < len(text)), len(text)]


_SENTENCE_END = regex.compile(
    r"""[.!?…।॥؟۔։።]+[\p{Pe}\p{Pf}"'’”]*\s+ | [。！？｡]+[\p{Pe}\p{Pf}"'’”]*\s*""", regex.VERBOSE
)


def _holding(starts: list[int], offset: int, where: str) -> int:
    """The number of the sentence in which an answer begins."""
    number = bisect.bisect_right(starts, offset) - 1
    if number < 0:
        raise UserError("the answer lies before the first sentence", where=where, hint="fetch the file again")
    return number


def _around(borders: list[int], start: int, end: int) -> tuple[int, int]:
    """The sentences that hold start:end, as offsets."""
    return borders[bisect.bisect_right(borders, start) - 1], borders[bisect.bisect_left(borders, end)]


def _sentences(paragraph: Paragraph) -> tuple[list[int], list[str]]:
    """The start offsets and texts of `sentence_breaks` and `sentences`, which XQuAD-R writes as Python literals."""
    where = paragraph.questions[0].where
    try:
        breaks, sentences = (_literal(paragraph.extra[key]) for key in ("sentence_breaks", "sentences"))
        starts = [int(start) for start, _ in breaks]
        texts = [str(text) for text in sentences]
    except (KeyError, ValueError, SyntaxError, TypeError, RecursionError, MemoryError, OverflowError):
        raise UserError(
            "the paragraph has no readable `sentences` and `sentence_breaks`",
            where=where,
            hint="LAReQA needs the XQuAD-R files (lareqa/xquad-r), not XQuAD's",
        ) from None
    if len(starts) != len(texts):
        what = f"{len(starts)} sentence breaks for {len(texts)} sentences"
        raise UserError(what, where=where, hint="fetch the file again")
    return starts, texts


def _literal(value: object) -> list[Any]:
    literal = ast.literal_eval(value) if isinstance(value, str) else value
    if not isinstance(literal, list):
        raise TypeError
    return literal


def _sentence(path: Path, number: int, text: str) -> str:
    if not text.strip():
        raise UserError("an empty line among aligned sentences", where=f"{path}:{number}", hint="fetch the file again")
    return text
