"""What constraints refuse of the texts that live examples would ask about, all examples' together.

A constraint that asks a model sees what all others let through, in portions, and no text of which a gradient alone is
asked: of these there are many, and few are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.runner import Runner
from crosswind.perturb.applied import Constraint


def refuse(live: Sequence[Runner], checks: Sequence[Constraint]) -> None:
    """Make the texts of new questions as far as they are needed, without those that a check refuses."""
    waiting = [runner for runner in live if not runner.question.settled]
    ordered = sorted((c for c in checks if c.check is not None), key=lambda c: c.asks_model)
    while waiting:
        refusals: list[dict[int, Constraint]] = [{} for _ in waiting]
        for constraint in ordered:
            _check(constraint, waiting, refusals)
        # A list: every one of them takes what was refused of it.
        stands = [runner.settle(some) for runner, some in zip(waiting, refusals, strict=True)]
        waiting = [runner for runner, settled in zip(waiting, stands, strict=True) if not settled]


def _check(constraint: Constraint, waiting: Sequence[Runner], refusals: Sequence[dict[int, Constraint]]) -> None:
    """Add to the refusals of each example what one constraint refuses; probes are not checked."""
    assert constraint.check is not None
    pairs, at = [], []
    for runner, refused in zip(waiting, refusals, strict=True):
        asked = runner.question
        assert runner.space is not None
        if constraint.asks_model and asked.estimates:
            continue
        for i in asked.unchecked:
            trial = asked.trials[i]
            if trial is None or i in refused or trial.state[0][0] < 0:
                continue
            for number, written in trial.written:
                pairs.append((runner.space.passages[number], written.passage))
                at.append((refused, i))
    for (refused, i), good in zip(at, constraint.check(pairs) if pairs else (), strict=True):
        if not good:
            refused[i] = constraint
