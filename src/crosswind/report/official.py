"""The scores of benchmarks, arranged for the report: a table a benchmark, a row a task, group or mean of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crosswind.analysis.official import METRIC_KEY, OfficialScore
from crosswind.analysis.results import NONE


@dataclass(frozen=True)
class OfficialRow:
    """A task, a group or the whole of a benchmark for a model under a condition, as text."""

    route: str
    condition: str
    name: str
    score: str
    zero_shot: str
    keys: str
    averaged: str
    lacking: str


def official_blocks(scores: Sequence[OfficialScore]) -> list[tuple[str, list[OfficialRow]]]:
    """The rows of each benchmark, in the order of the scores."""
    several = len({s.encoder for s in scores}) > 1
    grouped: dict[str, dict[tuple[str, str, str], list[OfficialScore]]] = {}
    for s in scores:
        model = " · ".join([*([s.encoder] if several else []), s.route, *([s.defence] if s.defence != NONE else [])])
        grouped.setdefault(s.benchmark, {}).setdefault((model, s.condition.label, s.name), []).append(s)
    return [
        (benchmark, [_row(*labels, members) for labels, members in by_name.items()])
        for benchmark, by_name in grouped.items()
    ]


def _row(route: str, condition: str, name: str, members: Sequence[OfficialScore]) -> OfficialRow:
    values = {s.key: s for s in members}
    first = members[0]
    lacking = [*first.lacking, *([f"trained on {' '.join(first.trained)}"] if first.trained else [])]
    whole = values.pop(METRIC_KEY, None)
    keys = ", ".join(f"{key} {_points(s.score)}" for key, s in values.items())
    return OfficialRow(
        route,
        condition,
        name,
        _points(whole.score) if whole else "",
        _points(whole.zero_shot) if whole else "",
        keys,
        " ".join(first.averaged),
        "; ".join(lacking),
    )


def _points(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.2f}"
