"""A tag a line, a blank line between sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crosswind.data.examples import Example, TaggingExample
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Submitted,
    require_count,
    require_label,
    submission_lines,
    write_submission,
)


def _sentences(path: Path) -> tuple[list[list[str]], list[int]]:
    """The tags of each sentence, and the line number that each sentence starts on."""
    sentences: list[list[str]] = []
    starts: list[int] = []
    fresh = True
    for number, line in enumerate(submission_lines(path), 1):
        if not line.strip():
            fresh = True
            continue
        if fresh:
            sentences.append([])
            starts.append(number)
            fresh = False
        sentences[-1].append(line.strip())
    return sentences, starts


def _read(path: Path, gold: Path, language: str, labels: Sequence[str]) -> Submitted:
    (predicted, starts), (right, _) = _sentences(path), _sentences(gold)
    require_count(path, "sentences", len(right), len(predicted))
    for tags, gold_tags, start in zip(predicted, right, starts, strict=True):
        require_count(f"{path}:{start}", "tags in this sentence", len(gold_tags), len(tags))
        for number, tag in enumerate(tags, start):
            require_label(tag, labels, f"{path}:{number}")
    return Submitted(
        tuple(
            TaggingExample(str(i), str(i), language, ("",) * len(tags), tuple(tags)) for i, tags in enumerate(right, 1)
        ),
        tuple({"tags": tags} for tags in predicted),
    )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    write_submission(path, "\n".join("".join(f"{tag}\n" for tag in p["tags"]) for p in predictions))


TAGS_FORMAT = Format("tags", "a tag a line, a blank line between sentences", ".tsv", _read, _write)
