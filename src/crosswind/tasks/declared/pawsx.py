"""PAWS-X: paraphrase identification on pairs with high word overlap, seven languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts, label_table, reads, tsv_records, tsv_with_header
from crosswind.data.source import HUB_SPLITS, FileLayout, HubSource
from crosswind.tasks.base import Task

_LANGUAGES = ("de", "en", "es", "fr", "ja", "ko", "zh")
_LABELS = ("different", "paraphrase")
_TABLE = label_table(_LABELS)


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """The original x-final file, or XTREME's (whose test files may lack the labels)."""
    translated = "train" if language == "en" else "translated_train"
    native = {"train": translated, "dev": "dev_2k", "test": "test_2k"}[split]
    name = f"x-final/{language}/{native}.tsv"
    return (files.find(f"pawsx/{name}", name, f"pawsx/{split}-{language}.tsv", what=f"pawsx {split}, {language}"),)


def _records(path: Path) -> Iterator[TableRecord]:
    if "x-final" in path.parts:
        return tsv_with_header(path)
    return tsv_records(path, "sentence1", "sentence2", "label?")


def _example(record: TableRecord, language: str, split: str) -> PairExample:
    """Items are named by their row: only the original layout has ids, every layout has the same order."""
    item = f"pawsx/{split}/{record.row}"
    label = record.label("label", _TABLE) if record.has("label") else None
    return PairExample(item, item, language, record.text("sentence1"), record.text("sentence2"), label)


PAWSX = Task(
    name="pawsx",
    kind="pair",
    summary="paraphrases among sentence pairs with high word overlap",
    group="paraphrase",
    related=("nli",),
    languages=_LANGUAGES,
    splits=("train", "dev", "test"),
    files=FileLayout(_locate, reads(_records, _example)),
    hub=HubSource("google-research-datasets/paws-x", HUB_SPLITS, converts(_example)),
    metrics=("accuracy",),
    submission="lines",
    perturbed=("first", "second"),
    labels=_LABELS,
    counts={
        **{(language, split): 2000 for language in _LANGUAGES for split in ("dev", "test")},
        ("en", "train"): 49401,  # Yang et al. 2019, Table 2
    },
    trains_on="pawsx",
    licence="free for any purpose; acknowledgement of Google LLC appreciated",
    citation="Yang et al. 2019, PAWS-X: A Cross-lingual Adversarial Dataset for Paraphrase Identification",
)
