"""SQuAD 2.0: SQuAD 1.1 and questions that have no answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.files import Files
from crosswind.data.retrieval import squad_cluster, squad_item
from crosswind.data.source import Content, HubSource, Layout
from crosswind.data.squad import Paragraph, hub_squad, read_squad, span_examples
from crosswind.tasks.base import Task


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"squad2/{split}-v2.0.json", f"squad/{split}-v2.0.json", what=f"squad2 {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return _content(read_squad(paths[0]), language, split)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(hub_squad(rows), language, split)


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    # Its answerable questions are SQuAD 1.1's, with their ids: leakage checks must see them as the same.
    return Content(span_examples(paragraphs, language, item=squad_item(split), cluster=squad_cluster(split)))


SQUAD2 = Task(
    name="squad2",
    kind="span",
    summary="English extractive question answering with unanswerable questions (SQuAD 2.0)",
    group="qa",
    related=("answer-retrieval",),
    languages=("en",),
    splits=("train", "dev"),
    files=Layout(_locate, _read),
    hub=HubSource("rajpurkar/squad_v2", {"train": "train", "dev": "validation"}, _convert, config=None),
    metrics=("squad2",),
    unanswerable=True,
    perturbed=("question", "context"),
    counts={("en", "train"): 130319, ("en", "dev"): 11873},  # Rajpurkar et al. 2018, Table 2
    trains_on="squad2",
    licence="CC BY-SA 4.0",
    citation="Rajpurkar et al. 2018, Know What You Don't Know: Unanswerable Questions for SQuAD",
)
