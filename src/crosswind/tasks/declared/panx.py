"""PAN-X (WikiANN): named entities in IOB2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset, TaggingExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts
from crosswind.data.source import HUB_SPLITS, Content, FileLayout, HubSource
from crosswind.data.tagging import read_tagged, tagged_words
from crosswind.data.writing import of_kind, tagged_lines
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault

_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

_LANGUAGES = (
    "af", "ar", "az", "bg", "bn", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gu", "he", "hi", "hu",
    "id", "it", "ja", "jv", "ka", "kk", "ko", "lt", "ml", "mr", "ms", "my", "nl", "pa", "pl", "pt", "qu", "ro",
    "ru", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "yo", "zh",
)  # fmt: skip
_THOUSAND = ("af", "az", "bn", "hi", "kk", "ml", "mr", "ms", "sw", "ta", "te", "tl", "ur")
_HUNDRED = ("gu", "jv", "my", "pa", "qu", "yo")


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    return (files.find(f"panx/{split}-{language}.tsv", what=f"panx {split}, {language}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return Content(tuple(_example(split, language, *sentence) for sentence in read_tagged(paths[0], _TAGS)))


def _hub(record: TableRecord, language: str, split: str) -> TaggingExample:
    return _example(split, language, str(record.row), *tagged_words(record, "ner_tags", _TAGS))


def _example(
    split: str, language: str, row: str, words: tuple[str, ...], tags: tuple[str, ...] | None
) -> TaggingExample:
    item = f"panx/{split}/{language}-{row}"
    return TaggingExample(item, item, language, words, tags)


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    return {f"panx/{dataset.split}-{dataset.language}.tsv": tagged_lines(dataset)}


def _rows(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {
            "tokens": list(e.words),
            "ner_tags": [_TAGS.index(tag) for tag in e.tags or ()],
            "langs": [e.language] * len(e.words),
        }
        for e in of_kind(dataset, TaggingExample)
    ]


def _dev_count(language: str) -> int:
    return 1000 if language in _THOUSAND else 100 if language in _HUNDRED else 10000


PANX = Task(
    name="panx",
    kind="tagging",
    summary="named entities (persons, organisations, places) in Wikipedia, IOB2",
    group="ner",
    related=("pos",),
    languages=_LANGUAGES,
    splits=("train", "dev", "test"),
    files=FileLayout(_locate, _read, write=_write),
    hub=HubSource(
        "unimelb-nlp/wikiann",
        HUB_SPLITS,
        converts(_hub),
        rows=_rows,
        columns=("tokens", "ner_tags"),
        classes={"ner_tags": _TAGS},
    ),
    metrics=("seqeval-f1", "seqeval-f1-new", "seqeval-f1-strict", "token-accuracy"),
    submission="tags",
    perturbed=("words",),
    labels=_TAGS,
    counts={
        **{(language, "dev"): _dev_count(language) for language in _LANGUAGES if language != "th"},
        ("en", "train"): 20000,
    },
    trains_on="panx",
    faults=(
        KnownFault(
            "the tags are silver: made from links of Wikipedia and knowledge bases and by self-training, not by"
            " annotators",
            "Pan et al. 2017, Cross-lingual Name Tagging and Linking for 282 Languages",
        ),
        KnownFault(
            "problems of quality were shown in lower-resourced languages",
            "Lignos et al. 2022, Toward More Meaningful Resources for Lower-resourced Languages, arXiv 2202.12288",
        ),
        PUBLIC,
    ),
    licence="ODC-BY",
    citation="Pan et al. 2017, Cross-lingual Name Tagging and Linking for 282 Languages; Rahimi et al. 2019",
)
