"""Neighbours and mined pairs against exhaustive references, and a pair of corpora whose optimum is known."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.data.examples import QueryExample
from crosswind.evaluate import nearest
from crosswind.evaluate.grid import Floats, on_grid
from crosswind.evaluate.judge import fit, judge
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.mining import Unified, mine
from crosswind.evaluate.nearest import mutual_nearest


def unit(raw: Any) -> Floats:
    norms = np.linalg.norm(raw, axis=1, keepdims=True)
    return (raw / np.where(norms == 0, 1, norms)).astype(np.float32)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("ROW_BLOCK", 8), ("COLUMN_BLOCK", 16), ("EXACT_ROWS", 4), ("SPARE", 2)):
        monkeypatch.setattr(nearest, name, size)


def exhaustive(x: Floats, y: Floats, count: int) -> tuple[list[list[int]], list[list[float]]]:
    scores = on_grid(x) @ on_grid(y).T
    order = [sorted(range(len(y)), key=lambda j, i=i: (-scores[i, j], j))[:count] for i in range(len(x))]  # type: ignore[misc]
    return order, [[float(scores[i, j]) for j in row] for i, row in enumerate(order)]


@given(n=st.integers(1, 40), m=st.integers(1, 40), seed=st.integers(0, 10**6), kind=st.sampled_from("ten"))
def test_neighbours_in_both_directions_are_those_of_an_exhaustive_search(n: int, m: int, seed: int, kind: str) -> None:
    """Also with many ties (few different vectors), and nearly equal vectors, whose float32 products cannot tell."""
    rng = np.random.default_rng(seed)
    width = 5
    match kind:
        case "t":
            x, y = (unit(rng.integers(-1, 2, (k, width))) for k in (n, m))
        case "e":
            x, y = (unit(rng.normal(size=(k, width))) for k in (n, m))
        case _:
            centre = rng.normal(size=(1, width))
            x, y = (unit(centre + 1e-5 * rng.normal(size=(k, width))) for k in (n, m))
    for engine in (False, True) if nearest.has_faiss() else (False,):
        forward, backward = mutual_nearest(x, y, 4, faiss=engine)
        for mine_, a, b in ((forward, x, y), (backward, y, x)):
            index, scores = exhaustive(a, b, 4)
            assert mine_.index.tolist() == index
            assert mine_.scores.tolist() == scores


def official(x: Floats, y: Floats) -> dict[tuple[int, int], float]:
    """`mine_bitext(retrieval="max", margin="ratio", neighborhood=4)` as the protocol says it, written out in loops."""
    similarity = on_grid(x) @ on_grid(y).T
    out = [sorted(range(len(y)), key=lambda j: (-similarity[i, j], j))[:4] for i in range(len(x))]
    back = [sorted(range(len(x)), key=lambda i: (-similarity[i, j], i))[:4] for j in range(len(y))]
    mean_x = [np.mean([similarity[i, j] for j in out[i]]) for i in range(len(x))]
    mean_y = [np.mean([similarity[i, j] for i in back[j]]) for j in range(len(y))]

    def margin(i: int, j: int) -> float:
        return float(similarity[i, j] / ((mean_x[i] + mean_y[j]) / 2))

    offers = [max((margin(i, j), -k, i, j) for k, j in enumerate(out[i])) for i in range(len(x))]
    offers += [max((margin(i, j), -k, i, j) for k, i in enumerate(back[j])) for j in range(len(y))]
    pairs: dict[tuple[int, int], float] = {}
    for score, _, i, j in sorted(offers, key=lambda offer: -offer[0]):
        if score > 0 and all(i != a and j != b for a, b in pairs):
            pairs[i, j] = score
    return pairs


def test_mined_pairs_are_those_of_the_protocol() -> None:
    rng = np.random.default_rng(5)
    for size in (1, 3, 5, 30, 60):
        meaning = np.abs(rng.normal(size=(size, 12)))
        x = unit(meaning + 0.4 * rng.normal(size=meaning.shape))
        y = unit(np.concatenate([meaning[: size // 2 + 1], np.abs(rng.normal(size=(9, 12)))]))
        mined = {(p.source, p.target): p.margin for p in mine(x, y, 4)}
        assert mined == pytest.approx(official(x, y))


def test_margins_without_a_ratio_are_no_pairs() -> None:
    """Opposite vectors: every similarity is negative, and so is the neighbours' mean."""
    x = unit(np.array([[1.0, 0.1], [1.0, -0.1]]))
    assert mine(x, -x, 4) == []
    assert mine(x, x[:0], 4) == []


def corpora(pairs: int, others: int, seed: int) -> tuple[Floats, Floats, list[int | None]]:
    """Sources, targets and of each source its translation: translations are near, everything else is far apart."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(pairs + others, 64)), rng.normal(size=(pairs + others, 64))
    common = rng.normal(size=64) * 0.5  # what all vectors share, as those of an encoder do
    order = rng.permutation(pairs + others)
    gold: list[int | None] = [None] * (pairs + others)
    for i in range(pairs):
        y[order[i]] = x[i] + 0.3 * rng.normal(size=64)
        gold[i] = int(order[i])
    return unit(x + common), unit(y + common), gold


def judged(seed: int, pairs: int, others: int) -> tuple[list[QueryExample], list[dict[str, Any]]]:
    x, y, gold = corpora(pairs, others, seed)
    chosen = {p.source: p for p in mine(x, y, 4)}
    examples = [
        QueryExample(f"b/{i}", f"b/{i}", "de", "?", () if g is None else (f"en-{g}",)) for i, g in enumerate(gold)
    ]
    predictions = [
        {"top": [f"en-{chosen[i].target}"], "scores": [chosen[i].margin], "ranks": [], "pool": len(y)}
        if i in chosen
        else {"top": [], "scores": [], "ranks": [], "pool": len(y)}
        for i in range(len(x))
    ]
    return examples, predictions


def test_the_known_optimum_is_mined_with_the_threshold_of_the_development_set() -> None:
    """200 translations among 500 sentences of either side: all of them and nothing else reach the fitted threshold."""
    metric = METRICS["bucc-f1"]
    fitted = fit(metric, *judged(1, 40, 60), where="bucc2018")
    test = judge(metric, *judged(2, 200, 300), fitted, where="bucc2018")
    assert metric.all_scores(test.statistics) == {"f1": 100.0, "precision": 100.0, "recall": 100.0}
    assert len(test.ids) == 200
    everything = judge(metric, *judged(2, 200, 300), {"threshold": 0.0}, where="bucc2018")
    assert metric.all_scores(everything.statistics)["precision"] < 60


def test_the_fitted_threshold_is_the_best_one_and_midway() -> None:
    rng = random.Random(3)
    metric = METRICS["bucc-f1"]
    for _ in range(200):
        names = range(rng.randint(2, 15))
        examples = [
            QueryExample(f"b/{i}", f"b/{i}", "de", "?", (f"e{i}",) if rng.random() < 0.6 else ()) for i in names
        ]
        predictions = [
            {"top": [f"e{rng.choice([i, 0])}"], "scores": [round(rng.uniform(0.5, 1.5), 1)], "ranks": []} for i in names
        ]
        if not any(p["top"][0] in e.gold for e, p in zip(examples, predictions, strict=True)):
            assert fit(metric, examples, predictions, where="b") == {"threshold": 0.0}
            continue
        threshold = fit(metric, examples, predictions, where="b")["threshold"]

        def f1(least: float, examples: Any = examples, predictions: Any = predictions) -> float:
            statistics = judge(metric, examples, predictions, {"threshold": least}, where="b").statistics
            return metric.all_scores(statistics)["f1"]

        margins = sorted(p["scores"][0] for p in predictions)
        assert f1(threshold) == pytest.approx(max(f1(m) for m in margins))
        above, below = [m for m in margins if m >= threshold], [m for m in margins if m < threshold]
        assert threshold == pytest.approx((min(above) + max(below)) / 2 if below else min(above))


def test_texts_that_stand_twice_are_embedded_once_and_are_in_no_pair() -> None:
    unified = Unified.of(["a", "b", "a", "c", "c ", "d"])
    assert unified.first.tolist() == [0, 1, 3, 4, 5]
    assert unified.single.tolist() == [False, True, False, False, True]
