"""QQP: English duplicate questions (GLUE)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts, label_table, reads, tsv_with_header
from crosswind.data.source import FileLayout, HubSource
from crosswind.tasks.base import Task

_LABELS = ("different", "duplicate")
_TABLE = label_table(_LABELS, not_duplicate=0)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"qqp/{split}.tsv", f"QQP/{split}.tsv", what=f"qqp {split}"),)


def _records(path: Path) -> Iterator[TableRecord]:
    # A few questions of GLUE's file hold a line break: those lines are too short and are left out, as in
    # the hub's copy, and the rows keep the file's numbers.
    return tsv_with_header(path, skip_short=True)


def _official(record: TableRecord, language: str, split: str) -> PairExample:
    return _example(record, split, str(record.row), "is_duplicate")


def _hub(record: TableRecord, language: str, split: str) -> PairExample:
    return _example(record, split, str(record.get("idx")), "label")


def _example(record: TableRecord, split: str, name: str, label: str) -> PairExample:
    item = f"qqp/{split}/{name}"
    first, second = record.text("question1"), record.text("question2")
    return PairExample(item, item, "en", first, second, record.label(label, _TABLE))


QQP = Task(
    name="qqp",
    kind="pair",
    summary="English duplicate questions of a question-and-answer site",
    group="paraphrase",
    related=("nli",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate, reads(_records, _official)),
    hub=HubSource(
        "nyu-mll/glue",
        {"train": "train", "dev": "validation"},
        converts(_hub),
        config="qqp",
        columns=("question1", "question2", "label", "idx"),
        classes={"label": ("not_duplicate", "duplicate")},
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    ),
    metrics=("accuracy",),
    perturbed=("first", "second"),
    labels=_LABELS,
    numbered=True,
    columns={"question1": "first", "question2": "second", "label": "label", "idx": "id"},
    counts={("en", "train"): 363846, ("en", "dev"): 40430},  # GLUE as distributed
    trains_on="qqp",
    licence="terms of the publisher, non-commercial research",
    citation="Iyer et al. 2017, First Quora Dataset Release; Wang et al. 2018, GLUE",
)
