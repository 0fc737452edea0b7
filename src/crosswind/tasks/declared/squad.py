"""SQuAD 1.1: English extractive question answering, and the same data as answer retrieval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crosswind.data.files import Files
from crosswind.data.retrieval import squad_cluster, squad_item, squad_to_retrieval
from crosswind.data.source import Content, HubSource, Layout
from crosswind.data.squad import Paragraph, hub_squad, read_squad, span_examples
from crosswind.tasks.base import Task


def as_retrieval(task: Task) -> Task:
    """The SQuAD-format task as answer retrieval, `NAME-retrieval`, with the same item ids and clusters."""
    layout, hub = task.files, task.hub

    def read(paths: tuple[Path, ...], language: str, split: str) -> Content:
        return squad_to_retrieval(layout.read(paths, language, split))

    def convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
        assert hub is not None
        return squad_to_retrieval(hub.convert(rows, language, split))

    return replace(
        task,
        name=f"{task.name}-retrieval",
        kind="query",
        summary=f"{task.summary}, as retrieval of the sentence with the answer",
        group="answer-retrieval",
        related=("qa", "sentence-retrieval"),
        files=Layout(layout.locate, read, layout.version),
        hub=replace(hub, convert=convert) if hub else None,
        metrics=("map@20",),
        perturbed=("query",),
        trains_on=f"{task.trains_on}-retrieval" if task.trains_on else None,
    )


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"squad/{split}-v1.1.json", what=f"squad {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return _content(read_squad(paths[0]), language, split)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(hub_squad(rows), language, split)


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    return Content(span_examples(paragraphs, language, item=squad_item(split), cluster=squad_cluster(split)))


SQUAD = Task(
    name="squad",
    kind="span",
    summary="English extractive question answering on Wikipedia (SQuAD 1.1)",
    group="qa",
    related=("answer-retrieval",),
    languages=("en",),
    splits=("train", "dev"),
    files=Layout(_locate, _read),
    hub=HubSource("rajpurkar/squad", {"train": "train", "dev": "validation"}, _convert, config=None),
    metrics=("squad",),
    perturbed=("question", "context"),
    counts={("en", "train"): 87599, ("en", "dev"): 10570},  # Rajpurkar et al. 2016, Table 2, as released
    trains_on="squad",
    licence="CC BY-SA 4.0",
    citation="Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text",
)

SQUAD_RETRIEVAL = as_retrieval(SQUAD)
