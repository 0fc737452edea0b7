"""`crosswind export --adversarial`: the adversarial examples that attacks ended with, as test sets.

    OUT/export.json                 what was exported, with the SHA-256 of every file
    OUT/CONDITION/…                 the attacked items, in the form that was asked for (several models: ROUTE/SEED/…)
    OUT/CONDITION/rewrites/…        what was changed, as pieces kept and pieces new; `…-added` what was added to a pool

They are read from a run folder, or from that of an attack on a function or an address. Items that the attack left as
they were are among them, so that a score over all of them is the one after the attack.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from crosswind import __version__
from crosswind.analysis.condition import FROM, is_control
from crosswind.analysis.results import NONE
from crosswind.attack.run import replayed_attack
from crosswind.errors import UserError, unknown
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.reading import parquet_file
from crosswind.run.folders import inventory, new_folder, write_json
from crosswind.study.as_written import require_as_written
from crosswind.study.folder import IDENTITY, condition_name
from crosswind.study.items import ExportedItems, ItemForm, item_condition, write_items
from crosswind.study.planned import Cell, CellCondition
from crosswind.study.submitted import run_data, study_data
from crosswind.study.victim_folder import victim_folders, written_attacks
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef, Library


@dataclass(frozen=True)
class _AttackedCell:
    """An attacked test set: its cell, where its rewrites and what was added to a pool lie, and the data behind it.

    `whole` is false of a run folder that does not say whether anything was added.
    """

    cell: Cell
    rewrites: Path
    added: Path | None
    data: Library
    whole: bool = True

    @property
    def model(self) -> str:
        """`ROUTE/SEED`; a defence stands behind the route."""
        cell = self.cell
        route = cell.route if cell.defence == NONE else f"{cell.route}@{cell.defence}"
        return f"{route}/{cell.seed}"

    def perturbed(self, folder: Path) -> PerturbedDataset:
        """The test set as the attack left it, of which the rewrites are copied into a folder."""
        table = parquet_file(self.rewrites)
        target, ref = self.cell.target, self.cell.data
        where = str(self.rewrites)
        if not self.whole and TASKS[target].kind == "query" and not table.height:
            hint = "run the study again: what was computed is found"
            raise UserError("the run does not say what the attack added to the pool", where=where, hint=hint)
        clean = self.data.dataset(ref)
        if table.height and not set(table["id"]) <= {e.id for e in clean.examples}:
            what = f"{target} {ref.language}: other items were attacked than the data hold now"
            raise UserError(what, where=where, hint="name the data that were attacked with --data")
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{target}-{ref.language}"
        shutil.copyfile(self.rewrites, folder / f"{name}.parquet")
        added = None
        if self.added is not None:
            added = parquet_file(self.added)
            shutil.copyfile(self.added, folder / f"{name}-added.parquet")
        return replayed_attack(clean, table, added)


def export_adversarial(
    run: Path, out: Path, form: ItemForm, *, attack: str | None = None, data: Path | None = None
) -> ExportedItems:
    """Write the adversarial examples of a folder below the new folder `out`: of one attack, or of all.

    `run` is the folder of a run, or of attacks on a function or an address. Controls are written where `attack` names
    one. `data` is where the official files lie, if not where the study says. Raises `UserError` for another folder,
    an `out` that is not new, a run without attacks or without this one, other
    data than those that were attacked, and a text that the official layout cannot hold.
    """
    attacked = _chosen(run, attack, data)
    models = {one.model for one in attacked}
    conditions: list[dict[str, Any]] = []
    notes: dict[str, None] = {}
    with new_folder(out) as draft:
        for one in attacked:
            cell = one.cell
            name = Path(one.model if len(models) > 1 else ".") / condition_name(cell)
            perturbed = one.perturbed(draft / name / "rewrites")
            notes |= dict.fromkeys(perturbed.dataset.notes)
            notes |= dict.fromkeys(write_items(form, perturbed.dataset, cell, one.data, draft / name, out / name))
            about = item_condition(cell, perturbed.dataset, perturbed.changed_share)
            model = {"route": cell.route, "pipeline_seed": cell.seed, "defence": cell.defence}
            conditions.append({**about, **model, "condition": cell.condition.name, "folder": name.as_posix()})
        facts = {
            "crosswind": __version__,
            "format": form,
            "run": _name(run),
            "conditions": conditions,
            "notes": [*notes],
            "licences": {name: TASKS[name].licence for name in sorted({c["task"] for c in conditions})},
            "files": {name: entry["sha256"] for name, entry in inventory(draft).items()},
        }
        write_json(draft / "export.json", facts)
    return ExportedItems(out, tuple(conditions), tuple(notes))


def _name(run: Path) -> str:
    """What a run is called; of another folder, nothing."""
    if not (run / IDENTITY).exists():
        return ""
    return str(json.loads((run / IDENTITY).read_text(encoding="utf-8")).get("name", ""))


_MODEL = ("route", "pipeline_seed", "defence")
_CELL = ("cell", *_MODEL, "target", "rewrites", "ref", "selection")
_CONDITION = ("cell", "attack", "budget", "protection")


def _chosen(run: Path, attack: str | None, data: Path | None) -> list[_AttackedCell]:
    """The attacked test sets of a folder, of one attack or of all but the controls."""
    if (run / IDENTITY).exists() and (run / "cells.parquet").exists():
        every = _of_run(run, run_data(run, data))
    else:
        every = _of_victims(run, data)
    names = {one.cell.condition.attack for one in every}
    if attack is None:
        return [one for one in every if not is_control(one.cell.condition.attack)]
    if attack not in names:
        raise unknown("attack", attack, sorted(names), where="--attack")
    return [one for one in every if one.cell.condition.attack == attack]


def _of_run(run: Path, data: Library) -> list[_AttackedCell]:
    require_as_written(run, {"cells.parquet", "results.parquet"})
    frame = parquet_file(run / "cells.parquet")
    named = parquet_file(run / "results.parquet")
    for path, table, columns in (("cells.parquet", frame, _CELL), ("results.parquet", named, _CONDITION)):
        if missing := [c for c in columns if c not in table.columns]:
            hint = "run the study again: what was computed is found"
            raise UserError(f"{path} lacks {', '.join(missing)}", where=str(run), hint=hint)
    whole = "added" in frame.columns
    if not whole:
        frame = frame.with_columns(added=pl.lit(""))
    attacked = named.select(_CONDITION).filter(pl.col("attack") != NONE).unique()
    attacked = attacked.filter(~pl.col("attack").str.contains(FROM, literal=True))
    joined = frame.select(*_CELL, "added").join(attacked, on="cell", how="inner", maintain_order="left").drop("cell")
    rows = joined.unique(maintain_order=True).to_dicts()
    if not rows:
        hint = "crosswind attack … --out RUN, or `attack:` in a study"
        raise UserError("the run attacks nothing", where=str(run), hint=hint)
    return [
        _AttackedCell(_cell(row), run / row["rewrites"], run / row["added"] if row["added"] else None, data, whole)
        for row in rows
    ]


def _cell(row: dict[str, Any]) -> Cell:
    condition = CellCondition(protection=row["protection"], attack=row["attack"], budget=row["budget"])
    data = DataRef.from_json(json.loads(row["ref"]))
    model = row["route"], row["pipeline_seed"], row["defence"]
    return Cell("", (), *model, row["target"], data, row["selection"], "", condition, row["rewrites"])


def _of_victims(folder: Path, data: Path | None) -> list[_AttackedCell]:
    made = []
    attacks = [*written_attacks(folder)]
    names = victim_folders([about for about, _ in attacks])
    for name, (about, rewrites) in zip(names, attacks, strict=True):
        condition = CellCondition(protection=about.protection, attack=about.attack, budget=about.budget)
        cell = Cell("", (), name, 0, NONE, about.ref.task, about.ref, "", "", condition, rewrites.name)
        made.append(_AttackedCell(cell, rewrites, None, study_data(about.study, data)))
    if not made:
        hint = "name what `crosswind run` or `crosswind attack --out` wrote"
        raise UserError("is no run folder with results, and holds no attack", where=str(folder), hint=hint)
    return made
