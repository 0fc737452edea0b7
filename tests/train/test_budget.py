"""A budget is read in one way: literal steps."""

from __future__ import annotations

import pytest

from crosswind.train.budget import Budget, examples_seen, steps_of


@pytest.mark.parametrize(
    ("budget", "sizes", "mean_tokens", "batch_size", "steps"),
    [
        (Budget(), [100], 20.0, 16, 7),  # one epoch
        (Budget(epochs=2), [100], 20.0, 16, 13),
        (Budget(epochs=0.5), [60, 40], 20.0, 16, 4),
        (Budget(examples=100), [1000], 20.0, 16, 7),
        (Budget(examples=96), [1000], 20.0, 16, 6),
        (Budget(examples=3), [1000], 20.0, 16, 1),
        (Budget(tokens=2000), [1000], 20.0, 16, 7),
        (Budget(tokens=1), [1000], 20.0, 16, 1),
        (Budget(steps=5), [100], 20.0, 16, 5),
        (Budget(steps=5, items=10), [100], 20.0, 16, 5),
    ],
)
def test_a_budget_gives_steps(
    budget: Budget, sizes: list[int], mean_tokens: float, batch_size: int, steps: int
) -> None:
    assert steps_of(budget, sizes, mean_tokens, batch_size) == steps


def test_examples_are_counted_with_their_repetitions() -> None:
    assert examples_seen(Budget(epochs=1.5), 100, 20.0, 16) == 150.0
    assert examples_seen(Budget(steps=5), 100, 20.0, 16) == 80.0
    assert examples_seen(Budget(tokens=2000), 100, 20.0, 16) == 100.0
