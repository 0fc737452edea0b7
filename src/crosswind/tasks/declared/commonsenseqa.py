"""CommonsenseQA: questions with five answers, written from ConceptNet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Labels, Record, hub_table, jsonl_table
from crosswind.data.source import Content, HubSource, Layout
from crosswind.errors import UserError
from crosswind.tasks.base import Task

LABELS = ("A", "B", "C", "D", "E")
_TABLE: Labels = {name: index for index, name in enumerate(LABELS)} | {"": None}
_FILES = {"train": "train_rand_split", "dev": "dev_rand_split", "test": "test_rand_split_no_answers"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"commonsenseqa/{_FILES[split]}.jsonl", what=f"commonsenseqa {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return Content(tuple(_example(_flat(record), split) for record in jsonl_table(paths[0])))


def _flat(record: Record) -> Record:
    """The official nesting (question > stem, choices > label, text) in the hub's columns."""
    question = record.get("question")
    nested = replace(record, values=question if isinstance(question, dict) else {})
    columns = [(choice.get("label"), choice.get("text")) for choice in nested.get("choices")]
    choices = {"label": [label for label, _ in columns], "text": [text for _, text in columns]}
    return replace(record, values={**record.values, "question": nested.text("stem"), "choices": choices})


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_example(record, split) for record in hub_table(rows)))


def _example(record: Record, split: str) -> ChoiceExample:
    item = f"commonsenseqa/{split}/{record.text('id')}"
    choices = replace(record, values=record.get("choices"))
    if choices.strings("label") != LABELS:
        found = ", ".join(choices.strings("label"))
        raise UserError(f"the choices are {found}", where=record.where, hint="expected A to E in order")
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
    files=Layout(_locate, _read),
    hub=HubSource("tau/commonsense_qa", {"train": "train", "dev": "validation", "test": "test"}, _convert, config=None),
    metrics=("accuracy",),
    perturbed=("question", "choices"),
    labels=LABELS,
    counts={("en", "train"): 9741, ("en", "dev"): 1221, ("en", "test"): 1140},
    trains_on="commonsenseqa",
    licence="MIT",
    citation="Talmor et al. 2019, CommonsenseQA: A Question Answering Challenge Targeting Commonsense Knowledge",
)
