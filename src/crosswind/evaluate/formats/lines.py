"""A label, class or row number a line (`.tsv`); XCOPA: `{"label": 0}` a line (`.jsonl`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, PairExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Lines,
    Submitted,
    gold_labels,
    parse_json,
    predicted_labels,
    require_count,
    submission_lines,
    write_submission,
)


def _lines(path: Path) -> list[tuple[int, str]]:
    """A label a line, with the line's number; in a `.jsonl` file, or where lines are objects, the object's label."""
    lines = submission_lines(path)
    if path.suffix != ".jsonl" and not (lines and lines[0].lstrip().startswith("{")):
        return [(number, line.strip()) for number, line in enumerate(lines, 1)]
    labels = []
    for number, line in enumerate(lines, 1):
        value = parse_json(line, f"{path}:{number}")
        if not isinstance(value, dict) or "label" not in value:
            raise UserError("no label in this line", where=f"{path}:{number}", hint='write {"label": 0} a line')
        labels.append((number, str(value["label"])))
    return labels


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    given, wanted = _lines(path), _lines(gold)
    numbers = {} if all(x.isdigit() for x in labels) else {str(i): x for i, x in enumerate(labels)}
    right = gold_labels(wanted, labels, {**numbers, **aliases}, gold)
    require_count(path, "lines", len(right), len(given))
    predicted = predicted_labels(given, labels, aliases, path)
    if not labels:
        _require_alike(given, path, wanted, gold)
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


def _require_alike(given: Lines, path: Path, wanted: Lines, gold: Path) -> None:
    """A `UserError` where one file has numbers and the other none, as Tatoeba's rows beside its sentences."""
    blank = next((number for number, value in given if not value), None)
    if blank is not None:
        raise UserError("no label in this line", where=f"{path}:{blank}")
    for lines, file, others, other in ((given, path, wanted, gold), (wanted, gold, given, path)):
        odd = next(((number, value) for number, value in lines if not value.isdigit()), None)
        if odd is not None and all(value.isdigit() for _, value in others):
            raise UserError(
                f"{odd[1][:60]!r} is no number", where=f"{file}:{odd[0]}", hint=f"{other} has a number a line"
            )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
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
LINES_FORMAT = Format("lines", "a label a line", ".tsv", _read, _write, {"blank_last_lines": "left_out"})
