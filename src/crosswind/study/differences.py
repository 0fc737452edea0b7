"""What the routes of a study differ in, so that a comparison of two says how many things it compares at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from crosswind.analysis.contrast import RouteFacts
from crosswind.analysis.material import LEXICON_SOURCE
from crosswind.analysis.results import TASK_EXPOSURES, LanguageExposure
from crosswind.perturb.lexicons import MICROWORLD_LEXICONS, lexicon_sources
from crosswind.steps.parameters import examples_of
from crosswind.steps.train import TrainParams, labelled_of, training_tokens
from crosswind.study.exposure import by_machine
from crosswind.study.planned import Cell, Plan
from crosswind.tasks.domains import domains_of


def route_facts(plan: Plan, routes: Iterable[str]) -> RouteFacts:
    """The factors of every route (tasks, domain, languages, items, examples, steps, tokens, masked LM, what it shares
    with the targets), and what it has seen labelled or as raw text: languages, and where the lexicons come from."""
    generated = plan.graph.context.get("data", {}).get("source") == "microworld"
    lexicons = plan.graph.context.get("lexicons")
    sources = lexicon_sources(Path(lexicons)) if lexicons and lexicons != MICROWORLD_LEXICONS else []
    factors, seen = {}, {}
    for route in routes:
        phases = plan.training.get(route, [])
        factors[route] = _factors(phases, generated) | _overlap(plan.cells, route)
        seen[route] = {**_seen(phases), **{LEXICON_SOURCE + name: _text_seen(phases, name) for name in sources}}
    return RouteFacts(factors, seen)


def _factors(phases: Sequence[tuple[str, TrainParams]], generated: bool) -> dict[str, str]:
    params = [p for _, p in phases]
    refs = [ref for p in params for head in p.heads for ref in head.data]
    text = [corpus for p in params if p.mlm for corpus in p.mlm.corpora]
    values = {
        "tasks": " ".join(sorted({ref.task for ref in refs})),
        "domain": "" if generated else domains_of({ref.task for ref in refs}),
        "languages": " ".join(sorted({ref.language for ref in refs})),
        "items": f"{sum(examples_of(ref) for ref in refs):,}" if refs else "",
        "labelled examples": f"{sum(labelled_of(p) for p in params if p.heads):,.0f}" if refs else "",
        "steps": f"{sum(_steps(p) for p in params):,.0f}" if params else "",
        "tokens": f"{sum(training_tokens(p) for p in params):,.0f}" if params else "",
        "masked LM": "; ".join(f"{name} in {' '.join(languages)}" for name, languages, _ in text),
        "phases": str(len(params)) if params else "",
    }
    return {name: value for name, value in values.items() if value}


def _steps(params: TrainParams) -> float:
    """Estimated optimiser steps of a phase, those of masked LM beside its tasks included."""
    share = params.mlm.share if params.mlm and params.heads else 0.0
    return math.ceil(labelled_of(params) / params.training.batch_size) / (1 - share)


def _text_seen(phases: Sequence[tuple[str, TrainParams]], source: str) -> LanguageExposure:
    """What a route has seen of a task or corpus, in whichever language and split."""
    if any(ref.task == source for _, p in phases for head in p.heads for ref in head.data):
        return "labelled"
    return "unlabelled" if any(name == source for _, p in phases if p.mlm for name, _, _ in p.mlm.corpora) else "unseen"


def _overlap(cells: Sequence[Cell], route: str) -> dict[str, str]:
    """The nearest task of each target that a route has seen: `xquad same-task`."""
    nearest: dict[str, str] = {}
    order: list[str] = [*TASK_EXPOSURES]
    for cell in cells:
        if cell.route == route:
            task = cell.exposure.partition("/")[0]
            before = nearest.get(cell.target, task)
            nearest[cell.target] = min(task, before, key=order.index)
    seen = [f"{target} {task}" for target, task in sorted(nearest.items()) if task != "none"]
    return {"seen of the targets": ", ".join(seen)} if seen else {}


def _seen(phases: Sequence[tuple[str, TrainParams]]) -> Mapping[str, str]:
    seen = {code: "unlabelled" for _, p in phases if p.mlm for _, languages, _ in p.mlm.corpora for code in languages}
    data = [ref for _, p in phases for head in p.heads for ref in head.data]
    translated = {ref.language: "machine-translated" for ref in data if by_machine(ref)}
    return seen | translated | {ref.language: "labelled" for ref in data if not by_machine(ref)}
