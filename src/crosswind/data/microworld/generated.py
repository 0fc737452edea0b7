"""The microworld as a source of tasks and text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from crosswind.data.examples import Pool
from crosswind.data.microworld import choices, corpora, pairs, questions, sentences, tagging
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.languages import CODES
from crosswind.data.microworld.lazy import Lazy
from crosswind.data.microworld.render import renderer
from crosswind.data.source import Content, Declared, DeclaredText, TextLines
from crosswind.errors import UserError
from crosswind.run.step import digest

VERSION = 1  # raised when the world or a language becomes another: encoders pretrained on the old one do not fit

SIZES: Mapping[str, int] = {"train": 12000, "dev": 600, "test": 1200, "test2": 1200}
SENTENCES: Mapping[str, int] = {"train": 3000, "dev": 300, "test": 600, "test2": 600}
QUERIES: Mapping[str, int] = {"train": 6000, "dev": 200, "test": 400, "test2": 400}

Make = Callable[[int, str, str, tuple[str, ...] | None], Content]
"""(seed, language, split, languages of the pool) -> content"""


@dataclass(frozen=True)
class Generated:
    """How the examples of a task are made, and how many there are of each split."""

    make: Make
    sizes: Mapping[str, int]


class MicroworldSource:
    """Makes what is asked for from a seed; `lines` is the size of a corpus in each language.

    A fingerprint covers the generator's code, so that any change of it is another source.
    """

    def __init__(self, seed: int = 1, lines: int = corpora.LINES) -> None:
        self.seed, self.size = seed, lines

    def content(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> Content:
        return _declared(task).make(self.seed, language, split, pool_languages)

    def fingerprint(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> str:
        size = _declared(task).sizes[split]
        pool = list(pool_languages) if pool_languages else None
        return digest([code_fingerprint(), self.seed, task.name, language, split, size, pool])

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return _written(corpus)(languages, self.seed, self.size)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        _written(corpus)
        return digest([code_fingerprint(), self.seed, self.size, corpus.name, list(languages)])


def open_microworld(settings: Mapping[str, Any], where: str) -> MicroworldSource:
    """`{source: microworld, seed: 1, lines: 60000}`; a `UserError` for what is no whole number above 0."""
    found = {}
    for key, default in (("seed", 1), ("lines", corpora.LINES)):
        value = settings.get(key)
        found[key] = default if value is None else value
        if not isinstance(found[key], int) or isinstance(found[key], bool) or found[key] < (key == "lines"):
            at_least = 1 if key == "lines" else 0
            raise UserError(
                f"{value!r} is no {key} of the microworld",
                where=f"{where}.{key}",
                hint=f"write a whole number, {at_least} or more",
            )
    return MicroworldSource(**found)


def items(make: Callable[[int, str, int], Item], sizes: Mapping[str, int] = SIZES) -> Generated:
    """A task whose examples are made one by one, from (seed, split, number)."""

    # Drawing costs more than rendering, and languages share what is drawn.
    item = lru_cache(maxsize=50_000)(make)

    def content(seed: int, language: str, split: str, pool: tuple[str, ...] | None) -> Content:
        words = renderer(language)
        return Content(Lazy(sizes[split], lambda index: item(seed, split, index)(words)))

    return Generated(content, sizes)


def _sentences(seed: int, language: str, split: str, pool: tuple[str, ...] | None) -> Content:
    return sentences.sentence_pairs(seed, split, SENTENCES[split], language)


def _answers(seed: int, language: str, split: str, pool: tuple[str, ...] | None) -> Content:
    """Trained in one language, tested on a pool of all."""
    codes = pool or ((language,) if split == "train" else CODES)
    make = partial(questions.queries, pool=codes)
    words = renderer(language)
    found = Lazy(QUERIES[split], lambda index: make(seed, split, index)(words))
    return Content(found, _pool(seed, split, QUERIES[split], codes))


NLI = items(pairs.nli)
PARAPHRASE = items(pairs.paraphrase)
CAUSES = items(choices.causes)
COMPLETION = items(choices.completion)
READING = items(choices.reading)
POS = items(tagging.pos)
NER = items(tagging.ner)
QA = items(questions.qa)
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
    own = (entry for entry in folder.iterdir() if entry.name.endswith(".py"))
    parts = sorted([entry.name, hashlib.sha256(entry.read_bytes()).hexdigest()] for entry in own)
    return digest(["microworld", VERSION, parts])


def _declared(task: Declared) -> Generated:
    if task.generated is None:
        raise UserError(
            f"the microworld has no task {task.name!r}",
            where="data.source",
            hint="its tasks are mw-nli, mw-qa, … (crosswind list tasks); for others set data.source to hub or files",
        )
    return task.generated


def _written(corpus: DeclaredText) -> Callable[[tuple[str, ...], int, int], TextLines]:
    if corpus.generated is None:
        raise UserError(
            f"the microworld has no corpus {corpus.name!r}",
            where="data.source",
            hint="its corpora are mw-text and mw-parallel; for others set data.source to files",
        )
    return corpus.generated
