"""XCOPA and COPA: which of two alternatives is the cause or the effect of a premise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample, Dataset, Example
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts, jsonl_table, label_table, reads
from crosswind.data.source import HUB_SPLITS, FileLayout, HubSource
from crosswind.data.writing import choice_lines, file_id
from crosswind.errors import unknown
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault

_LANGUAGES = ("et", "ht", "id", "it", "qu", "sw", "ta", "th", "tr", "vi", "zh")
_LABELS = ("choice1", "choice2")

# English in every language (XTREME-R's XCOPA input)
COPA_QUESTIONS = {"cause": "What was the cause?", "effect": "What was the effect?"}

_COLUMNS = {
    "premise": "context", "question": "question", "choice1": "choice1", "choice2": "choice2", "label": "label",
    "idx": "id",
}  # fmt: skip
_HUB_COLUMNS = ("premise", "choice1", "choice2", "question", "label", "idx")
_TABLE = label_table(_LABELS, -1)
_NATIVE = {"dev": "val", "test": "test", "train": "train"}


def copa_question(record: TableRecord, key: str) -> str:
    """The question that a field asks by its name, `cause` or `effect`; a `UserError` for another."""
    name = record.text(key)
    if name not in COPA_QUESTIONS:
        raise unknown("question", name, COPA_QUESTIONS, where=record.where)
    return COPA_QUESTIONS[name]


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    native = _NATIVE[split]
    name = f"{language}/{native}.{language}.jsonl"
    return (files.find(f"xcopa/data/{name}", f"xcopa/{name}", what=f"xcopa {split}, {language}"),)


def _locate_copa(files: Files, language: str, split: str) -> tuple[Path, ...]:
    native = _NATIVE[split]
    return (files.find(f"copa/{native}.en.jsonl", f"copa/{native}.jsonl", what=f"copa {split}"),)


def _example(record: TableRecord, language: str, split: str) -> ChoiceExample:
    """XCOPA translates COPA item by item, so both have COPA's ids."""
    item = f"copa/{split}/{record.get('idx')}"
    return ChoiceExample(
        id=item,
        cluster=item,
        language=language,
        context=record.text("premise"),
        question=copa_question(record, "question"),
        choices=(record.text("choice1"), record.text("choice2")),
        label=record.label("label", _TABLE) if record.has("label") else None,
    )


def _number(example: Example) -> int | str:
    name = file_id(example)
    return int(name) if name.isdecimal() else name


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    name = f"xcopa/data/{dataset.language}/{_NATIVE[dataset.split]}.{dataset.language}.jsonl"
    return {name: choice_lines(dataset, COPA_QUESTIONS, _number)}


def _write_copa(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    return {f"copa/{_NATIVE[dataset.split]}.en.jsonl": choice_lines(dataset, COPA_QUESTIONS, _number)}


def _rows(dataset: Dataset) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in choice_lines(dataset, COPA_QUESTIONS, _number).split("\n")[:-1]
    ]
    return [{**row, "label": row.get("label", -1)} for row in rows]


XCOPA = Task(
    name="xcopa",
    kind="choice",
    # The official th files ask for the effect everywhere, and tr's val files too: read as they are.
    summary="causal commonsense: the cause or effect of a premise among two alternatives",
    group="causal-choice",
    related=("commonsense-choice",),
    languages=_LANGUAGES,
    splits=("dev", "test"),
    files=FileLayout(_locate, reads(jsonl_table, _example), write=_write),
    hub=HubSource(
        "cambridgeltl/xcopa",
        {"dev": "validation", "test": "test"},
        converts(_example),
        revision="042f78955ba48e6404616762fa6e05e839c3907a",
        rows=_rows,
        columns=_HUB_COLUMNS,
    ),
    metrics=("accuracy",),
    submission="lines",
    perturbed=("context", "choices"),
    labels=_LABELS,
    numbered=True,
    columns=_COLUMNS,
    questions=COPA_QUESTIONS,
    counts={(language, split): n for language in _LANGUAGES for split, n in (("dev", 100), ("test", 500))},
    trains_on="copa",
    faults=(
        KnownFault(
            "every item of dev and test asks for the effect, where other languages ask for the cause of about half",
            "the official files: 100 and 500 of 100 and 500 items",
            ("th",),
        ),
        KnownFault("every item of dev asks for the effect", "the official files: 100 of 100 items", ("tr",)),
        PUBLIC,
    ),
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
    files=FileLayout(_locate_copa, reads(jsonl_table, _example), write=_write_copa),
    hub=HubSource(
        "aps/super_glue",
        HUB_SPLITS,
        converts(_example),
        config="copa",
        revision="3de24cf8022e94f4ee4b9d55a6f539891524d646",
        rows=_rows,
        columns=_HUB_COLUMNS,
        classes={"label": _LABELS},
    ),
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=_LABELS,
    numbered=True,
    columns=_COLUMNS,
    questions=COPA_QUESTIONS,
    counts={("en", "train"): 400, ("en", "dev"): 100, ("en", "test"): 500},
    trains_on="copa",
    licence="BSD 2-Clause",
    citation="Roemmele et al. 2011, Choice of Plausible Alternatives; Wang et al. 2019, SuperGLUE",
)
