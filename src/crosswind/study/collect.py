"""From the store to the run folder: results, statistics, predictions, the summary and the report."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crosswind import __version__
from crosswind.analysis.costs import cost_table
from crosswind.analysis.left_out import LeftOut, left_out_table, merged
from crosswind.analysis.official import brief_official_lines, official_lines, official_scores, official_table
from crosswind.analysis.results import (
    CONSISTENCY,
    SAME_AS_CLEAN,
    WHERE_RIGHT,
    CellStats,
    ResultRow,
    write_results,
)
from crosswind.analysis.shared_cells import DAMAGE_COLUMNS
from crosswind.analysis.summarise import summarise
from crosswind.analysis.summary import Summary
from crosswind.evaluate.metrics.base import METRICS
from crosswind.run.store import Missing, Store
from crosswind.steps.cells import ADDED, TABLE
from crosswind.steps.seen import PURIFY_SECONDS
from crosswind.steps.train import TrainParams, labelled_of, training_tokens
from crosswind.study.about import write_about
from crosswind.study.analysed import Analysed, comparisons_of, write_analysed
from crosswind.study.base import describe_base
from crosswind.study.costs import defence_costs
from crosswind.study.differences import route_facts
from crosswind.study.folder import (
    COSTS,
    Copies,
    Tables,
    added_path,
    clear,
    consistency_frame,
    declared_late,
    encoder_size,
    prediction_path,
    rewrite_path,
    rows_by_key,
    sums_frame,
    sums_path,
)
from crosswind.study.kept import kept_for_audit
from crosswind.study.left_out import model_and_set, not_there, unscored, unscored_reason
from crosswind.study.noted import Noted, as_json, note_lines, notes_by_step, notes_of
from crosswind.study.planned import Cell, Plan, count_examples
from crosswind.study.right import write_right
from crosswind.study.spec import Study
from crosswind.tasks.base import TASKS


@dataclass(frozen=True)
class Collected:
    """The summary of the cells that are there (`None` if there are none), and what their steps noted.

    `benchmarks` are lines about the scores of benchmarks as their own scripts average them, `brief` fewer of them.
    """

    summary: Summary | None = None
    notes: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    brief: tuple[str, ...] = ()


def collect(
    study: Study, plan: Plan, store: Store, out: Path, seconds: float, *, computed: Set[str] = frozenset()
) -> Collected:
    """Write results, statistics, predictions, summary and report from the cells that are there.

    What an earlier call wrote of the same cells is taken over, but for the steps that were `computed` since; what is
    no longer wanted is removed.
    """
    from crosswind.study.attacked import ATTACKED_TABLE, attack_figures
    from crosswind.study.curves import CURVE_SUMS, CURVES, attack_curves
    from crosswind.study.natural import NATURAL_TABLE, natural_noise
    from crosswind.study.reported import write_run_report
    from crosswind.study.sampled import write_sample

    every = [c for c in plan.cells if _is_there(c, store)]
    there = [c for c in every if not c.excluded]  # on all items: the summary is of these
    if not there:
        clear(out)
        return Collected()
    tables = Tables(out)
    facts = _facts_of_cells(every, store, tables, computed)
    provenance = _write_provenance(plan, store, tables, computed)
    noted = notes_by_step(provenance)
    rows = [row for cell in there for row in _rows(plan.encoder, cell, facts, noted, study.min_changed)]
    frame = write_results(rows, out / "results.parquet")
    part = [row for c in every if c.excluded for row in _rows(plan.encoder, c, facts, noted, study.min_changed)]
    _write_excluded(part, out)
    right = write_right(there, store, tables)
    adding = _adding(every, store)
    _write_cells(every, facts, adding, tables, right)
    wanted = [*_write_sums(every, store, tables, computed), *right.values()]
    _copy(there, store, out, wanted, adding)
    tables.save()
    comparable = frame.filter(pl.col("cell").is_in(_with_clean(there)))
    left_out = merged((*plan.left_out, *not_there(plan.cells, every), *unscored(there, facts, study.min_changed)))
    analysed = Analysed(
        routes=tuple(study.route_names),
        headline={cell.target: cell.judged[0][0] for cell in there},
        chance=_chance(there, facts),
        sources={cell.target: TASKS[cell.target].source_language for cell in there},
        diagnostic=tuple(sorted(plan.diagnostic)),
        given=tuple(dict.fromkeys(key for cell in there if _is_given(plan, cell) for _, key in cell.judged)),
        comparisons=comparisons_of(study.compare),
        facts=route_facts(plan, study.route_names),
    )
    write_analysed(analysed, out)
    summary = summarise(
        comparable,
        _Statistics(there, facts, out, right),
        chance=analysed.chance,
        headline=analysed.headline,
        routes=analysed.routes,
        sources=analysed.sources,
        diagnostic=analysed.diagnostic,
        left_out=left_out,
        given=frozenset(analysed.given),
        comparisons=analysed.comparisons,
        facts=analysed.facts,
    )
    costs = defence_costs(plan.encoder, plan.graph, there, provenance)
    summary = replace(summary, costs=tuple(costs))
    if costs:
        tables.write(cost_table(costs), COSTS)
    else:
        (out / COSTS).unlink(missing_ok=True)
    tables.write(summary.table(), "summary.parquet")
    tables.write(summary.compared(), "contrasts.parquet")
    official = official_scores(frame.filter(pl.col("score").is_not_null()))
    if official:
        tables.write(official_table(official), "benchmarks.parquet")
    else:
        (out / "benchmarks.parquet").unlink(missing_ok=True)
    tables.write(left_out_table(left_out), "left_out.parquet")
    tables.save()
    mixed = _mixed_hardware(provenance)
    late = [*([note] if (note := declared_late(out)) else []), *_shared_draws(there)]
    from_steps = note_lines(there, noted)
    notes = [*plan.notes, *study.notes, *from_steps, *_budget_notes(plan), *mixed, *late]
    about = _about(study, plan, there, left_out, provenance, seconds)
    write_about(out, about, notes, kept_for_audit(plan, there))
    write_sample(there, plan.graph.context["data"], out)
    if any(cell.condition.attack != "none" for cell in there):
        curves, curve_sums = attack_curves(there, store, frozenset(analysed.given))
        tables.write(curves, CURVES)
        tables.write(curve_sums, CURVE_SUMS)
        tables.write(attack_figures(plan, there, store, tables.read(ATTACKED_TABLE)), ATTACKED_TABLE)
        tables.save()
    else:
        for name in (CURVES, CURVE_SUMS, ATTACKED_TABLE):
            (out / name).unlink(missing_ok=True)
    natural = natural_noise(plan, there, store, tables.read(NATURAL_TABLE))
    if natural.is_empty():
        (out / NATURAL_TABLE).unlink(missing_ok=True)
    else:
        tables.write(natural, NATURAL_TABLE)
        tables.save()
    identity = {"name": study.name, "encoder": plan.encoder, "parameters": encoder_size(study)}
    shown = write_run_report(out, summary, {**identity, "crosswind": __version__})
    preset = study.targets.preset
    only = preset if preset in {score.benchmark for score in official} else None
    brief = tuple(brief_official_lines(official, only))
    return Collected(shown, tuple(from_steps), tuple(official_lines(official, only)), brief)


def _shared_draws(cells: Sequence[Cell]) -> list[str]:
    """A note where all items share a draw: another draw would change a perturbed pool as a whole."""
    pools = {c.target for c in cells if not c.condition.clean and "pool" in TASKS[c.target].perturbed}
    if not pools:
        return []
    names = ", ".join(sorted(pools))
    return [f"{names}: the perturbed pool is one draw for all items, so intervals are conditional on these draws."]


def _is_given(plan: Plan, cell: Cell) -> bool:
    """Whether nothing was trained for a cell's model: a checkpoint as it was given, or as it was pretrained."""
    model = plan.graph[cell.key].inputs.get("model")
    return model is None or plan.graph[model].kind == "pretrain"


def _is_there(cell: Cell, store: Store) -> bool:
    keys = [cell.key, *(key for _, key in cell.judged), *([cell.rewrite] if cell.rewrite else [])]
    return all(store.has(key) for key in keys)


def _facts_of_cells(
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
    return {name: float(meta[name]) for name in DAMAGE_COLUMNS if name in meta}


def _rows(encoder: str, cell: Cell, facts: Mapping[str, dict[str, Any]], noted: Noted, least: float) -> list[ResultRow]:
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


def _write_excluded(rows: Sequence[ResultRow], out: Path) -> None:
    """Write the scores without excluded items, in the columns of results; no file where nothing is excluded."""
    path = out / "excluded.parquet"
    if rows:
        write_results(rows, path)
    else:
        path.unlink(missing_ok=True)


def _write_cells(
    cells: Sequence[Cell],
    facts: Mapping[str, dict[str, Any]],
    adding: Set[str],
    tables: Tables,
    right: Mapping[str, str],
) -> None:
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


def _write_sums(cells: Sequence[Cell], store: Store, tables: Tables, computed: Set[str]) -> list[str]:
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


def _copy(cells: Sequence[Cell], store: Store, out: Path, others: Sequence[str], adding: Set[str]) -> None:
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


def _adding(cells: Sequence[Cell], store: Store) -> frozenset[str]:
    """The rewrites among those of some cells that add candidates to a pool."""
    keys = {cell.rewrite for cell in cells if cell.rewrite and TASKS[cell.target].kind == "query"}
    return frozenset(key for key in keys if ADDED in store.manifest(key)["files"])


def _file(store: Store, key: str, name: str) -> Path:
    return store.path(key) / name


_MEASURED = dict.fromkeys(("peak_memory", "peak_gpu_memory", "optimizer_steps"), pl.Int64())


def _write_provenance(plan: Plan, store: Store, tables: Tables, computed: Set[str]) -> pl.DataFrame:
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


class _Statistics:
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


_SOURCES = {"files": "official files"}


def _with_clean(cells: Sequence[Cell]) -> set[str]:
    """The keys of cells whose clean cell is there as well: without it (it failed) there is no drop to summarise."""
    clean = {model_and_set(c) for c in cells if c.condition.clean}
    return {key for c in cells if model_and_set(c) in clean for _, key in c.judged}


def _chance(cells: Sequence[Cell], facts: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """What guessing is expected to score in each language of each target, the mean over its clean cells."""
    levels: dict[str, dict[str, list[float]]] = {}
    for cell in cells:
        level = facts[cell.judged[0][1]].get("chance")
        if cell.condition.clean and level:
            context = facts[cell.judged[0][1]]["context_language"]
            name = cell.data.language if context in ("", cell.data.language) else f"{context}-{cell.data.language}"
            levels.setdefault(cell.target, {}).setdefault(name, []).append(level)
    return {t: {x: float(np.mean(v)) for x, v in by_language.items()} for t, by_language in levels.items()}


def _mixed_hardware(provenance: pl.DataFrame) -> list[str]:
    """A note where steps that compute with a model ran on different processors or versions."""
    computing = provenance.filter(pl.col("kind").is_in(["train", "pretrain", "embed", "predict", "mine"]))
    kinds: dict[str, None] = {}
    for text in computing["hardware"].unique(maintain_order=True):
        value = json.loads(text)
        versions = value.get("versions", {})
        library = ", ".join(f"{name} {versions[name]}" for name in ("torch", "transformers") if name in versions)
        kinds[", ".join(filter(None, (value.get("gpu") or value.get("cpu"), library)))] = None
    if len(kinds) < 2:
        return []
    return [f"Steps were computed on different machines or versions, so last digits may differ: {'; '.join(kinds)}."]


def _about(
    study: Study,
    plan: Plan,
    cells: Sequence[Cell],
    left_out: Sequence[LeftOut],
    provenance: pl.DataFrame,
    seconds: float,
) -> dict[str, str]:
    trained = [s for s in plan.graph.values() if s.kind in ("train", "pretrain")]
    cpu = float(provenance["cpu_seconds"].sum())
    sources = dict.fromkeys(data.source for data in (study.data, *study.data.tasks.values()))
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    return {
        "Encoder": describe_base(study),
        "Routes": ", ".join(study.route_names),
        "Pipeline seeds": ", ".join(map(str, study.seeds)),
        "Draws of each perturbation": str(study.draws),
        "Cells": f"{len(cells)} of {len(plan.cells)} ({count_examples(plan):,} predictions)",
        "Cells left out": f"{sum(part.cells for part in left_out):,}, each with its reason" if left_out else "none",
        "Least share of changed items": f"{100 * study.min_changed:g} %, below it a cell is n/a",
        "Trained phases": str(len(trained)),
        "CPU time of all steps": f"{cpu / 60:.1f} min (this run: {seconds / 60:.1f} min of wall time)",
        "Data": ", ".join(_SOURCES.get(source, source) for source in sources),
        "Versions": f"crosswind {__version__}, {libraries}, Python {platform.python_version()}",
    }


def _budget_notes(plan: Plan) -> list[str]:
    """What routes differ in besides their tasks: the estimated tokens of their phases."""

    def total(phases: Sequence[tuple[str, TrainParams]], of: Callable[[TrainParams], float]) -> float:
        return sum(of(params) for _, params in phases)

    totals = {route: total(phases, training_tokens) for route, phases in plan.training.items()}
    labelled = {
        route: round(total([p for p in phases if p[1].heads], labelled_of)) for route, phases in plan.training.items()
    }
    if len(set(labelled.values())) > 1:
        text = ", ".join(f"{r} {n:,}" for r, n in labelled.items())
        return [f"The routes' budgets of labelled examples differ: {text}."]
    if len({round(t, -3) for t in totals.values()}) > 1 and any(p.mlm for ps in plan.training.values() for _, p in ps):
        return ["Masked-LM steps of a route come on top of its labelled budget."]
    return []
