"""Noise that people made beside noise that a study draws, on the same items: types of edits, their distance, damage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from crosswind.data.examples import Dataset, Example, whole_texts
from crosswind.perturb.damage import damage_of
from crosswind.perturb.edit_types import counted, distance, shares
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.twins import TWIN_FIELDS
from crosswind.report.content import NATURAL_COLUMNS
from crosswind.run.step import digest
from crosswind.run.store import Store
from crosswind.steps.cells import TABLE
from crosswind.steps.rewrite import REWRITE
from crosswind.steps.twin import TWIN
from crosswind.study.folder import rows_by_key
from crosswind.study.planned import Cell, Plan
from crosswind.tasks.refs import DataRef, library

NATURAL_TABLE = "natural.parquet"
_MOST = 300  # items of a twin that are looked at: shares of some 500 edits are known to 2 points
_VERSION = 2


def natural_noise(plan: Plan, cells: Sequence[Cell], store: Store, earlier: pl.DataFrame | None = None) -> pl.DataFrame:
    """A row for every twin among cells that are there, and for every drawn condition on its test set.

    Both are measured on at most 300 of the items that the twin changed, evenly spread. `earlier` is such a table of an
    earlier call: the rows of the same rewrites are taken over. Columns: `NATURAL_COLUMNS`.
    """
    same = earlier if earlier is not None and dict(earlier.schema) == NATURAL_COLUMNS else None
    known = dict(rows_by_key(same, "cells"))
    rows: list[Mapping[str, Any]] = []
    for twin, conditions in _beside(plan, cells):
        keys = [digest([_VERSION, twin.rewrite, cell.rewrite]) for cell in conditions]
        if all(key in known for key in keys):
            rows += [known[key] for key in keys]
            continue
        clean, natural = _items(library(plan.graph.context["data"]).dataset(twin.data), store, twin)
        if not clean.examples:  # its cell is n/a
            continue
        people = _edits(clean, natural)
        for cell, key in zip(conditions, keys, strict=True):
            made = natural if cell is twin else _replayed(clean, store, cell)
            rows.append(_row(twin, cell, key, clean, made, people))
    return pl.DataFrame(rows, schema=NATURAL_COLUMNS)


def _beside(plan: Plan, cells: Sequence[Cell]) -> Iterator[tuple[Cell, list[Cell]]]:
    """Each twin with the cells of its test set: itself, then what was drawn; a rewrite once, whoever reads it."""
    by_set: dict[DataRef, dict[str, Cell]] = {}
    for cell in cells:
        if cell.rewrite and plan.graph[cell.rewrite].kind in (TWIN.name, REWRITE.name):
            by_set.setdefault(cell.data, {}).setdefault(cell.rewrite, cell)
    for rewrites in by_set.values():
        drawn = [cell for key, cell in rewrites.items() if plan.graph[key].kind == REWRITE.name]
        for key, cell in rewrites.items():
            if plan.graph[key].kind == TWIN.name:
                yield cell, [cell, *drawn]


def _items(dataset: Dataset, store: Store, twin: Cell) -> tuple[Dataset, PerturbedDataset]:
    """At most so many of the items that a twin changed, as they were and as people wrote them."""
    natural = _replayed(dataset, store, twin)
    changed = [i for i, item in enumerate(natural.examples) if item.changed]
    if len(changed) > _MOST:
        changed = [changed[i * len(changed) // _MOST] for i in range(_MOST)]
    clean = replace(dataset, examples=tuple(dataset.examples[i] for i in changed))
    examples = tuple(natural.examples[i] for i in changed)
    after = replace(natural.dataset, examples=tuple(e.example for e in examples))
    return clean, PerturbedDataset(after, examples)


def _replayed(dataset: Dataset, store: Store, cell: Cell) -> PerturbedDataset:
    assert cell.rewrite is not None
    return replay_dataset(dataset, pl.read_parquet(store.path(cell.rewrite) / TABLE))


def _edits(clean: Dataset, made: PerturbedDataset) -> Counter[str]:
    return counted(pair for a, b in zip(clean.examples, made, strict=True) for pair in _texts(a, b.example))


def _texts(before: Example, after: Example) -> Iterator[tuple[str, str]]:
    """The texts of an example with what they became."""
    now = whole_texts(after)
    for name, text in whole_texts(before).items():
        yield text, now.get(name, text)


def _row(
    twin: Cell, cell: Cell, key: str, clean: Dataset, made: PerturbedDataset, people: Mapping[str, int]
) -> dict[str, Any]:
    counts = _edits(clean, made)
    damage = damage_of(clean, made, TWIN_FIELDS)
    return {
        "twin": twin.perturbation,
        "target": cell.target,
        "language": cell.data.language,
        "context_language": cell.data.context_language or "",
        "rows": cell.data.selection,
        "condition": cell.condition.name,
        "drawn": cell is not twin,
        "items": len(clean),
        **shares(counts),
        "distance": None if cell is twin or not counts else distance(people, counts),
        "edits": damage.edits_per_text,
        "words_hit": damage.word_share,
        "chrf": damage.chrf,
        "cells": key,
    }
