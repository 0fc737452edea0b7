"""PAWS-X: paraphrase identification on pairs with high word overlap, seven languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.records import Record, hub_table, label_table, tsv_records, tsv_with_header
from crosswind.data.source import Content, HubSource, Layout
from crosswind.tasks.base import Task

LANGUAGES = ("de", "en", "es", "fr", "ja", "ko", "zh")
LABELS = ("different", "paraphrase")
_TABLE = label_table(LABELS)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """The original x-final file, or XTREME's (whose test files may lack the labels)."""
    translated = "train" if language == "en" else "translated_train"
    native = {"train": translated, "dev": "dev_2k", "test": "test_2k"}[split]
    name = f"x-final/{language}/{native}.tsv"
    return (files.find(f"pawsx/{name}", name, f"pawsx/{split}-{language}.tsv", what=f"pawsx {split}, {language}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    path = paths[0]
    records = (
        tsv_with_header(path) if "x-final" in path.parts else tsv_records(path, "sentence1", "sentence2", "label?")
    )
    return _content(records, language, split)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(hub_table(rows), language, split)


def _content(records: Iterable[Record], language: str, split: str) -> Content:
    """Items are named by their row: only the original layout has ids, every layout has the same order."""
    return Content(
        tuple(
            PairExample(
                id=f"pawsx/{split}/{record.row}",
                cluster=f"pawsx/{split}/{record.row}",
                language=language,
                first=record.text("sentence1"),
                second=record.text("sentence2"),
                label=record.label("label", _TABLE) if record.has("label") else None,
            )
            for record in records
        )
    )


PAWSX = Task(
    name="pawsx",
    kind="pair",
    summary="paraphrases among sentence pairs with high word overlap",
    group="paraphrase",
    related=("nli",),
    languages=LANGUAGES,
    splits=("train", "dev", "test"),
    files=Layout(_locate, _read),
    hub=HubSource("google-research-datasets/paws-x", {"train": "train", "dev": "validation", "test": "test"}, _convert),
    metrics=("accuracy",),
    submission="lines",
    perturbed=("first", "second"),
    labels=LABELS,
    counts={
        **{(language, split): 2000 for language in LANGUAGES for split in ("dev", "test")},
        ("en", "train"): 49401,  # Yang et al. 2019, Table 2
    },
    trains_on="pawsx",
    licence="free for any purpose; acknowledgement of Google LLC appreciated",
    citation="Yang et al. 2019, PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase Identification",
)
