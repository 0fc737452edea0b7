"""Retrieval: `{id: [candidate id, …]}`, best first; the labels list the right ones, of `links` the first alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from crosswind.data.examples import Example, QueryExample
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.evaluate.submission import (
    Format,
    Submitted,
    count_unanswered,
    native_id,
    read_mapping,
    stray_note,
    write_mapping,
)

_SHAPE = "{id: [candidate id, …]}"


def _read(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    return _submitted(path, _lists(path), _gold(gold), language)


def _read_links(
    path: Path, gold: Path, language: str, labels: Sequence[str], aliases: Mapping[str, str] = MappingProxyType({})
) -> Submitted:
    """As the official script of Mewsli-X: the right entity is the first that is listed, without blanks around it."""
    first = {name: [wanted[0].strip()] for name, wanted in _gold(gold).items()}
    return _submitted(path, _lists(path), first, language)


def _lists(path: Path) -> dict[str, list[str]]:
    lists = read_mapping(path, list, _SHAPE)
    for name, candidates in lists.items():
        if not all(isinstance(candidate, str) for candidate in candidates):
            raise UserError(f"a candidate of {name} is no text", where=str(path), hint=f"write {_SHAPE}")
    return lists


def _gold(path: Path) -> dict[str, list[str]]:
    lists = _lists(path)
    for name, wanted in lists.items():
        if not wanted:
            raise UserError(
                f"the query {name} has no right candidate",
                where=str(path),
                hint="these labels were left out; a test set distributed without labels cannot be scored",
            )
    return lists


def _submitted(
    path: Path, rankings: Mapping[str, list[str]], right: Mapping[str, list[str]], language: str
) -> Submitted:
    unanswered = count_unanswered(path, [name in rankings for name in right])
    return Submitted(
        tuple(QueryExample(name, name, language, "", tuple(dict.fromkeys(wanted))) for name, wanted in right.items()),
        tuple(_prediction(rankings.get(name, []), set(wanted)) for name, wanted in right.items()),
        unanswered,
        stray_note(path, rankings, right),
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
LINKS_FORMAT = Format(
    "links", "{id: [candidate id, …]}, best first; of the labels the first id", ".json", _read_links, _write
)
