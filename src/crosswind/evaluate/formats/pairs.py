"""Mining: two ids a line, tab between them (BUCC)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, QueryExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import Format, Submitted, native_id, submission_lines, write_submission

_SIDES = ("first", "second")


def _pairs(path: Path) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The target-side ids by source-side id, each pair once; a sentence about blanks around ids, if there were any."""
    pairs: dict[str, dict[str, None]] = {}
    padded = []
    for number, line in enumerate(submission_lines(path), 1):
        cells = line.split("\t")
        ids = [cell.strip() for cell in cells]
        if len(ids) != 2 or not all(ids):
            raise UserError("no pair of ids in this line", where=f"{path}:{number}", hint="put a tab between two ids")
        if ids != cells:
            padded.append(number)
        pairs.setdefault(ids[0], {})[ids[1]] = None
    said = f"{path}: blanks around ids are left out in {len(padded):,} lines, first in line "
    return {left: list(rights) for left, rights in pairs.items()}, tuple(f"{said}{line}" for line in padded[:1])


def _stray(path: Path, predicted: Mapping[str, list[str]], gold: Path, right: Mapping[str, list[str]]) -> list[str]:
    """Sentences about predicted ids that are in no gold pair, by column; a `UserError` where all of a column are."""
    notes = []
    for side, given, known in zip(_SIDES, _columns(predicted), _columns(right), strict=True):
        stray = sorted(given - known)
        if stray and known and len(stray) == len(given):
            raise UserError(
                f"no id in the {side} column is in the {side} column of the labels, as {stray[0]!r}",
                where=str(path),
                hint=f"are the columns swapped, or is it another language's file? {gold} has {min(known)!r} there",
            )
        if stray:
            what = f"{len(stray):,} of {len(given):,} ids in the {side} column are in no pair of the labels"
            notes.append(f"{path}: {what}: {', '.join(stray[:3])}")
    return notes


def _columns(pairs: Mapping[str, list[str]]) -> tuple[set[str], set[str]]:
    return {*pairs}, {right for rights in pairs.values() for right in rights}


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    (predicted, padded), (right, gold_padded) = _pairs(path), _pairs(gold)
    notes = (*padded, *gold_padded, *_stray(path, predicted, gold, right))
    if not predicted:
        notes = (*notes, f"{path}: no pair is predicted")
    sources = sorted(predicted.keys() | right.keys())
    return Submitted(
        tuple(QueryExample(name, name, language, "", tuple(right.get(name, ()))) for name in sources),
        tuple({"chosen": predicted.get(name, [])} for name in sources),
        notes=notes,
    )


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    chosen = [(native_id(e), other) for e, p in zip(examples, predictions, strict=True) for other in p["chosen"]]
    write_submission(path, "".join(f"{source}\t{other}\n" for source, other in chosen))


PAIRS_FORMAT = Format("pairs", "two ids a line, tab between them", ".tsv", _read, _write)
