"""`crosswind export --adversarial`: the adversarial examples that the attacks of a run ended with, as test sets.

    OUT/export.json                 what was exported, with the SHA-256 of every file
    OUT/CONDITION/…                 the attacked items, in the form that was asked for (several models: ROUTE/SEED/…)
    OUT/CONDITION/rewrites/…        what was changed, as pieces kept and pieces new

Items that the attack left as they were are among them, so that a score over all of them is the one after the attack.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from crosswind import __version__
from crosswind.analysis.condition import FROM, is_control
from crosswind.analysis.results import NONE
from crosswind.errors import UserError, unknown
from crosswind.perturb.replay import replay_dataset
from crosswind.reading import parquet_file
from crosswind.run.folders import inventory, new_folder, write_json
from crosswind.study.folder import IDENTITY, condition_name
from crosswind.study.items import ExportedItems, ItemForm, item_condition, write_items
from crosswind.study.planned import Cell, CellCondition
from crosswind.study.submitted import run_data
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef


def export_adversarial(
    run: Path, out: Path, form: ItemForm, *, attack: str | None = None, data: Path | None = None
) -> ExportedItems:
    """Write the adversarial examples of a run folder below the new folder `out`: of one attack, or of all.

    Controls are written where `attack` names one. `data` is where the official files lie, if not where the run's study
    says. Raises `UserError` for a folder that is no run's or not new, a run without attacks or without this one, other
    data than those that were attacked, and a text that the official layout cannot hold.
    """
    rows = _rows(run, attack)
    source = run_data(run, data)
    models = {_model(row) for row in rows}
    conditions: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    with new_folder(out) as draft:
        for row in rows:
            cell = _cell(row)
            table = parquet_file(run / row["rewrites"])
            clean = source.dataset(cell.data)
            if table.height and not set(table["id"]) <= {e.id for e in clean.examples}:
                what = f"{cell.target} {cell.data.language}: the run attacked other items than the data hold now"
                raise UserError(what, where=str(run), hint="name the data that it attacked with --data")
            perturbed = replay_dataset(clean, table)
            name = Path(_model(row) if len(models) > 1 else ".") / condition_name(cell)
            rewrites = draft / name / "rewrites"
            rewrites.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run / row["rewrites"], rewrites / f"{cell.target}-{cell.data.language}.parquet")
            notes |= dict.fromkeys(perturbed.dataset.notes)
            notes |= dict.fromkeys(write_items(form, perturbed.dataset, cell, source, draft / name, out / name))
            about = item_condition(cell, perturbed.dataset, perturbed.changed_share)
            model = {"route": cell.route, "pipeline_seed": cell.seed, "defence": cell.defence}
            conditions.append({**about, **model, "condition": cell.condition.name, "folder": name.as_posix()})
        facts = {
            "crosswind": __version__,
            "format": form,
            "run": json.loads((run / IDENTITY).read_text(encoding="utf-8")).get("name", ""),
            "conditions": conditions,
            "notes": [*notes],
            "licences": {name: TASKS[name].licence for name in sorted({c["task"] for c in conditions})},
            "files": {name: entry["sha256"] for name, entry in inventory(draft).items()},
        }
        write_json(draft / "export.json", facts)
    return ExportedItems(out, tuple(conditions), tuple(notes))


_MODEL = ("route", "pipeline_seed", "defence")
_CELL = ("cell", *_MODEL, "target", "rewrites", "ref", "selection")
_CONDITION = ("cell", "attack", "budget", "protection")


def _rows(run: Path, attack: str | None) -> list[dict[str, Any]]:
    """The attacked cells of a run folder, of one attack or of all but the controls."""
    if not (run / IDENTITY).exists() or not (run / "cells.parquet").exists():
        raise UserError("is no run folder with results", where=str(run), hint="name what `crosswind run` wrote")
    frame = parquet_file(run / "cells.parquet")
    named = parquet_file(run / "results.parquet")
    for path, table, columns in (("cells.parquet", frame, _CELL), ("results.parquet", named, _CONDITION)):
        if missing := [c for c in columns if c not in table.columns]:
            hint = "run the study again: what was computed is found"
            raise UserError(f"{path} lacks {', '.join(missing)}", where=str(run), hint=hint)
    attacked = named.select(_CONDITION).filter(pl.col("attack") != NONE).unique()
    attacked = attacked.filter(~pl.col("attack").str.contains(FROM, literal=True))
    joined = frame.select(_CELL).join(attacked, on="cell", how="inner", maintain_order="left").drop("cell")
    rows = joined.unique(maintain_order=True).to_dicts()
    if not rows:
        hint = "crosswind attack … --out RUN, or `attack:` in a study"
        raise UserError("the run attacks nothing", where=str(run), hint=hint)
    if attack is None:
        return [row for row in rows if not is_control(row["attack"])]
    if attack not in {row["attack"] for row in rows}:
        raise unknown("attack", attack, sorted({row["attack"] for row in rows}), where="--attack")
    return [row for row in rows if row["attack"] == attack]


def _cell(row: dict[str, Any]) -> Cell:
    condition = CellCondition(protection=row["protection"], attack=row["attack"], budget=row["budget"])
    data = DataRef.from_json(json.loads(row["ref"]))
    model = row["route"], row["pipeline_seed"], row["defence"]
    return Cell("", (), *model, row["target"], data, row["selection"], "", condition, row["rewrites"])


def _model(row: dict[str, Any]) -> str:
    route = row["route"] if row["defence"] == NONE else f"{row['route']}@{row['defence']}"
    return f"{route}/{row['pipeline_seed']}"
