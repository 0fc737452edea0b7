"""Twelve data sets that nobody declared, made of official ones: each is read with at most four lines of YAML."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crosswind.data.examples import ChoiceExample, Dataset, Example, PairExample, SpanExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.registry import declare
from crosswind.study.own import read_task_file
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

Official = Callable[..., Path]


@dataclass(frozen=True)
class Try:
    """An official split, how it is rewritten below a folder, and the YAML that reads the outcome."""

    name: str
    official: tuple[str, str, str]  # task, language, split
    language: str
    write: Callable[[Path, Dataset], None]
    yaml: str


def _out(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = lzma.compress(text.encode()) if name.endswith(".xz") else text.encode()
    path.write_bytes(packed)


def _blanks(root: Path, data: Dataset) -> None:
    """CoNLL with blanks, in which the last tag of every sentence that is O became B-DATE."""
    blocks = []
    for e in _of(TaggingExample, data):
        tags = [*(e.tags or ())]
        tags[-1] = "B-DATE" if tags[-1] == "O" else tags[-1]
        blocks.append("".join(f"{w.replace(' ', '')} {t}\n" for w, t in zip(e.words, tags, strict=True)) + "\n")
    _out(root, "mner/hau/dev.txt", "-DOCSTART- O\n\n" + "".join(blocks))


def _conllu(root: Path, data: Dataset) -> None:
    blocks = []
    for i, e in enumerate(_of(TaggingExample, data)):
        rows = enumerate(zip(e.words, e.tags or (), strict=True), 1)
        lines = "".join(f"{n}\t{w}\t_\t{t}\t_\t_\t_\t_\t_\t_\n" for n, (w, t) in rows)
        blocks.append(f"# sent_id = s{i}\n{lines}\n")
    _out(root, "ud/fo-ud-test.conllu.xz", "".join(blocks))


def _numbered_tags(root: Path, data: Dataset) -> None:
    labels = TASKS["panx"].labels
    examples = _of(TaggingExample, data)
    tokens = [list(e.words) for e in examples]
    tags = [[labels.index(tag) for tag in e.tags or ()] for e in examples]
    (root / "wiki").mkdir()
    pl.DataFrame({"tokens": tokens, "ner_tags": tags}).write_parquet(root / "wiki" / "validation.parquet")


def _copa_hbs(root: Path, data: Dataset) -> None:
    rows = [_copa_row(e, i) for i, e in enumerate(_of(ChoiceExample, data))]
    _out(root, "copa_hbs/test-sr-lat.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def _copa_row(e: ChoiceExample, i: int) -> dict[str, Any]:
    asked = "cause" if "cause" in e.question else "effect"
    return {
        "premise": e.context,
        "choice1": e.choices[0],
        "choice2": e.choices[1],
        "question": asked,
        "label": e.label,
        "idx": i,
    }


def _kobest(root: Path, data: Dataset) -> None:
    lines = ["sentence\tquestion\t1\t2\tAnswer"]
    for i, e in enumerate(_of(ChoiceExample, data)):
        row = _copa_row(e, i)
        asked = {"cause": "원인", "effect": "결과"}[row["question"]]
        lines.append("\t".join((e.context, asked, *e.choices, str((e.label or 0) + 1))))
    _out(root, "COPA/test.tsv", "\n".join(lines) + "\n")


def _choices(root: Path, data: Dataset) -> None:
    rows = [
        {"text": e.context, "ask": e.question, "options": list(e.choices), "gold": "AB"[e.label or 0]}
        for e in _of(ChoiceExample, data)
    ]
    _out(root, "quiz.json", json.dumps({"version": 1, "rows": rows}))


def _csv(root: Path, data: Dataset) -> None:
    frame = pl.DataFrame(
        [{"gold": ("no", "yes")[e.label or 0], "text_b": e.second, "text_a": e.first} for e in _of(PairExample, data)]
    )
    (root / "mine").mkdir()
    frame.write_csv(root / "mine" / "test-gsw.csv")


def _nli_parquet(root: Path, data: Dataset) -> None:
    examples = _of(PairExample, data)
    columns = {"s1": [e.first for e in examples], "s2": [e.second for e in examples]}
    (root / "nli").mkdir()
    pl.DataFrame({**columns, "relation": ["enc"[e.label or 0] for e in examples]}).write_parquet(
        root / "nli" / "ca.parquet"
    )


def _headerless(root: Path, data: Dataset) -> None:
    """As spreadsheets and pandas write tabs: a cell with a quotation mark stands in quotation marks."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if '"' in text else text

    rows = [f"{cell(e.first)}\t{cell(e.second)}\t{e.label}\n" for e in _of(PairExample, data)]
    _out(root, "paws/cat/test.tsv.xz", "".join(rows))


def _squad(root: Path, name: str, data: Dataset, spoil: Callable[[str, str, int], int]) -> None:
    paragraphs: dict[str, list[dict[str, Any]]] = {}
    for i, e in enumerate(_of(SpanExample, data)):
        text = e.answer_texts[0]
        answers = [{"text": text, "answer_start": spoil(e.context, text, (e.answers or ())[0].start)}]
        paragraphs.setdefault(e.context, []).append({"id": f"q{i}", "question": e.question, "answers": answers})
    article = {"paragraphs": [{"context": context, "qas": qas} for context, qas in paragraphs.items()]}
    _out(root, name, json.dumps({"data": [article]}, ensure_ascii=False))


def _spoilt(root: Path, data: Dataset) -> None:
    """Offsets of answers that stand once in their context are one too large: they are moved back."""
    _squad(root, "SQuAD_it-test.json.xz", data, lambda context, text, start: start + (context.count(text) == 1))


def _drcd(root: Path, data: Dataset) -> None:
    _squad(root, "DRCD_test.json", data, lambda context, text, start: start)


def _flat(root: Path, data: Dataset) -> None:
    rows = [
        {"passage": e.context, "q": e.question, "a": e.answer_texts[0], "at": (e.answers or ())[0].start}
        for e in _of(SpanExample, data)
    ]
    _out(root, "qa/et.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def _pairs(root: Path, data: Dataset) -> None:
    pool = data.pool
    assert pool is not None
    _out(root, "bitext/ast-eng.eng", "".join(f"{e.query}\n" for e in data if hasattr(e, "query")))
    _out(root, "bitext/ast-eng.ast", "".join(f"{c.text}\n" for c in pool.candidates))


def _of(kind: type[Any], data: Dataset) -> list[Any]:
    assert all(isinstance(e, kind) for e in data)
    return [*data.examples]


TRIES = (
    Try("masakhaner", ("panx", "sw", "dev"), "hau", _blanks, """
        masakhaner: {like: panx, files: "mner/{language}/{split}.txt", languages: [hau, yor], separator: " ",
          map: {B-DATE: O, I-DATE: O}}"""),
    Try("ud-faroese", ("udpos", "et", "test"), "fo", _conllu, """
        ud-faroese: {like: udpos, files: "ud/{language}-ud-{split}.conllu", languages: [fo]}"""),
    Try("wikiann-hbs", ("panx", "bg", "dev"), "sh", _numbered_tags, """
        wikiann-hbs: {kind: tagging, files: "wiki/{split}.parquet", languages: [sh],
          labels: [O, B-PER, I-PER, B-ORG, I-ORG, B-LOC, I-LOC]}"""),
    Try("copa-hbs", ("xcopa", "it", "test"), "sr-Latn", _copa_hbs, """
        copa-hbs: {like: xcopa, files: "copa_hbs/test-{language}.jsonl", languages: {hr: hr, sr-lat: sr-Latn}}"""),
    Try("kobest-copa", ("copa", "en", "dev"), "ko", _kobest, """
        kobest-copa: {like: copa, files: "COPA/{split}.tsv", languages: [ko], labels: {"1": 0, "2": 1},
          columns: {premise: sentence, choice1: "1", choice2: "2", label: Answer},
          questions: {원인: cause, 결과: effect}}"""),
    Try("quiz", ("xcopa", "et", "test"), "fi", _choices, """
        quiz: {kind: choice, files: quiz.json, languages: [fi], labels: {A: 0, B: 1},
          columns: {context: text, question: ask, choices: options, label: gold}}"""),
    Try("mine", ("pawsx", "de", "dev"), "gsw", _csv, """
        mine: {kind: pair, files: "mine/{split}-{language}.csv", labels: [no, yes], languages: [gsw],
          columns: {first: text_a, second: text_b, label: gold}}"""),
    Try("te-ca", ("xnli", "es", "dev"), "ca", _nli_parquet, """
        te-ca: {like: xnli, files: "nli/{language}.parquet", languages: [ca], labels: {e: 0, n: 1, c: 2},
          columns: {premise: s1, hypothesis: s2, label: relation}}"""),
    Try("paws-ca", ("pawsx", "es", "dev"), "ca", _headerless, """
        paws-ca: {like: pawsx, files: "paws/{language}/{split}.tsv", languages: {cat: ca}}"""),
    Try("squad-it", ("xquad", "es", "test"), "it", _spoilt, """
        squad-it: {like: squad, files: SQuAD_it-test.json.xz, languages: [it], bad_answers: drop}"""),
    Try("drcd", ("mlqa", "zh", "dev"), "zh-TW", _drcd, """
        drcd: {kind: span, files: "DRCD_{split}.json", languages: [zh-TW]}"""),
    Try("estqa", ("xquad", "el", "test"), "et", _flat, """
        estqa: {like: tydiqa, files: "qa/{language}.jsonl", languages: [et],
          columns: {question: q, context: passage, answer: a, start: at}}"""),
    Try("bitext", ("tatoeba", "es", "test"), "ast", _pairs, """
        bitext: {like: tatoeba, languages: [ast],
          files: ["bitext/{language}-eng.eng", "bitext/{language}-eng.{language}"]}"""),
)  # fmt: skip


@contextmanager
def _declared(path: Path) -> Iterator[None]:
    declare({"task": {name: task.canonical() for name, task in read_task_file(path).items()}})
    try:
        yield
    finally:
        declare({})


@pytest.mark.parametrize("case", TRIES, ids=lambda case: case.name)
def test_own_data_are_read_as_the_official_ones_that_they_were_made_of(
    case: Try, official_data: Official, tmp_path: Path
) -> None:
    task, language, split = case.official
    official = load(TASKS[task], language, split, FilesSource(official_data(task)))
    case.write(tmp_path, official)
    text = case.yaml.strip()
    assert len(text.splitlines()) <= 4
    (tmp_path / "own.yaml").write_text(text + "\n", encoding="utf-8")
    with _declared(tmp_path / "own.yaml"):
        mine = TASKS[case.name]
        wanted = "dev" if case.name in ("masakhaner", "wikiann-hbs") else "test"
        data = load(mine, case.language, wanted, FilesSource(tmp_path))
    assert [_content(e) for e in data] == [_content(e) for e in official]
    assert len({e.id for e in data}) == len(official)
    assert {getattr(e, "context_language", "") or e.language for e in data} <= {case.language, "en"}
    if data.pool is not None and official.pool is not None:
        assert [c.text for c in data.pool.candidates] == [c.text for c in official.pool.candidates]


def _content(example: Example) -> tuple[object, ...]:
    """What an example says, without names and language; of several gold answers the first."""
    match example:
        case PairExample():
            return example.first, example.second, example.label
        case ChoiceExample():
            return example.context, example.question, example.choices, example.label
        case TaggingExample():
            return tuple(w.replace(" ", "") for w in example.words), example.tags
        case SpanExample():
            return example.question, example.context, (example.answers or ())[:1]
        case _:
            return (example.query,)
