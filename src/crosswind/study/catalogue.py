"""What there is, for `crosswind list`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.submission import FORMATS
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.run.executors import EXECUTORS
from crosswind.study.resolve import presets
from crosswind.tasks.base import CORPORA, TASKS

Listing = list[dict[str, Any]]


def include(folder: Path) -> None:
    """Add the declarations of a folder of the user's to every registry."""
    for registry in (TASKS, CORPORA, PERTURBATIONS, METRICS, FORMATS, BENCHMARKS, EXECUTORS):
        registry.include(folder)


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
        }
        for t in TASKS
    ]


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


def _metrics() -> Listing:
    return [{"name": m.name, "keys": list(m.keys), "version": m.version} for m in METRICS]


def _presets() -> Listing:
    return [{"name": name, "summary": summary} for name, summary in presets().items()]


def _corpora() -> Listing:
    return [
        {"name": c.name, "kind": c.kind, "languages": list(c.languages), "summary": c.summary, "licence": c.licence}
        for c in CORPORA
    ]


def _executors() -> Listing:
    return [{"name": e.name, "summary": e.summary} for e in EXECUTORS]


CATALOGUE: Mapping[str, Callable[[], Listing]] = {
    "tasks": _tasks,
    "perturbations": _perturbations,
    "metrics": _metrics,
    "presets": _presets,
    "corpora": _corpora,
    "executors": _executors,
}
