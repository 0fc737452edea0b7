"""MLQA: extractive question answering on parallel Wikipedia passages in seven languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset
from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.data.squad import SQUAD_COLUMNS, Paragraph, Question, hub_squad, read_squad, span_content
from crosswind.data.writing import squad_file, squad_rows
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC

_LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")


def _layout(context: str | None = None, task: str = "mlqa") -> FileLayout:
    """The files of questions and passages in one language, or of passages in the language `context`."""

    def locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
        def path(passages: str, questions: str) -> Path:
            name = f"MLQA_V1/{split}/{split}-context-{passages}-question-{questions}.json"
            what = f"{task} {split}, context {passages}, question {questions}"
            return files.find(f"mlqa/{name}", name, what=what)

        pairs = dict.fromkeys(((context or language, language), ("en", "en")))
        return tuple(path(*pair) for pair in pairs)

    def read(paths: tuple[Path, ...], language: str, split: str) -> Content:
        return _content(read_squad(paths[0]), read_squad(paths[-1]), language, split, context)

    def write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
        passages, questions = context or dataset.language, dataset.language
        name = f"{dataset.split}-context-{passages}-question-{questions}.json"
        return {f"mlqa/MLQA_V1/{dataset.split}/{name}": squad_file(dataset)}

    return FileLayout(locate, read, write=write)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    """The rows of `MLQA.CONTEXT.QUESTION`, and behind them those of `MLQA.en.en`."""
    held = list(rows)
    config = held[0]["_config"] if held else ""
    asked = hub_squad(row for row in held if row["_config"] == config)
    english = hub_squad(row for row in held if row["_config"] == "MLQA.en.en")
    context = config.split(".")[1] if config else language
    return _content(asked, english, language, split, context)


def _content(
    paragraphs: list[Paragraph], english: list[Paragraph], language: str, split: str, context: str | None
) -> Content:
    """Every question exists in English; languages group them into paragraphs differently, so the
    cluster is the English paragraph: it is the same in every language."""
    home = {question.id: paragraph.first_id for paragraph in english for question in paragraph.questions}

    def cluster(paragraph: Paragraph, question: Question) -> str:
        return f"mlqa/{split}/p-{home.get(question.id, paragraph.first_id)}"

    def item(paragraph: Paragraph, question: Question) -> str:
        return f"mlqa/{split}/{question.id}"

    return span_content(paragraphs, language, item=item, cluster=cluster, context_language=context or language)


# Questions and passages in one language: Lewis et al. 2020, Table 3
_SIZES = {
    "dev": dict(zip(_LANGUAGES, (517, 512, 1148, 500, 507, 511, 504), strict=True)),
    "test": dict(zip(_LANGUAGES, (5335, 4517, 11590, 5253, 4918, 5495, 5137), strict=True)),
}
# In German and another language, as released
_WITH_GERMAN = {"ar": 1649, "es": 1776, "hi": 1430, "vi": 1675, "zh": 1621}


def _counts() -> dict[tuple[str, ...], int]:
    """The official sizes; whatever is asked in a language is asked in English too."""
    counts: dict[tuple[str, ...], int] = {}
    for split, sizes in _SIZES.items():
        for language, n in sizes.items():
            counts[language, split] = n
            if language != "en":
                counts[language, "en", split] = counts["en", language, split] = n
    for language, n in _WITH_GERMAN.items():
        counts[language, "de", "test"] = counts["de", language, "test"] = n
    return counts


MLQA = Task(
    name="mlqa",
    kind="span",
    summary="extractive question answering; passages in the question's language, or (`context_language`) in another",
    group="qa",
    related=("answer-retrieval",),
    languages=_LANGUAGES,
    splits=("dev", "test"),
    files=_layout(),
    context_languages=_LANGUAGES,
    crossed=_layout,
    hub=HubSource(
        "google/xtreme",  # the same rows as Parquet: `facebook/mlqa` is a script, which is not run
        {"dev": "validation", "test": "test"},
        _convert,
        config="MLQA.{context}.{language}",
        revision="ec5f1f46e9af79639a90684a7a70a956c4998f04",
        companion="MLQA.en.en",
        rows=squad_rows,
        columns=SQUAD_COLUMNS,
    ),
    metrics=("mlqa",),
    submission="answers",
    perturbed=("question", "context"),
    counts=_counts(),
    trains_on="squad",
    faults=(PUBLIC,),
    licence="CC BY-SA 3.0",
    citation="Lewis et al. 2020, MLQA: Evaluating Cross-lingual Extractive Question Answering",
)
MLQA_GXLT = replace(
    MLQA,
    name="mlqa-gxlt",
    summary="MLQA's generalised transfer: questions in one language, passages in another, all 42 pairs",
    cross_only=True,
    files=_layout(task="mlqa-gxlt"),
    crossed=partial(_layout, task="mlqa-gxlt"),
    submission="",
)
"""G-XLT (Lewis et al. 2020, section 5.1), without the same-language pairs, which are `mlqa` (XLT)."""
