"""XNLI: natural language inference in 15 languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.records import Record, hub_table, label_table, tsv_records, tsv_with_header
from crosswind.data.source import Content, HubSource, Layout
from crosswind.tasks.base import Task

LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")
LABELS = ("entailment", "neutral", "contradiction")
_TABLE = label_table(LABELS, contradictory=2)  # XNLI-MT writes "contradictory"


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


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    path = paths[0]
    if split == "train":
        records = tsv_with_header(path)
        return _content(records, language, split, ("premise", "hypo", "label"))
    if path.name.startswith("xnli."):
        mine = (record for record in tsv_with_header(path) if record.text("language") == language)
        renumbered = (Record(record.values, record.where, row) for row, record in enumerate(mine))
        return _content(renumbered, language, split, ("sentence1", "sentence2", "gold_label"))
    return _content(tsv_records(path, "premise", "hypothesis", "label?"), language, split)


def _content(
    records: Iterable[Record],
    language: str,
    split: str,
    fields: tuple[str, str, str] = ("premise", "hypothesis", "label"),
) -> Content:
    return Content(tuple(_examples(records, language, split, fields)))


def _examples(
    records: Iterable[Record], language: str, split: str, fields: tuple[str, str, str]
) -> Iterator[PairExample]:
    first, second, label = fields
    for record in records:
        # Rows come in the same order in every language, and dev and test have three hypotheses a premise.
        item = f"mnli/train/{record.row}" if split == "train" else f"xnli/{split}/{record.row}"
        yield PairExample(
            id=item,
            cluster=item if split == "train" else f"xnli/{split}/p{record.row // 3}",
            language=language,
            first=record.text(first),
            second=record.text(second),
            label=record.label(label, _TABLE) if record.has(label) else None,
        )


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(hub_table(rows), language, split)


XNLI = Task(
    name="xnli",
    kind="pair",
    summary="natural language inference, human translations of one English set; train: machine-translated MNLI",
    group="nli",
    related=("paraphrase",),
    languages=LANGUAGES,
    splits=("train", "dev", "test"),
    files=Layout(_locate, _read),
    hub=HubSource("facebook/xnli", {"train": "train", "dev": "validation", "test": "test"}, _convert),
    metrics=("accuracy",),
    submission="lines",
    perturbed=("first", "second"),
    labels=LABELS,
    counts={(language, split): n for language in LANGUAGES for split, n in (("dev", 2490), ("test", 5010))},
    trains_on="mnli",
    licence="CC BY-NC 4.0",
    citation="Conneau et al. 2018, XNLI: Evaluating Cross-lingual Sentence Representations",
)
