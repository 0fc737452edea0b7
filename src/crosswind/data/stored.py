"""Examples that a step made, as JSON lines: written once, read back equal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    kind_of,
)
from crosswind.errors import UserError
from crosswind.reading import json_lines

EXAMPLES_FILE, POOL_FILE = "examples.jsonl", "pool.jsonl"


def stored_example(example: Example) -> dict[str, Any]:
    """An example as JSON; its kind stands under `kind`."""
    return {"kind": kind_of(example), **asdict(example)}


def example_of(value: Mapping[str, Any]) -> Example:
    """The example that `stored_example` wrote."""
    rest: dict[str, Any] = {
        name: tuple(part) if isinstance(part, list) else part for name, part in value.items() if name != "kind"
    }
    match value["kind"]:
        case "pair":
            return PairExample(**rest)
        case "choice":
            return ChoiceExample(**rest)
        case "tagging":
            return TaggingExample(**rest)
        case "span":
            answers = value["answers"]
            spans = None if answers is None else tuple(Span(a["start"], a["end"]) for a in answers)
            return SpanExample(**{**rest, "answers": spans})
        case "query":
            return QueryExample(**rest)
        case other:
            raise ValueError(f"no kind of example: {other!r}")


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line, as UTF-8."""
    with path.open("w", encoding="utf-8") as file:
        for value in values:
            file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_examples(folder: Path, examples: Iterable[Example], pool: Pool | None) -> None:
    """The examples of a data set, and its pool if it has one."""
    write_lines(folder / EXAMPLES_FILE, map(stored_example, examples))
    if pool is not None:
        write_lines(folder / POOL_FILE, map(asdict, pool.candidates))


def read_examples(folder: Path) -> tuple[tuple[Example, ...], Pool | None]:
    """What `write_examples` wrote; a `UserError` with file:line for what is damaged."""
    examples = tuple(_each(folder / EXAMPLES_FILE, example_of))
    pool = folder / POOL_FILE
    candidates = tuple(_each(pool, lambda value: Candidate(**value))) if pool.exists() else None
    return examples, None if candidates is None else Pool(candidates)


def _each(path: Path, make: Any) -> Iterator[Any]:
    for number, value in json_lines(path):
        try:
            yield make(value)
        except (KeyError, TypeError, ValueError) as error:
            hint = "the file is damaged: let the step make it again"
            raise UserError(f"no example: {error}", where=f"{path}:{number}", hint=hint) from None
