"""Weights, counters and limits of alternatives, for noise (`draw`) and for attacks (`all`)."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from crosswind.perturb import draw
from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.passage import Passage

TEXT = "abc"


def passage(**more: object) -> Passage:
    return Passage("p/1", "t", "first", "line", "en", TEXT, **more)  # type: ignore[arg-type]


def sites(weights: tuple[float, ...] | None, options: tuple[str, ...] = ("x", "y", "z"), **more: object) -> Sites:
    offered = Listed(
        lambda _: Sites([0], [1], lambda i: options, weights=None if weights is None else (lambda i: weights))
    )
    return offered.sites([passage(**more)])[0]


def drawn(at: Sites, n: int = 4000) -> Counter[object]:
    bits = random.Random(1)
    return Counter(Listed(lambda _: at).draw([(at, 0, bits.getrandbits(64)) for _ in range(n)]))


def test_options_are_drawn_as_often_as_their_weights_say() -> None:
    counts = drawn(sites((1, 0, 3)))
    assert set(counts) == {"x", "z"}
    assert counts["z"] == pytest.approx(3000, abs=4 * (4000 * 0.75 * 0.25) ** 0.5)
    even = drawn(sites(None))
    assert all(even[option] == pytest.approx(4000 / 3, abs=4 * (4000 * 2 / 9) ** 0.5) for option in "xyz")


def test_nothing_fits_where_all_weights_are_zero_or_every_option_breaks_words() -> None:
    assert drawn(sites((0, 0, 0)), 50) == {None: 50}
    tagged = {"words": ((0, 3),), "tags": ("X",)}
    assert set(drawn(sites((9, 1, 1), ("x y", "y", "z"), **tagged))) == {"y", "z"}


def test_an_attack_is_given_the_likeliest_options_first_and_no_more_than_it_asks_for() -> None:
    every = Listed(lambda _: sites((1, 0, 3)))
    assert [*every.all([(sites((1, 0, 3)), 0)])[0]] == ["z", "x", "y"]
    assert [*every.all([(sites((1, 0, 3)), 0)], 2)[0]] == ["z", "x"]
    assert [*every.all([(sites(None), 0)], 2)[0]] == ["x", "y"]
    assert [*every.all([(sites(None, ("x y", "z"), words=((0, 3),), tags=("X",)), 0)])[0]] == ["z"]


def test_sites_at_one_offset_share_a_draw_unless_they_have_counters_of_their_own() -> None:
    shared, apart = Sites([2, 2], [3, 3]), Sites([2, 2], [3, 3], counters=[2, 7])
    keys = [draw.key("p", str(i)) for i in range(300)]
    for at, same in ((shared, True), (apart, False)):
        together = draw.draw(keys, [at.counters] * len(keys), 0.5)
        assert all(len(sites) != 1 for sites in together) is same
    # The first site's draw is that of its offset, whatever stands beside it.
    alone = draw.draw(keys, [[2]] * len(keys), 0.5)
    assert [[s for s in sites if s[0] == 0] for sites in together] == alone
