"""The files of a run folder that are written from the store: cells, sums, predictions, rewrites, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.results import CONSISTENCY, SAME_AS_CLEAN, WHERE_RIGHT, CellStats, ResultRow, write_results
from crosswind.run.store import Missing, Store
from crosswind.steps.cells import ADDED, TABLE
from crosswind.steps.seen import PURIFY_SECONDS
from crosswind.study.folder import (
    Copies,
    Tables,
    added_path,
    consistency_frame,
    prediction_path,
    rewrite_path,
    rows_by_key,
    sums_frame,
    sums_path,
)
from crosswind.study.noted import as_json
from crosswind.study.planned import Cell, Plan
from crosswind.tasks.base import TASKS


def write_excluded(rows: Sequence[ResultRow], out: Path, tables: Tables) -> None:
    """Write the scores without excluded items, in the columns of results; no file where nothing is excluded."""
    path = out / "excluded.parquet"
    if rows:
        write_results(rows, path)
        tables.note(path.name)
    else:
        path.unlink(missing_ok=True)


def write_cells(
    cells: Sequence[Cell],
    facts: Mapping[str, dict[str, Any]],
    adding: Set[str],
    tables: Tables,
    right: Mapping[str, str],
) -> None:
    """Write `cells.parquet`: what every judged cell is, in which files it lies, and its facts."""
    rows = [
        {
            "cell": key,
            "predictions": cell.key,
            "rewrite": cell.rewrite or "",
            "route": cell.route,
            "pipeline_seed": cell.seed,
            "defence": cell.defence,
            "target": cell.target,
            "language": cell.data.language,
            "metric": metric,
            "file": prediction_path(cell),
            "rewrites": rewrite_path(cell) if cell.rewrite else "",
            "added": added_path(cell) if cell.rewrite in adding else "",
            "right": right.get(key, ""),
            "ref": json.dumps(cell.data.to_json(), ensure_ascii=False, sort_keys=True),
            "condition": cell.condition.name,
            "selection": cell.selection,
            "facts": json.dumps(facts[key], ensure_ascii=False, sort_keys=True),
        }
        for cell in cells
        for metric, key in cell.judged
    ]
    tables.write(pl.DataFrame(rows), "cells.parquet")


def write_sums(cells: Sequence[Cell], store: Store, tables: Tables, computed: Set[str]) -> list[str]:
    """Write the files of sums that lack a cell, have one too many or an old one; the paths of all."""
    files: dict[str, dict[str, str]] = {}  # path -> key of the judge step -> key of the predictions, if perturbed
    for cell in cells:
        for number, (_, key) in enumerate(cell.judged):
            perturbed = number == 0 and not cell.condition.clean
            files.setdefault(sums_path(cell), {})[key] = cell.key if perturbed else ""
    for path, keys in files.items():
        earlier = tables.read(path) if computed.isdisjoint(keys) else None
        if earlier is not None and {x for x in earlier["cell"].unique() if SAME_AS_CLEAN not in x} == set(keys):
            continue
        frames = []
        for key, predictions in keys.items():
            statistics = pl.read_parquet(store.path(key) / "statistics.parquet")
            frames.append((key, statistics))
            if predictions:
                stored = pl.read_parquet(store.path(predictions) / "predictions.parquet")
                if (same := consistency_frame(stored, statistics)) is not None:
                    frames.append((key + SAME_AS_CLEAN, same))
        tables.write(sums_frame(frames), path)
    return [*files]


def copy_files(cells: Sequence[Cell], store: Store, out: Path, others: Sequence[str], adding: Set[str]) -> None:
    """Copy predictions, rewrites and added candidates; a copy that is neither wanted nor among `others` is removed."""
    copies = Copies(out)
    rewrites: dict[str, tuple[str, str]] = {}
    for cell in cells:
        copies.add(prediction_path(cell), cell.key, partial(_file, store, cell.key, "predictions.parquet"))
        if cell.rewrite:
            rewrites[rewrite_path(cell)] = cell.rewrite, TABLE
        if cell.rewrite and cell.rewrite in adding:
            rewrites[added_path(cell)] = cell.rewrite, ADDED
    for path, (key, name) in rewrites.items():
        copies.add(path, key, partial(_file, store, key, name))
    copies.finish(others)


def adding_rewrites(cells: Sequence[Cell], store: Store) -> frozenset[str]:
    """The rewrites among those of some cells that add candidates to a pool."""
    keys = {cell.rewrite for cell in cells if cell.rewrite and TASKS[cell.target].kind == "query"}
    return frozenset(key for key in keys if ADDED in store.manifest(key)["files"])


def _file(store: Store, key: str, name: str) -> Path:
    return store.path(key) / name


_MEASURED = dict.fromkeys(("peak_memory", "peak_gpu_memory", "optimizer_steps"), pl.Int64())


def write_provenance(plan: Plan, store: Store, tables: Tables, computed: Set[str]) -> pl.DataFrame:
    """A row a step that is there, inputs first: kind, label, when, where and how long, and what it noted."""
    earlier = rows_by_key(tables.read("provenance.parquet"), "step")
    rows = []
    for key, step in plan.graph.items():
        if key in earlier and key not in computed and {"notes", "purify_seconds"} <= earlier[key].keys():
            rows.append(earlier[key])
            continue
        try:
            meta = store.manifest(key)["meta"]
        except Missing:
            continue
        memory = meta.get("memory", {})
        rows.append(
            {
                "step": key,
                "kind": step.kind,
                "label": step.label,
                "created": meta["created"],
                "wall_seconds": float(meta["seconds"]["wall"]),
                "cpu_seconds": float(meta["seconds"]["cpu"]),
                "peak_memory": memory.get("resident"),
                "peak_gpu_memory": memory.get("gpu"),
                "optimizer_steps": meta.get("steps"),
                "purify_seconds": float(meta.get(PURIFY_SECONDS, 0.0)),
                "hardware": json.dumps(meta.get("hardware", {}), sort_keys=True),
                "inputs": json.dumps(dict(step.inputs), sort_keys=True),
                "notes": as_json(meta.get("notes", ())),
            }
        )
    frame = pl.DataFrame(rows, schema_overrides=_MEASURED, infer_schema_length=None)
    tables.write(frame, "provenance.parquet")
    return frame


class CellStatistics:
    """The statistics of a cell's clusters, read from the run folder's sums, file by file."""

    def __init__(
        self, cells: Sequence[Cell], facts: Mapping[str, dict[str, Any]], out: Path, right: Mapping[str, str]
    ) -> None:
        self._out, self._facts, self._right = out, facts, right
        self._file = {key: sums_path(cell) for cell in cells for _, key in cell.judged}
        self._tables: dict[str, dict[str, pl.DataFrame]] = {}

    def __call__(self, key: str) -> CellStats:
        cell = key.removesuffix(SAME_AS_CLEAN).removesuffix(WHERE_RIGHT)
        path = self._right[cell] if key.endswith(WHERE_RIGHT) else self._file[cell]
        metric = CONSISTENCY if key.endswith(SAME_AS_CLEAN) else self._facts[cell]["metric"]
        if path not in self._tables:
            if len(self._tables) >= 64:
                self._tables.clear()
            parts = pl.read_parquet(self._out / path).partition_by("cell", as_dict=True, maintain_order=True)
            self._tables[path] = {str(name[0]): part for name, part in parts.items()}
        part = self._tables[path][key]
        clusters = tuple(part["cluster"])
        sums = np.array(part["sums"].to_list(), dtype=np.float64)
        return CellStats(sums, clusters, metric, clusters)
