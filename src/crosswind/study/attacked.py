"""Attacks of one model: running them as a study, and reading what came of them.

A checkpoint goes through a study, whose steps are kept and resumed. A function of the user's or a model behind an
address has no step: it is attacked here, and what is finished lies in the run folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.attacked import AttackedExample, AttackedSet, AttackLine, attack_line, line_table
from crosswind.analysis.condition import control_of, is_searched
from crosswind.attack.goal import BINARY
from crosswind.attack.recipe import parse_recipe, unattackable
from crosswind.data.examples import Dataset, Example, whole_texts
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predictions import Prediction, read_predictions
from crosswind.perturb.damage import chrf
from crosswind.perturb.extent import fields_asked
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.rewrite import Rewrite
from crosswind.report.content import ATTACKED_COLUMNS
from crosswind.run.step import digest
from crosswind.run.store import Store
from crosswind.steps.attack import OUTCOMES
from crosswind.steps.cells import ADDED, TABLE
from crosswind.study.folder import rows_by_key
from crosswind.study.left_out import model_and_set
from crosswind.study.own import declare_tasks
from crosswind.study.planned import Cell, Plan
from crosswind.study.planning_steps import lexicons_of
from crosswind.study.resolve import targets
from crosswind.study.said import gold_text, said_text
from crosswind.study.spec import Study
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.refs import Library, library

ATTACKED_TABLE = "attacked.parquet"

_FIGURES = 2
"""Raised where figures of the same cells come out otherwise, so that those of an earlier call are not taken over."""


@dataclass(frozen=True)
class AttackedModel:
    """A line for each attack and language, and the most convincing examples of each: right before, wrong after, with
    the fewest edits. `notes` are those of a victim that no step attacked: steps have their own."""

    lines: tuple[AttackLine, ...]
    shown: tuple[AttackedExample, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"attacks": [line.to_json() for line in self.lines], "examples": [asdict(s) for s in self.shown]}


def read_attacks(plan: Plan, store: Store, *, most: int = 3) -> AttackedModel:
    """What the attacks of a plan gave, as far as they are in the store."""
    lines: list[AttackLine] = []
    shown: list[AttackedExample] = []
    data = library(plan.graph.context["data"])
    for one in _pairs([c for c in plan.cells if not c.excluded and _there(c, store)]):
        task, dataset = TASKS[one.cell.target], data.dataset(one.cell.data)
        before = _predictions(store, one.clean.key)
        line, made, perturbed = _line(one, task, data, store, before)
        lines.append(line)
        shown += convincing(task, dataset, perturbed, made, before, _predictions(store, one.cell.key), most)
    return AttackedModel(tuple(lines), tuple(shown))


def attack_figures(
    plan: Plan, cells: Sequence[Cell], store: Store, earlier: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The figures of every attack among some cells that are there, in the columns of `ATTACKED_COLUMNS`.

    `earlier` is such a table of an earlier call: the rows of the same cells are taken over.
    """
    same = earlier if earlier is not None and dict(earlier.schema) == ATTACKED_COLUMNS else None
    known = dict(rows_by_key(same, "cells"))
    data = library(plan.graph.context["data"])
    rows: list[Mapping[str, Any]] = []
    for one in _pairs(cells):
        key = digest(
            [_FIGURES, *([c.key, c.rewrite, c.judged] for c in (one.cell, one.clean, one.control) if c is not None)]
        )
        if key not in known:
            line, _, _ = _line(one, TASKS[one.cell.target], data, store, _predictions(store, one.clean.key))
            known[key] = {**one.cell.attack_columns, "cells": key, **line_table([line]).row(0, named=True)}
        rows.append(known[key])
    return pl.DataFrame(rows, schema=ATTACKED_COLUMNS)


@dataclass(frozen=True)
class _Pair:
    """An attacked cell with its clean one and its control, where it has one."""

    cell: Cell
    clean: Cell
    control: Cell | None


def _pairs(cells: Sequence[Cell]) -> Iterator[_Pair]:
    """The attacked cells among some that are there, but controls and what was transferred."""
    attacked = [c for c in cells if c.condition.attack != "none"]
    controls = {_identity(c, c.condition.attack): c for c in attacked}
    clean = {model_and_set(c): c for c in reversed(cells) if c.condition.clean}
    for cell in attacked:
        name = cell.condition.attack
        if is_searched(name) and model_and_set(cell) in clean:
            yield _Pair(cell, clean[model_and_set(cell)], controls.get(_identity(cell, control_of(name))))


def _line(
    one: _Pair, task: Task, data: Library, store: Store, before: Mapping[str, Prediction]
) -> tuple[AttackLine, AttackedSet, PerturbedDataset]:
    dataset, of = data.dataset(one.cell.data), len(data.dataset(one.cell.data.undrawn))
    made, perturbed = _set(one.cell, task, dataset, store, before)
    control = None if one.control is None else _set(one.control, task, dataset, store, before)[0]
    metric, binary = METRICS[task.metric], task.kind in BINARY
    line = attack_line(task.name, one.cell.data.language, made, metric, binary=binary, of=of, control=control)
    return line, made, perturbed


def require_attackable(study: Study, recipe: str, where: str = "--recipe") -> None:
    """Raise a `UserError` where a recipe attacks none of a study's test sets, with the reason."""
    call = parse_recipe(recipe, where=where)
    environment = environment_of(lexicons_of(study))
    declare_tasks(study)
    reasons = [
        unattackable(call, call.setting(target.task, ref.language, environment))
        for target in targets(study)
        for ref in target.data
    ]
    if reasons and None not in reasons:
        hint = f"it is for {call.declaration.languages}; `crosswind list recipes` shows what each attacks"
        asked = replace(call, fields=())
        task, language = next((t.task, ref.language) for t in targets(study) for ref in t.data)
        if call.fields and unattackable(asked, setting := asked.setting(task, language, environment)) is None:
            texts = fields_asked(task.kind, asked.declaration.fields(setting))
            hint = f"of {task.name} it changes {texts}" if texts else "leave the fields out"
        raise UserError(str(reasons[0]), where=where, hint=hint)


def _there(cell: Cell, store: Store) -> bool:
    return store.has(cell.key) and all(store.has(key) for _, key in cell.judged)


def _identity(cell: Cell, attack: str) -> tuple[object, ...]:
    condition = cell.condition
    model = (cell.route, cell.seed, cell.defence, cell.target, cell.selection, cell.data)
    return (*model, attack, condition.budget, condition.protection)


def _predictions(store: Store, key: str) -> dict[str, Prediction]:
    ids, predictions = read_predictions(store.path(key) / "predictions.parquet")
    return dict(zip(ids, predictions, strict=True))


def _set(
    cell: Cell, task: Task, dataset: Dataset, store: Store, before: Mapping[str, Prediction]
) -> tuple[AttackedSet, PerturbedDataset]:
    """The outcomes of a cell's attack beside the metric's statistics, clean and attacked, of the same examples."""
    assert cell.rewrite is not None
    folder = store.path(cell.rewrite)
    added = pl.read_parquet(folder / ADDED) if (folder / ADDED).exists() else None
    perturbed = replay_dataset(dataset, pl.read_parquet(folder / TABLE), added)
    metric = METRICS[task.metric]
    clean = metric.judge(dataset.examples, [before[e.id] for e in dataset.examples], {})
    statistics = pl.read_parquet(store.path(cell.judged[0][1]) / "statistics.parquet")
    attacked = statistics.select(metric.columns).to_numpy()
    frame = pl.read_parquet(folder / OUTCOMES)
    name = cell.condition.attack
    similar = similarities(dataset.examples, perturbed)
    made = AttackedSet(name, cell.condition.budget, frame, clean.clusters, clean.statistics, attacked, similar)
    return made, perturbed


def similarities(examples: Sequence[Example], perturbed: PerturbedDataset) -> list[float]:
    """chrF of each example's changed texts against the original ones, 100 where none changed."""
    return [_similarity(e, p.rewrites) for e, p in zip(examples, perturbed.examples, strict=True)]


def _similarity(example: Example, rewrites: Mapping[str, Rewrite]) -> float:
    texts = whole_texts(example)
    values = []
    for field, rewrite in rewrites.items():
        text = texts[field] if field in texts else "\x1e".join(texts.values())
        values.append(chrf(text, rewrite.apply(text)) if rewrite.length == len(text) else float("nan"))
    return float(np.mean(values)) if values else 100.0


def convincing(
    task: Task,
    dataset: Dataset,
    perturbed: PerturbedDataset,
    attack: AttackedSet,
    before: Mapping[str, Prediction],
    after: Mapping[str, Prediction],
    most: int,
) -> list[AttackedExample]:
    """At most `most` examples that became worse: those that lost most come first, then those of fewest edits."""
    rows = attack.outcomes.with_row_index("at").with_columns(lost=pl.col("clean_right") - pl.col("right"))
    best = (
        rows.filter(pl.col("changes") > 0, pl.col("lost") > 0)
        .sort(["lost", "edit_rate", "changes", "at"], descending=[True, False, False, False])
        .head(most)
    )
    shown = []
    copies = {c.id.partition("/negative/")[2].removesuffix("/attack"): c.text for c in perturbed.added}
    for row in best.iter_rows(named=True):
        example, new = dataset.examples[row["at"]], perturbed.examples[row["at"]].example
        olds, news = whole_texts(example), whole_texts(new)
        if example.id in copies:
            news = {**news, "added": copies[example.id]}
        shown.append(
            AttackedExample(
                id=example.id,
                language=example.language,
                attack=attack.name,
                before=olds,
                after={k: v for k, v in news.items() if v != olds.get(k)},
                gold=gold_text(task, example),
                predicted_before=said_text(task, before[example.id]),
                predicted_after=said_text(task, after[example.id]),
                queries=row["found_at"],
                edit_rate=row["edit_rate"],
            )
        )
    return shown
