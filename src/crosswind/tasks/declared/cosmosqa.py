"""Cosmos QA: reading between the lines of everyday narratives, four answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.ids import text_hash
from crosswind.data.records import TableRecord, converts, csv_table, jsonl_table, label_table, reads
from crosswind.data.source import FileLayout, HubSource
from crosswind.tasks.base import Task

_LABELS = ("0", "1", "2", "3")
_TABLE = label_table(_LABELS, -1, "-1", "")
_FILES = {"train": "train", "dev": "valid"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    name = f"cosmosqa/{_FILES[split]}"
    return (files.find(f"{name}.csv", f"{name}.jsonl", f"cosmosqa/data/{_FILES[split]}.csv", what=f"cosmosqa {split}"),)


def _records(path: Path) -> Iterator[TableRecord]:
    return csv_table(path) if ".csv" in path.name else jsonl_table(path)


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    """Several questions share a context, which is the cluster."""
    context = record.text("context")
    return ChoiceExample(
        id=f"cosmosqa/{split}/{record.text('id')}",
        cluster=f"cosmosqa/{split}/p-{text_hash(context, 12)}",
        language="en",
        context=context,
        question=record.text("question"),
        choices=tuple(record.text(f"answer{n}") for n in range(4)),
        label=record.label("label", _TABLE) if record.has("label") else None,
    )


COSMOSQA = Task(
    name="cosmosqa",
    kind="choice",
    summary="English commonsense reading comprehension with four answers",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate, reads(_records, _example), 2),
    hub=HubSource(
        "allenai/cosmos_qa",
        {"train": "train", "dev": "validation"},
        converts(_example),
        config=None,
        columns=("id", "context", "question", *(f"answer{n}" for n in range(4)), "label"),
        revision="ed50fe83db62b355759053b1cd5eef344ee371e0",
    ),
    metrics=("accuracy",),
    perturbed=("context", "question", "choices"),
    labels=_LABELS,
    counts={("en", "train"): 25262, ("en", "dev"): 2985},
    trains_on="cosmosqa",
    licence="CC BY 4.0",
    citation="Huang et al. 2019, Cosmos QA: Machine Reading Comprehension with Contextual Commonsense Reasoning",
)
