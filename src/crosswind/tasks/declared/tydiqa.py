"""TyDiQA-GoldP: extractive question answering that was written in each language, not translated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset
from crosswind.data.files import Files
from crosswind.data.ids import ContentIds
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.data.squad import SQUAD_COLUMNS, Paragraph, Question, hub_squad, read_squad, span_content
from crosswind.data.writing import squad_file, squad_rows
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault

# The ids of official files begin with the language's name
_NAMES = {
    "ar": "arabic", "bn": "bengali", "en": "english", "fi": "finnish", "id": "indonesian",
    "ko": "korean", "ru": "russian", "sw": "swahili", "te": "telugu",
}  # fmt: skip


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """XTREME's file of the language, or the official file of all languages."""
    version = f"tydiqa-goldp-v1.1-{split}"
    single = f"{version}/tydiqa.goldp.{language}.{split}.json"
    joint = f"{version}.json"
    return (files.find(f"tydiqa/{single}", single, f"tydiqa/{joint}", joint, what=f"tydiqa {split}, {language}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    paragraphs = read_squad(paths[0])
    joint = paths[0].name.startswith("tydiqa-goldp-")
    return _content(_of_language(paragraphs, language) if joint else paragraphs, language, split)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(_of_language(hub_squad(rows), language), language, split)


def _of_language(paragraphs: Iterable[Paragraph], language: str) -> list[Paragraph]:
    return [p for p in paragraphs if p.questions[0].id.startswith(f"{_NAMES[language]}-")]


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    """Train ids repeat and differ between the distributions (XTREME's are small numbers), so an item of
    train is named by the hash of its question and passage; dev has the native ids."""
    ids = ContentIds()

    def item(paragraph: Paragraph, question: Question) -> str:
        if split == "dev":
            return f"tydiqa/dev/{question.id}"
        name = ids(f"{question.text}\n{paragraph.context}")
        return f"tydiqa/train/{language}-{name}"

    def cluster(paragraph: Paragraph, question: Question) -> str:
        return f"tydiqa/{split}/p-{paragraph.text_hash}"

    return span_content(paragraphs, language, item=item, cluster=cluster)


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    """XTREME's file of the language; the ids of train differ between the distributions."""
    name = f"tydiqa.goldp.{dataset.language}.{dataset.split}.json"
    return {f"tydiqa/tydiqa-goldp-v1.1-{dataset.split}/{name}": squad_file(dataset)}


TYDIQA = Task(
    name="tydiqa",
    kind="span",
    summary="extractive question answering written in each language (gold passage)",
    group="qa",
    related=("answer-retrieval",),
    languages=tuple(_NAMES),
    splits=("train", "dev"),
    files=FileLayout(_locate, _read, write=_write),
    hub=HubSource(
        "google-research-datasets/tydiqa",
        {"train": "train", "dev": "validation"},
        _convert,
        config="secondary_task",
        rows=squad_rows,
        columns=SQUAD_COLUMNS,
        revision="da78f23f9119363459acbaf46bf89426ff26c259",
    ),
    metrics=("squad",),
    submission="answers",
    perturbed=("question", "context"),
    counts={
        **{
            (language, "dev"): n
            for language, n in zip(_NAMES, (921, 113, 440, 782, 565, 276, 812, 499, 669), strict=True)
        },
        ("en", "train"): 3696,
        ("ko", "train"): 1625,
        ("sw", "train"): 2755,
    },
    trains_on="tydiqa",
    faults=(
        KnownFault(
            "the test set is hidden: what XTREME scores is the development set, which models may have been selected on",
            "Hu et al. 2020, XTREME",
        ),
        PUBLIC,
    ),
    licence="Apache 2.0",
    citation="Clark et al. 2020, TyDi QA: A Benchmark for Information-Seeking Question Answering",
)
