"""Intervals against formulas written out, exhaustive leaving-out and other libraries."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crosswind.analysis.estimate import (
    CUT_SHORT,
    EMPTY_WITHOUT,
    NONE_DIFFERS,
    ONE_CLUSTER,
    Components,
    Estimate,
    estimate,
)
from crosswind.analysis.influence import (
    ClusterNumbers,
    Influence,
    cell_influence,
    mean_influence,
    quotient,
    weighted_sum,
)
from crosswind.analysis.multiplicity import benjamini_hochberg, holm
from crosswind.analysis.slopes import slope_coefficients
from crosswind.evaluate.metrics.base import METRICS

ACCURACY = METRICS["accuracy"].function()
F1 = METRICS["set-f1"].function()


def cell(numbers, rows, ids, score=ACCURACY, seeds=None, fixed=False):
    """A cell of item statistics `(seeds, items, k)`."""
    rows = np.asarray(rows, dtype=float)
    rows = rows[None] if rows.ndim == 2 else rows
    sums = [numbers.sums(r, tuple(ids)) for r in rows]
    stacked = np.stack([s for _, s in sums])[:, None]
    return cell_influence(stacked, score, seeds or range(len(rows)), sums[0][0], numbers, fixed=fixed)


def right(values):
    """Accuracy statistics of items that are right or wrong."""
    values = np.asarray(values, dtype=float)
    return np.stack([values, np.ones_like(values), np.zeros_like(values)], axis=-1)


def test_the_standard_error_of_independent_items_is_that_of_a_share():
    """400 items of which 280 are right: s / sqrt(n), and Student's t with 399 degrees of freedom."""
    numbers = ClusterNumbers()
    x = cell(numbers, right([i < 280 for i in range(400)]), [f"x/{i}" for i in range(400)], fixed=True)
    level = estimate([(1.0, x)], numbers, level=True)
    error = 100 * math.sqrt(0.7 * 0.3 / 399)
    assert level.score == pytest.approx(70)
    assert level.se == pytest.approx(error)
    assert (level.low, level.high) == pytest.approx(
        (70 - stats.t.ppf(0.975, 399) * error, 70 + stats.t.ppf(0.975, 399) * error)
    )
    assert (level.basis, level.p, level.clusters) == ("one model", None, 400)


def test_repeating_every_item_in_its_cluster_adds_no_certainty():
    once, four, apart = ClusterNumbers(), ClusterNumbers(), ClusterNumbers()
    values, ids = [i % 3 > 0 for i in range(300)], [f"x/{i}" for i in range(300)]
    a = estimate([(1.0, cell(once, right(values), ids))], once)
    b = estimate([(1.0, cell(four, right(values * 4), ids * 4))], four)
    c = estimate([(1.0, cell(apart, right(values * 4), [f"x/{i}" for i in range(1200)]))], apart)
    assert b.se == pytest.approx(a.se)
    assert c.se == pytest.approx(a.se / 2, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_influence_values_are_what_leaving_each_cluster_out_changes(data):
    ids = [f"c{i}" for i in range(data.draw(st.integers(2, 5)))]
    clusters = ids + data.draw(st.lists(st.sampled_from(ids), max_size=5))
    rows = np.array([data.draw(st.sampled_from([(1, 1, 1), (0, 1, 0), (1, 2, 3), (0, 0, 1)])) for _ in clusters], float)
    numbers = ClusterNumbers()
    x = cell(numbers, rows, clusters, F1)
    whole = F1(rows.sum(axis=0))
    for i, name in enumerate(ids):
        left = rows[[c != name for c in clusters]].sum(axis=0)
        assert x.values[0, i] == pytest.approx(whole - F1(left))
    assert x.theta.tolist() == [pytest.approx(whole)]


def spelled_out(terms, sizes):
    """The specification, section How, written with loops. Terms: (coefficient, theta (S,), E (S, G)), by stratum."""
    cuts = [0, *np.cumsum(sizes)]
    items = interaction = 0.0
    by_stratum = []
    for (start, end), many in zip(pairwise(cuts), sizes, strict=True):
        scaled = [(a, e[:, start:end] * (many - 1)) for a, _, e in terms]
        mean = sum(a * e.mean(axis=0) for a, e in scaled)
        by_stratum.append(np.var(mean, ddof=1) / many)
        items += by_stratum[-1]
        for a, e in scaled:
            s = len(e)
            if s > 1:
                total = 0.0
                for i in range(s):
                    for g in range(many):
                        total += (e[i, g] - e[:, g].mean() - e[i].mean() + e.mean()) ** 2
                interaction += a**2 * total / ((s - 1) * (many - 1) * s * many)
    of_seeds = [a**2 * np.var(theta, ddof=1) / len(theta) if len(theta) > 1 else 0.0 for a, theta, _ in terms]
    x = sum(of_seeds)
    df_items = items**2 / sum(v**2 / (many - 1) for v, many in zip(by_stratum, sizes, strict=True))
    df_seeds = x**2 / sum(v**2 / (len(t) - 1) for v, (_, t, _) in zip(of_seeds, terms, strict=True) if len(t) > 1)
    return items, min(interaction, items), x, df_items, df_seeds


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(2, 5), st.lists(st.integers(2, 9), min_size=1, max_size=3))
def test_the_components_are_those_of_the_specification(seed, s1, s2, sizes):
    rng = np.random.default_rng(seed)
    numbers = ClusterNumbers()
    layouts = []
    for number, many in enumerate(sizes):
        layouts.append(numbers.sums(np.ones((many, 1)), tuple(f"{number}/{i}" for i in range(many)))[0])
    columns, shared = numbers.columns(frozenset(layouts)), frozenset(layouts)
    terms = []
    for a, s in ((1.0, s1), (-1.0, s2)):
        theta, values = rng.normal(50, 3, s), rng.normal(0, 1, (s, sum(sizes)))
        terms.append((a, Influence(tuple(range(s)), theta, values, columns, shared)))
    got = estimate(terms, numbers).components
    items, interaction, x, df_items, df_seeds = spelled_out([(a, t.theta, t.values) for a, t in terms], sizes)
    assert got is not None
    assert (got.items, got.interaction, got.seeds) == pytest.approx((items, interaction, x))
    assert (got.df_items, got.df_seeds) == pytest.approx((df_items, df_seeds))
    t_i, t_s = stats.t.ppf(0.975, df_items), stats.t.ppf(0.975, df_seeds)
    half = math.sqrt(t_i**2 * (items - interaction) + max(t_i**2 * interaction, t_s**2 * x))
    assert got.half_width(0.05) == pytest.approx(half)
    assert got.variance == pytest.approx(items + x - interaction)


@pytest.mark.parametrize("size", [0.2, 1.0, 4.0, 30.0])
def test_p_is_the_level_at_which_the_interval_ends_at_zero(size):
    parts = Components(2.0, 0.5, 3.0, 250.0, 2.7, 3, 300)
    p = parts.p_value(size)
    assert parts.half_width(p) == pytest.approx(size, rel=1e-6)
    assert parts.p_value(0.0) == 1.0


@pytest.mark.parametrize("bound", [-9.0, 1.0, 3.5, 4.0, 12.0])
def test_one_sided_p_values_are_those_at_which_one_end_of_the_interval_is_the_bound(bound):
    e = Estimate(3.5, None, None, "items and seeds", None, Components(2.0, 0.5, 3.0, 250.0, 2.7, 3, 300))
    below, above = e.p_below(bound), e.p_above(bound)
    assert below + above == pytest.approx(1.0)
    assert (below < 0.5, above < 0.5) == (bound > 3.5, bound < 3.5)
    if bound != 3.5:
        ends = e.bounds(2 * min(below, above))
        assert ends[1 if bound > 3.5 else 0] == pytest.approx(bound, rel=1e-6)


def test_two_one_sided_tests_are_those_of_students_t():
    e = Estimate(1.0, None, None, "items", None, Components(4.0, 0.0, 0.0, 99.0, 1.0, 1, 100))
    assert e.p_between(-5, 6) == pytest.approx(max(stats.t.sf(3.0, 99), stats.t.sf(2.5, 99)))
    assert e.p_between(2, 6) == pytest.approx(stats.t.sf(-0.5, 99))
    assert Estimate(1.0, None, None).p_between(-5, 6) is None


def test_of_clusters_that_are_all_alike_the_rule_of_three_says_what_lies_within_a_margin():
    numbers = ClusterNumbers()
    same = cell(numbers, right([1, 0] * 30), [f"x{i // 2}" for i in range(60)])
    of = estimate([(1.0, same), (-1.0, same)], numbers)
    assert (of.score, of.unseen) == (0.0, 10.0)  # 300 / 30 clusters
    assert of.p_between(-10, 10) == pytest.approx(math.exp(-3))
    # Thirty clusters of which a fifth would differ: none does with a probability of .8 ** 30 or less.
    assert 0.8**30 < of.p_between(-20, 20) < 0.003
    assert of.p_below(0.0) == 1.0


def test_without_seed_variance_p_is_that_of_students_t():
    parts = Components(4.0, 0.0, 0.0, 99.0, 1.0, 1, 100)
    assert parts.p_value(5.0) == pytest.approx(2 * stats.t.sf(2.5, 99))
    assert parts.detectable() == pytest.approx(2 * (stats.t.ppf(0.975, 99) + stats.t.ppf(0.8, 99)))


def test_items_are_paired_where_cells_share_clusters_and_not_where_they_do_not():
    """200 items, of which one system is wrong on 20 more: the variance is that of a 10 % count."""
    numbers = ClusterNumbers()
    ids = [f"p{i}" for i in range(200)]
    good, worse = [i % 4 > 0 for i in range(200)], [i % 4 > 0 and i >= 20 for i in range(200)]
    a, b = cell(numbers, right(good), ids), cell(numbers, right(worse), ids)
    c = cell(numbers, right(worse), [f"q{i}" for i in range(200)])
    differ = np.array(good, float) - np.array(worse, float)
    paired = estimate([(1.0, a), (-1.0, b)], numbers)
    assert paired.se == pytest.approx(100 * differ.std(ddof=1) / math.sqrt(200))
    apart = estimate([(1.0, a), (-1.0, c)], numbers)
    assert apart.se == pytest.approx(100 * math.sqrt((np.var(good, ddof=1) + np.var(worse, ddof=1)) / 200))
    assert (paired.clusters, apart.clusters) == (200, 400)


def test_strata_are_the_connected_components_of_cells_over_all_targets():
    numbers = ClusterNumbers()
    first, _ = numbers.sums(np.ones((3, 1)), ("a", "b", "c"))
    second, _ = numbers.sums(np.ones((3, 1)), ("c", "d", "d"))
    third, _ = numbers.sums(np.ones((2, 1)), ("x", "y"))
    assert numbers.strata(frozenset([first, third])).sizes.tolist() == [3, 2]
    joined = numbers.strata(frozenset([first, second, third]))
    assert sorted(joined.sizes.tolist()) == [2, 4]
    assert len(set(joined.component[:4].tolist())) == 1


def test_the_order_of_items_and_cells_changes_nothing():
    rng = np.random.default_rng(0)
    values, ids = rng.random(90) < 0.5, np.array([f"p{i // 3}" for i in range(90)])
    order = rng.permutation(90)
    one, two = ClusterNumbers(), ClusterNumbers()
    a = estimate([(1.0, cell(one, right(values), ids))], one)
    cell(two, right(values), ids[::-1])
    b = estimate([(1.0, cell(two, right(values[order]), ids[order]))], two)
    assert (a.score, a.se, a.low) == pytest.approx((b.score, b.se, b.low))


def test_seeds_that_are_one_model_have_no_component_and_one_seed_gives_items_only():
    numbers, ids = ClusterNumbers(), [f"x{i}" for i in range(100)]
    rows = np.stack([right([i < 60 + s for i in range(100)]) for s in (0, 10, 20)])
    trained = cell(numbers, rows, ids)
    given = cell(numbers, np.stack([rows[0]] * 3), ids, fixed=True)
    both = estimate([(1.0, trained), (-1.0, given)], numbers)
    assert both.basis == "items and seeds"
    assert both.components is not None
    assert both.components.df_seeds == pytest.approx(2)
    assert both.components.seeds == pytest.approx(np.var([60, 70, 80], ddof=1) / 3)
    alone = estimate([(1.0, given)], numbers)
    assert (alone.basis, alone.components.seeds) == ("one model", 0.0)
    assert estimate([(1.0, trained.of_seeds([1])), (-1.0, given)], numbers).basis == "items"


def test_paired_seeds_are_compared_seed_by_seed():
    numbers, ids = ClusterNumbers(), [f"x{i}" for i in range(100)]
    a = cell(numbers, np.stack([right([i < k for i in range(100)]) for k in (60, 70, 80)]), ids)
    b = cell(numbers, np.stack([right([i < k for i in range(100)]) for k in (55, 66, 74)]), ids)
    nested, paired = (estimate([(1.0, a), (-1.0, b)], numbers, paired=p) for p in (False, True))
    assert paired.score == nested.score == pytest.approx(5.0)
    assert paired.components.seeds == pytest.approx(np.var([5, 4, 6], ddof=1) / 3)
    assert nested.components.seeds == pytest.approx((np.var([60, 70, 80], ddof=1) + np.var([55, 66, 74], ddof=1)) / 3)
    with pytest.raises(ValueError, match="no seed in common"):
        estimate([(1.0, a.of_seeds([0])), (-1.0, b.of_seeds([1]))], numbers, paired=True)


def test_where_all_items_are_alike_the_interval_is_clopper_and_pearsons():
    numbers = ClusterNumbers()
    x = cell(numbers, right([1] * 300), [f"x{i}" for i in range(300)])
    level = estimate([(1.0, x)], numbers, level=True)
    exact = stats.binomtest(300, 300).proportion_ci(method="exact")
    assert (level.low, level.high) == pytest.approx((100 * exact.low, 100.0))
    assert level.note == NONE_DIFFERS
    none = estimate([(1.0, x), (-1.0, x)], numbers)
    assert (none.low, none.score, none.high, none.p) == (-1.0, 0.0, 1.0, 1.0)  # 3 of 300
    assert none.detectable == 1.0
    # A cluster of which one route loses all and the other gains it moves a difference of drops by 200 / 300.
    drop = weighted_sum([(1.0, x), (-1.0, x)], numbers)
    drops = estimate([(1.0, drop), (-1.0, drop)], numbers)
    assert (drops.low, drops.high, drops.unseen) == (-2.0, 2.0, 2.0)
    assert (estimate([(1.0, drop)], numbers).low, estimate([(1.0, drop)], numbers).high) == (-1.0, 1.0)
    # A slope per doubling, 1,000 to 8,000: a third of what the difference may hide; per example, 7,000 times less.
    third = estimate([(1 / 3, x), (-1 / 3, x)], numbers)
    assert (third.low, third.high) == pytest.approx((-1 / 3, 1 / 3))
    each = estimate([(1 / 7000, x), (-1 / 7000, x)], numbers)
    assert (each.low, each.high) == pytest.approx((-1 / 7000, 1 / 7000))
    # 1,000 to 1,100 is a seventh of a doubling: seven times more.
    steep = estimate([(a, x) for a in slope_coefficients([1000, 1100], doubling=True)], numbers)
    assert steep.high == pytest.approx(1 / math.log2(1.1))
    half = cell(numbers, right([1, 0] * 3), ["a", "a", "b", "b", "c", "c"])
    score = estimate([(1.0, half)], numbers, level=True)
    assert (score.score, score.low, score.high) == (50.0, 0.0, 100.0)  # 50 +- 100 holds no other score


def test_where_all_clusters_are_alike_in_the_middle_a_level_stays_within():
    """Eight premises, one of three pairs right in each: 300 / 8 = 37.5 points to either side, and no score below 0."""
    numbers = ClusterNumbers()
    thirds = cell(numbers, right([1, 0, 0] * 8), [f"x{i // 3}" for i in range(24)])
    level = estimate([(1.0, thirds)], numbers, level=True)
    assert (level.low, level.score, level.high) == pytest.approx((0.0, 100 / 3, 100 / 3 + 37.5))
    assert level.detectable == level.unseen == 37.5
    assert level.note == NONE_DIFFERS
    most = cell(numbers, right([1, 1, 0] * 8), [f"x{i // 3}" for i in range(24)])
    assert estimate([(1.0, most)], numbers, level=True).high == 100.0


def test_near_a_bound_the_interval_of_a_level_stays_within():
    """98 of 100: the logit of .98 is 3.892, its standard error se / (.98 * .02)."""
    numbers = ClusterNumbers()
    x = cell(numbers, right([i < 98 for i in range(100)]), [f"x{i}" for i in range(100)])
    level = estimate([(1.0, x)], numbers, level=True)
    spread = stats.t.ppf(0.975, 99) * math.sqrt(0.98 * 0.02 / 99) / (0.98 * 0.02)
    ends = [100 / (1 + math.exp(-(math.log(49) + sign * spread))) for sign in (-1, 1)]
    assert (level.low, level.high) == pytest.approx(tuple(ends))
    assert level.high < 100
    difference = estimate([(1.0, x)], numbers)  # no logit scale: it is cut
    assert difference.low == pytest.approx(98 - difference.components.half_width(0.05))
    assert (difference.high, difference.cut, level.cut) == (100.0, True, False)


def test_one_cluster_and_a_cell_that_is_empty_without_one_have_no_interval():
    numbers = ClusterNumbers()
    lone = cell(numbers, right([1, 0, 1]), ["a", "a", "a"])
    assert (estimate([(1.0, lone)], numbers).low, estimate([(1.0, lone)], numbers).note) == (None, ONE_CLUSTER)
    wide = cell(numbers, right([1, 0, 1]), ["a", "b", "c"])
    both = estimate([(0.5, wide), (0.5, lone)], numbers)
    assert (both.low, both.p, both.note) == (None, None, EMPTY_WITHOUT)
    assert both.score == pytest.approx(200 / 3)
    for note in (ONE_CLUSTER, EMPTY_WITHOUT, NONE_DIFFERS):  # readers know texts, not what we call cells and clusters
        assert "text" in note
        assert "cluster" not in note
        assert "cell" not in note


def test_means_and_differences_of_quantities_are_sums_of_their_influences():
    numbers, ids = ClusterNumbers(), [f"x{i}" for i in range(6)]
    a, b = cell(numbers, right([1, 1, 0, 0, 1, 0]), ids), cell(numbers, right([0, 1, 1]), ids[3:])
    mean = mean_influence([a, b], numbers)
    assert mean.theta.tolist() == [pytest.approx((50 + 200 / 3) / 2)]
    assert mean.values[0, :3].tolist() == pytest.approx((a.values[0, :3] / 2).tolist())
    assert mean.values[0, 3:].tolist() == pytest.approx(((a.values[0, 3:] + b.values[0]) / 2).tolist())
    with pytest.raises(ValueError, match="different seeds"):
        weighted_sum([(1.0, a), (1.0, replace(b, seeds=(7,)))], numbers)


def test_the_influence_of_a_ratio_is_its_derivative():
    """Against leaving clusters out of the ratio itself: equal to first order."""
    rng = np.random.default_rng(3)
    numbers, ids = ClusterNumbers(), [f"x{i}" for i in range(400)]
    before, after = rng.random(400) < 0.8, rng.random(400) < 0.6
    x, y = cell(numbers, right(after), ids), cell(numbers, right(before), ids)
    ratio = quotient(x, y, numbers)
    assert ratio.mean == pytest.approx(100 * after.sum() / before.sum())
    left = 100 * (after.sum() - after) / (before.sum() - before)
    assert np.allclose(ratio.values[0], ratio.mean - left, rtol=0.01)


def test_adjusted_p_values_are_those_of_holm_and_of_benjamini_and_hochberg():
    p = [0.01, 0.04, None, 0.03, 0.005]
    # Holm 1979: 4 * .005, 3 * .01, 2 * .03, 1 * .04 made monotone.
    assert holm(p) == [pytest.approx(0.03), pytest.approx(0.06), None, pytest.approx(0.06), pytest.approx(0.02)]
    given = [x for x in p if x is not None]
    expected = stats.false_discovery_control(given, method="bh")
    assert [x for x in benjamini_hochberg(p) if x is not None] == pytest.approx(expected.tolist())
    assert holm([]) == benjamini_hochberg([]) == []


def test_the_planned_standard_error_takes_the_components_apart():
    parts = Components(items=4.0, interaction=1.0, seeds=3.0, df_items=99, df_seeds=4, seed_count=3, clusters=100)
    assert parts.standard_error(3, 100) == pytest.approx(math.sqrt(4 + 3 - 1))
    assert parts.standard_error(6, 100) == pytest.approx(math.sqrt(3.0 + 2 / 2 + 1 / 2))
    assert parts.standard_error(3, 400) == pytest.approx(math.sqrt(3.0 / 4 + 2 + 1 / 4))
    assert (parts.sigma_item, parts.sigma_seed) == pytest.approx((math.sqrt(300), math.sqrt(6)))


def test_with_one_seed_of_some_route_the_interval_is_over_items_alone():
    """statistics.md, step 5: only t of the items' degrees of freedom times the root of V_I."""
    numbers, ids = ClusterNumbers(), [f"x{i}" for i in range(100)]
    three = cell(numbers, np.stack([right([i < 60 + s for i in range(100)]) for s in (0, 10, 20)]), ids)
    one = cell(numbers, np.stack([right([i % 2 == 0 for i in range(100)])]), ids)
    made = estimate([(1.0, three), (-1.0, one)], numbers)
    assert made.basis == "items"
    assert made.components is not None
    half = stats.t.ppf(0.975, 99) * np.sqrt(made.components.items)
    assert (made.high - made.low) / 2 == pytest.approx(half)


def test_the_interval_of_a_level_over_a_few_items_ends_where_scores_do():
    numbers = ClusterNumbers()
    x = cell(numbers, right([1, 1, 1, 0]), ["a", "b", "c", "d"], fixed=True)
    level = estimate([(1.0, x)], numbers, level=True)
    assert (level.score, level.high) == (75, 100)
    assert level.low == 0  # 75 - 3.18 * 25
    y = cell(numbers, right([0, 0, 0, 0]), ["a", "b", "c", "d"], fixed=True)
    contrast = estimate([(1.0, x), (-1.0, y)], numbers)  # a difference goes down to -100
    assert (contrast.low, contrast.high) == (pytest.approx(75 - stats.t.ppf(0.975, 3) * 25), 100.0)
    assert contrast.low < 0


def of_clusters(numbers, values, **more):
    """Accuracy of one item in each of a few clusters, under each seed."""
    rows = [right(of_seed) for of_seed in values]
    return cell(numbers, rows, [f"c{i}" for i in range(len(values[0]))], **more)


def test_no_interval_goes_beyond_what_a_score_or_a_difference_can_be():
    """Three clusters: of a difference of 33.3 with a standard error of 33.3 and 2 degrees of freedom, ± 143.4."""
    numbers = ClusterNumbers()
    a, b = of_clusters(numbers, [[1, 1, 0]]), of_clusters(numbers, [[0, 1, 0]])
    gain = estimate([(1.0, a), (-1.0, b)], numbers)
    half = stats.t.ppf(0.975, 2) * 100 / 3
    assert gain.components.half_width(0.05) == pytest.approx(half)
    assert (gain.score, gain.low, gain.high) == (pytest.approx(100 / 3), -100.0, 100.0)
    assert gain.p == pytest.approx(2 * stats.t.sf(1, 2), rel=1e-6)  # the p-value is of the interval that was not cut
    assert gain.bounds(0.05) == (gain.low, gain.high)
    assert gain.bounds(0.5) == pytest.approx(
        (100 / 3 * (1 - stats.t.ppf(0.75, 2)), 100 / 3 * (1 + stats.t.ppf(0.75, 2)))
    )
    assert (gain.cut, gain.remark) == (True, CUT_SHORT)
    level = estimate([(1.0, a)], numbers, level=True)
    assert (level.low, level.high, level.cut) == (0.0, 100.0, True)
    many = ClusterNumbers()
    c, d = of_clusters(many, [[i % 3 for i in range(300)]]), of_clusters(many, [[i % 2 for i in range(300)]])
    wide = estimate([(1.0, c), (-1.0, d)], many)
    assert (wide.cut, wide.remark) == (False, "")


def test_the_limits_of_sums_follow_from_what_they_are_sums_of():
    numbers = ClusterNumbers()
    x, y, z = (of_clusters(numbers, [v]) for v in ([1, 1, 0], [0, 1, 0], [1, 0, 0]))
    mean = mean_influence([x, y, z], numbers)
    assert mean.limits == (0.0, 100.0)
    drop = weighted_sum([(1.0, x), (-1.0, y)], numbers)
    assert drop.limits == (-100.0, 100.0)
    of_drops = estimate([(1.0, drop), (-1.0, weighted_sum([(1.0, z), (-1.0, y)], numbers))], numbers)
    assert of_drops.limits == (-200.0, 200.0)
    coefficients = slope_coefficients([1, 2, 4], doubling=True)
    assert estimate([*zip(coefficients, (x, y, z), strict=True)], numbers).limits == (-50.0, 50.0)
    assert quotient(drop, x, numbers).limits == (-math.inf, math.inf)
    ratio = estimate([(1.0, drop)], numbers, score=110.0, null=100.0, limits=(0.0, math.inf))
    assert (ratio.low, ratio.cut) == (0.0, True)
    for influence in (mean, drop):
        assert influence.of_seeds([0]).limits == influence.limits


def test_what_could_be_hidden_where_all_clusters_are_alike_is_possible_too():
    numbers = ClusterNumbers()
    x, y = of_clusters(numbers, [[1, 1]]), of_clusters(numbers, [[1, 1]])
    none = estimate([(1.0, x), (-1.0, y)], numbers)  # the rule of three says 150 points
    assert (none.score, none.low, none.high, none.note) == (0.0, -100.0, 100.0, NONE_DIFFERS)
    assert none.remark == f"{NONE_DIFFERS}; {CUT_SHORT}"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=8, max_size=8), min_size=2, max_size=4), st.integers(2, 4), st.booleans()
)
def test_cutting_an_interval_never_loses_a_value_that_can_be(rows, clusters, level):
    numbers = ClusterNumbers()
    x = of_clusters(numbers, [row[:clusters] for row in rows])
    y = of_clusters(numbers, [row[-clusters:] for row in rows])
    terms = [(1.0, x)] if level else [(1.0, x), (-1.0, y)]
    value = estimate(terms, numbers)
    if value.components is None:
        return
    half = value.components.half_width(0.05)
    for truth in np.linspace(0 if level else -100, 100, 41):
        assert (value.low <= truth <= value.high) == (abs(truth - value.score) <= half)
