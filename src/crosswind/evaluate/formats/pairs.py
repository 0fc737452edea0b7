"""Mining: two ids a line, tab between them (BUCC)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, QueryExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import Format, Submitted, native_id, submission_lines, write_submission


def _pairs(path: Path) -> dict[str, list[str]]:
    """The target-side ids by source-side id, each pair once."""
    pairs: dict[str, dict[str, None]] = {}
    for number, line in enumerate(submission_lines(path), 1):
        left, tab, right = line.strip().partition("\t")
        if not tab or "\t" in right:
            raise UserError("no pair of ids in this line", where=f"{path}:{number}", hint="put a tab between two ids")
        pairs.setdefault(left, {})[right] = None
    return {left: list(rights) for left, rights in pairs.items()}


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    predicted, right = _pairs(path), _pairs(gold)
    sources = sorted(predicted.keys() | right.keys())
    return Submitted(
        tuple(QueryExample(name, name, language, "", tuple(right.get(name, ()))) for name in sources),
        tuple({"chosen": predicted.get(name, [])} for name in sources),
    )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    chosen = [(native_id(e), other) for e, p in zip(examples, predictions, strict=True) for other in p["chosen"]]
    write_submission(path, "".join(f"{source}\t{other}\n" for source, other in chosen))


PAIRS_FORMAT = Format("pairs", "two ids a line, tab between them", ".tsv", _read, _write)
