"""SQuAD: English extractive question answering, 1.1 and 2.0, and 1.1 as answer retrieval."""

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
from crosswind.tasks.retrieval import as_retrieval


def _task(
    name: str, version: str, summary: str, *, repo: str, revision: str, counts: tuple[int, int], citation: str
) -> Task:
    """A version of SQuAD; its metric has its name, and so has the task that it is trained on."""

    def locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
        file = f"{split}-v{version}.json"
        return (files.find(*dict.fromkeys((f"{name}/{file}", f"squad/{file}")), what=f"{name} {split}"),)

    def write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
        return {f"{name}/{dataset.split}-v{version}.json": squad_file(dataset)}

    content = _content_2 if version == "2.0" else _content
    return Task(
        name=name,
        kind="span",
        summary=f"English extractive question answering {summary} (SQuAD {version})",
        group="qa",
        related=("answer-retrieval",),
        languages=("en",),
        splits=("train", "dev"),
        files=FileLayout(locate, reads_squad(content), 2 if version == "2.0" else 1, write),
        hub=HubSource(
            repo,
            {"train": "train", "dev": "validation"},
            converts_squad(content),
            config=None,
            revision=revision,
            rows=squad_rows,
            columns=SQUAD_COLUMNS,
        ),
        metrics=(name,),
        unanswerable=version == "2.0",
        perturbed=("question", "context"),
        counts={("en", split): n for split, n in zip(("train", "dev"), counts, strict=True)},
        trains_on=name,
        licence="CC BY-SA 4.0",
        citation=citation,
    )


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    # The answerable questions of 2.0 are 1.1's, with their ids: leakage checks must see them as the same.
    return span_content(paragraphs, language, item=squad_item(split), cluster=squad_cluster(split))


def _content_2(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    return span_content(paragraphs, language, item=squad_item(split), cluster=squad_cluster(split), unanswerable=True)


SQUAD = _task(
    "squad",
    "1.1",
    "on Wikipedia",
    repo="rajpurkar/squad",
    revision="7b6d24c440a36b6815f21b70d25016731768db1f",
    counts=(87599, 10570),  # Rajpurkar et al. 2016, Table 2, as released
    citation="Rajpurkar et al. 2016, SQuAD: 100,000+ Questions for Machine Comprehension of Text",
)

SQUAD_RETRIEVAL = as_retrieval(SQUAD)

SQUAD2 = _task(
    "squad2",
    "2.0",
    "with unanswerable questions",
    repo="rajpurkar/squad_v2",
    revision="3ffb306f725f7d2ce8394bc1873b24868140c412",
    counts=(130319, 11873),  # Rajpurkar et al. 2018, Table 2
    citation="Rajpurkar et al. 2018, Know What You Don't Know: Unanswerable Questions for SQuAD",
)
