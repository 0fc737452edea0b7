"""ExpMRC's SQuAD part: some development questions of SQuAD 1.1, here without their evidence sentences."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout
from crosswind.data.squad import Paragraph, reads_squad, span_content, squad_item
from crosswind.tasks.base import Task


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find("expmrc/expmrc-squad-dev.json", "expmrc/data/squad/expmrc-squad-dev.json", what="expmrc dev"),)


def _content(paragraphs: list[Paragraph], language: str, split: str) -> Content:
    """Its questions are SQuAD's with their ids, so that what XQuAD translates is recognised."""
    return span_content(
        paragraphs,
        language,
        item=squad_item(split),
        cluster=lambda paragraph, _: f"expmrc/{split}/p-{paragraph.text_hash}",
    )


EXPMRC = Task(
    name="expmrc",
    kind="span",
    summary="English extractive question answering: 501 development questions of SQuAD 1.1 (ExpMRC)",
    group="qa",
    related=("answer-retrieval",),
    languages=("en",),
    splits=("dev",),
    files=FileLayout(_locate, reads_squad(_content)),
    hub=None,
    metrics=("squad",),
    perturbed=("question", "context"),
    counts={("en", "dev"): 501},
    trains_on="squad",  # whose development questions these are; it has no training data of its own
    licence="CC BY-SA 4.0",
    citation="Cui et al. 2022, ExpMRC: Explainability Evaluation for Machine Reading Comprehension",
)
