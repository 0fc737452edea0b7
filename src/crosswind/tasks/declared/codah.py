"""CODAH: which of four endings continues a sentence, written to be hard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.ids import text_hash
from crosswind.data.records import TableRecord, label_table, reads, tsv_records
from crosswind.data.source import FileLayout
from crosswind.tasks.base import Task

_LABELS = ("0", "1", "2", "3")
_TABLE = label_table(_LABELS)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find("codah/full_data.tsv", "codah/data/full_data.tsv", what=f"codah {split}"),)


def _records(path: Path) -> Iterator[TableRecord]:
    return tsv_records(path, "category", "prompt", "0", "1", "2", "3", "label")


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    """By row: the file has no ids. Endings of one prompt are a cluster."""
    prompt = record.text("prompt")
    return ChoiceExample(
        id=f"codah/{split}/{record.row}",
        cluster=f"codah/{split}/p-{text_hash(prompt, 12)}",
        language="en",
        context=prompt,
        question="",
        choices=tuple(record.text(name) for name in _LABELS),
        label=record.label("label", _TABLE),
    )


CODAH = Task(
    name="codah",
    kind="choice",
    summary="English adversarial sentence completion with four endings (one file: choose rows for dev)",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train",),
    files=FileLayout(_locate, reads(_records, _example)),
    hub=None,
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=_LABELS,
    counts={("en", "train"): 2776},
    trains_on="codah",
    licence="ODC-BY 1.0",
    citation="Chen et al. 2019, CODAH: An Adversarially-Authored Question Answering Dataset for Common Sense",
)
