"""What `crosswind perturb --task-file` writes is read back by a declaration of the same kind, gold and all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crosswind.cli import app
from crosswind.data.examples import ChoiceExample, Example, PairExample, SpanExample, TaggingExample
from crosswind.registry import declare
from crosswind.study.own_text import own_dataset
from crosswind.tasks.base import TASKS


@pytest.fixture(autouse=True)
def nothing_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    TASKS.names()
    monkeypatch.setattr(TASKS, "_entries", dict(TASKS._entries or {}))
    yield
    declare({})


PAIRS = [{"a": "Merhaba dünya", "b": "Bugün hava güzel", "gold": "evet"}, {"a": "Bir", "b": "İki", "gold": "hayır"}]
CHOICES = [{"context": "Kar yağdı", "question": "", "choices": ["Yollar kapandı", "Yaz geldi"], "label": 1}]
TAGS = [{"words": ["Ayşe", "Ankara'ya", "gitti"], "tags": ["B-PER", "B-LOC", "O"]}]
SPANS = [
    {"id": "q1", "question": "Nerede oturuyor?", "context": "Mehmet bugün İzmir şehrinde oturuyor.",
     "answers": {"text": ["İzmir"], "answer_start": [13]}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "rows", "more", "plain"),
    [
        ("pair", PAIRS, "columns: {first: a, second: b, label: gold}, labels: [evet, hayır]", "labels: [hayır, evet]"),
        ("choice", CHOICES, "", ""),
        ("tagging", TAGS, "labels: [O, B-PER, I-PER, B-LOC, I-LOC]", "labels: [O, B-PER, I-PER, B-LOC, I-LOC]"),
        ("span", SPANS, "", ""),
    ],
)
def test_perturbed_lines_are_data_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str, rows: list[dict[str, Any]], more: str, plain: str
) -> None:
    def write(name: str, options: str) -> Path:
        path = tmp_path / f"{name}.yaml"
        listed = ", ".join(filter(None, [f"kind: {kind}, files: {name}.jsonl, languages: [tr]", options]))
        path.write_text(f"tasks: {{{name}: {{{listed}}}}}\n", encoding="utf-8")
        return path

    (tmp_path / "clean.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    clean = write("clean", more)
    out = tmp_path / "noisy.jsonl"
    with pytest.raises(SystemExit) as ended:
        app(["perturb", "keyboard:0.3", "--task-file", str(clean), "--language", "tr", "-o", str(out)])
    assert ended.value.code == 0
    # Another order of the labels: what is written is a name, or of choices a place.
    again = own_dataset(write("noisy", plain), None, None, "test", None).examples
    found = [_gold(x, TASKS["noisy"].labels) for x in again]
    before = own_dataset(clean, None, None, "test", None).examples
    assert found == [_gold(x, TASKS["clean"].labels) for x in before]
    assert len(again) == len(rows)
    assert [*map(_texts, again)] != [*map(_texts, before)]
    capfd.readouterr()


def _gold(example: Example, labels: Any) -> object:
    match example:
        case PairExample():
            assert example.label is not None
            return labels[example.label]
        case ChoiceExample():
            return example.label
        case TaggingExample():
            return example.tags
        case SpanExample():
            return len(example.answers or ())  # their texts change with the context
    raise AssertionError(example)


def _texts(example: Example) -> object:
    match example:
        case PairExample():
            return example.first, example.second
        case ChoiceExample():
            return example.context, example.choices
        case TaggingExample():
            return example.words
        case SpanExample():
            return example.question, example.context
    raise AssertionError(example)
