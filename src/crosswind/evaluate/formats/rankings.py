"""Retrieval: `{id: [candidate id, …]}`, best first; the labels list the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crosswind.data.examples import Example, QueryExample
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import Format, Submitted, count_unanswered, native_id, read_mapping, write_mapping

_SHAPE = "{id: [candidate id, …]}"


def _read(path: Path, gold: Path, language: str, labels: Sequence[str]) -> Submitted:
    rankings, right = read_mapping(path, list, _SHAPE), read_mapping(gold, list, _SHAPE)
    unanswered = count_unanswered(path, [name in rankings for name in right])
    return Submitted(
        tuple(QueryExample(name, name, language, "", tuple(dict.fromkeys(wanted))) for name, wanted in right.items()),
        tuple(_prediction(rankings.get(name, []), set(wanted)) for name, wanted in right.items()),
        unanswered,
    )


def _prediction(ranking: list[str], wanted: set[str]) -> Prediction:
    """The ranks of the wanted candidates; one that is listed twice counts where it comes first."""
    first: dict[str, int] = {}
    for rank, candidate in enumerate(ranking, 1):
        first.setdefault(candidate, rank)
    return {"top": ranking, "ranks": sorted(rank for candidate, rank in first.items() if candidate in wanted)}


def _write(path: Path, examples: Sequence[Example], predictions: Sequence[Prediction], labels: Sequence[str]) -> None:
    write_mapping(path, {native_id(e): list(p["top"]) for e, p in zip(examples, predictions, strict=True)})


RANKINGS_FORMAT = Format("rankings", "{id: [candidate id, …]}, best first", ".json", _read, _write)
