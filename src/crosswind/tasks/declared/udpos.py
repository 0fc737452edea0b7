"""UD-POS: universal part-of-speech tags, from XTREME's files or from the treebanks themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import TaggingExample
from crosswind.data.files import Files
from crosswind.data.records import hub_table
from crosswind.data.source import Content, HubSource, Layout
from crosswind.data.tagging import read_conllu, read_tagged
from crosswind.errors import unknown
from crosswind.tasks.base import Task

TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip

# XTREME's 33 languages and those that XTREME-R adds (Ruder et al. 2021, Appendix A)
NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "kk": "Kazakh", "ko": "Korean", "lt": "Lithuanian", "mr": "Marathi", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "ta": "Tamil", "te": "Telugu", "th": "Thai",
    "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "wo": "Wolof",
    "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip

TEST = {
    "af": 425, "ar": 1680, "bg": 1116, "el": 456, "en": 5440, "es": 3147, "et": 4127, "eu": 1799, "fa": 2055,
    "fi": 6544, "fr": 5013, "he": 491, "hi": 2684, "hu": 449, "id": 1931, "it": 3518, "ja": 2365, "kk": 1047,
    "ko": 4276, "mr": 47, "nl": 1471, "pt": 2680, "ru": 8973, "ta": 654, "te": 146, "th": 1000, "tl": 222,
    "tr": 5842, "ur": 535, "vi": 800, "yo": 318, "zh": 3455,
}  # fmt: skip


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """XTREME's file, or else every treebank of the language (`ud/UD_X/xx_yyy-ud-split.conllu`), by name."""
    name = f"udpos/{split}-{language}.tsv"
    found = files.has(name)
    treebanks = files.glob(f"ud/UD_*/{language}_*-ud-{split}.conllu")
    if found is None and not treebanks:
        pattern = f"ud/UD_*/{language}_*-ud-{split}.conllu"
        raise files.missing(name, pattern, what=f"udpos {split}, {language}")
    return (found,) if found else treebanks


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    if ".tsv" in paths[0].name:
        sentences = ((f"{language}-{row}", words, tags) for row, words, tags in read_tagged(paths[0], TAGS))
        return Content(tuple(_example(split, language, *sentence) for sentence in sentences))
    # A treebank's sentences keep its name, so that they are not taken for rows of XTREME's file.
    examples = tuple(
        _example(split, language, f"{path.name.partition('-ud-')[0]}-{name}", words, tags)
        for path in paths
        for name, words, tags in read_conllu(path, TAGS)
    )
    return Content(examples, counted=False)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    examples = []
    for record in hub_table(rows):
        tags = record.strings("pos_tags")
        for tag in tags:
            if tag not in TAGS:
                raise unknown("tag", tag, TAGS, where=record.where)
        examples.append(_example(split, language, f"{language}-{record.row}", record.strings("tokens"), tags))
    return Content(tuple(examples))


def _example(split: str, language: str, name: str, words: tuple[str, ...], tags: tuple[str, ...]) -> TaggingExample:
    item = f"udpos/{split}/{name}"
    return TaggingExample(item, item, language, words, tags)


UDPOS = Task(
    name="udpos",
    kind="tagging",
    summary="universal part-of-speech tags of Universal Dependencies treebanks",
    group="pos",
    languages=tuple(NAMES),
    splits=("train", "dev", "test"),
    files=Layout(_locate, _read),
    hub=HubSource(
        "google/xtreme",
        {"train": "train", "dev": "validation", "test": "test"},
        _convert,
        config="udpos.{language}",
        names=NAMES,
    ),
    metrics=("seqeval-f1", "seqeval-f1-new", "token-accuracy"),
    submission="tags",
    perturbed=("words",),
    labels=TAGS,
    counts={
        **{(language, "test"): n for language, n in TEST.items()},
        ("en", "train"): 21787,
        ("en", "dev"): 3974,
        ("de", "dev"): 19233,
    },
    trains_on="udpos",
    related=("ner",),
    licence="each treebank's own (CC BY-SA 4.0, some CC BY-NC-SA)",
    citation="Nivre et al. 2020, Universal Dependencies v2; Hu et al. 2020, XTREME",
)
