"""The microworld: artificial languages, made from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crosswind.data.microworld import corpora
from crosswind.data.microworld.generated import code_fingerprint
from crosswind.data.source import (
    Content,
    Declared,
    DeclaredText,
    Generated,
    Portion,
    Source,
    SourceKind,
    TextLines,
    context_language_error,
)
from crosswind.errors import UserError
from crosswind.run.step import digest


class MicroworldSource:
    """Makes what is asked for from a seed; `lines` is the size of a corpus in each language.

    A fingerprint covers the generator's code, so that any change of it is another source.
    """

    def __init__(self, seed: int = 1, lines: int = corpora.LINES) -> None:
        self.seed, self.size = seed, lines

    def content(self, task: Declared, portion: Portion) -> Content:
        return _declared(task, portion).make(self.seed, portion.language, portion.split, portion.pool_languages)

    def fingerprint(self, task: Declared, portion: Portion) -> str:
        size = _declared(task, portion).sizes[portion.split]
        pool = list(portion.pool_languages) if portion.pool_languages else None
        what = [task.name, portion.language, portion.split, size, pool]
        return digest([code_fingerprint(), self.seed, *what])

    def located(self, task: Declared, portion: Portion) -> str:
        return f"the microworld of seed {self.seed}"

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return _written(corpus)(languages, self.seed, self.size)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        _written(corpus)
        return digest([code_fingerprint(), self.seed, self.size, corpus.name, list(languages)])


def _open(settings: Mapping[str, Any], where: str) -> Source:
    """`{source: microworld, seed: 1, lines: 60000}`; a `UserError` for what is no whole number above 0."""
    numbers = {}
    for key, default in (("seed", 1), ("lines", corpora.LINES)):
        value = settings.get(key)
        numbers[key] = default if value is None else value
        if not isinstance(numbers[key], int) or isinstance(numbers[key], bool) or numbers[key] < (key == "lines"):
            at_least = 1 if key == "lines" else 0
            raise UserError(
                f"{value!r} is no {key} of the microworld",
                where=f"{where}.{key}",
                hint=f"write a whole number, {at_least} or more",
            )
    return MicroworldSource(**numbers)


def _declared(task: Declared, portion: Portion) -> Generated:
    if task.generated is None:
        raise UserError(
            f"the microworld has no task {task.name!r}",
            where="data.source",
            hint="its tasks are mw-nli, mw-qa, … (crosswind list tasks); for others set data.source to hub or files",
        )
    if portion.context_language is not None:
        raise context_language_error(task)
    return task.generated


def _written(corpus: DeclaredText) -> Callable[[tuple[str, ...], int, int], TextLines]:
    if corpus.generated is None:
        raise UserError(
            f"the microworld has no corpus {corpus.name!r}",
            where="data.source",
            hint="its corpora are mw-text and mw-parallel; for others set data.source to files",
        )
    return corpus.generated


MICROWORLD_KIND = SourceKind("microworld", "artificial languages from a `seed`; corpora of `lines` a language", _open)
