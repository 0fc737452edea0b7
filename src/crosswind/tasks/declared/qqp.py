"""QQP: English duplicate questions (GLUE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.records import Record, hub_table, label_table, tsv_with_header
from crosswind.data.source import Content, HubSource, Layout
from crosswind.tasks.base import Task

LABELS = ("different", "duplicate")
_TABLE = label_table(LABELS, not_duplicate=0)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"qqp/{split}.tsv", f"QQP/{split}.tsv", what=f"qqp {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    # A few questions of GLUE's file hold a line break: those lines are too short and are left out, as in
    # the hub's copy, and the rows keep the file's numbers.
    records = tsv_with_header(paths[0], skip_short=True)
    return Content(tuple(_example(record, split, str(record.row), "is_duplicate") for record in records))


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    records = hub_table(rows)
    return Content(tuple(_example(record, split, str(record.get("idx")), "label") for record in records))


def _example(record: Record, split: str, name: str, label: str) -> PairExample:
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
    files=Layout(_locate, _read),
    hub=HubSource("nyu-mll/glue", {"train": "train", "dev": "validation"}, _convert, config="qqp"),
    metrics=("accuracy",),
    perturbed=("first", "second"),
    labels=LABELS,
    counts={("en", "train"): 363846, ("en", "dev"): 40430},  # GLUE as distributed
    trains_on="qqp",
    licence="terms of the publisher, non-commercial research",
    citation="Iyer et al. 2017, First Quora Dataset Release; Wang et al. 2018, GLUE",
)
