"""e-CARE: causal reasoning in COPA's form."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, jsonl_table, label_table, reads
from crosswind.data.source import FileLayout
from crosswind.tasks.base import Task
from crosswind.tasks.declared.xcopa import copa_question

_LABELS = ("hypothesis1", "hypothesis2")
_TABLE = label_table(_LABELS)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    names = (f"e-care/Causal_Reasoning/{split}.jsonl", f"e-CARE/dataset/Causal_Reasoning/{split}.jsonl")
    return (files.find(*names, what=f"e-care {split}"),)


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    item = f"e-care/{split}/{record.text('index').removeprefix(f'{split}-')}"
    return ChoiceExample(
        id=item,
        cluster=item,
        language="en",
        context=record.text("premise"),
        question=copa_question(record, "ask-for"),
        choices=(record.text("hypothesis1"), record.text("hypothesis2")),
        label=record.label("label", _TABLE),
    )


E_CARE = Task(
    name="e-care",
    kind="choice",
    summary="English causal reasoning in the form of COPA",
    group="causal-choice",
    related=("commonsense-choice",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate, reads(jsonl_table, _example)),
    hub=None,
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=_LABELS,
    numbered=True,
    counts={("en", "train"): 14928, ("en", "dev"): 2132},
    trains_on="e-care",
    licence="MIT",
    citation="Du et al. 2022, e-CARE: a New Dataset for Exploring Explainable Causal Reasoning",
)
