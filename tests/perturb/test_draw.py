"""The counter-based draws."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crosswind.perturb.donors import Donors
from crosswind.perturb.draw import choose, draw, key, splitmix64


def test_the_hash_is_splitmix64() -> None:
    """The first outputs for seed 1234567 (Vigna's reference implementation, as printed on Rosetta Code)."""
    numbers = splitmix64(np.full(5, 1234567, dtype=np.uint64), np.arange(5, dtype=np.uint64))
    assert numbers.tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_keys_depend_on_every_part_and_not_on_how_parts_are_cut() -> None:
    assert len({key("a", "b"), key("b", "a"), key("ab", ""), key("a", "b", "")}) == 4


keys = st.integers(0, 2**64 - 1)
offsets = st.lists(st.integers(0, 10_000), max_size=40, unique=True).map(sorted)


@given(st.lists(st.tuples(keys, offsets), max_size=6), st.floats(0.01, 1), st.floats(0.01, 1))
def test_levels_nest_and_a_text_draws_the_same_alone_as_among_others(
    texts: list[tuple[int, list[int]]], a: float, b: float
) -> None:
    low, high = sorted((a, b))
    few = draw([k for k, _ in texts], [o for _, o in texts], low)
    many = draw([k for k, _ in texts], [o for _, o in texts], high)
    for (k, o), less, more in zip(texts, few, many, strict=True):
        assert set(less) <= set(more)
        assert draw([k], [o], high)[0] == more
        assert all(0 <= u < high for _, u, _ in more)


def test_severity_one_changes_everything_and_the_share_is_the_severity() -> None:
    everywhere = [list(range(20_000))]
    assert len(draw([7], everywhere, 1.0)[0]) == 20_000
    # Binomial with n = 20,000 and p = .1: five standard deviations are 212.
    assert abs(len(draw([7], everywhere, 0.1)[0]) - 2000) < 212


def test_choices_are_even_among_the_options() -> None:
    chosen = [choose(bits, 3) for _, _, bits in draw([5], [list(range(30_000))], 1.0)[0]]
    counts = np.bincount(chosen)
    assert counts.shape == (3,)
    assert abs(counts - 10_000).max() < 410  # five standard deviations of a binomial, n = 30,000, p = 1/3


def test_donors_come_in_the_order_of_their_hashes_those_of_one_id_as_they_stand() -> None:
    names = [f"d{i % 40}" for i in range(60)]  # some have the same hash
    donors = Donors(range(60), names)
    for bits in (0, 7, 2**64 - 1):
        hashes = [
            int(splitmix64(np.array([key("donor", n) ^ bits], dtype=np.uint64), np.zeros(1, dtype=np.uint64))[0])
            for n in names
        ]
        assert list(donors.ranked(bits)) == sorted(range(60), key=hashes.__getitem__)
        assert donors.pick(bits, lambda d: d % 2 == 1) == next(d for d in donors.ranked(bits) if d % 2 == 1)
    assert list(Donors([], []).ranked(1)) == []
