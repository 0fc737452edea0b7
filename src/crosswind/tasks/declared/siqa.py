"""SocialIQA: questions about social situations with three answers."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Labels, TableRecord, converts, labelled_table, reads
from crosswind.data.source import FileLayout, HubSource
from crosswind.tasks.base import Task

_LABELS = ("answerA", "answerB", "answerC")
_TABLE: Labels = {"1": 0, "2": 1, "3": 2, "": None}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """Questions, then their labels."""
    folders = ("socialiqa-train-dev", "siqa", "siqa/socialiqa-train-dev")
    return tuple(
        files.find(*(f"{folder}/{name}" for folder in folders), what=f"siqa {split}")
        for name in (f"{split}.jsonl", f"{split}-labels.lst")
    )


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    """The files have no ids, so an item is named by its row."""
    item = f"siqa/{split}/{record.row}"
    return ChoiceExample(
        id=item,
        cluster=item,
        language="en",
        context=record.text("context"),
        question=record.text("question"),
        choices=tuple(record.text(name) for name in _LABELS),
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
    files=FileLayout(_locate, reads(labelled_table, _example)),
    hub=HubSource(
        "lighteval/siqa",
        {"train": "train", "dev": "validation"},
        converts(_example),
        config=None,
        columns=("context", "question", *_LABELS, "label"),
        revision="54c6a1f8cb6daf4f5abf24a601852612fb35eb25",
    ),
    metrics=("accuracy",),
    perturbed=("context", "question", "choices"),
    labels=_LABELS,
    counts={("en", "train"): 33410, ("en", "dev"): 1954},
    trains_on="siqa",
    licence="CC BY 4.0",
    citation="Sap et al. 2019, Social IQa: Commonsense Reasoning about Social Interactions",
)
