"""Examples of a run to browse: a sample of its perturbed test sets, kept in the run folder so that it needs no data.

examples.json: how many predictions it is a sample of, how it was chosen, and for each example its texts, clean and
perturbed, and what each route said of both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.analysis.condition import APART, is_transferred
from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.spec import POOL
from crosswind.report.content import ExampleSample, StoredExample
from crosswind.run.folders import replacing
from crosswind.run.step import digest
from crosswind.study.folder import prediction_path, rewrite_path
from crosswind.study.planned import Cell
from crosswind.study.said import gold_text, said_text
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef, library

KEPT_EXAMPLES = "examples.json"
_VERSION = 2
_MOST = 240  # examples
_SETS = 24  # test sets that texts are read of
_CONDITIONS = 160
_EACH = 4  # examples of a test set under a condition
_LOOKED_AT = 200  # changed items of a test set under a condition, of which those are chosen
_LARGEST = 60_000  # items of a test set that is read for a few of them
_LONGEST = 20_000  # characters of a text


@dataclass(frozen=True)
class _Group:
    """The cells of one test set under one condition with the same texts: one a route (of an attack, one alone)."""

    cells: tuple[Cell, ...]

    @property
    def first(self) -> Cell:
        return self.cells[0]


def write_sample(cells: Sequence[Cell], data: Mapping[str, Any], out: Path) -> None:
    """Keep a sample of these cells' examples; what an earlier call kept of the same predictions stays.

    `data` is the `data:` setting of the plan. A file that cannot be read is named in the sample, and fails nothing.
    """
    groups, notes = _chosen(cells)
    mark = digest({"version": _VERSION, "cells": [c.key for g in groups for c in g.cells]})
    path = out / KEPT_EXAMPLES
    if path.exists() and _whole(_kept(path), mark):
        return
    of = sum(_count(out / prediction_path(c)) for c in cells if not c.condition.clean)
    by_group: dict[int, list[StoredExample]] = {}
    each = max(1, min(_EACH, _MOST // max(1, len(groups))))
    clean = {_model(c): c for c in cells if c.condition.clean}
    for ref in dict.fromkeys(g.first.data for g in groups):
        try:
            dataset = library(data).dataset(ref)
            for number, group in enumerate(groups):
                if group.first.data == ref:
                    by_group[number] = _examples(group, dataset, clean, out, each)
        except (UserError, ValueError, OSError, pl.exceptions.PolarsError) as error:
            reason = str(error).split("\n")[0]
            notes.append(f"The texts of {ref.name} could not be read: {reason}.")
    items = [*_in_turn([by_group[number] for number in sorted(by_group)])]
    value: dict[str, Any] = {"mark": mark, "of": of, "notes": notes, "items": [asdict(x) for x in items[:_MOST]]}
    value["sum"] = digest(json.loads(json.dumps(value)))
    with replacing(path) as draft:
        draft.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")


def _whole(value: Mapping[str, Any], mark: str) -> bool:
    """Whether a kept sample is of these predictions, and nothing of it was changed."""
    rest = {name: x for name, x in value.items() if name != "sum"}
    return value.get("mark") == mark and value.get("sum") == digest(rest)


def read_sample(paths: Sequence[Path]) -> ExampleSample:
    """The samples that runs keep, as one."""
    items: list[StoredExample] = []
    notes: list[str] = []
    of = 0
    for value in (_kept(path / KEPT_EXAMPLES) for path in paths):
        try:
            items += map(_restored, value.get("items", ()))
            of += int(value.get("of", 0))
            notes += [str(note) for note in value.get("notes", ())]
        except (KeyError, TypeError, ValueError):
            notes.append("The kept examples of a run could not be read.")
    return ExampleSample(tuple(items[:_MOST]), of, tuple(dict.fromkeys(notes)))


def _restored(value: Mapping[str, Any]) -> StoredExample:
    """An example as it was kept; a TypeError, KeyError or ValueError for what is none."""
    fields = [
        (str(name), str(before), None if after is None else str(after)) for name, before, after in value["fields"]
    ]
    said = [(str(model), str(old), str(new), bool(flipped)) for model, old, new, flipped in value["said"]]
    texts = {name: str(value[name]) for name in ("id", "target", "language", "perturbation", "condition", "gold")}
    return StoredExample(fields=fields, said=said, **texts)


def _kept(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _count(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    except (OSError, pl.exceptions.PolarsError):
        return 0


def _model(cell: Cell) -> tuple[object, ...]:
    return cell.route, cell.defence, cell.seed, cell.target, cell.data, cell.selection


def _chosen(cells: Sequence[Cell]) -> tuple[list[_Group], list[str]]:
    """The groups of the first pipeline seed whose texts are read, and how they were chosen."""
    seed = min((c.seed for c in cells), default=0)
    noisy = [
        c
        for c in cells
        if c.rewrite and c.seed == seed and c.defence == "none" and c.draw <= 1 and c.selection not in APART
        and not is_transferred(c.condition.attack) and c.data.made is None and not _is_large(c.data)
    ]  # fmt: skip
    by_texts: dict[tuple[DataRef, str], list[Cell]] = {}
    for cell in noisy:
        by_texts.setdefault((cell.data, rewrite_path(cell)), []).append(cell)
    refs = _spread([c.data for c in noisy])
    groups = [_Group(tuple(members)) for (ref, _), members in by_texts.items() if ref in refs]
    chosen = [*_in_turn([[g for g in groups if g.first.data == ref] for ref in refs])][:_CONDITIONS]
    notes = [f"Of pipeline seed {seed}, the first draw of each condition."] if noisy else []
    if len(refs) < (number := len({c.data for c in noisy})):
        notes.append(f"Of {len(refs)} of {number} test sets: of each target languages in turn.")
    if large := sorted({c.target for c in cells if c.rewrite and _is_large(c.data)}):
        notes.append(f"Not of {', '.join(large)}: more than {_LARGEST:,} items would be read for a few.")
    if chosen:
        notes.append("In each test set and condition, items that a route answers otherwise than before come first.")
    return chosen, notes


def _is_large(ref: DataRef) -> bool:
    size = ref.size
    return TASKS[ref.task].search == "mined" or (size is not None and size > _LARGEST) or ref.task == "mewslix"


def _spread(refs: Sequence[DataRef]) -> list[DataRef]:
    """At most `_SETS` test sets, targets in turn, the languages of each evenly."""
    by_task: dict[str, list[DataRef]] = {}
    for ref in dict.fromkeys(refs):
        by_task.setdefault(ref.task, []).append(ref)
    share = max(1, -(-_SETS // max(1, len(by_task))))
    evenly = []
    for members in by_task.values():
        step = max(1.0, len(members) / share)
        evenly.append([members[int(i * step)] for i in range(min(share, len(members)))])
    return [*_in_turn(evenly)][:_SETS]


def _in_turn(lists: Sequence[Sequence[Any]]) -> Iterator[Any]:
    return (x for row in zip_longest(*lists) for x in row if x is not None)


def _examples(
    group: _Group, dataset: Dataset, clean: Mapping[tuple[object, ...], Cell], out: Path, most: int
) -> list[StoredExample]:
    task = TASKS[group.first.target]
    table = pl.read_parquet(out / rewrite_path(group.first))
    in_pool = set(table.filter(pl.col("part") == POOL)["id"])
    changed = set(table.filter(pl.col("part") != POOL)["id"])
    having = [e for e in dataset.examples if e.id in changed or (isinstance(e, QueryExample) and in_pool & set(e.gold))]
    looked_at = sorted(having, key=lambda e: hashlib.blake2b(e.id.encode(errors="replace")).digest())[:_LOOKED_AT]
    names = [e.id for e in looked_at]
    said: dict[str, list[tuple[str, str, str, bool]]] = {name: [] for name in names}
    for cell in group.cells:
        before = clean.get(_model(cell))
        if before is None:
            continue
        olds, news = (_predictions(out / prediction_path(c), names) for c in (before, cell))
        for name in names:
            if name in olds and name in news:
                old, new = said_text(task, olds[name]), said_text(task, news[name])
                same = news[name].get("same")
                said[name].append((cell.route, old, new, old != new if same is None else not same))
    looked_at = [e for e in looked_at if said[e.id]]
    flipped = [e for e in looked_at if any(x[3] for x in said[e.id])]
    kept = [e for e in looked_at if e not in flipped]
    # Both kinds, so that a reader sees what did no harm too.
    some = flipped[: max(1, most - 1)]
    examples = [*some, *kept[: most - len(some)]]
    if not examples:
        return []
    pool = None
    gold = {g for e in examples if isinstance(e, QueryExample) for g in e.gold}
    if dataset.pool is not None:
        pool = Pool(tuple(c for c in dataset.pool.candidates if c.id in gold))
    small = replace(dataset, examples=tuple(examples), pool=pool)
    wanted = {e.id for e in examples} | gold
    perturbed = replay_dataset(small, table.filter(pl.col("id").is_in(sorted(wanted))))
    condition = group.first.condition
    return [
        StoredExample(
            id=old.id,
            target=task.name,
            language=_language(group.first.data),
            perturbation=condition.perturbation if condition.attack == "none" else condition.attack,
            condition=condition.name,
            fields=[*_fields(old, new, small.pool, perturbed.dataset.pool)],
            gold=gold_text(task, old),
            said=said[old.id],
        )
        for old, new in zip(small.examples, perturbed.dataset.examples, strict=True)
    ]


def _language(ref: DataRef) -> str:
    return (
        f"{ref.context_language}/{ref.language}" if ref.context_language not in (None, ref.language) else ref.language
    )


def _predictions(path: Path, names: Sequence[str]) -> dict[str, Prediction]:
    rows = pl.read_parquet(path).filter(pl.col("id").is_in(names)).iter_rows(named=True)
    return {str(row.pop("id")): row for row in rows}


def _fields(old: Example, new: Example, olds: Pool | None, news: Pool | None) -> Iterator[tuple[str, str, str | None]]:
    before, after = dict(_texts(old, olds)), dict(_texts(new, news))
    for name, text in before.items():
        other = after.get(name, "")
        if text or other:
            yield name, text[:_LONGEST], None if other == text else other[:_LONGEST]


def _texts(example: Example, pool: Pool | None) -> Iterator[tuple[str, str]]:
    match example:
        case PairExample():
            yield from (("first", example.first), ("second", example.second))
        case ChoiceExample():
            yield from (("context", example.context), ("question", example.question))
            yield from ((f"choice {i + 1}", choice) for i, choice in enumerate(example.choices))
        case TaggingExample():
            yield "words", " ".join(example.words)
        case SpanExample():
            yield from (("question", example.question), ("context", example.context))
        case QueryExample():
            yield from (("query", example.query), ("mention", example.mention), ("context", example.context))
            for name in example.gold if pool is not None else ():
                if pool is not None and name in pool.index:
                    yield f"candidate {name}", pool.candidates[pool.index[name]].text
