"""SocialIQA: questions about social situations with three answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Labels, Record, hub_table, labelled_table
from crosswind.data.source import Content, HubSource, Layout
from crosswind.tasks.base import Task

LABELS = ("answerA", "answerB", "answerC")
_TABLE: Labels = {"1": 0, "2": 1, "3": 2, "": None}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """Questions, then their labels."""
    folders = ("socialiqa-train-dev", "siqa", "siqa/socialiqa-train-dev")
    return tuple(
        files.find(*(f"{folder}/{name}" for folder in folders), what=f"siqa {split}")
        for name in (f"{split}.jsonl", f"{split}-labels.lst")
    )


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return Content(tuple(_example(record, split) for record in labelled_table(paths[0], paths[1], "label")))


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_example(record, split) for record in hub_table(rows)))


def _example(record: Record, split: str) -> ChoiceExample:
    """The files have no ids, so an item is named by its row."""
    item = f"siqa/{split}/{record.row}"
    return ChoiceExample(
        id=item,
        cluster=item,
        language="en",
        context=record.text("context"),
        question=record.text("question"),
        choices=tuple(record.text(name) for name in LABELS),
        label=record.label("label", _TABLE),
    )


SIQA = Task(
    name="siqa",
    kind="choice",
    summary="English questions about social situations with three answers",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", "dev"),
    files=Layout(_locate, _read),
    hub=HubSource("allenai/social_i_qa", {"train": "train", "dev": "validation"}, _convert, config=None),
    metrics=("accuracy",),
    perturbed=("context", "question", "choices"),
    labels=LABELS,
    counts={("en", "train"): 33410, ("en", "dev"): 1954},
    trains_on="siqa",
    licence="CC BY 4.0",
    citation="Sap et al. 2019, Social IQa: Commonsense Reasoning about Social Interactions",
)
