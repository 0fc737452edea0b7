"""The official submission layout of XTREME and XTREME-R: `{task}/test-{lang}.{tsv,json,jsonl}`.

Predictions and labels have the same layout and, but for question answering, the same formats:

    lines     a label, tag or row number a line (`.tsv`); XCOPA: `{"label": 0}` a line (`.jsonl`)
    tags      a tag a line, a blank line between sentences
    pairs     two ids a line, tab between them (BUCC)
    answers   `{id: text}`; the labels are SQuAD files
    rankings  `{id: [candidate id, …]}`, best first; the labels list the right ones
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from crosswind.errors import UserError

Format = Literal["lines", "tags", "pairs", "answers", "rankings"]

_NAME = re.compile(r"test-(?P<language>.+)\.(tsv|jsonl|json)")


def languages(folder: Path, task: str) -> dict[str, Path]:
    """The files of a task by language, sorted; empty if there is none."""
    found = {m["language"]: path for path in (folder / task).glob("test-*") if (m := _NAME.fullmatch(path.name))}
    return dict(sorted(found.items()))


def read_lines(path: Path) -> list[str]:
    """A label a line; in a `.jsonl` file, the label of each object."""
    lines = _lines(path)
    if path.suffix != ".jsonl":
        return [line.strip() for line in lines]
    labels = []
    for number, line in enumerate(lines, 1):
        value = _json(line, f"{path}:{number}")
        if not isinstance(value, dict) or "label" not in value:
            raise UserError("no label in this line", where=f"{path}:{number}", hint='write {"label": 0} a line')
        labels.append(str(value["label"]))
    return labels


def read_tags(path: Path) -> tuple[list[list[str]], list[int]]:
    """The tags of each sentence, and the line number that each sentence starts on."""
    sentences: list[list[str]] = []
    starts: list[int] = []
    fresh = True
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            fresh = True
            continue
        if fresh:
            sentences.append([])
            starts.append(number)
            fresh = False
        sentences[-1].append(line.strip())
    return sentences, starts


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Two ids a line, tab between them."""
    pairs = []
    for number, line in enumerate(_lines(path), 1):
        left, tab, right = line.strip().partition("\t")
        if not tab:
            raise UserError("no pair of ids in this line", where=f"{path}:{number}", hint="put a tab between two ids")
        pairs.append((left, right))
    return pairs


def read_answers(path: Path) -> dict[str, str]:
    """`{id: text}`."""
    return _mapping(path, str, "{id: text}")


def read_rankings(path: Path) -> dict[str, list[str]]:
    """`{id: [candidate id, …]}`, best first."""
    return _mapping(path, list, "{id: [candidate id, …]}")


def read_gold_answers(path: Path) -> dict[str, list[str]]:
    """The gold answers by question id of a SQuAD file."""
    value = _json(_text(path), str(path))
    try:
        questions = [q for article in value["data"] for p in article["paragraphs"] for q in p["qas"]]
        return {q["id"]: [a["text"] for a in q["answers"]] for q in questions}
    except (KeyError, TypeError) as error:
        raise UserError(f"not a SQuAD file ({error!r})", where=str(path), hint="labels of QA are SQuAD JSON") from None


def _mapping(path: Path, type_: type, shape: str) -> dict[str, Any]:
    value = _json(_text(path), str(path))
    if not isinstance(value, dict) or not all(isinstance(v, type_) for v in value.values()):
        raise UserError(f"not a JSON object {shape}", where=str(path))
    return value


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"not JSON: {error.msg}, line {error.lineno}", where=where) from None


def _lines(path: Path) -> list[str]:
    """The lines of a file, without the blank ones at its end."""
    lines = list(_split(_text(path)))
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _split(text: str) -> Iterator[str]:
    return (line.removesuffix("\r") for line in text.split("\n"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"not UTF-8 (byte {error.start})", where=str(path)) from None
