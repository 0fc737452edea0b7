"""HellaSwag: which of four endings continues a description."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts, jsonl_table, label_table, reads
from crosswind.data.source import HUB_SPLITS, FileLayout, HubSource
from crosswind.tasks.base import Task

_LABELS = ("0", "1", "2", "3")
_TABLE = label_table(_LABELS, "")
_FILES = {"train": "train", "dev": "val", "test": "test"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"hellaswag/hellaswag_{_FILES[split]}.jsonl", what=f"hellaswag {split}"),)


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
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
    files=FileLayout(_locate, reads(jsonl_table, _example)),
    hub=HubSource(
        "Rowan/hellaswag",
        HUB_SPLITS,
        converts(_example),
        config=None,
        columns=("ctx", "endings", "label"),
        revision="218ec52e09a7e7462a5400043bb9a69a41d06b76",
    ),
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=_LABELS,
    counts={("en", "train"): 39905, ("en", "dev"): 10042, ("en", "test"): 10003},
    trains_on="hellaswag",
    licence="MIT",
    citation="Zellers et al. 2019, HellaSwag: Can a Machine Really Finish Your Sentence?",
)
