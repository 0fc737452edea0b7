"""XNLI: natural language inference in 15 languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset, PairExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts, label_table, tsv_records, tsv_with_header
from crosswind.data.source import HUB_SPLITS, Content, FileLayout, HubSource
from crosswind.data.writing import of_kind, pair_lines
from crosswind.errors import UserError
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault

_LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
_LABELS = ("entailment", "neutral", "contradiction")
_ALIASES = {"contradictory": "contradiction"}  # as XNLI-MT writes it
_TABLE = label_table(_LABELS, **{alias: _LABELS.index(name) for alias, name in _ALIASES.items()})


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    if split == "train":
        # Machine-translated MNLI (XNLI-MT-1.0), row by row
        name = f"multinli/multinli.train.{language}.tsv"
        return (files.find(f"XNLI-MT-1.0/{name}", f"xnli/XNLI-MT-1.0/{name}", what=f"xnli train, {language}"),)
    official = f"xnli.{split}.tsv"
    return (
        files.find(
            f"xnli/{split}-{language}.tsv",
            f"XNLI-1.0/{official}",
            f"xnli/XNLI-1.0/{official}",
            what=f"xnli {split}, {language}",
        ),
    )


def _records(path: Path, language: str, split: str) -> Iterator[TableRecord]:
    """The rows with the hub's names of columns."""
    if split == "train":
        return _renamed(tsv_with_header(path), "premise", "hypo", "label")
    if path.name.startswith("xnli."):
        rows = (record for record in tsv_with_header(path) if record.text("language") == language)
        numbered = (replace(record, row=row) for row, record in enumerate(rows))
        return _renamed(numbered, "sentence1", "sentence2", "gold_label")
    return tsv_records(path, "premise", "hypothesis", "label?")


def _renamed(records: Iterable[TableRecord], premise: str, hypothesis: str, label: str) -> Iterator[TableRecord]:
    for record in records:
        texts = {"premise": record.get(premise), "hypothesis": record.get(hypothesis)}
        yield replace(record, values={**texts, "label": record.values.get(label)})


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return Content(tuple(_example(record, language, split) for record in _records(paths[0], language, split)))


def _example(record: TableRecord, language: str, split: str) -> PairExample:
    # Rows come in the same order in every language, and dev and test have three hypotheses a premise.
    item = f"mnli/train/{record.row}" if split == "train" else f"xnli/{split}/{record.row}"
    return PairExample(
        id=item,
        cluster=item if split == "train" else f"xnli/{split}/p{record.row // 3}",
        language=language,
        first=record.text("premise"),
        second=record.text("hypothesis"),
        label=record.label("label", _TABLE) if record.has("label") else None,
    )


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    if dataset.split == "train":
        raise UserError("the training data have no file of a language to write", where="xnli train")
    name = f"xnli/{dataset.split}-{dataset.language}.tsv"
    return {name: pair_lines(dataset, lambda label: _LABELS[label])}


def _rows(dataset: Dataset) -> list[dict[str, Any]]:
    return [{"premise": e.first, "hypothesis": e.second, "label": e.label} for e in of_kind(dataset, PairExample)]


XNLI = Task(
    name="xnli",
    kind="pair",
    summary="natural language inference, human translations of one English set; train: machine-translated MNLI",
    group="nli",
    related=("paraphrase",),
    languages=_LANGUAGES,
    splits=("train", "dev", "test"),
    files=FileLayout(_locate, _read, write=_write),
    hub=HubSource(
        "facebook/xnli",
        HUB_SPLITS,
        converts(_example),
        revision="b8dd5d7af51114dbda02c0e3f6133f332186418e",
        rows=_rows,
        columns=("premise", "hypothesis", "label"),
        classes={"label": _LABELS},
    ),
    metrics=("accuracy",),
    submission="lines",
    machine_translated=("train",),
    perturbed=("first", "second"),
    labels=_LABELS,
    columns={"premise": "first", "hypothesis": "second", "label": "label"},
    aliases=_ALIASES,
    counts={(language, split): n for language in _LANGUAGES for split, n in (("dev", 2490), ("test", 5010))},
    trains_on="mnli",
    faults=(
        KnownFault(
            "translations changed what some items say: reannotated items agree poorly with the labels of the English"
            " originals, which every language inherits",
            "Agrawal et al. 2024, Translation Errors Significantly Impact Low-Resource Languages in Cross-Lingual"
            " Learning, arXiv 2402.02080",
            ("hi", "ur"),
        ),
        PUBLIC,
    ),
    licence="CC BY-NC 4.0",
    citation="Conneau et al. 2018, XNLI: Evaluating Cross-lingual Sentence Representations",
)
