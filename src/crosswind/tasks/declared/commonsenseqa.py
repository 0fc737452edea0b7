"""CommonsenseQA: questions with five answers, written from ConceptNet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Labels, TableRecord, converts, jsonl_table, reads
from crosswind.data.source import HUB_SPLITS, FileLayout, HubSource
from crosswind.errors import UserError, shown
from crosswind.tasks.base import Task

_LABELS = ("A", "B", "C", "D", "E")
_TABLE: Labels = {name: index for index, name in enumerate(_LABELS)} | {"": None}
_FILES = {"train": "train_rand_split", "dev": "dev_rand_split", "test": "test_rand_split_no_answers"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"commonsenseqa/{_FILES[split]}.jsonl", what=f"commonsenseqa {split}"),)


def _records(path: Path) -> Iterator[TableRecord]:
    return map(_flat, jsonl_table(path))


def _flat(record: TableRecord) -> TableRecord:
    """The official nesting (question > stem, choices > label, text) in the hub's columns."""
    question = record.get("question")
    nested = replace(record, values=question if isinstance(question, dict) else {})
    choices = nested.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        hint = "write {label: A, text: ...} for each"
        raise UserError(f"the choices are no list of objects: {shown(choices)}", where=record.where, hint=hint)
    columns = [(choice.get("label"), choice.get("text")) for choice in choices]
    flat = {"label": [label for label, _ in columns], "text": [text for _, text in columns]}
    return replace(record, values={**record.values, "question": nested.text("stem"), "choices": flat})


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    item = f"commonsenseqa/{split}/{record.text('id')}"
    choices = replace(record, values=record.mapping("choices"))
    if choices.strings("label") != _LABELS:
        names = ", ".join(choices.strings("label"))
        raise UserError(f"the choices are {names}", where=record.where, hint="expected A to E in order")
    label = record.label("answerKey", _TABLE) if record.has("answerKey") else None
    return ChoiceExample(item, item, "en", "", record.text("question"), choices.strings("text"), label)


COMMONSENSEQA = Task(
    name="commonsenseqa",
    kind="choice",
    summary="English commonsense questions with five answers",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", "dev", "test"),
    files=FileLayout(_locate, reads(_records, _example)),
    hub=HubSource(
        "tau/commonsense_qa",
        HUB_SPLITS,
        converts(_example),
        config=None,
        columns=("id", "question", "choices.label", "choices.text", "answerKey"),
        revision="94630fe30dad47192a8546eb75f094926d47e155",
    ),
    metrics=("accuracy",),
    perturbed=("question", "choices"),
    labels=_LABELS,
    counts={("en", "train"): 9741, ("en", "dev"): 1221, ("en", "test"): 1140},
    trains_on="commonsenseqa",
    licence="MIT",
    citation="Talmor et al. 2019, CommonsenseQA: A Question Answering Challenge Targeting Commonsense Knowledge",
)
