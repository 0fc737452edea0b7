"""Weights, counters and limits of alternatives, for noise (`draw`) and for attacks (`all`)."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from crosswind.perturb import draw
from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.applied import without_overlaps
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


def test_of_overlapping_changes_those_of_lowest_u_are_made_as_one_by_one() -> None:
    """The reference takes changes in ascending u and keeps each that overlaps none that is kept."""
    random_ = random.Random(3)
    for _ in range(3000):
        spans = [(start, start + random_.randrange(4)) for start in (random_.randrange(16) for _ in range(8))]
        changes = sorted(((*span, "x", random_.random()) for span in spans), key=lambda c: c[0])
        kept: list[tuple[int, int, str, float]] = []
        for change in sorted(changes, key=lambda c: c[3]):
            start, end = change[:2]
            # An insertion at the border of a change does not overlap it, two at one place do not either.
            if all(end <= k[0] or k[1] <= start for k in kept):
                kept.append(change)
        assert sorted(without_overlaps(list(changes))) == sorted(kept)


def test_the_changes_of_a_long_line_are_taken_without_comparing_each_with_all() -> None:
    """Each change overlaps the next: 100,000 of them, which a quadratic step would compare for hours."""
    random_ = random.Random(5)
    changes = [(i, i + 2, "xy", random_.random()) for i in range(100_000)]
    taken = {start for start, *_ in without_overlaps(list(changes))}
    # None of two neighbours, and whatever was not taken overlaps one of lower u that was.
    assert all(start + 1 not in taken for start in taken)
    for i, (*_, u) in enumerate(changes):
        assert i in taken or any(j in taken and changes[j][3] < u for j in (i - 1, i + 1))
