"""A label or class a line (`.tsv`); XCOPA: `{"label": 0}` a line (`.jsonl`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crosswind.data.examples import Example, PairExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Submitted,
    gold_labels,
    parse_json,
    predicted_labels,
    require_count,
    submission_lines,
    write_submission,
)


def label_lines(path: Path) -> list[tuple[int, str]]:
    """A label a line, with the line's number; in a `.jsonl` file, or where lines are objects, the object's label."""
    lines = submission_lines(path)
    if not _of_objects(path, lines):
        return [(number, line.strip()) for number, line in enumerate(lines, 1)]
    labels = []
    for number, line in enumerate(lines, 1):
        value = parse_json(line, f"{path}:{number}")
        if not isinstance(value, dict) or "label" not in value:
            raise UserError("no label in this line", where=f"{path}:{number}", hint='write {"label": 0} a line')
        labels.append((number, str(value["label"])))
    return labels


def require_same_order(path: Path, gold: Path) -> None:
    """A `UserError` where objects of a file name items (`idx`, `id`) in another order than the lines of its labels.

    Labels are read line by line, as official scripts do. Where the file of labels names no items, those of the
    predictions have to count up: their numbers, or the ones at the end of their names.
    """
    given, wanted = _names(path), _names(gold)
    for key, names in given.items():
        other = wanted.get(key)
        for number, name in enumerate(names, 1):
            last, this = _END.search(str(names[number - 2])), _END.search(str(name))
            wrong = False
            if other is not None:
                wrong = number <= len(other) and str(name) != str(other[number - 1])
            elif number > 1:
                wrong = last is not None and this is not None and int(this[0]) <= int(last[0])
            if wrong:
                should = f" where {gold}:{number} has {str(other[number - 1])[:60]!r}" if other is not None else ""
                raise UserError(
                    f"is {key} {str(name)[:60]!r}{should}, and labels are read line by line",
                    where=f"{path}:{number}",
                    hint="write the lines in the order of the test set",
                )


_END = re.compile(r"[0-9]{1,18}$")


def _names(path: Path) -> dict[str, list[Any]]:
    """What each object of a file of objects is called, by key, where all of them say it."""
    lines = submission_lines(path)
    if not _of_objects(path, lines):
        return {}
    rows = [parse_json(line, f"{path}:{number}") for number, line in enumerate(lines, 1)]
    keys = [key for key in ("idx", "id") if rows and all(isinstance(row, dict) and key in row for row in rows)]
    return {key: [row[key] for row in rows] for key in keys}


def _of_objects(path: Path, lines: Sequence[str]) -> bool:
    return path.suffix == ".jsonl" or bool(lines and lines[0].lstrip().startswith("{"))


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    given, wanted = label_lines(path), label_lines(gold)
    numbers = {} if all(x.isdigit() for x in labels) else {str(i): x for i, x in enumerate(labels)}
    right = gold_labels(wanted, labels, {**numbers, **aliases}, gold)
    require_count(path, "lines", len(right), len(given))
    require_same_order(path, gold)
    predicted = predicted_labels(given, labels, aliases, path)
    notes: tuple[str, ...] = ()
    if any(value in numbers for _, value in wanted):
        order = ", ".join(f"{number} {name}" for number, name in numbers.items())
        notes = (f"{gold}: the labels are numbers, read in the task's order: {order}",)
    index = {label: i for i, label in enumerate(dict.fromkeys(right + predicted))}
    return Submitted(
        tuple(PairExample(str(i), str(i), language, "", "", index[x]) for i, x in enumerate(right, 1)),
        tuple({"predicted": index[x]} for x in predicted),
        notes=notes,
    )


def write_label_lines(
    path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]
) -> None:
    """Write the class of each prediction as a line, by name where there are `labels`."""
    if any("predicted" not in p for p in predictions):
        raise UserError("these predictions are no classes", where=str(path), hint="lines hold a class each")
    if path.suffix == ".jsonl":
        lines = [json.dumps({"label": p["predicted"]}) for p in predictions]
    else:
        lines = [_written(p["predicted"], labels) for p in predictions]
    write_submission(path, "".join(f"{line}\n" for line in lines))


def _written(predicted: int, labels: Sequence[str]) -> str:
    if not labels:
        return str(predicted)
    return labels[predicted] if predicted >= 0 else "none"  # a class of the model's that the task does not have


# The official script counts a blank last line of both files as one more right item.
LINES_FORMAT = Format("lines", "a label a line", ".tsv", _read, write_label_lines, {"blank_last_lines": "left_out"})
