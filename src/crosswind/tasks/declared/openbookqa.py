"""OpenBookQA: elementary science questions with four answers."""

from __future__ import annotations

import re
from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Labels, TableRecord, converts, reads, tsv_with_header
from crosswind.data.source import HUB_SPLITS, FileLayout, HubSource
from crosswind.errors import UserError
from crosswind.tasks.base import Task

_LABELS = ("A", "B", "C", "D")
_TABLE: Labels = {name: index for index, name in enumerate(_LABELS)} | {"": None}
_CHOICES = re.compile(r"\(A\) (.*?) \(B\) (.*?) \(C\) (.*?) \(D\) (.*)")


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    names = (f"openbookqa/Main/{split}.tsv", f"openbookqa/{split}.tsv", f"OpenBookQA-V1-Sep2018/Data/Main/{split}.tsv")
    return (files.find(*names, what=f"openbookqa {split}"),)


def _official(record: TableRecord, language: str, split: str) -> ChoiceExample:
    choices = _CHOICES.fullmatch(record.text("Choices"))
    if choices is None:
        raise UserError("the choices are not (A) … (B) … (C) … (D) …", where=record.where, hint="fetch the file again")
    label = record.label("Answer Key", _TABLE)
    return _example(split, record.text("ID"), record.text("Question Stem"), choices.groups(), label)


def _hub(record: TableRecord, language: str, split: str) -> ChoiceExample:
    choices = tuple(str(text) for text in record.get("choices")["text"])
    label = record.label("answerKey", _TABLE)
    return _example(split, record.text("id"), record.text("question_stem"), choices, label)


def _example(split: str, name: str, question: str, choices: tuple[str, ...], label: int | None) -> ChoiceExample:
    item = f"openbookqa/{split}/{name}"
    return ChoiceExample(item, item, "en", "", question, choices, label)


OPENBOOKQA = Task(
    name="openbookqa",
    kind="choice",
    summary="English elementary science questions with four answers",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", "dev", "test"),
    files=FileLayout(_locate, reads(tsv_with_header, _official)),
    hub=HubSource(
        "allenai/openbookqa",
        HUB_SPLITS,
        converts(_hub),
        config="main",
        columns=("id", "question_stem", "choices.text", "answerKey"),
        revision="388097ea7776314e93a529163e0fea805b8a6454",
    ),
    metrics=("accuracy",),
    perturbed=("question", "choices"),
    labels=_LABELS,
    counts={("en", "train"): 4957, ("en", "dev"): 500, ("en", "test"): 500},
    trains_on="openbookqa",
    licence="Apache 2.0",
    citation="Mihaylov et al. 2018, Can a Suit of Armor Conduct Electricity?",
)
