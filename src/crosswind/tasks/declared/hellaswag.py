"""HellaSwag: which of four endings continues a description."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Record, hub_table, jsonl_table, label_table
from crosswind.data.source import Content, HubSource, Layout
from crosswind.tasks.base import Task

LABELS = ("0", "1", "2", "3")
_TABLE = label_table(LABELS, "")
_FILES = {"train": "train", "dev": "val", "test": "test"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"hellaswag/hellaswag_{_FILES[split]}.jsonl", what=f"hellaswag {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return Content(tuple(_example(record, split) for record in jsonl_table(paths[0])))


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_example(record, split) for record in hub_table(rows)))


def _example(record: Record, split: str) -> ChoiceExample:
    # By row: `ind` numbers the source's items, and copies of the file number it anew.
    item = f"hellaswag/{split}/{record.row}"
    label = record.label("label", _TABLE) if record.has("label") else None
    return ChoiceExample(item, item, "en", record.text("ctx"), "", record.strings("endings"), label)


HELLASWAG = Task(
    name="hellaswag",
    kind="choice",
    summary="English: which of four endings continues a description",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", "dev", "test"),
    files=Layout(_locate, _read),
    hub=HubSource("Rowan/hellaswag", {"train": "train", "dev": "validation", "test": "test"}, _convert, config=None),
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=LABELS,
    counts={("en", "train"): 39905, ("en", "dev"): 10042, ("en", "test"): 10003},
    trains_on="hellaswag",
    licence="MIT",
    citation="Zellers et al. 2019, HellaSwag: Can a Machine Really Finish Your Sentence?",
)
