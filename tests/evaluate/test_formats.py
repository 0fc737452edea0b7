"""Submission files that are written are read back to the same predictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.data.examples import PairExample, QueryExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.submission import FORMATS


def text(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def test_every_format_of_the_official_layout_is_there() -> None:
    assert FORMATS.names() == ["answers", "lines", "links", "pairs", "rankings", "rows", "tags"]


def test_lines_hold_the_names_of_the_classes(tmp_path: Path) -> None:
    examples = [PairExample(f"xnli/test/{i}", "c", "de", "a", "b", 0) for i in range(2)]
    path = tmp_path / "xnli/test-de.tsv"
    FORMATS["lines"].write(path, examples, [{"predicted": 2}, {"predicted": 0}], ("entailment", "neutral", "no"))
    assert path.read_text(encoding="utf-8") == "no\nentailment\n"
    gold = text(tmp_path / "gold.tsv", "no\nneutral\n")
    submitted = FORMATS["lines"].read(path, gold, "de", ("entailment", "neutral", "no"))
    right = [
        p["predicted"] == e.label
        for e, p in zip(submitted.examples, submitted.predictions, strict=True)
        if isinstance(e, PairExample)
    ]
    assert right == [True, False]


def test_xcopas_lines_are_json(tmp_path: Path) -> None:
    examples = [PairExample("xcopa/test/1", "c", "et", "a", "b", 0)]
    FORMATS["lines"].write(tmp_path / "test-et.jsonl", examples, [{"predicted": 1}], ("0", "1"))
    assert (tmp_path / "test-et.jsonl").read_text(encoding="utf-8") == '{"label": 1}\n'


def test_lines_cannot_hold_rankings(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="these predictions are no classes"):
        FORMATS["lines"].write(tmp_path / "x.tsv", [QueryExample("q", "c", "de", "?", ())], [{"ranks": [1]}], ())
    assert list(tmp_path.iterdir()) == []


def test_tags_stand_a_sentence_apart(tmp_path: Path) -> None:
    examples = [TaggingExample("a", "a", "de", ("x", "y"), ("O", "O")), TaggingExample("b", "b", "de", ("z",), ("O",))]
    path = tmp_path / "test-de.tsv"
    FORMATS["tags"].write(path, examples, [{"tags": ["O", "B-PER"]}, {"tags": ["O"]}], ())
    assert path.read_text(encoding="utf-8") == "O\nB-PER\n\nO\n"
    submitted = FORMATS["tags"].read(path, path, "de", ("O", "B-PER"))
    assert [p["tags"] for p in submitted.predictions] == [["O", "B-PER"], ["O"]]


def test_answers_and_rankings_are_found_by_the_official_ids(tmp_path: Path) -> None:
    question = SpanExample("mlqa/test/a/b", "c", "de", "Wer?", "Hund", (Span(0, 4),))
    FORMATS["answers"].write(tmp_path / "a.json", [question], [{"text": "Hund"}], ())
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "a/b": "Hund"\n}\n'
    query = QueryExample("squad/test/q1", "c", "de", "?", ("s1",))
    FORMATS["rankings"].write(tmp_path / "r.json", [query], [{"top": ["s2", "s1"]}], ())
    gold = text(tmp_path / "gold.json", '{"q1": ["s1"]}')
    assert FORMATS["rankings"].read(tmp_path / "r.json", gold, "de", ()).predictions[0]["ranks"] == [2]


def test_pairs_are_of_a_source_side_sentence(tmp_path: Path) -> None:
    queries = [QueryExample(f"bucc/test/{x}", x, "de", "?", ()) for x in ("de-1", "de-2")]
    path = tmp_path / "test-de.tsv"
    FORMATS["pairs"].write(path, queries, [{"chosen": ["en-7"]}, {"chosen": []}], ())
    assert path.read_text(encoding="utf-8") == "de-1\ten-7\n"
    gold = text(tmp_path / "gold.tsv", "de-1\ten-7\nde-3\ten-9\n")
    submitted = FORMATS["pairs"].read(path, gold, "de", ())
    assert [e.id for e in submitted.examples] == ["de-1", "de-3"]
    assert [p["chosen"] for p in submitted.predictions] == [["en-7"], []]
