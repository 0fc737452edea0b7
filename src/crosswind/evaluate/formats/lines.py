"""A label, class or row number a line (`.tsv`); XCOPA: `{"label": 0}` a line (`.jsonl`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from crosswind.data.examples import Example, PairExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Submitted,
    parse_json,
    require_count,
    require_label,
    submission_lines,
    write_submission,
)


def _labels(path: Path) -> list[str]:
    """A label a line; in a `.jsonl` file, the label of each object."""
    lines = submission_lines(path)
    if path.suffix != ".jsonl":
        return [line.strip() for line in lines]
    labels = []
    for number, line in enumerate(lines, 1):
        value = parse_json(line, f"{path}:{number}")
        if not isinstance(value, dict) or "label" not in value:
            raise UserError("no label in this line", where=f"{path}:{number}", hint='write {"label": 0} a line')
        labels.append(str(value["label"]))
    return labels


def _read(path: Path, gold: Path, language: str, labels: Sequence[str]) -> Submitted:
    predicted, right = _labels(path), _labels(gold)
    require_count(path, "lines", len(right), len(predicted))
    for number, label in enumerate(predicted, 1):
        require_label(label, labels, f"{path}:{number}")
    index = {label: i for i, label in enumerate(dict.fromkeys(right + predicted))}
    return Submitted(
        tuple(PairExample(str(i), str(i), language, "", "", index[x]) for i, x in enumerate(right, 1)),
        tuple({"predicted": index[x]} for x in predicted),
    )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    if any("predicted" not in p for p in predictions):
        raise UserError("these predictions are no classes", where=str(path), hint="lines hold a class each")
    if path.suffix == ".jsonl":
        lines = [json.dumps({"label": p["predicted"]}) for p in predictions]
    else:
        lines = [labels[p["predicted"]] if labels else str(p["predicted"]) for p in predictions]
    write_submission(path, "".join(f"{line}\n" for line in lines))


LINES_FORMAT = Format("lines", "a label a line", ".tsv", _read, _write)
