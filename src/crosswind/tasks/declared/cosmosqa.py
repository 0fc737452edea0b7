"""Cosmos QA: reading between the lines of everyday narratives, four answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Record, csv_table, hub_table, jsonl_table, label_table
from crosswind.data.source import Content, HubSource, Layout
from crosswind.tasks.base import Task

LABELS = ("0", "1", "2", "3")
_TABLE = label_table(LABELS, -1, "-1", "")
_FILES = {"train": "train", "dev": "valid"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    name = f"cosmosqa/{_FILES[split]}"
    return (files.find(f"{name}.csv", f"{name}.jsonl", f"cosmosqa/data/{_FILES[split]}.csv", what=f"cosmosqa {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    records = csv_table(paths[0]) if ".csv" in paths[0].name else jsonl_table(paths[0])
    return Content(tuple(_example(record, split) for record in records))


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_example(record, split) for record in hub_table(rows)))


def _example(record: Record, split: str) -> ChoiceExample:
    """Several questions share a context, which is the cluster."""
    context = record.text("context")
    return ChoiceExample(
        id=f"cosmosqa/{split}/{record.text('id')}",
        cluster=f"cosmosqa/{split}/p-{hashlib.sha256(context.encode()).hexdigest()[:12]}",
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
    files=Layout(_locate, _read),
    hub=HubSource("allenai/cosmos_qa", {"train": "train", "dev": "validation"}, _convert, config=None),
    metrics=("accuracy",),
    perturbed=("context", "question", "choices"),
    labels=LABELS,
    counts={("en", "train"): 25262, ("en", "dev"): 2985},
    trains_on="cosmosqa",
    licence="CC BY 4.0",
    citation="Huang et al. 2019, Cosmos QA: Machine Reading Comprehension with Contextual Commonsense Reasoning",
)
