"""Contrasts in words: what is measured, p-values, and what the primary family is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crosswind.analysis.contrast import PRIMARY
from crosswind.analysis.contrasted import Measure
from crosswind.analysis.summary import Summary

_MEASURES: Mapping[Measure, str] = {
    "clean": "clean",
    "before": "clean, perturbed targets",
    "everywhere": "clean, all languages",
    "perturbed": "under perturbation",
    "drop": "drop",
    "relative-drop": "drop, % of clean",
    "normalised-drop": "drop, % above chance",
    "residual": "beyond the line",
    "error": "error, % of the base's",
    "consistency": "same answers",
    "right-drop": "drop where all were right",
    "official": "clean, as benchmarks average",
}


def measure_words(measure: Measure) -> str:
    """What a contrast is of, as tables name it."""
    return _MEASURES.get(measure, measure)


def p_words(p: float | None) -> str:
    """A p-value with three decimals; nothing where there is none."""
    return "" if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001"


def compared_over(summary: Summary) -> str:
    """What the primary family is over: targets and languages."""
    rows = [c for c in summary.contrasts if c.family == PRIMARY]
    targets = _once(x for c in rows for x in c.targets)
    return f"Means over {', '.join(targets)}; languages: {', '.join(_once(x for c in rows for x in c.languages))}."


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
