"""Whether a target is trained and tested as its preset says: what a signature calls its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosswind.study.target_plans import PhasePlan, TargetPlan
    from crosswind.train.settings import Training

HOW_COMPUTED = ("precision", "micro_tokens")
"""Training settings that say how fast and how exactly a result is computed: no preset has them, and they are signed."""


def protocol_name(preset: str, official: TargetPlan, plan: TargetPlan) -> str:
    """`xtreme`, or `xtreme but learning_rate, budget` where a study changes what the preset says of a target.

    Its languages may be fewer, and seeds are the study's own.
    """
    changed = list(dict.fromkeys(_changed(official, plan)))
    return f"{preset} but {', '.join(changed)}" if changed else preset


def _changed(official: TargetPlan, plan: TargetPlan) -> Iterator[str]:
    """What of a target differs, by the names of the study file's keys."""
    for name in ("split", "rows", "limit"):
        if {getattr(ref, name) for ref in official.data} != {getattr(ref, name) for ref in plan.data}:
            yield name
    if official.pooling != plan.pooling:
        yield "pooling"
    if len(official.chain) != len(plan.chain):
        yield "train"
        return
    for before, after in zip(official.chain, plan.chain, strict=True):
        yield from _changed_phase(before, after)
    if not plan.chain:
        yield from _settings(official.training, plan.training)


def _changed_phase(before: PhasePlan, after: PhasePlan) -> Iterator[str]:
    if [head.data for head in before.heads] != [head.data for head in after.heads]:
        yield "tasks"
    for name in ("budget", "sampling", "select", "mlm"):
        if getattr(before, name) != getattr(after, name):
            yield name
    yield from _settings(before.effective(), after.effective())


def _settings(before: Training, after: Training) -> Iterator[str]:
    for field in fields(before):
        if field.name not in HOW_COMPUTED and getattr(before, field.name) != getattr(after, field.name):
            yield field.name
