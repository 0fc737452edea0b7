"""LAReQA (XQuAD-R): a question looks for the sentences that answer it, in every language at once."""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import Dataset
from crosswind.data.files import Files
from crosswind.data.retrieval import read_xquad_r
from crosswind.data.source import Content, FileLayout
from crosswind.data.writing import with_questions
from crosswind.errors import UserError
from crosswind.reading import json_file
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault
from crosswind.tasks.retrieval import ANSWER_LENGTH, QUERY_LENGTH

_LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh")


def _layout(pool_languages: tuple[str, ...]) -> FileLayout:
    def needed(language: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*pool_languages, language)))

    def locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
        folders = ("lareqa/xquad-r", "xquad-r", "lareqa")
        return tuple(
            files.find(*(f"{folder}/{code}.json" for folder in folders), what=f"lareqa {split}, {code}")
            for code in needed(language)
        )

    def read(paths: tuple[Path, ...], language: str, split: str) -> Content:
        return read_xquad_r(dict(zip(needed(language), paths, strict=True)), language, pool_languages)

    return FileLayout(locate, read, write=_write)


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    """The official file of the queries' language with their questions; passages and sentences as they are."""
    original = next((path for path in originals if path.name.partition(".")[0] == dataset.language), None)
    if original is None:
        raise UserError("LAReQA is written from its official files", where="lareqa", hint="name them with --data")
    return {f"lareqa/xquad-r/{dataset.language}.json": with_questions(json_file(original), dataset)}


LAREQA = Task(
    name="lareqa",
    kind="query",
    summary="questions of XQuAD-R; the pool holds the sentences of all languages",
    group="answer-retrieval",
    related=("qa", "sentence-retrieval"),
    languages=_LANGUAGES,
    splits=("test",),
    files=_layout(_LANGUAGES),
    across=_layout,
    # The hub's copy (google-research-datasets/xquad_r) lacks the sentence borders that make the pool.
    hub=None,
    metrics=("map@20",),
    submission="rankings",
    perturbed=("query",),
    counts={(language, "test"): 1190 for language in _LANGUAGES},
    trains_on="squad-retrieval",
    faults=(
        KnownFault(
            "its questions are XQuAD's, translations of SQuAD 1.1 dev: a model that was trained or selected on it has"
            " seen the items in English",
            "Roy et al. 2020, LAReQA: Language-Agnostic Answer Retrieval from a Multilingual Pool",
        ),
        PUBLIC,
    ),
    max_length=ANSWER_LENGTH,
    query_length=QUERY_LENGTH,
    licence="CC BY-SA 4.0",
    citation="Roy et al. 2020, LAReQA: Language-Agnostic Answer Retrieval from a Multilingual Pool",
)
