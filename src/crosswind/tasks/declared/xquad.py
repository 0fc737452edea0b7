"""XQuAD: 240 paragraphs of SQuAD 1.1 dev with their questions, translated by professionals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.files import Files
from crosswind.data.retrieval import squad_cluster, squad_item
from crosswind.data.source import Content, HubSource, Layout
from crosswind.data.squad import Paragraph, hub_squad, read_squad, span_examples
from crosswind.tasks.base import Task

LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"xquad/xquad.{language}.json", what=f"xquad {split}, {language}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return _content(read_squad(paths[0]), language)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(hub_squad(rows), language)


def _content(paragraphs: list[Paragraph], language: str) -> Content:
    return Content(span_examples(paragraphs, language, item=squad_item("dev"), cluster=squad_cluster("dev")))


XQUAD = Task(
    name="xquad",
    kind="span",
    summary="extractive question answering, translations of a part of SQuAD 1.1 dev",
    group="qa",
    related=("answer-retrieval",),
    languages=LANGUAGES,
    splits=("test",),
    files=Layout(_locate, _read),
    hub=HubSource("google/xquad", {"test": "validation"}, _convert, config="xquad.{language}"),
    metrics=("squad",),
    submission="answers",
    perturbed=("question", "context"),
    counts={(language, "test"): 1190 for language in LANGUAGES},
    trains_on="squad",
    licence="CC BY-SA 4.0",
    citation="Artetxe et al. 2020, On the Cross-lingual Transferability of Monolingual Representations",
)
