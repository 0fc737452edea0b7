"""The official submission layout of XTREME and XTREME-R: `{task}/test-{lang}.{tsv,json,jsonl}`.

Predictions and labels have the same layout and, but for question answering, the same formats. A
format is one file in `evaluate/formats/`, found by the registry `FORMATS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from crosswind.data.examples import Example, SpanExample
from crosswind.errors import UserError, mixed_labels, unknown
from crosswind.evaluate.predictions import Prediction
from crosswind.reading import json_value, whole_text
from crosswind.registry import Registry
from crosswind.run.folders import replacing


@dataclass(frozen=True)
class Submitted:
    """What a file of predictions and its file of labels say, as a metric judges it.

    `unanswered` counts the items that the file of predictions leaves out; `notes` are sentences about
    what was read otherwise than it is written.
    """

    examples: tuple[Example, ...]
    predictions: tuple[Prediction, ...]
    unanswered: int = 0
    notes: tuple[str, ...] = ()


class ReadFormat(Protocol):
    """Reads a file of predictions beside its file of labels, in a language.

    `labels` may occur in both (empty: any); `aliases` are other spellings of them.
    """

    def __call__(
        self, path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = ..., /
    ) -> Submitted:
        """The predictions and what they are judged by."""


WriteFormat = Callable[[Path, Sequence[Example], Sequence[Prediction], Sequence[str]], None]
"""Path, examples, their predictions, the names of the labels in the order of the classes (empty: numbers)."""


@dataclass(frozen=True)
class Format:
    """A format of submission files: how predictions are read beside their labels, and how they are written.

    `suffix` is that of its official files. `read` raises `UserError` with file and line for what is
    malformed, of another length than the labels, or none of the labels, in predictions and labels
    alike. `settings` are what a score's signature says of the format. `row_numbers` says that the labels of
    a task without any are the numbers of its test set's rows.
    """

    name: str
    summary: str
    suffix: str
    read: ReadFormat
    write: WriteFormat
    settings: Mapping[str, str] = field(default_factory=dict)
    row_numbers: bool = False


FORMATS: Registry[Format] = Registry("submission format", "crosswind.evaluate.formats", "crosswind.formats", Format)

_NAME = re.compile(r"test-(?P<language>.+)\.(tsv|jsonl|json)")


def languages(folder: Path, task: str) -> dict[str, Path]:
    """The files of a task by language, sorted; empty if there is none.

    Any of the three suffixes is read. Raises `UserError` for two files of one language.
    """
    named: dict[str, Path] = {}
    for path in sorted((folder / task).glob("test-*")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            continue
        other = named.setdefault(match["language"], path)
        if other != path:
            raise UserError(
                f"two files for one language: {other.name} and {path.name}",
                where=str(folder / task),
                hint="keep the one that is meant",
            )
    return dict(sorted(named.items()))


def native_id(example: Example) -> str:
    """The id that the official files give an example: what follows `corpus/split/`."""
    return example.id.split("/", 2)[-1]


def require_count(where: object, what: str, expected: int, given: int) -> None:
    """A `UserError` unless as many are given as expected."""
    if expected != given:
        raise UserError(f"{expected} {what} expected, {given} found", where=str(where))


NO_LABEL = ("", "-", "-1", "None", "_")
"""What files write where a label is not given."""

Lines = Sequence[tuple[int, str]]
"""What stands in a file, with the number of its line."""


def predicted_labels(lines: Lines, labels: Sequence[str], aliases: Mapping[str, str], path: Path) -> list[str]:
    """The label of each line; a `UserError` for what is none of `labels`, if these are named."""
    return _labels(lines, labels, aliases, path)


def gold_labels(lines: Lines, labels: Sequence[str], aliases: Mapping[str, str], path: Path) -> list[str]:
    """The label of each line of a file of labels; a `UserError` that says so if the file has none.

    The reason is given for texts in place of labels, and for items whose label is left out.
    """
    known = {*labels, *aliases}
    blank = {value for _, value in lines} & {*NO_LABEL} - known
    for number, value in lines if blank else ():
        if value in blank:
            raise UserError(
                f"no label in this line: {value!r}",
                where=f"{path}:{number}",
                hint="these labels were left out; a test set distributed without labels cannot be scored",
            )
    if labels and lines and not any(value in known for _, value in lines):
        number, value = lines[0]
        raise UserError(
            f"no line of this file is a label; this one has {value[:60]!r}",
            where=f"{path}:{number}",
            hint=f"a file of texts without labels cannot be scored; the labels are {', '.join(labels)}",
        )
    return _labels(lines, labels, aliases, path)


def _labels(lines: Lines, labels: Sequence[str], aliases: Mapping[str, str], path: Path) -> list[str]:
    """The label of each line; a `UserError` for an unknown one and for names and numbers in one file."""
    plain = {*labels}
    if {value for _, value in lines} <= plain:
        return [value for _, value in lines]
    read = [v if v in plain else _label(v, labels, aliases, f"{path}:{number}") for number, v in lines]
    if len({label.isdecimal() for label in labels}) == 1:
        first: dict[bool, tuple[int, str]] = {}
        for number, value in lines:
            first.setdefault(value.isdecimal(), (number, value))
        if len(first) > 1:
            (line, one), (number, other) = first.values()
            raise mixed_labels(one, f"line {line}", other, f"{path}:{number}")
    return read


def _label(value: str, labels: Sequence[str], aliases: Mapping[str, str], where: str) -> str:
    if not labels or value in labels:
        return value
    if value not in aliases:
        raise unknown("label", value, [*labels, *aliases], where=where)
    return aliases[value]


def require_gold(submitted: Submitted, path: Path, *, unanswerable: bool) -> None:
    """A `UserError` for an item of the labels that has no answer, where there must be one, or a blank one."""
    for example in submitted.examples:
        if isinstance(example, SpanExample) and not example.answers and not unanswerable:
            raise UserError(
                f"the question {native_id(example)} has no answer",
                where=str(path),
                hint="these labels were left out; a test set distributed without labels cannot be scored",
            )
        if isinstance(example, SpanExample) and example.answers and not all(t.strip() for t in example.answer_texts):
            raise UserError(
                f"the question {native_id(example)} has an answer without text",
                where=str(path),
                hint="an empty prediction would be right; if the answers were left out, as in a test set distributed"
                " without labels, these labels cannot score anything",
            )


def stray_note(path: Path, predicted: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """A sentence about predicted ids that the labels do not have; none if there is none."""
    stray = sorted({*predicted} - {*known})
    if not stray:
        return ()
    return (f"{path}: {len(stray)} predictions are of ids that the labels do not have: {', '.join(stray[:3])}",)


def count_unanswered(path: Path, answered: Sequence[bool]) -> int:
    """How many items have no prediction; a `UserError` if none has one."""
    absent = sum(not a for a in answered)
    if answered and absent == len(answered):
        raise UserError("no id of the labels is predicted here", where=str(path), hint="is it another task's file?")
    return absent


def submission_lines(path: Path) -> list[str]:
    """The lines of a file, without the blank ones at its end."""
    text = submission_text(path)
    lines = text.split("\n")
    if "\r" in text:
        lines = [line.removesuffix("\r") for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def submission_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without a byte order mark."""
    return whole_text(path)


def parse_json(text: str, where: str) -> Any:
    """The JSON value of a text; a `UserError` if it is none."""
    name, _, line = where.rpartition(":")
    if name and line.isdigit():
        return json_value(text, name, first_line=int(line), unique=True)
    return json_value(text, where, unique=True)


def read_mapping(path: Path, type_: type, shape: str) -> dict[str, Any]:
    """A JSON object whose values are all of one type; a `UserError` that shows the `shape` otherwise."""
    value = parse_json(submission_text(path), str(path))
    if not isinstance(value, dict) or not all(isinstance(v, type_) for v in value.values()):
        raise UserError(f"not a JSON object {shape}", where=str(path))
    return value


def write_submission(path: Path, text: str) -> None:
    """Write a file of a submission beside `path` and rename it into place; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def write_mapping(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object as a file of a submission."""
    write_submission(path, json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
