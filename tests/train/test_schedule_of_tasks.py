"""Which task each step trains, and at which learning rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.train.mixing import proportions, schedule
from crosswind.train.settings import Training


def test_examples_proportional_mixing_with_a_cap_and_a_temperature() -> None:
    """p ∝ min(n, cap)^(1/T): Raffel et al. 2020, §3.5.2."""
    assert proportions([100, 300]).tolist() == [0.25, 0.75]
    assert proportions([100, 300], cap=100).tolist() == [0.5, 0.5]
    assert proportions([100, 400], temperature=2.0) == pytest.approx([1 / 3, 2 / 3])


@given(
    sizes=st.lists(st.integers(1, 10_000), min_size=1, max_size=8), steps=st.integers(1, 400), seed=st.integers(0, 5)
)
def test_a_schedule_has_the_exact_shares_up_to_rounding(sizes: list[int], steps: int, seed: int) -> None:
    p = proportions(sizes)
    plan = schedule(p, steps, seed)
    counts = np.bincount(plan, minlength=len(p))
    assert len(plan) == counts.sum() == steps
    assert np.all(np.abs(counts - p * steps) < 1 + 1e-9)
    assert schedule(p, steps, seed).tolist() == plan.tolist()


def test_largest_remainders_settle_the_rounding() -> None:
    """0.5 * 7 = 3.5, 0.4 * 7 = 2.8, 0.1 * 7 = 0.7: the places left go to 0.8 and 0.7."""
    assert np.bincount(schedule([0.5, 0.4, 0.1], 7, 1)).tolist() == [3, 3, 1]


def test_the_order_is_random_and_depends_on_the_seed() -> None:
    one, two = schedule([0.5, 0.5], 100, 1), schedule([0.5, 0.5], 100, 2)
    assert one.tolist() != sorted(one.tolist())
    assert one.tolist() != two.tolist()


def test_the_rate_warms_up_and_decays_linearly_to_zero_at_the_end() -> None:
    rates = [Training(learning_rate=1.0, warmup=0.4).rate(i, 10) for i in range(11)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6, 0])


def test_a_warm_up_of_one_or_more_counts_steps() -> None:
    assert [Training(learning_rate=1.0, warmup=2).rate(i, 6) for i in range(6)] == pytest.approx(
        [1 / 3, 2 / 3, 1, 3 / 4, 2 / 4, 1 / 4]
    )


def test_without_warm_up_the_first_step_has_the_full_rate_and_constant_stays() -> None:
    assert Training(learning_rate=2.0).rate(0, 4) == 2.0
    assert [Training(learning_rate=2.0, decay="constant").rate(i, 4) for i in range(4)] == [2.0] * 4
