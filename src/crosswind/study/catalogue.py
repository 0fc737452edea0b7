"""What there is, for `crosswind list`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from crosswind.analysis.published import published_results
from crosswind.attack.matrix import ATTACKED_TASKS, recipe_cells
from crosswind.attack.recipe import RECIPES, Recipe
from crosswind.data.languages import name_of
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.matrix import MATRIX_KINDS, MatrixCell, matrix
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.run.executors import EXECUTORS
from crosswind.run.kinds import STEPS
from crosswind.study.preset import presets
from crosswind.study.stages import STAGES
from crosswind.tasks.base import CORPORA, TASKS
from crosswind.tasks.mixture import MIXTURES

Listing = list[dict[str, Any]]


def _tasks() -> Listing:
    return [
        {
            "name": t.name,
            "kind": t.kind,
            "metric": t.metric,
            "splits": list(t.splits),
            "languages": list(t.languages),
            "summary": t.summary,
            "licence": t.licence,
            "citation": t.citation,
            "faults": [{"what": f.what, "source": f.source, "languages": list(f.languages)} for f in t.faults],
        }
        for t in TASKS
    ]


def _mixtures() -> Listing:
    return [
        {
            "name": m.name,
            "kind": m.kind,
            "members": [f"{task}:{m.caps[task]}" if task in m.caps else task for task in m.members],
            "summary": m.summary,
            "licence": m.licence,
        }
        for m in MIXTURES
    ]


def _languages() -> Listing:
    tasks: dict[str, list[str]] = {}
    for task in TASKS:
        for code in task.languages if task.generated is None else ():
            tasks.setdefault(code, []).append(task.name)
    return [{"code": code, "name": name_of(code), "tasks": tasks[code]} for code in sorted(tasks)]


def _perturbations() -> Listing:
    return [
        {
            "name": p.name,
            "nature": p.nature,
            "unit": p.unit,
            "parameters": [q.name for q in p.params],
            "languages": p.languages,
            "summary": p.summary,
        }
        for p in PERTURBATIONS
    ]


def _oracle(recipe: Recipe) -> str:
    if not recipe.oracle:
        return ""
    return " and oracle" + ("" if recipe.oracle_with is None else " ({}={})".format(*recipe.oracle_with))


def _recipes() -> Listing:
    return [
        {
            "name": r.name,
            "kinds": list(r.kinds),
            "access": r.access + _oracle(r),
            "parameters": [q.name for q in r.params],
            "languages": r.languages,
            "summary": r.summary,
        }
        for r in RECIPES
    ]


def _metrics() -> Listing:
    return [
        {
            "name": m.name,
            "keys": list(m.keys),
            "better": m.better,
            "version": m.version,
            "formula": m.formula,
            "source": m.source,
        }
        for m in METRICS
    ]


def _presets() -> Listing:
    return [{"name": name, "summary": summary} for name, summary in presets().items()]


def _corpora() -> Listing:
    return [
        {"name": c.name, "kind": c.kind, "languages": list(c.languages), "summary": c.summary, "licence": c.licence}
        for c in CORPORA
    ]


def _executors() -> Listing:
    return [{"name": e.name, "summary": e.summary} for e in EXECUTORS]


def _steps() -> Listing:
    return [{"name": k.name, "version": k.version, "parameters": [f.name for f in fields(k.params)]} for k in STEPS]


def _stages() -> Listing:
    return [{"name": s.name, "summary": s.summary} for s in STAGES]


def _published() -> Listing:
    return [
        {
            "task": r.task,
            "key": r.key,
            "where": r.where or r.what,
            "value": r.value,
            "model": r.model,
            "protocol": r.protocol,
            "split": r.split,
            "setting": r.setting,
            "evidence": r.evidence,
            "source": r.source,
            "note": r.note,
        }
        for r in published_results()
    ]


def perturbation_cells() -> Listing:
    """The matrix of perturbations, a row a cell: perturbation, kind, language, state, reason."""
    return [asdict(cell) for cell in matrix()]


def perturbation_matrix() -> list[dict[str, str]]:
    """The matrix of perturbations, a row a perturbation: for each kind of example the number of languages."""
    return _by_kind(matrix(), MATRIX_KINDS)


def recipe_listing() -> Listing:
    """The matrix of recipes, a row a cell: recipe, kind, language, state, reason."""
    cells = (asdict(cell) for cell in recipe_cells())
    return [{"recipe": cell.pop("perturbation"), **cell} for cell in cells]


def recipe_matrix() -> list[dict[str, str]]:
    """The matrix of recipes, a row a recipe: for each kind of example the number of languages."""
    return _by_kind(recipe_cells(), tuple(ATTACKED_TASKS))


def _by_kind(cells: Iterable[MatrixCell], kinds: Sequence[str]) -> list[dict[str, str]]:
    counts: dict[str, dict[str, Counter[str]]] = {}
    for cell in cells:
        of_kind = counts.setdefault(cell.perturbation, {kind: Counter() for kind in kinds})
        of_kind[cell.kind][cell.state] += 1
    return [{"name": name, **{kind: _counted(of[kind]) for kind in kinds}} for name, of in counts.items()]


def _counted(states: Mapping[str, int]) -> str:
    needing = f"+{states['needs']}" if states["needs"] else ""
    applying = str(states["applies"]) if states["applies"] else ""
    return applying + needing or "-"


LONG = ("citation", "faults")
"""Columns that only `--verbose` and `--json` have."""


CATALOGUE: Mapping[str, Callable[[], Listing]] = {
    "tasks": _tasks,
    "mixtures": _mixtures,
    "languages": _languages,
    "perturbations": _perturbations,
    "recipes": _recipes,
    "metrics": _metrics,
    "presets": _presets,
    "corpora": _corpora,
    "executors": _executors,
    "steps": _steps,
    "stages": _stages,
    "published": _published,
}
