"""UD-POS: universal part-of-speech tags, from XTREME's files or from the treebanks themselves.

XTREME's files hold all treebanks of a language behind one another, and which these are depends on the release of
Universal Dependencies. The sizes below are those of the files of XTREME-R, of UD 2.7: the Turkish test set is BOUN
(979), GB (2,880), IMST (983) and PUD (1,000); BOUN came with 2.7, and Penn, which came with 2.8, is not in it.
Greek is GDT alone, and Yoruba has 318 sentences, where 2.5 has 100. Beside later copies of the treebanks the words of
Greek GDT, Russian, Japanese and Korean GSD, Urdu, Telugu, Tamil TTB, Marathi and Bulgarian are the same sentence by
sentence, while tags were revised. `google/xtreme` on the hub holds UD 2.5 of XTREME's 33 languages: English (train),
Greek, Estonian, Russian, Chinese, Turkish, Portuguese and Yoruba have other sizes there, and Lithuanian, Polish,
Romanian, Ukrainian and Wolof are missing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crosswind.data.examples import Dataset, TaggingExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, converts
from crosswind.data.source import HUB_SPLITS, Content, FileLayout, HubSource
from crosswind.data.tagging import read_conllu, read_tagged, tagged_words
from crosswind.data.writing import of_kind, tagged_lines
from crosswind.tasks.base import Task
from crosswind.tasks.faults import PUBLIC, KnownFault

_TAGS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM",
    "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X",
)  # fmt: skip

# XTREME's 33 languages and those that XTREME-R adds (Ruder et al. 2021, Appendix A)
_NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "kk": "Kazakh", "ko": "Korean", "lt": "Lithuanian", "mr": "Marathi", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "ta": "Tamil", "te": "Telugu", "th": "Thai",
    "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "wo": "Wolof",
    "yo": "Yoruba", "zh": "Chinese",
}  # fmt: skip

_TEST = {
    "af": 425, "ar": 1680, "bg": 1116, "el": 456, "en": 5440, "es": 3147, "et": 4127, "eu": 1799, "fa": 2055,
    "fi": 6544, "fr": 5013, "he": 491, "hi": 2684, "hu": 449, "id": 1931, "it": 3518, "ja": 2365, "kk": 1047,
    "ko": 4276, "mr": 47, "nl": 1471, "pt": 2680, "ru": 8973, "ta": 654, "te": 146, "th": 1000, "tl": 222,
    "tr": 5842, "ur": 535, "vi": 800, "yo": 318, "zh": 3455,
}  # fmt: skip


# `google/xtreme` (its card: licence of UD 2.5): where its test sets differ from the files, or are not among them
_HUB_TEST = {"de": 22458, "el": 2809, "et": 3760, "pt": 2681, "ru": 11336, "tr": 4785, "yo": 100, "zh": 5528}
_HUB_LANGUAGES = tuple(x for x in _NAMES if x not in ("lt", "pl", "ro", "uk", "wo"))


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """XTREME's file, or else every treebank of the language (`ud/UD_X/xx_yyy-ud-split.conllu`), by name."""
    name = f"udpos/{split}-{language}.tsv"
    tagged = files.has(name)
    treebanks = files.glob(f"ud/UD_*/{language}_*-ud-{split}.conllu")
    if tagged is None and not treebanks:
        pattern = f"ud/UD_*/{language}_*-ud-{split}.conllu"
        raise files.missing(name, pattern, what=f"udpos {split}, {language}")
    return (tagged,) if tagged else treebanks


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    if ".tsv" in paths[0].name:
        sentences = ((f"{language}-{row}", words, tags) for row, words, tags in read_tagged(paths[0], _TAGS))
        return Content(tuple(_example(split, language, *sentence) for sentence in sentences))
    # A treebank's sentences keep its name, so that they are not taken for rows of XTREME's file.
    examples = tuple(
        _example(split, language, f"{path.name.partition('-ud-')[0]}-{name}", words, tags)
        for path in paths
        for name, words, tags in read_conllu(path, _TAGS)
    )
    return Content(examples, counted=False)


def _hub(record: TableRecord, language: str, split: str) -> TaggingExample:
    return _example(split, language, f"{language}-{record.row}", *tagged_words(record, "pos_tags", _TAGS))


def _example(
    split: str, language: str, name: str, words: tuple[str, ...], tags: tuple[str, ...] | None
) -> TaggingExample:
    item = f"udpos/{split}/{name}"
    return TaggingExample(item, item, language, words, tags)


def _write(dataset: Dataset, originals: tuple[Path, ...]) -> dict[str, str]:
    """XTREME's layout, which names sentences by their rows."""
    return {f"udpos/{dataset.split}-{dataset.language}.tsv": tagged_lines(dataset)}


def _rows(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {"tokens": list(e.words), "pos_tags": [_TAGS.index(tag) for tag in e.tags or ()]}
        for e in of_kind(dataset, TaggingExample)
    ]


UDPOS = Task(
    name="udpos",
    kind="tagging",
    summary="universal part-of-speech tags of Universal Dependencies treebanks",
    group="pos",
    languages=tuple(_NAMES),
    splits=("train", "dev", "test"),
    files=FileLayout(_locate, _read, version=2, write=_write),
    hub=HubSource(
        "google/xtreme",
        HUB_SPLITS,
        converts(_hub),
        config="udpos.{language}",
        revision="ec5f1f46e9af79639a90684a7a70a956c4998f04",
        names=_NAMES,
        languages=_HUB_LANGUAGES,
        rows=_rows,
        columns=("tokens", "pos_tags"),
        classes={"pos_tags": _TAGS},
        release="UD 2.5",
        counts={
            **{(language, "test"): n for language, n in {**_TEST, **_HUB_TEST}.items()},
            ("en", "train"): 21253,
            ("en", "dev"): 3974,
            ("de", "dev"): 19233,
        },
    ),
    metrics=("seqeval-f1", "seqeval-f1-new", "token-accuracy"),
    submission="tags",
    perturbed=("words",),
    labels=_TAGS,
    counts={
        **{(language, "test"): n for language, n in _TEST.items()},
        ("en", "train"): 21787,
        ("en", "dev"): 3974,
        ("de", "dev"): 19233,
    },
    release="UD 2.7",
    trains_on="udpos",
    related=("ner",),
    faults=(
        KnownFault(
            "test sets and tags differ between releases of Universal Dependencies: published numbers of XTREME are on"
            " UD 2.5, these files are of UD 2.7",
            "the sizes of google/xtreme on the hub and of XTREME-R's files",
        ),
        PUBLIC,
    ),
    licence="each treebank's own (CC BY-SA 4.0, some CC BY-NC-SA)",
    citation="Nivre et al. 2020, Universal Dependencies v2; Hu et al. 2020, XTREME",
)
