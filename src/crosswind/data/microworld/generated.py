"""The microworld's tasks: how their examples are made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable

from crosswind.data.examples import Pool
from crosswind.data.microworld import choices, pairs, questions, sentences, tagging
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.languages import CODES
from crosswind.data.microworld.lazy import Lazy
from crosswind.data.microworld.render import renderer
from crosswind.data.source import Content, Generated
from crosswind.run.step import digest

VERSION = 1  # raised when the world or a language becomes another: encoders pretrained on the old one do not fit

SIZES: Mapping[str, int] = {"train": 12000, "dev": 600, "test": 1200, "test2": 1200}
SENTENCES: Mapping[str, int] = {"train": 3000, "dev": 300, "test": 600, "test2": 600}
QUERIES: Mapping[str, int] = {"train": 6000, "dev": 200, "test": 400, "test2": 400}


def items(make: Callable[[int, str, int], Item], name: str, together: int = 1) -> Generated:
    """A task whose examples are made one by one, from (seed, split, number); `together` of them are a cluster."""

    # Drawing costs more than rendering, and languages share what is drawn.
    item = lru_cache(maxsize=50_000)(make)

    def content(seed: int, language: str, split: str, pool: tuple[str, ...] | None) -> Content:
        words = renderer(language)
        examples = Lazy(SIZES[split], lambda index: item(seed, split, index)(words))
        return Content(examples, clusters=_clusters(name, split, SIZES[split], together))

    return Generated(content, SIZES)


def _clusters(name: str, split: str, size: int, together: int) -> Lazy[str]:
    """The cluster of each example; one of several is called `p0`, `p1`, …"""
    prefix = f"{name}/{split}/{'p' if together > 1 else ''}"
    return Lazy(size, lambda index: f"{prefix}{index // together}")


def _sentences(seed: int, language: str, split: str, pool: tuple[str, ...] | None) -> Content:
    return sentences.sentence_pairs(seed, split, SENTENCES[split], language)


def _answers(seed: int, language: str, split: str, pool: tuple[str, ...] | None) -> Content:
    """Trained in one language, tested on a pool of all."""
    codes = pool or ((language,) if split == "train" else CODES)
    make = partial(questions.queries, pool=codes)
    words = renderer(language)
    examples = Lazy(QUERIES[split], lambda index: make(seed, split, index)(words))
    clusters = _clusters("mw-answers", split, QUERIES[split], questions.QUESTIONS_A_TEXT)
    return Content(examples, _pool(seed, split, QUERIES[split], codes), clusters=clusters)


NLI = items(pairs.nli, "mw-nli", 3)
PARAPHRASE = items(pairs.paraphrase, "mw-paraphrase", 2)
CAUSES = items(choices.causes, "mw-causes", 2)
COMPLETION = items(choices.completion, "mw-completion")
READING = items(choices.reading, "mw-reading", choices.READERS)
POS = items(tagging.pos, "mw-pos")
NER = items(tagging.ner, "mw-ner")
QA = items(questions.qa, "mw-qa", questions.QUESTIONS_A_TEXT)
TRANSLATIONS = Generated(_sentences, SENTENCES)
ANSWERS = Generated(_answers, QUERIES)


@lru_cache(maxsize=4)
def _pool(seed: int, split: str, size: int, codes: tuple[str, ...]) -> Pool:
    return questions.pool(seed, split, size, codes)


@lru_cache(maxsize=1)
def code_fingerprint() -> str:
    """The hash of the generator's own code and data."""
    return fingerprint_of(files("crosswind.data.microworld"))


def fingerprint_of(folder: Traversable) -> str:
    """The hash of a generator's version and of the Python files in its folder."""
    modules = (entry for entry in folder.iterdir() if entry.name.endswith(".py"))
    parts = sorted([entry.name, hashlib.sha256(entry.read_bytes()).hexdigest()] for entry in modules)
    return digest(["microworld", VERSION, parts])
