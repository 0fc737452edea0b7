"""A tag a line, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Submitted,
    gold_labels,
    predicted_labels,
    require_count,
    submission_lines,
    write_submission,
)


def _sentences(path: Path) -> list[list[tuple[int, str]]]:
    """The tags of each sentence, with the numbers of their lines."""
    sentences: list[list[tuple[int, str]]] = []
    sentence: list[tuple[int, str]] = []
    for number, line in enumerate(submission_lines(path), 1):
        tag = line.strip()
        if not tag:
            sentence = []
            continue
        if not sentence:
            sentences.append(sentence)
        sentence.append((number, tag))
        if "\t" in tag:
            raise UserError(
                "more than a tag in this line", where=f"{path}:{number}", hint="leave the token out: a tag a line"
            )
    return sentences


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    given, wanted = _sentences(path), _sentences(gold)
    gold_tags = iter(gold_labels([line for lines in wanted for line in lines], labels, aliases, gold))
    right = [tuple(islice(gold_tags, len(lines))) for lines in wanted]
    require_count(path, "sentences", len(right), len(given))
    predicted = []
    for lines, tags in zip(given, right, strict=True):
        require_count(f"{path}:{lines[0][0]}", "tags in this sentence", len(tags), len(lines))
        predicted.append(predicted_labels(lines, labels, aliases, path))
    return Submitted(
        tuple(TaggingExample(str(i), str(i), language, ("",) * len(tags), tags) for i, tags in enumerate(right, 1)),
        tuple({"tags": tags} for tags in predicted),
    )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    write_submission(path, "\n".join("".join(f"{tag}\n" for tag in p["tags"]) for p in predictions))


TAGS_FORMAT = Format("tags", "a tag a line, a blank line between sentences", ".tsv", _read, _write)
