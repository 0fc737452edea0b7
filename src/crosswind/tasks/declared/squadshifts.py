"""SQuADShifts: English question answering collected like SQuAD 1.1, on other texts."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.data.squad import SQUAD_COLUMNS, Paragraph, converts_squad, reads_squad, span_content
from crosswind.tasks.base import Task
from crosswind.tasks.retrieval import as_retrieval

# Split -> the hub's configuration (Miller et al. 2020)
_SPLITS = {"new_wiki": "new_wiki", "nyt": "nyt", "reddit": "reddit", "amazon_reviews": "amazon"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"squadshifts/{split}_v1.0.json", what=f"squadshifts {split}"),)


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    return span_content(
        paragraphs,
        language,
        item=lambda _, question: f"squadshifts/{split}/{question.id}",
        cluster=lambda paragraph, _: f"squadshifts/{split}/p-{paragraph.text_hash}",
    )


SQUADSHIFTS = Task(
    name="squadshifts",
    kind="span",
    summary="English extractive question answering on new Wikipedia articles, news, Reddit, Amazon reviews",
    group="qa",
    related=("answer-retrieval",),
    languages=("en",),
    splits=tuple(_SPLITS),
    files=FileLayout(_locate, reads_squad(_content)),
    hub=HubSource(
        "squadshifts",
        dict.fromkeys(_SPLITS, "test"),
        converts_squad(_content),
        config="{split}",
        split_names=_SPLITS,
        columns=SQUAD_COLUMNS,
    ),
    metrics=("squad",),
    perturbed=("question", "context"),
    counts={("en", "new_wiki"): 7938, ("en", "reddit"): 9803, ("en", "amazon_reviews"): 9885},
    trains_on="squadshifts",
    licence="CC BY 4.0",
    citation="Miller et al. 2020, The Effect of Natural Distribution Shift on Question Answering Models",
)

SQUADSHIFTS_RETRIEVAL = as_retrieval(SQUADSHIFTS)
