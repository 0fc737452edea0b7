"""What is known of the cells of a plan that are there: their facts, and the rows of the results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from crosswind.analysis.results import ResultRow
from crosswind.analysis.shared_cells import DAMAGE_COLUMNS
from crosswind.evaluate.metrics.base import METRICS
from crosswind.run.store import Store
from crosswind.study.folder import Tables, rows_by_key
from crosswind.study.left_out import model_and_set, unscored_reason
from crosswind.study.noted import Noted, notes_of
from crosswind.study.planned import Cell, Plan


def is_given(plan: Plan, cell: Cell) -> bool:
    """Whether nothing was trained for a cell's model: a checkpoint as it was given, or as it was pretrained."""
    model = plan.graph[cell.key].inputs.get("model")
    return model is None or plan.graph[model].kind == "pretrain"


def is_there(cell: Cell, store: Store) -> bool:
    """Whether all steps of a cell are in the store."""
    keys = [cell.key, *(key for _, key in cell.judged), *([cell.rewrite] if cell.rewrite else [])]
    return all(store.has(key) for key in keys)


def facts_of_cells(
    cells: Sequence[Cell], store: Store, tables: Tables, computed: Set[str]
) -> dict[str, dict[str, Any]]:
    """The facts of every judge step: from the run folder where it has them, else from the store."""
    earlier = rows_by_key(tables.read("cells.parquet"), "cell")
    facts: dict[str, dict[str, Any]] = {}
    for cell in cells:
        for metric, key in cell.judged:
            if key in earlier and key not in computed:
                facts[key] = json.loads(earlier[key]["facts"])
            elif key not in facts:
                meta = store.manifest(key)["meta"]
                names = ("scores", "n", "clusters", "chance", "headline", "context_language", "excluded")
                facts[key] = {"metric": metric} | {name: meta[name] for name in names if name in meta}
                facts[key]["signature"] = METRICS[metric].signature(**meta["signature"])
                if cell.rewrite:
                    facts[key] |= _changed(store.manifest(cell.key)["meta"])
                    written = store.manifest(cell.rewrite)["meta"]
                    facts[key] |= {n: written[n] for n in ("severity", "refused") if n in written}
    return facts


def _changed(meta: Mapping[str, Any]) -> dict[str, float]:
    """How much a rewrite changed on each axis, of the manifest of the predictions."""
    return {name: float(meta[name]) for name in (*DAMAGE_COLUMNS, "changed_sites") if name in meta}


def result_rows(
    encoder: str, cell: Cell, facts: Mapping[str, dict[str, Any]], noted: Noted, least: float
) -> list[ResultRow]:
    """A row for each score of each metric of a cell; one that changed less than a share of `least` has no score."""
    rows = []
    for metric, key in cell.judged:
        judgement = facts[key]
        reason = unscored_reason(cell, judgement, least)
        notes = (*notes_of(cell, key, noted), *([reason] if reason else []))
        for name, score in judgement["scores"].items():
            rows.append(
                ResultRow(
                    encoder=encoder,
                    route=cell.route,
                    pipeline_seed=cell.seed,
                    defence=cell.defence,
                    target=cell.target,
                    language=cell.data.language,
                    context_language=judgement["context_language"],
                    split=cell.data.split,
                    rows=_selection(cell, judgement),
                    selection=cell.selection,
                    perturbation=cell.perturbation,
                    severity=cell.severity,
                    protection=cell.protection,
                    draw=cell.draw,
                    attack=cell.condition.attack,
                    budget=cell.condition.budget,
                    familiarity=cell.familiarity,
                    exposure=cell.exposure,
                    metric=metric,
                    key=name,
                    score=None if reason else score,
                    n=judgement["n"],
                    clusters=judgement["clusters"],
                    changed_items=judgement.get("changed_items", 0.0),
                    changed_sites=judgement.get("changed_sites"),
                    changed_tokens=judgement.get("changed_tokens", 0.0),
                    words_hit=judgement.get("words_hit", 0.0),
                    edits=judgement.get("edits", 0.0),
                    chrf=judgement.get("chrf", 100.0),
                    unknown_tokens=judgement.get("unknown_tokens", 0.0),
                    signature=judgement["signature"],
                    cell=key,
                    notes=notes,
                )
            )
    return rows


def _selection(cell: Cell, judgement: Mapping[str, Any]) -> str:
    """Which items a cell is judged on."""
    return cell.data.selection + (f", {judgement['excluded']} excluded" if cell.excluded else "")


def with_clean(cells: Sequence[Cell]) -> set[str]:
    """The keys of cells whose clean cell is there as well: without it (it failed) there is no drop to summarise."""
    clean = {model_and_set(c) for c in cells if c.condition.clean}
    return {key for c in cells if model_and_set(c) in clean for _, key in c.judged}


def chance_levels(cells: Sequence[Cell], facts: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What guessing is expected to score in each language of each target, the mean over its clean cells."""
    levels: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        level = facts[cell.judged[0][1]].get("chance")
        if cell.condition.clean and level:
            context = facts[cell.judged[0][1]]["context_language"]
            name = cell.data.language if context in ("", cell.data.language) else f"{context}-{cell.data.language}"
            levels.setdefault(cell.target, {}).setdefault(name, []).append(level)
    return {t: {x: float(np.mean(v)) for x, v in by_language.items()} for t, by_language in levels.items()}
