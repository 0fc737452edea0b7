"""A tag a line, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Lines,
    Submitted,
    gold_labels,
    predicted_labels,
    require_count,
    submission_lines,
    write_submission,
)

_Naming = Callable[[Lines, Sequence[str], Mapping[str, str], Path], list[str]]


@dataclass(frozen=True)
class _Sentences:
    """The tags of each sentence, and the numbers of the lines of their first tags."""

    tags: list[list[str]]
    first: list[int]

    def lines(self) -> list[tuple[int, str]]:
        """Every tag with the number of its line."""
        return [pair for tags, first in zip(self.tags, self.first, strict=True) for pair in enumerate(tags, first)]

    def read(
        self, labels: Sequence[str], aliases: Mapping[str, str], path: Path, name: _Naming
    ) -> list[tuple[str, ...]]:
        """The labels of each sentence as `name` reads them of lines."""
        if labels and {*chain.from_iterable(self.tags)} <= {*labels}:
            return [*map(tuple, self.tags)]  # A test set has a million lines; nearly always each is a label.
        names = iter(name(self.lines(), labels, aliases, path))
        return [tuple(islice(names, len(tags))) for tags in self.tags]


def _sentences(path: Path) -> _Sentences:
    lines = [*map(str.strip, submission_lines(path))]
    if any("\t" in tag for tag in {*lines}):
        number = next(number for number, tag in enumerate(lines, 1) if "\t" in tag)
        raise UserError(
            "more than a tag in this line", where=f"{path}:{number}", hint="leave the token out: a tag a line"
        )
    tags, first = [], []
    begun = 0
    for end in (*(i for i, tag in enumerate(lines) if not tag), len(lines)):
        if end > begun:
            tags.append(lines[begun:end])
            first.append(begun + 1)
        begun = end + 1
    return _Sentences(tags, first)


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    given, wanted = _sentences(path), _sentences(gold)
    right = wanted.read(labels, aliases, gold, gold_labels)
    require_count(path, "sentences", len(right), len(given.tags))
    for tags, first, expected in zip(given.tags, given.first, right, strict=True):
        if len(tags) != len(expected):
            require_count(f"{path}:{first}", "tags in this sentence", len(expected), len(tags))
    predicted = given.read(labels, aliases, path, predicted_labels)
    return Submitted(
        tuple(TaggingExample(str(i), str(i), language, ("",) * len(tags), tags) for i, tags in enumerate(right, 1)),
        tuple({"tags": list(tags)} for tags in predicted),
    )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    write_submission(path, "\n".join("".join(f"{tag}\n" for tag in p["tags"]) for p in predictions))


TAGS_FORMAT = Format("tags", "a tag a line, a blank line between sentences", ".tsv", _read, _write)
