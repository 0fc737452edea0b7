"""XQuAD: 240 paragraphs of SQuAD 1.1 dev with their questions, translated by professionals."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import Dataset
from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.data.squad import (
    SQUAD_COLUMNS,
    Paragraph,
    converts_squad,
    reads_squad,
    span_content,
    squad_cluster,
    squad_item,
)
from crosswind.data.writing import squad_file, squad_rows
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault

_LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"xquad/xquad.{language}.json", what=f"xquad {split}, {language}"),)


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    return span_content(paragraphs, language, item=squad_item("dev"), cluster=squad_cluster("dev"))


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    return {f"xquad/xquad.{dataset.language}.json": squad_file(dataset)}


XQUAD = Task(
    name="xquad",
    kind="span",
    summary="extractive question answering, translations of a part of SQuAD 1.1 dev",
    group="qa",
    related=("answer-retrieval",),
    languages=_LANGUAGES,
    splits=("test",),
    files=FileLayout(_locate, reads_squad(_content), write=_write),
    hub=HubSource(
        "google/xquad",
        {"test": "validation"},
        converts_squad(_content),
        config="xquad.{language}",
        revision="51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
        rows=squad_rows,
        columns=SQUAD_COLUMNS,
    ),
    metrics=("squad",),
    submission="answers",
    perturbed=("question", "context"),
    counts={(language, "test"): 1190 for language in _LANGUAGES},
    trains_on="squad",
    faults=(
        KnownFault(
            "translations of SQuAD 1.1 dev: a model that was trained or selected on it has seen the items in English",
            "Artetxe et al. 2020, On the Cross-lingual Transferability of Monolingual Representations",
        ),
        PUBLIC,
    ),
    licence="CC BY-SA 4.0",
    citation="Artetxe et al. 2020, On the Cross-lingual Transferability of Monolingual Representations",
)
