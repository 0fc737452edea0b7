import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind.analysis import resample
from crosswind.analysis.resample import ResampledCell, bootstrap, interval
from crosswind.evaluate.metrics.base import METRICS

ACCURACY = METRICS["accuracy"].function()
F1 = METRICS["set-f1"].function()


def accuracy_cell(right, clusters):
    return ResampledCell.of([(float(r), 1.0) for r in right], clusters, ACCURACY)


def test_the_interval_of_independent_items_is_as_wide_as_the_normal_approximation():
    n, correct = 400, 280
    cell = accuracy_cell([i < correct for i in range(n)], [f"x/test/{i}" for i in range(n)])
    low, high = interval(bootstrap([cell], replicates=4000)[0])
    p = correct / n
    expected = 100 * 2 * 1.959964 * math.sqrt(p * (1 - p) / n)
    assert high - low == pytest.approx(expected, rel=0.06)
    assert (low + high) / 2 == pytest.approx(70, abs=0.5)
    assert cell.estimate == pytest.approx(70)


def test_repeating_every_item_four_times_in_its_cluster_adds_no_certainty():
    right = [i % 3 > 0 for i in range(300)]
    ids = [f"x/{i}" for i in range(300)]
    once = bootstrap([accuracy_cell(right, ids)])[0]
    four = bootstrap([accuracy_cell(right * 4, ids * 4)])[0]
    assert np.allclose(once, four)
    low, high = interval(bootstrap([accuracy_cell(right * 4, [f"x/{i}" for i in range(1200)])])[0])
    naive, clustered = high - low, np.subtract(*interval(four)[::-1])
    assert clustered / naive == pytest.approx(2, rel=0.12)  # 1 / sqrt(1/4)


def naive(cells, universe, replicates):
    """One replicate after another, one drawn cluster after another."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256("\n".join(["", *universe]).encode()).digest()[:16]))
    out = [[] for _ in cells]
    for _ in range(replicates):
        drawn = [universe[j] for j in rng.integers(len(universe), size=len(universe))]
        for scores, (stats, clusters, score) in zip(out, cells, strict=True):
            rows = [row for c in drawn for row, own in zip(stats, clusters, strict=True) if own == c]
            scores.append(float(score(np.sum(rows, axis=0))) if rows else float("nan"))
    return np.array(out)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_the_vectorised_bootstrap_equals_a_loop_over_drawn_clusters(data):
    ids = [f"c{i}" for i in range(data.draw(st.integers(2, 6)))]
    specs = []
    for score, k in ((ACCURACY, 2), (F1, 3)):
        clusters = ids + data.draw(st.lists(st.sampled_from(ids), max_size=6))
        if k == 2:
            stats = [(float(data.draw(st.booleans())), 1.0) for _ in clusters]
        else:
            stats = [data.draw(st.sampled_from([(1, 1, 1), (0, 1, 0), (1, 2, 3), (0, 0, 1)])) for _ in clusters]
        specs.append((stats, clusters, score))
    # A third cell holds a part of the clusters.
    specs.append(([(1.0, 1.0), (0.0, 1.0)], [ids[0], ids[1]], ACCURACY))
    fast = bootstrap([ResampledCell.of(*s) for s in specs], replicates=25)
    assert np.allclose(fast, naive(specs, sorted(ids), 25), equal_nan=True)


def test_cells_that_share_clusters_are_drawn_together_and_their_difference_is_paired():
    ids = [f"p{i}" for i in range(200)]
    clean = accuracy_cell([i % 4 > 0 for i in range(200)], ids)
    worse = accuracy_cell([i % 4 > 0 and i >= 20 for i in range(200)], ids)
    a, b = bootstrap([clean, worse])
    paired = np.subtract(*interval(a - b)[::-1])
    other = accuracy_cell([i % 4 > 0 and i >= 20 for i in range(200)], [f"q{i}" for i in range(200)])
    a, c = bootstrap([clean, other])
    unpaired = np.subtract(*interval(a - c)[::-1])
    assert paired < 0.65 * unpaired
    assert (a - b >= 0).all()


def test_cells_without_a_common_cluster_are_independent_strata_of_fixed_size():
    right = [i % 2 == 0 for i in range(150)]
    de = accuracy_cell(right, [f"ud-de/{i}" for i in range(150)])
    fr = accuracy_cell(right, [f"ud-fr/{i}" for i in range(150)])
    both = bootstrap([de, fr])
    assert abs(np.corrcoef(both)[0, 1]) < 0.1
    assert np.array_equal(both[0], bootstrap([de])[0])


def test_the_draws_depend_on_the_cluster_ids_and_not_on_the_order_of_cells_or_items():
    rng = np.random.default_rng(0)
    right, ids = rng.random(90) < 0.5, np.array([f"p{i // 3}" for i in range(90)])
    order = rng.permutation(90)
    a, b = accuracy_cell(right, ids), accuracy_cell(~right, ids)
    one = bootstrap([a, b], replicates=50)
    two = bootstrap([accuracy_cell(~right[order], ids[order]), accuracy_cell(right[order], ids[order])], replicates=50)
    assert np.array_equal(one, two[::-1])
    assert not np.array_equal(one, bootstrap([a, b], replicates=50, salt="other"))


def test_large_universes_are_drawn_in_chunks_with_the_same_result(monkeypatch):
    cell = accuracy_cell([i % 3 == 0 for i in range(60)], [f"p{i}" for i in range(60)])
    whole = bootstrap([cell], replicates=40)
    monkeypatch.setattr(resample, "_CHUNK", 100)
    assert np.array_equal(whole, bootstrap([cell], replicates=40))


def test_means_nest_and_intervals_leave_out_replicates_without_items():
    assert resample.mean([np.array([10.0, 20.0]), np.array([30.0, 40.0])]).tolist() == [20.0, 30.0]
    assert interval([math.nan, 0.0, 100.0], level=0.5) == (25.0, 75.0)
    assert all(math.isnan(x) for x in interval([math.nan]))


def test_statistics_need_a_cluster_each():
    with pytest.raises(ValueError, match="statistics"):
        ResampledCell.of([[1.0, 1.0]], ["a", "b"], ACCURACY)
    with pytest.raises(ValueError, match="statistics"):
        ResampledCell.of(np.zeros((0, 2)), [], ACCURACY)
