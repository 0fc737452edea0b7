"""The same content of the user's own gives the same examples, whatever format it has."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.examples import Dataset, PairExample, SpanExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.reading import csv_records
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.tasks.own import own_task

BASES = ("xnli", "panx", "squad", "squad2", "tatoeba")


def read(root: Path, language: str = "de", **keys: Any) -> Dataset:
    task = own_task("m", {"languages": [language], **keys}, {name: TASKS[name] for name in BASES})
    return load(task, language, "test", FilesSource(root))


def write(root: Path, name: str, *lines: str) -> None:
    (root / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def answers(data: Dataset) -> list[tuple[str, tuple[str, ...] | None]]:
    return [(e.id, None if e.answers is None else e.answer_texts) for e in data.examples if isinstance(e, SpanExample)]


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Two questions, one without an answer, as SQuAD's JSON, JSON lines and CSV."""
    one = {"id": "a", "question": "Wo?", "answers": [{"text": "Rom", "answer_start": 3}]}
    two: dict[str, Any] = {"id": "b", "question": "Wer?", "answers": []}
    write(tmp_path, "qa.json", json.dumps({"data": [{"paragraphs": [{"context": "In Rom.", "qas": [one, two]}]}]}))
    table = [{**one, "context": "In Rom."}, {**two, "context": "In Rom.", "answers": {"text": [], "answer_start": []}}]
    write(tmp_path, "rows.jsonl", *map(json.dumps, table))
    write(tmp_path, "null.jsonl", *map(json.dumps, [table[0], {**table[1], "answers": None}]))
    write(tmp_path, "empty.csv", "id,question,context,answer,start", "a,Wo?,In Rom.,Rom,3", "b,Wer?,In Rom.,,")
    write(tmp_path, "zero.csv", "id,question,context,answer,start", "a,Wo?,In Rom.,Rom,3", "b,Wer?,In Rom.,,0")
    return tmp_path


@pytest.mark.parametrize("name", ["qa.json", "rows.jsonl", "null.jsonl", "empty.csv", "zero.csv"])
def test_a_question_without_answers_is_unanswerable_in_every_format(questions: Path, name: str) -> None:
    assert answers(read(questions, like="squad2", files=name)) == [("m/test/a", ("Rom",)), ("m/test/b", ())]
    left = read(questions, like="squad", files=name)
    assert answers(left) == [("m/test/a", ("Rom",))]
    assert "1 of 2 questions without any gold answer were left out: b" in left.notes[0]


def test_a_file_without_any_answer_is_unlabelled_in_every_format(tmp_path: Path) -> None:
    asked = {"id": "a", "question": "Wo?", "context": "In Rom."}
    qa = {"id": "a", "question": "Wo?", "answers": []}
    write(tmp_path, "qa.json", json.dumps({"data": [{"paragraphs": [{"context": "In Rom.", "qas": [qa]}]}]}))
    write(tmp_path, "null.jsonl", json.dumps({**asked, "answers": None}))
    write(tmp_path, "empty.jsonl", json.dumps({**asked, "answers": []}))
    write(tmp_path, "empty.csv", "id,question,context,answer,start", "a,Wo?,In Rom.,,")
    for name in ("qa.json", "null.jsonl", "empty.jsonl", "empty.csv"):
        for like in ("squad", "squad2"):
            assert answers(read(tmp_path, like=like, files=name)) == [("m/test/a", None)]
    write(tmp_path, "marked.jsonl", json.dumps({**asked, "answers": [], "is_impossible": True}))
    assert answers(read(tmp_path, like="squad2", files="marked.jsonl")) == [("m/test/a", ())]


@pytest.mark.parametrize(("parallel", "prefix"), [({}, ""), ({"parallel": False}, "de-")])
def test_ids_name_a_row_alike_in_every_format(tmp_path: Path, parallel: dict[str, bool], prefix: str) -> None:
    write(tmp_path, "a.txt", "Rom B-LOC", "", "Bern B-LOC", "")
    write(tmp_path, "a.jsonl", *(json.dumps({"tokens": [w], "ner_tags": ["B-LOC"]}) for w in ("Rom", "Bern")))
    write(tmp_path, "a.eng", "one", "two")
    write(tmp_path, "a.deu", "eins", "zwei")
    write(tmp_path, "a.tsv", "query\tcandidate", "one\teins", "two\tzwei")
    layouts: list[dict[str, Any]] = [
        {"like": "panx", "files": "a.txt"},
        {"like": "panx", "files": "a.jsonl"},
        {"like": "tatoeba", "files": ["a.eng", "a.deu"]},
        {"like": "tatoeba", "files": "a.tsv"},
    ]
    data = [read(tmp_path, **layout, **parallel) for layout in layouts]
    names = [f"m/test/{prefix}0", f"m/test/{prefix}1"]
    assert [[example.id for example in part.examples] for part in data] == [names] * 4
    assert [[example.cluster for example in part.examples] for part in data] == [names] * 4
    pools = [part.pool.candidates for part in data if part.pool is not None]
    assert len(pools) == 2
    assert pools[0] == pools[1]


def test_rows_of_one_file_are_counted_within_a_language(tmp_path: Path) -> None:
    write(tmp_path, "all.tsv", "language\tpremise\thypothesis\tlabel", "de\ta\tb\tneutral", "sw\tc\td\tneutral")
    keys: dict[str, Any] = {"like": "xnli", "files": "all.tsv", "columns": {"language": "language"}}
    ids = [read(tmp_path, language, **keys).examples[0].id for language in ("de", "sw")]
    assert ids == ["m/test/0", "m/test/0"]
    assert read(tmp_path, "sw", **keys, parallel=False).examples[0].id == "m/test/sw-0"


def test_spaces_of_other_scripts_belong_to_words(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "10\u00a0000 O", "東京\u3000都  B-LOC")
    for more in ({}, {"separator": " "}):
        (sentence,) = read(tmp_path, like="panx", files="a.txt", **more)
        assert isinstance(sentence, TaggingExample)
        assert (sentence.words, sentence.tags) == (("10\u00a0000", "東京\u3000都"), ("O", "B-LOC"))
    write(tmp_path, "a.tsv", "words\ttags", "10\u00a0000 Rom\tO B-LOC")
    (sentence,) = read(tmp_path, like="panx", files="a.tsv", columns={"words": "words", "tags": "tags"})
    assert isinstance(sentence, TaggingExample)
    assert sentence.words == ("10\u00a0000", "Rom")


def texts(data: Dataset) -> list[tuple[str, str]]:
    return [(e.first, e.second) for e in data.examples if isinstance(e, PairExample)]


def test_quotes_that_a_csv_writer_put_around_cells_of_a_tsv_are_taken_off_with_a_note(tmp_path: Path) -> None:
    rows = [["premise", "hypothesis", "label"], ['He said "hi".', "b", "neutral"], ["c", 'The "d".', "neutral"]]
    for name, quoting in (("few.tsv", csv.QUOTE_MINIMAL), ("all.tsv", csv.QUOTE_ALL)):
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file, delimiter="\t", lineterminator="\n", quoting=quoting).writerows(rows)
        data = read(tmp_path, like="xnli", files=name)
        assert texts(data) == [('He said "hi".', "b"), ("c", 'The "d".')]
        assert data.examples[0].label == 1  # type: ignore[union-attr]
        assert "were quoted as in CSV: they are read without these quotes" in data.notes[0]


def test_a_tsv_with_quotes_of_both_sorts_is_read_as_it_is_with_a_note(tmp_path: Path) -> None:
    write(tmp_path, "a.tsv", 'The "a".\t"b"\tneutral', "c\td\tneutral")
    data = read(tmp_path, like="xnli", files="a.tsv")
    assert texts(data) == [('The "a".', '"b"'), ("c", "d")]
    assert data.notes == (
        "m test, de: 1 of its 2 cells with quotation marks stand in them as in CSV: all are read as they are",
    )
    write(tmp_path, "plain.tsv", 'The "a".\tb\tneutral')
    assert read(tmp_path, like="xnli", files="plain.tsv").notes == ()


def test_a_field_of_a_csv_may_be_long_and_keeps_its_line_ends(tmp_path: Path) -> None:
    long = "x" * 200_000
    (tmp_path / "a.csv").write_bytes(f'question,context,answer,start\r\nWo?,"{long}\r\nRom",Rom,200002\r\n'.encode())
    data = read(tmp_path, kind="span", files="a.csv")
    assert data.notes == ()
    (example,) = data.examples
    assert isinstance(example, SpanExample)
    assert example.context == f"{long}\r\nRom"
    assert example.answers is not None
    assert example.answers[0].start == 200_002


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "premise,hypothesis,label,label", "a,b,neutral,entailment")
    write(tmp_path, "a.tsv", "premise\thypothesis\tlabel\tlabel", "a\tb\tneutral\tentailment")
    for name in ("a.csv", "a.tsv"):
        with pytest.raises(UserError) as caught:
            read(tmp_path, like="xnli", files=name)
        assert (caught.value.what, caught.value.where) == ("two columns are called 'label'", f"{tmp_path / name}:1")
    write(tmp_path, "b.csv", "a,b,,", "1,2,,")  # a spreadsheet's empty columns
    assert [values["b"] for _, values in csv_records(tmp_path / "b.csv")] == ["2"]
