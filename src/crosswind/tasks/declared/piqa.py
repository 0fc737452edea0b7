"""PIQA: which of two solutions reaches a goal."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts, label_table, labelled_table, reads
from crosswind.data.source import FileLayout, HubSource
from crosswind.tasks.base import Task

_LABELS = ("sol1", "sol2")
_TABLE = label_table(_LABELS, -1, "-1", "")
_FILES = {"train": "train", "dev": "valid"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """Goals and solutions, then their labels."""
    stem, what = _FILES[split], f"piqa {split}"
    return tuple(
        files.find(f"piqa/{name}", f"physicaliqa-train-dev/{name.replace('valid', 'dev')}", what=what)
        for name in (f"{stem}.jsonl", f"{stem}-labels.lst")
    )


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    """The goal is the question; the files have no ids, so an item is named by its row."""
    item = f"piqa/{split}/{record.row}"
    choices = (record.text("sol1"), record.text("sol2"))
    return ChoiceExample(item, item, "en", "", record.text("goal"), choices, record.label("label", _TABLE))


PIQA = Task(
    name="piqa",
    kind="choice",
    summary="English physical commonsense: two solutions for a goal",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate, reads(labelled_table, _example)),
    hub=HubSource(
        "baber/piqa",
        {"train": "train", "dev": "validation"},
        converts(_example),
        config=None,
        columns=("goal", "sol1", "sol2", "label"),
        revision="142f6d7367fd9877f0fb3b5734ea6a545f54cdd1",
    ),
    metrics=("accuracy",),
    perturbed=("question", "choices"),
    labels=_LABELS,
    numbered=True,
    columns={"goal": "question", "sol1": "choice1", "sol2": "choice2", "label": "label", "id": "id"},
    counts={("en", "train"): 16113, ("en", "dev"): 1838},
    trains_on="piqa",
    licence="Academic Free License 3.0",
    citation="Bisk et al. 2020, PIQA: Reasoning about Physical Commonsense in Natural Language",
)
