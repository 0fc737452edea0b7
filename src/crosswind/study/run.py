"""Running a study: plan, check, execute, collect."""

from __future__ import annotations

import filecmp
import json
import os
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from crosswind import __version__
from crosswind.analysis.results import CellStats, ResultRow, write_results
from crosswind.analysis.summarise import summarise
from crosswind.analysis.summary import Summary
from crosswind.errors import UserError
from crosswind.run.demand import needed
from crosswind.run.executors import EXECUTORS
from crosswind.run.folders import write_json
from crosswind.run.outcome import Outcome
from crosswind.run.progress import Reporter
from crosswind.run.step import digest
from crosswind.run.store import Damaged, Missing, Store
from crosswind.study.clusters import lone_clusters
from crosswind.study.encoders import describe_encoder, encoder_name
from crosswind.study.execute import ENTRY
from crosswind.study.leakage import check_leakage
from crosswind.study.plan import Cell, Plan, count_examples, make_plan, no_cells, settings_of
from crosswind.study.size import labelled_of, tokens_of
from crosswind.study.spec import Study
from crosswind.tasks.refs import library


@dataclass(frozen=True)
class Forecast:
    """What a run would do."""

    plan: Plan
    missing: list[str]


@dataclass(frozen=True)
class Finished:
    """How a run ended; `summary` is over the cells that are there (`None` if there are none)."""

    outcome: Outcome
    plan: Plan
    summary: Summary | None
    out: Path


def default_store() -> Path:
    """`CROSSWIND_STORE`, or a folder under the user's cache."""
    given = os.environ.get("CROSSWIND_STORE")
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else (Path(cache) if cache else Path.home() / ".cache") / "crosswind" / "store"


def forecast(study: Study, store: Store) -> Forecast:
    """The plan with what is missing in the store; reads no data."""
    plan = make_plan(study, dry=True)
    if not plan.cells:
        raise no_cells(plan)
    return Forecast(plan, needed(plan.graph, plan.wanted, store))


def run_study(
    study: Study,
    *,
    out: Path,
    store: Store,
    reporter: Reporter,
    executor: str = "local",
    workers: int = 1,
) -> Finished:
    """Run what is missing, then write the results of every cell that is there into `out`.

    Raises `UserError` before anything is computed if the study cannot run or leaks.
    """
    engine = EXECUTORS.get(executor, where="--executor")
    plan = make_plan(study)
    if not plan.cells:
        raise no_cells(plan)
    checks = out / "logs" / "checks.json"  # what looking at the data found, for the report of a later call
    identity = digest(sorted(plan.graph))
    found = _found_before(checks, identity)
    if found is None or needed(plan.graph, plan.wanted, store):
        data = library(settings_of(study))
        found = check_leakage(plan, data, study.encoder) + lone_clusters(plan, data)
    plan.notes.extend(found)
    out.mkdir(parents=True, exist_ok=True)
    (out / "study.yaml").write_text(
        yaml.safe_dump(json.loads(study.model_dump_json(exclude_unset=True)), sort_keys=False, allow_unicode=True),
        encoding="utf-8",
    )
    checks.parent.mkdir(exist_ok=True)
    write_json(checks, {"plan": identity, "notes": found})
    begun = time.monotonic()
    outcome = engine.run(
        plan.graph,
        plan.wanted,
        store,
        ENTRY,
        workers=workers,
        reporter=reporter,
        plan_file=out / "logs" / "plan.json",
    )
    _apply_keep(study, plan, store, outcome)
    summary = collect(study, plan, store, out, time.monotonic() - begun)
    return Finished(outcome, plan, summary, out)


def _found_before(path: Path, identity: str) -> list[str] | None:
    """What earlier checks of the same plan found; `None` if there were none: another plan may leak."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict) or value.get("plan") != identity or "notes" not in value:
        return None
    return [str(note) for note in value["notes"]]


def collect(study: Study, plan: Plan, store: Store, out: Path, seconds: float) -> Summary | None:
    """Write `results.parquet`, `predictions/`, `summary.*` and `report.html` from the cells that are there."""
    from crosswind.report.page import write_report

    there = [c for c in plan.cells if store.has(c.key)]
    if not there:
        return None
    facts = {key: json.loads((store.path(key) / "cell.json").read_text()) for key in {c.key for c in there}}
    rows = [row for cell in there for row in _rows(study, cell, facts[cell.key])]
    frame = write_results(rows, out / "results.parquet")
    _copy_predictions(there, plan, store, out)
    chance = _chance(there, facts)
    comparable = frame.filter(pl.col("cell").is_in(_with_clean(there)))
    summary = summarise(
        comparable,
        lambda key: _stats(store, key),
        chance=chance,
        routes=list(study.routes),
        diagnostic=plan.diagnostic,
    )
    summary.table().write_parquet(out / "summary.parquet")
    summary.compared().write_parquet(out / "contrasts.parquet")
    write_report(
        out / "report.html",
        title=study.name,
        facts=_facts(study, plan, there, store, seconds),
        summary=summary,
        notes=[*plan.notes, *study.notes, *_budget_notes(plan)],
    )
    return summary


def _with_clean(cells: Sequence[Cell]) -> list[str]:
    """The keys of cells whose clean cell is there as well: without it (it failed) there is no drop to summarise."""
    clean = {_model_and_set(c) for c in cells if c.perturbation == "clean"}
    return [c.key for c in cells if _model_and_set(c) in clean]


def _model_and_set(cell: Cell) -> tuple[object, ...]:
    return cell.route, cell.seed, cell.target, cell.data, cell.selection


def _rows(study: Study, cell: Cell, facts: dict[str, Any]) -> list[ResultRow]:
    return [
        ResultRow(
            encoder=encoder_name(study.encoder),
            route=cell.route,
            pipeline_seed=cell.seed,
            target=cell.target,
            language=cell.data.language,
            context_language=facts["context_language"],
            split=cell.data.split,
            rows=cell.data.selection,
            selection=cell.selection,
            perturbation=cell.perturbation,
            severity=cell.severity,
            protection=cell.protection,
            draw=cell.draw,
            exposure=cell.exposure,
            metric=facts["metric"],
            key=key,
            score=score,
            n=facts["n"],
            clusters=facts["clusters"],
            signature=facts["signature"],
            cell=cell.key,
        )
        for key, score in facts["scores"].items()
    ]


def _stats(store: Store, key: str) -> CellStats:
    folder = store.path(key)
    frame = pl.read_parquet(folder / "stats.parquet")
    metric = json.loads((folder / "cell.json").read_text())["metric"]
    values = frame.drop("id", "cluster").to_numpy().astype(np.float64)
    return CellStats(values, tuple(frame["cluster"]), metric, tuple(frame["id"]))


def _chance(cells: Sequence[Cell], facts: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The mean chance level of each target's clean cells that have one."""
    levels: dict[str, list[float]] = {}
    for cell in cells:
        if cell.perturbation == "clean" and facts[cell.key]["chance"] > 0:
            levels.setdefault(cell.target, []).append(facts[cell.key]["chance"])
    return {target: float(np.mean(values)) for target, values in levels.items()}


def _copy_predictions(cells: Sequence[Cell], plan: Plan, store: Store, out: Path) -> None:
    """`predictions/ROUTE/SEED/TARGET/LANGUAGE/CONDITION.parquet`, and the rewrites beside them."""
    for cell in cells:
        condition = cell.perturbation if cell.perturbation == "clean" else f"{cell.perturbation}-{cell.severity:g}"
        if cell.perturbation != "clean":
            condition += f"-{cell.protection}-draw{cell.draw}"
        if cell.selection == "oracle":
            condition += "-oracle"
        name = "".join(c if c.isalnum() or c in "-_.+=,()" else "_" for c in condition)
        place = out / "predictions" / cell.route / str(cell.seed) / cell.target / cell.data.language
        _copy(store.path(cell.key) / "predictions.parquet", place / f"{name}.parquet")
        rewrite = plan.graph[cell.key].inputs.get("rewrite")
        if rewrite and store.has(rewrite):
            target = out / "rewrites" / cell.target / cell.data.language / f"{name}.parquet"
            _copy(store.path(rewrite) / "rewrites.parquet", target)


def _copy(source: Path, target: Path) -> None:
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, beside)
    os.replace(beside, target)


def _apply_keep(study: Study, plan: Plan, store: Store, outcome: Outcome) -> None:
    """Drop the weights that the study does not keep, once everything that needs them is there."""
    if study.keep == "all" or not outcome.complete:
        return
    for key, step in plan.graph.items():
        keeps = study.keep == "encoders" and step.params.get("output") == "encoder"
        if step.kind == "train" and not keeps and store.has(key):
            store.drop(key, ["*.safetensors"])


def _facts(study: Study, plan: Plan, cells: Sequence[Cell], store: Store, seconds: float) -> dict[str, str]:
    import torch
    import transformers

    trained = [s for s in plan.graph.values() if s.kind == "train"]
    cpu = 0.0
    for key in plan.graph:
        try:
            cpu += store.manifest(key)["meta"]["seconds"]["cpu"]
        except (Missing, Damaged):
            continue
    return {
        "Encoder": describe_encoder(study.encoder),
        "Routes": ", ".join(study.routes),
        "Pipeline seeds": ", ".join(map(str, study.seeds)),
        "Draws of each perturbation": str(study.draws),
        "Cells": f"{len(cells)} of {len(plan.cells)} ({count_examples(plan):,} predictions)",
        "Trained phases": str(len(trained)),
        "CPU time of all steps": f"{cpu / 60:.1f} min (this run: {seconds / 60:.1f} min of wall time)",
        "Data": "official files" if study.data.source == "files" else study.data.source,
        "Versions": f"crosswind {__version__}, torch {torch.__version__}, transformers {transformers.__version__}, "
        f"Python {platform.python_version()}",
    }


def _budget_notes(plan: Plan) -> list[str]:
    """What routes differ in besides their tasks: the estimated tokens of their phases."""
    totals = {route: sum(tokens_of(p) for _, p in phases) for route, phases in plan.training.items()}
    labelled = {
        route: round(sum(labelled_of(p) for _, p in phases if p.heads)) for route, phases in plan.training.items()
    }
    if len(set(labelled.values())) > 1:
        text = ", ".join(f"{r} {n:,}" for r, n in labelled.items())
        return [f"The routes' budgets of labelled examples differ: {text}."]
    if len({round(t, -3) for t in totals.values()}) > 1 and any(p.mlm for ps in plan.training.values() for _, p in ps):
        return ["Masked-LM steps of a route come on top of its labelled budget."]
    return []


def check_out(out: Path) -> None:
    """A run folder must be new, empty or a run's; a `UserError` otherwise."""
    if out.exists() and not out.is_dir():
        raise UserError("is a file", where=str(out), hint="name a folder with --out")
    if out.is_dir() and any(out.iterdir()) and not (out / "study.yaml").exists():
        raise UserError("is a folder of something else", where=str(out), hint="name a new folder with --out")
