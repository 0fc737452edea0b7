"""Tatoeba: English sentences look for their translation among those of the language under test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset
from crosswind.data.files import Files
from crosswind.data.records import hub_table
from crosswind.data.retrieval import pair_content, read_line_pairs
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.data.writing import line_pair
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC

# XTREME's 36 languages
XTREME = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est",
    "eu": "eus", "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind",
    "it": "ita", "ja": "jpn", "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar",
    "nl": "nld", "pt": "por", "ru": "rus", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl",
    "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn",
}  # fmt: skip
# XTREME-R adds five
XTREME_R = XTREME | {"az": "aze", "lt": "lit", "pl": "pol", "ro": "ron", "uk": "ukr"}

_SHORTER = {"jv": 205, "ka": 746, "kk": 575, "ml": 687, "sw": 390, "ta": 307, "te": 234, "th": 548}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    code = XTREME_R[language]
    stem = f"tatoeba.{code}-eng"
    what = f"tatoeba {split}, {language}"
    return tuple(files.find(f"tatoeba/v1/{stem}.{side}", f"tatoeba/{stem}.{side}", what=what) for side in ("eng", code))


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return pair_content(read_line_pairs(*paths), f"tatoeba/{split}/{language}", "en", language)


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    code = XTREME_R[dataset.language]
    return {
        f"tatoeba/v1/tatoeba.{code}-eng.{side}": text
        for side, text in zip(("eng", code), line_pair(dataset), strict=True)
    }


def _rows(dataset: Dataset) -> list[dict[str, Any]]:
    english, other = (side.split("\n")[:-1] for side in line_pair(dataset))
    return [{"sentence1": text, "sentence2": query} for query, text in zip(english, other, strict=True)]


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    pairs = [(record.text("sentence2"), record.text("sentence1")) for record in hub_table(rows)]
    return pair_content(pairs, f"tatoeba/{split}/{language}", "en", language)


TATOEBA = Task(
    name="tatoeba",
    kind="query",
    summary="English queries, their translations as the pool: nearest neighbour of a sentence",
    group="sentence-retrieval",
    related=("answer-retrieval",),
    languages=tuple(sorted(XTREME_R)),
    splits=("test",),
    files=FileLayout(_locate, _read, write=_write),
    hub=HubSource(
        "mteb/tatoeba-bitext-mining",
        {"test": "test"},
        _convert,
        config="{language}-eng",
        names=XTREME_R,
        revision="69e8f12da6e31d59addadda9a9c8a2e601a0e282",
        rows=_rows,
        columns=("sentence1", "sentence2"),
    ),
    metrics=("accuracy",),
    submission="rows",
    perturbed=("pool",),
    counts={(language, "test"): _SHORTER.get(language, 1000) for language in XTREME_R},
    faults=(PUBLIC,),
    licence="CC BY 2.0 FR",
    citation="Artetxe and Schwenk 2019, Massively Multilingual Sentence Embeddings; Hu et al. 2020, XTREME",
)
