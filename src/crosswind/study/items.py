"""`crosswind export`: test sets and their perturbed forms, to be predicted elsewhere; and read by official readers.

The rewrites are those of the same steps that a study evaluates, so that `crosswind evaluate --predictions` scores what
was exported.

    OUT/export.json                       what was exported, with the SHA-256 of every file
    OUT/CONDITION/…                       the items of a condition in the form that was asked for (`clean` is one)
    OUT/CONDITION/labels/TASK/…           of a frozen suite in official layout: labels as `crosswind score` reads them
    OUT/CONDITION/rewrites/TASK-LANGUAGE.parquet   what was changed, as pieces kept and pieces new
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, assert_never

import polars as pl

from crosswind import __version__
from crosswind.data.examples import Dataset
from crosswind.data.files import Files
from crosswind.data.source import Portion, Source
from crosswind.data.sources.files import layout_of, official_files
from crosswind.errors import UserError, unknown
from crosswind.perturb.replay import replay_dataset
from crosswind.run.executors import EXECUTORS
from crosswind.run.folders import inventory, new_folder, write_json
from crosswind.run.loop import run_graph
from crosswind.run.outcome import StepFailed
from crosswind.run.progress import Reporter
from crosswind.run.store import Store
from crosswind.steps.cells import ADDED, TABLE
from crosswind.study.folder import condition_name
from crosswind.study.harness import harness_files
from crosswind.study.hub_tables import hub_tables
from crosswind.study.plan import make_plan
from crosswind.study.planned import Cell, no_cells
from crosswind.study.spec import Study
from crosswind.study.submitted import write_labels
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.refs import Library, library

ItemForm = Literal["official", "hf", "lm-eval"]
ITEM_FORMS: tuple[ItemForm, ...] = ("official", "hf", "lm-eval")


@dataclass(frozen=True)
class ExportedItems:
    """What `export_items` wrote: the conditions as `export.json` has them, and what the reader should know."""

    out: Path
    conditions: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]


def item_form(name: str) -> ItemForm:
    """The form of that name; a `UserError` for another."""
    for form in ITEM_FORMS:
        if form == name:
            return form
    raise unknown("form", name, ITEM_FORMS, where="--format")


def export_items(study: Study, form: ItemForm, out: Path, store: Store, reporter: Reporter) -> ExportedItems:
    """Write the clean and perturbed test sets that a study evaluates into a new folder.

    Raises `UserError` for a folder that is not empty, a form that the task does not have, and a text that the
    official layout cannot hold: what was written is read back and compared with what was meant.
    """
    plan = make_plan(study)
    if not plan.cells:
        raise no_cells(plan)
    data = library(plan.graph.context["data"])
    suites = sorted({p.suite for p in study.section("perturb") or () if p.suite})
    with new_folder(out) as draft:
        rewrites = list(dict.fromkeys(cell.rewrite for cell in plan.cells if cell.rewrite))
        outcome = run_graph(plan.graph, rewrites, store, EXECUTORS["local"], reporter=reporter, folder=draft / ".logs")
        shutil.rmtree(draft / ".logs", ignore_errors=True)
        for key, failure in outcome.failed.items():
            message = f"{plan.graph[key].label}: {failure.message}"
            raise UserError(message) if failure.mistake else StepFailed(message)
        notes: dict[str, None] = dict.fromkeys(plan.notes)
        conditions = []
        for cell in plan.cells:
            facts = store.manifest(cell.rewrite)["meta"] if cell.rewrite else {}
            if "refused" in facts:
                notes[f"{cell.target} {cell.data.language}: no {cell.condition.name} ({facts['refused']})"] = None
                continue
            folder = draft / condition_name(cell)
            clean = data.dataset(cell.data)
            dataset = clean
            if cell.rewrite:
                dataset = _rewritten(clean, cell, store.path(cell.rewrite), folder)
            notes |= dict.fromkeys(dataset.notes)
            for note in write_items(form, dataset, cell, data, folder, out / condition_name(cell)):
                notes[note] = None
            if suites and form == "official" and cell.data.context_language in (None, cell.data.language):
                why = write_labels(folder / "labels", dataset, cell.data.language)
                notes |= {why: None} if why else {}
            notes |= dict.fromkeys(_found(facts, cell))
            conditions.append(item_condition(cell, dataset, float(facts.get("changed", 0.0))))
        for part in plan.left_out:
            notes[f"{part.target} {part.language}: no {part.perturbation} ({part.reason})"] = None
        about = {
            "crosswind": __version__,
            "format": form,
            "suites": suites,
            "conditions": conditions,
            "notes": [*notes],
            "licences": {name: TASKS[name].licence for name in sorted({c.target for c in plan.cells})},
            "files": {name: entry["sha256"] for name, entry in inventory(draft).items()},
        }
        write_json(draft / "export.json", about)
    return ExportedItems(out, tuple(conditions), tuple(notes))


def _found(facts: Mapping[str, Any], cell: Cell) -> list[str]:
    """The severity that does the damage that a condition is named after."""
    if facts.get("severity") is None:
        return []
    return [f"{cell.target} {cell.data.language}: {cell.condition.name} is severity {facts['severity']:.4g}"]


def item_condition(cell: Cell, dataset: Dataset, changed: float) -> dict[str, Any]:
    """What `export.json` says of one exported test set; `changed` is the share of items that were changed."""
    return {
        "folder": condition_name(cell),
        "task": cell.target,
        "language": cell.data.language,
        "split": cell.data.split,
        "rows": cell.data.selection,
        "condition": cell.condition.label,
        "draw": cell.draw,
        "protection": cell.protection,
        "items": len(dataset),
        "changed_items": changed,
        "rewrite": cell.rewrite or "",
        "data": dataset.fingerprint,
    }


def _rewritten(clean: Dataset, cell: Cell, step: Path, folder: Path) -> Dataset:
    """The data set after the rewrites of a step, which are copied beside the items."""
    rewrites = folder / "rewrites"
    rewrites.mkdir(parents=True, exist_ok=True)
    name = f"{cell.target}-{cell.data.language}"
    shutil.copyfile(step / TABLE, rewrites / f"{name}.parquet")
    added = None
    if (step / ADDED).exists():
        shutil.copyfile(step / ADDED, rewrites / f"{name}-added.parquet")
        added = pl.read_parquet(step / ADDED)
    return replay_dataset(clean, pl.read_parquet(step / TABLE), added).dataset


def write_items(form: ItemForm, dataset: Dataset, cell: Cell, data: Library, folder: Path, final: Path) -> list[str]:
    """Write a data set below a folder, which will lie at `final`; what the reader should know."""
    task = TASKS[cell.target]
    match form:
        case "official":
            ref = cell.data
            portion = Portion(ref.language, ref.split, ref.pool_languages, ref.context_language)
            return write_official(dataset, data.source, portion, folder)[1]
        case "hf":
            tables, notes = hub_tables(task, dataset)
            for name, write in tables.items():
                _made(folder / name, write)
            return notes
        case "lm-eval":
            for name, text in harness_files(task, dataset, cell.condition, final).items():
                _made(folder / name, partial(Path.write_text, data=text, encoding="utf-8", newline="\n"))
            return []
        case _:
            assert_never(form)


def _made(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)


def write_official(
    dataset: Dataset, source: Source, portion: Portion, folder: Path
) -> tuple[tuple[str, ...], list[str]]:
    """Write a data set in its task's official layout below a folder; the files that hold it, and notes for the reader.

    The files are read back; raises a `UserError` where they do not hold what was meant, or the layout is not written.
    """
    task = TASKS[dataset.task]
    layout = layout_of(task, portion)
    if layout.write is None:
        raise UserError(
            f"the official layout of {task.name} is not written", where="--format", hint="write --format hf or lm-eval"
        )
    root, originals = official_files(source, task, portion)
    written = layout.write(dataset, originals)
    for name, text in written.items():
        _made(folder / name, partial(Path.write_text, data=text, encoding="utf-8", newline="\n"))
    notes = []
    try:
        layout.locate(Files(folder), portion.language, portion.split)
    except UserError:
        # What is read beside the language's own file (MLQA's English, LAReQA's pool) stands there clean.
        for path in originals:
            assert root is not None
            relative = path.relative_to(root)
            if str(relative).removesuffix(".gz").removesuffix(".xz") not in written:
                _made(folder / relative, partial(shutil.copyfile, path))
                notes.append(f"{task.name}: {relative.name} is read beside the exported files, and is the clean one.")
    return tuple(written), [*notes, *_compared(task, dataset, portion, folder)]


def _compared(task: Task, dataset: Dataset, portion: Portion, folder: Path) -> list[str]:
    """Read a written file back: a `UserError` for an example that is another one, a note where only names differ."""
    layout = layout_of(task, portion)
    files = Files(folder)
    content = layout.read(layout.locate(files, portion.language, portion.split), portion.language, portion.split)
    where = f"{dataset.task} {dataset.split}, {dataset.language}"
    again = tuple(content.examples)
    if again == dataset.examples and _texts(content.pool) == _texts(dataset.pool):
        return []
    for before, after in zip(dataset.examples, again, strict=False):
        if _unnamed(before) != _unnamed(after):
            raise UserError(
                f"the official layout cannot hold {before.id}: its text, labels or answers would be read otherwise",
                where=where,
                hint="export it with --format hf",
            )
    if len(again) != len(dataset.examples) or _texts(content.pool) != _texts(dataset.pool):
        raise UserError(
            "the official layout cannot hold this pool or part of it", where=where, hint="export it with --format hf"
        )
    return [f"{where}: read back from the official layout, items have other ids (these files do not write them)."]


def _texts(pool: Any) -> list[tuple[str, str]]:
    return [(c.text, c.context) for c in pool.candidates] if pool is not None else []


def _unnamed(example: Any) -> tuple[object, ...]:
    """An example without its names."""
    names = ("id", "cluster", "gold")
    return tuple(getattr(example, field) for field in example.__slots__ if field not in names)
