"""Columns, labels and tags of the user's own files: nothing is assumed that a file does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from crosswind.data.examples import ChoiceExample, Dataset, PairExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.tasks.own import own_task

BASES = ("xnli", "pawsx", "xcopa", "panx", "udpos", "winogrande", "squad2", "tatoeba")


def read(root: Path, language: str = "de", split: str = "test", **keys: Any) -> Dataset:
    task = own_task("mine", {"languages": [language], **keys}, {name: TASKS[name] for name in BASES})
    return load(task, language, split, FilesSource(root))


def refused(root: Path, **keys: Any) -> UserError:
    with pytest.raises(UserError) as caught:
        read(root, **keys)
    assert caught.value.hint
    return caught.value


def write(root: Path, name: str, *lines: str) -> None:
    (root / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_classes(path: Path, columns: dict[str, list[Any]], features: dict[str, Any]) -> None:
    """A table as the library `datasets` writes it: class labels are numbers, their names stand in the metadata."""
    table = pyarrow.table(columns)
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)


def test_a_misnamed_column_is_no_empty_text(tmp_path: Path) -> None:
    write(tmp_path, "nli.csv", "premise,hypotheses,label", "a,b,neutral")
    error = refused(tmp_path, like="xnli", files="nli.csv")
    assert error.what == "no column 'hypothesis' or 'second' for the field second"
    assert "premise, hypotheses, label" in str(error.hint)
    row = {"text": "Es regnet.", "choice1": "a", "choice2": "b", "question": "effect", "label": 0}
    write(tmp_path, "copa.jsonl", json.dumps(row))
    error = refused(tmp_path, like="xcopa", files="copa.jsonl")
    assert error.what == "no column 'premise' or 'context' for the field context"
    row = {"premise": "Es regnet.", "choice1": "a", "choice_2": "b", "question": "effect", "label": 0}
    write(tmp_path, "copa.jsonl", json.dumps(row))
    assert "choice2" in refused(tmp_path, like="xcopa", files="copa.jsonl").what


def test_a_list_of_the_bases_own_labels_in_another_order_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "nli.tsv", "premise\thypothesis\tlabel", "a\tb\tcontradiction")
    error = refused(tmp_path, like="xnli", files="nli.tsv", labels=["contradiction", "neutral", "entailment"])
    assert "in their order (entailment, neutral, contradiction), and this one says them in another" in error.what
    assert '{"0": contradiction, "1": neutral, "2": entailment}' in str(error.hint)
    (example,) = read(
        tmp_path, like="xnli", files="nli.tsv", labels=["entailment", "neutral", "contradiction"]
    ).examples
    assert isinstance(example, PairExample)
    assert example.label == 2
    (example,) = read(tmp_path, like="xnli", files="nli.tsv").examples
    assert isinstance(example, PairExample)
    assert example.label == 2


def test_a_line_of_json_that_says_a_key_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "nli.jsonl", '{"premise": "a", "hypothesis": "b", "label": "neutral", "label": "entailment"}')
    assert "the key 'label' is given twice" in refused(tmp_path, like="xnli", files="nli.jsonl").what


def test_choices_are_numbered_without_gaps(tmp_path: Path) -> None:
    write(tmp_path, "three.tsv", "choice1\tchoise2\tchoice3\tlabel", "a\tb\tc\t1")
    assert "choice2" in refused(tmp_path, kind="choice", files="three.tsv").what


def test_a_field_that_no_column_fills_is_noted_where_the_data_are_like_no_task(tmp_path: Path) -> None:
    write(tmp_path, "one.csv", "first,label", "a,yes", "b,no")
    data = read(tmp_path, kind="pair", files="one.csv", labels=["no", "yes"])
    assert data.notes == ("mine test, de: no column fills the field second: it is empty in every example",)
    write(tmp_path, "some.jsonl", json.dumps({"first": "a", "second": "b"}), json.dumps({"first": "c", "2nd": "d"}))
    assert "second" in refused(tmp_path, kind="pair", files="some.jsonl", labels=["no", "yes"]).what


def test_class_numbers_of_parquet_are_read_by_the_names_in_its_metadata(tmp_path: Path) -> None:
    names = ["contradiction", "entailment", "neutral"]
    features = {"label": {"names": names, "_type": "ClassLabel"}, "premise": {"dtype": "string", "_type": "Value"}}
    columns = {"premise": ["a", "c", "e"], "hypothesis": ["b", "d", "f"], "label": [0, 1, -1]}
    write_classes(tmp_path / "nli.parquet", columns, features)
    data = read(tmp_path, like="xnli", files="nli.parquet")
    assert [e.label for e in data.examples if isinstance(e, PairExample)] == [2, 0, None]

    tags = ["NOUN", "PUNCT", "ADJ"]
    for shape in (
        {"feature": {"names": tags, "_type": "ClassLabel"}, "_type": "Sequence"},
        [{"names": tags, "_type": "ClassLabel"}],
    ):
        write_classes(tmp_path / "ud.parquet", {"tokens": [["Haus", "!"]], "upos": [[0, 1]]}, {"upos": shape})
        (sentence,) = read(tmp_path, like="udpos", files="ud.parquet")
        assert isinstance(sentence, TaggingExample)
        assert sentence.tags == ("NOUN", "PUNCT")


def test_numbers_whose_classes_nothing_names_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "nli.jsonl", json.dumps({"premise": "a", "hypothesis": "b", "label": 0}))
    error = refused(tmp_path, like="xnli", files="nli.jsonl")
    assert error.what == "the label is a number, 0, and nothing says which label that is"
    labels = {"0": "contradiction", "1": "neutral", "2": "entailment"}
    (pair,) = read(tmp_path, like="xnli", files="nli.jsonl", labels=labels)
    assert isinstance(pair, PairExample)
    assert pair.label == 2
    write(tmp_path, "ud.jsonl", json.dumps({"tokens": ["Haus"], "upos": [0]}))
    error = refused(tmp_path, like="udpos", files="ud.jsonl")
    assert error.what == "the tag is a number, 0, and nothing says which tag that is"
    for keys in ({"map": {"0": "NOUN"}}, {"labels": {"0": "NOUN"}}):
        (sentence,) = read(tmp_path, like="udpos", files="ud.jsonl", **keys)
        assert isinstance(sentence, TaggingExample)
        assert sentence.tags == ("NOUN",)
    row = {"context": "c", "question": "q", "choice1": "a", "choice2": "b", "label": "1"}
    write(tmp_path, "w.jsonl", json.dumps(row))  # Winogrande's own files count from 1
    assert "is a number, 1" in refused(tmp_path, like="winogrande", files="w.jsonl").what


def test_numbers_of_files_that_have_them_officially_are_read(tmp_path: Path) -> None:
    write(tmp_path, "p.tsv", "a\tb\t1")
    (pair,) = read(tmp_path, like="pawsx", files="p.tsv", columns=["sentence1", "sentence2", "label"])
    assert isinstance(pair, PairExample)
    assert pair.label == 1
    write(
        tmp_path,
        "c.jsonl",
        json.dumps({"premise": "p", "question": "cause", "choice1": "a", "choice2": "b", "label": 1}),
    )
    (choice,) = read(tmp_path, like="xcopa", files="c.jsonl")
    assert isinstance(choice, ChoiceExample)
    assert choice.label == 1
