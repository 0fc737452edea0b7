"""MultiCheckList: six tests of what a question answering model understands, filled from templates in 50 languages."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.checklist.cases import CASES, fill
from crosswind.data.checklist.templates import read_templates
from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout
from crosswind.tasks.base import Task

_LANGUAGES = (
    "af", "ar", "az", "bg", "bn", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gu", "ha", "he", "hi", "ht",
    "hu", "id", "it", "ja", "jv", "ka", "kk", "ko", "lt", "ml", "mr", "ms", "my", "nl", "pa", "pl", "pt", "qu", "ru",
    "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "wo", "yo", "zh",
)  # fmt: skip
_ORIGIN = "multichecklist/checklist_templates.tsv of github.com/google-research/xtreme, Apache 2.0"


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    name = "checklist_templates.tsv"
    return (
        files.find(
            f"multichecklist/{name}", name, what=f"multichecklist {split}, {language} (templates)", origin=_ORIGIN
        ),
    )


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    filled = fill(read_templates(paths[0]), language)
    notes = [
        "the cases are generated with names of Crosswind's own: the tests are the official ones, the cases are not"
    ]
    if filled.absent:
        notes.append(f"{filled.absent} of {6 * CASES} cases have no translation for what they chose and are left out")
    unplaced = sum(not example.answers for example in filled.examples)
    if unplaced:
        notes.append(f"{unplaced} gold answers do not stand in their contexts as they are written")
    return Content(filled.examples, notes=tuple(notes))


MULTICHECKLIST = Task(
    name="multichecklist",
    kind="span",
    summary="six behavioural tests of question answering, from translated templates; error rates",
    group="qa",
    related=("answer-retrieval",),
    languages=_LANGUAGES,
    splits=("test",),
    files=FileLayout(_locate, _read),
    hub=None,  # the templates are in no repository there
    metrics=("checklist-error",),
    perturbed=("question", "context"),
    trains_on="squad",
    licence="Apache 2.0",
    citation="Ruder et al. 2021, XTREME-R; Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing with CheckList",
)
