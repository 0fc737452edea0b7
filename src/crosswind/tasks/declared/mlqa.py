"""MLQA: extractive question answering on parallel Wikipedia passages in seven languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.files import Files
from crosswind.data.source import Content, HubSource, Layout
from crosswind.data.squad import Paragraph, Question, hub_squad, read_squad, span_examples
from crosswind.tasks.base import Task

LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
_HUB_SPLITS = {"dev": "validation", "test": "test"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    def path(code: str) -> Path:
        name = f"MLQA_V1/{split}/{split}-context-{code}-question-{code}.json"
        return files.find(f"mlqa/{name}", name, what=f"mlqa {split}, {code}")

    return tuple(path(code) for code in dict.fromkeys((language, "en")))


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return _content(read_squad(paths[0]), read_squad(paths[-1]), language, split)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    held = list(rows)
    mine = hub_squad(row for row in held if row["_config"] == f"mlqa.{language}.{language}")
    return _content(mine, hub_squad(row for row in held if row["_config"] == "mlqa.en.en"), language, split)


def _content(paragraphs: list[Paragraph], english: list[Paragraph], language: str, split: str) -> Content:
    """Every question exists in English; languages group them into paragraphs differently, so the
    cluster is the English paragraph: it is the same in every language."""
    home = {question.id: paragraph.first_id for paragraph in english for question in paragraph.questions}

    def cluster(paragraph: Paragraph, question: Question) -> str:
        return f"mlqa/{split}/p-{home.get(question.id, paragraph.first_id)}"

    return Content(
        span_examples(paragraphs, language, item=lambda _, question: f"mlqa/{split}/{question.id}", cluster=cluster)
    )


MLQA = Task(
    name="mlqa",
    kind="span",
    summary="extractive question answering, questions and passages in one language",
    group="qa",
    related=("answer-retrieval",),
    languages=LANGUAGES,
    splits=("dev", "test"),
    files=Layout(_locate, _read),
    hub=HubSource("facebook/mlqa", _HUB_SPLITS, _convert, config="mlqa.{language}.{language}", companion="mlqa.en.en"),
    metrics=("mlqa",),
    submission="answers",
    perturbed=("question", "context"),
    counts={
        (language, split): n
        for split, counts in (
            ("dev", (517, 512, 1148, 500, 507, 511, 504)),
            ("test", (5335, 4517, 11590, 5253, 4918, 5495, 5137)),  # Lewis et al. 2020, Table 3
        )
        for language, n in zip(LANGUAGES, counts, strict=True)
    },
    trains_on="squad",
    licence="CC BY-SA 3.0",
    citation="Lewis et al. 2020, MLQA: Evaluating Cross-lingual Extractive Question Answering",
)
