"""Points of attack curves have the interval that any other mean over languages and pipeline seeds has."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from crosswind.analysis.curve_intervals import SUCCESS, curve_intervals, flat_sums
from crosswind.analysis.estimate import estimate
from crosswind.analysis.influence import ClusterNumbers, cell_influence, mean_influence
from crosswind.evaluate.metrics.base import METRICS
from crosswind.report.content import CURVE_SUM_COLUMNS

CLUSTERS = [f"c{i // 2}" for i in range(24)]  # 12 clusters of 2


def row(language: str, seed: int, points: list[list[int]], **more: Any) -> dict[str, Any]:
    """A curve of accuracy: at each point the items that are right."""
    statistics = [np.array([[x, 1.0] for x in right]) for right in points]
    clusters, sums = flat_sums(statistics, CLUSTERS)
    base = {name: "none" for name, kind in CURVE_SUM_COLUMNS.items() if kind == pl.String()}
    at = [float(i) for i in range(len(points))]
    values = {"language": language, "pipeline_seed": seed, "budget": 9, "n": 24, "at": at, "statistic": "accuracy"}
    cell = {"cell": f"{language}{seed}", "context_language": "", "control": False, "given": False}
    return {**base, **values, **cell, "clusters": clusters, "sums": sums, **more}


def made(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return curve_intervals(pl.DataFrame(rows, schema=CURVE_SUM_COLUMNS), ("target", "curve")).to_dicts()


def some_rows() -> tuple[list[dict[str, Any]], dict[tuple[str, int], list[list[int]]]]:
    rng = np.random.default_rng(3)
    right = {}
    for language in ("de", "sw"):
        for seed in (1, 2, 3):
            first = rng.random(24) < 0.8
            right[language, seed] = [[*map(int, first)], [*map(int, first & (rng.random(24) < 0.5))]]
    return [row(*key, points) for key, points in right.items()], right


def test_a_point_has_the_interval_of_its_mean_over_languages_and_seeds() -> None:
    rows, right = some_rows()
    points = made(rows)
    assert [(p["at"], p["language"], p["seeds"], p["n"], p["over"]) for p in points] == [
        (0.0, "de sw", 3, 144, "items and seeds"),
        (1.0, "de sw", 3, 144, "items and seeds"),
    ]
    metric = METRICS["accuracy"]
    for i, point in enumerate(points):
        numbers = ClusterNumbers()
        cells = []
        for language in ("de", "sw"):
            by_seed = []
            for seed in (1, 2, 3):
                of_items = np.array([[x, 1.0] for x in right[language, seed][i]])
                layout, sums = numbers.sums(of_items, tuple(CLUSTERS))
                by_seed.append(sums)
            cells.append(cell_influence(np.stack(by_seed)[:, None], metric.function(), (1, 2, 3), layout, numbers))
        expected = estimate([(1.0, mean_influence(cells, numbers))], numbers, level=True)
        assert (point["low"], point["high"]) == pytest.approx((expected.low, expected.high))
        mean = np.mean([100 * np.mean(right[key][i]) for key in right])
        assert point["low"] < mean < point["high"]


def test_one_seed_and_one_model_are_said_to_be_so() -> None:
    rows, _ = some_rows()
    alone = [r for r in rows if r["pipeline_seed"] == 1]
    assert {p["over"] for p in made(alone)} == {"items"}
    assert {p["over"] for p in made([{**r, "given": True} for r in alone])} == {"one model"}
    first = {r["language"]: r for r in alone}
    same = [{**first[r["language"]], "pipeline_seed": r["pipeline_seed"]} for r in rows]
    assert {p["over"] for p in made(same)} == {"one model"}


def test_success_is_of_the_items_that_were_right_and_never_beyond_a_share() -> None:
    clusters, sums = flat_sums([np.array([[1.0, 1.0]] * 23 + [[0.0, 1.0]])], CLUSTERS)
    changed = {"statistic": SUCCESS, "at": [1.0], "clusters": clusters, "sums": sums}
    (point,) = made([{**row("de", 1, [[1] * 24]), **changed}])
    assert 0 < point["low"] < 100 * 23 / 24 < point["high"] < 100
    # Nothing was right before but the items of one cluster: without it there is no success.
    clusters, sums = flat_sums([np.array([[1.0, 1.0]] * 2 + [[0.0, 0.0]] * 22)], CLUSTERS)
    (point,) = made([{**row("de", 1, [[1] * 24]), **changed, "clusters": clusters, "sums": sums}])
    assert (point["low"], point["high"], point["over"]) == (None, None, "none")


def test_seeds_that_were_attacked_otherwise_have_no_common_interval() -> None:
    rows, _ = some_rows()
    assert made(rows[:-1]) == []  # a language that one seed lacks
    assert made([*rows, rows[0]]) == []  # a test set twice
    assert made([*rows[:-1], {**rows[-1], "clusters": [f"x{i}" for i in range(12)]}]) == []
    assert made([*rows[:-1], {**rows[-1], "at": [0.0, 2.0]}]) == []
