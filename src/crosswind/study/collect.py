"""From the store to the run folder: results, statistics, predictions, the summary and the report."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import polars as pl

from crosswind import __version__
from crosswind.analysis.costs import cost_table
from crosswind.analysis.left_out import LeftOut, left_out_table, merged
from crosswind.analysis.official import brief_official_lines, official_lines, official_scores, official_table
from crosswind.analysis.results import (
    write_results,
)
from crosswind.analysis.summarise import summarise
from crosswind.analysis.summary import Summary
from crosswind.run.store import Store
from crosswind.steps.train import TrainParams, labelled_of, training_tokens
from crosswind.study.about import write_about
from crosswind.study.analysed import Analysed, comparisons_of, write_analysed
from crosswind.study.base import describe_base
from crosswind.study.cell_rows import chance_levels, facts_of_cells, is_given, is_there, result_rows, with_clean
from crosswind.study.collected_files import (
    CellStatistics,
    adding_rewrites,
    copy_files,
    write_cells,
    write_excluded,
    write_provenance,
    write_sums,
)
from crosswind.study.costs import defence_costs
from crosswind.study.differences import route_facts
from crosswind.study.folder import (
    COSTS,
    Tables,
    clear,
    declared_late,
    encoder_size,
)
from crosswind.study.kept import kept_for_audit
from crosswind.study.left_out import not_there, unscored
from crosswind.study.noted import note_lines, notes_by_step
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
    from crosswind.study.transfer_table import TRANSFER, transfer_table

    every = [c for c in plan.cells if is_there(c, store)]
    there = [c for c in every if not c.excluded]  # on all items: the summary is of these
    if not there:
        clear(out)
        return Collected()
    tables = Tables(out)
    facts = facts_of_cells(every, store, tables, computed)
    provenance = write_provenance(plan, store, tables, computed)
    noted = notes_by_step(provenance)
    rows = [row for cell in there for row in result_rows(plan.encoder, cell, facts, noted, study.min_changed)]
    frame = write_results(rows, out / "results.parquet")
    tables.note("results.parquet")
    part = [row for c in every if c.excluded for row in result_rows(plan.encoder, c, facts, noted, study.min_changed)]
    write_excluded(part, out, tables)
    right = write_right(there, store, tables)
    adding = adding_rewrites(every, store)
    write_cells(every, facts, adding, tables, right)
    wanted = [*write_sums(every, store, tables, computed), *right.values()]
    copy_files(there, store, out, wanted, adding)
    tables.save()
    comparable = frame.filter(pl.col("cell").is_in(with_clean(there)))
    left_out = merged((*plan.left_out, *not_there(plan.cells, every), *unscored(there, facts, study.min_changed)))
    analysed = Analysed(
        routes=tuple(study.route_names),
        headline={cell.target: cell.judged[0][0] for cell in there},
        chance=chance_levels(there, facts),
        sources={cell.target: TASKS[cell.target].source_language for cell in there},
        diagnostic=tuple(sorted(plan.diagnostic)),
        given=tuple(dict.fromkeys(key for cell in there if is_given(plan, cell) for _, key in cell.judged)),
        comparisons=comparisons_of(study.compare),
        facts=route_facts(plan, study.route_names),
    )
    write_analysed(analysed, out)
    summary = summarise(
        comparable,
        CellStatistics(there, facts, out, right),
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
    transferred = transfer_table(plan, there, store)
    if transferred.is_empty():
        (out / TRANSFER).unlink(missing_ok=True)
    else:
        tables.write(transferred, TRANSFER)
        tables.save()
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


_SOURCES = {"files": "official files"}


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
