"""XCOPA and COPA: which of two alternatives is the cause or the effect of a premise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.records import Record, hub_table, jsonl_table, label_table
from crosswind.data.source import Content, HubSource, Layout
from crosswind.errors import unknown
from crosswind.tasks.base import Task

LANGUAGES = ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")
LABELS = ("choice1", "choice2")

# English in every language (XTREME-R's XCOPA input)
QUESTIONS = {"cause": "What was the cause?", "effect": "What was the effect?"}

_TABLE = label_table(LABELS, -1)
_NATIVE = {"dev": "val", "test": "test", "train": "train"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    native = _NATIVE[split]
    name = f"{language}/{native}.{language}.jsonl"
    return (files.find(f"xcopa/data/{name}", f"xcopa/{name}", what=f"xcopa {split}, {language}"),)


def _locate_copa(files: Files, language: str, split: str) -> tuple[Path, ...]:
    native = _NATIVE[split]
    return (files.find(f"copa/{native}.en.jsonl", f"copa/{native}.jsonl", what=f"copa {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return Content(tuple(_example(record, language, split) for record in jsonl_table(paths[0])))


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_example(record, language, split) for record in hub_table(rows)))


def _example(record: Record, language: str, split: str) -> ChoiceExample:
    """XCOPA translates COPA item by item, so both have COPA's ids."""
    question = record.text("question")
    if question not in QUESTIONS:
        raise unknown("question", question, QUESTIONS, where=record.where)
    item = f"copa/{split}/{record.get('idx')}"
    return ChoiceExample(
        id=item,
        cluster=item,
        language=language,
        context=record.text("premise"),
        question=QUESTIONS[question],
        choices=(record.text("choice1"), record.text("choice2")),
        label=record.label("label", _TABLE) if record.has("label") else None,
    )


XCOPA = Task(
    name="xcopa",
    kind="choice",
    # The official th files ask for the effect everywhere, and tr's val files too: read as they are.
    summary="causal commonsense: the cause or effect of a premise among two alternatives",
    group="causal-choice",
    related=("commonsense-choice",),
    languages=LANGUAGES,
    splits=("dev", "test"),
    files=Layout(_locate, _read),
    hub=HubSource("cambridgeltl/xcopa", {"dev": "validation", "test": "test"}, _convert),
    metrics=("accuracy",),
    submission="lines",
    perturbed=("context", "choices"),
    labels=LABELS,
    counts={(language, split): n for language in LANGUAGES for split, n in (("dev", 100), ("test", 500))},
    trains_on="copa",
    licence="CC BY 4.0",
    citation="Ponti et al. 2020, XCOPA: A Multilingual Dataset for Causal Commonsense Reasoning",
)

COPA = Task(
    name="copa",
    kind="choice",
    summary="English causal commonsense, the source of XCOPA",
    group="causal-choice",
    related=("commonsense-choice",),
    languages=("en",),
    splits=("train", "dev", "test"),
    files=Layout(_locate_copa, _read),
    hub=HubSource("aps/super_glue", {"train": "train", "dev": "validation", "test": "test"}, _convert, config="copa"),
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=LABELS,
    counts={("en", "train"): 400, ("en", "dev"): 100, ("en", "test"): 500},
    trains_on="copa",
    licence="BSD 2-Clause",
    citation="Roemmele et al. 2011, Choice of Plausible Alternatives; Wang et al. 2019, SuperGLUE",
)
