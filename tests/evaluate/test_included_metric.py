"""BUCC as its organisers score it, with a threshold of its own development set, in one file of the user's."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from crosswind.data.examples import QueryExample
from crosswind.errors import UserError
from crosswind.evaluate.judge import fit, judge
from crosswind.evaluate.metrics.base import METRICS, Metric
from crosswind.registry import Registry

FILE = '''
"""The F1 of mined pairs: a sentence and its best candidate, where their score reaches a threshold."""

import numpy as np

from crosswind.evaluate.metrics.base import Metric, f1_scores
from crosswind.evaluate.metrics.mining import judged_pairs


def _best(prediction):
    return (prediction["scores"][0], prediction["top"][0]) if prediction["top"] else (-np.inf, None)


def _fit(examples, predictions):
    """The threshold of the best F1, midway between the last score that is taken and the next one."""
    gold = sum(len(e.gold) for e in examples)
    ranked = sorted(((*_best(p), e) for e, p in zip(examples, predictions)), key=lambda x: -x[0])
    best, threshold, right = 0.0, float(ranked[0][0]), 0
    for n, (score, candidate, example) in enumerate(ranked, 1):
        right += candidate in example.gold
        after = ranked[n][0] if n < len(ranked) else score
        if after < score or n == len(ranked):
            f1 = 2 * right / (n + gold)
            if f1 > best:
                best, threshold = f1, float(score + after) / 2
    return {"threshold": threshold}


def _judge(examples, predictions, fitted):
    best = [_best(p) for p in predictions]
    return judged_pairs(examples, [[c] if s >= fitted["threshold"] else [] for s, c in best])


MINED_F1 = Metric(
    name="mined-f1",
    version=1,
    columns=("tp", "predicted", "gold"),
    scores=f1_scores(),
    judge=_judge,
    fit=_fit,
    sparse=True,
    kinds=("query",),
)
'''


@pytest.fixture(scope="module")
def bucc(tmp_path_factory: pytest.TempPathFactory) -> Metric:
    folder: Path = tmp_path_factory.mktemp("mine")
    (folder / "bucc.py").write_text(FILE, encoding="utf-8")
    metrics = Registry("metric", METRICS.package, METRICS.group, Metric)
    metrics.include(folder)
    return metrics["mined-f1"]


def query(name: str, *gold: str) -> QueryExample:
    return QueryExample(f"bucc/dev/{name}", f"bucc/dev/{name}", "de", "?", gold)


def mined(candidate: str, score: float) -> dict[str, Any]:
    return {"top": [candidate], "scores": [score], "ranks": [], "pool": 9}


# Gold: a-1, b-2, e-5. By score: a-1 (right), b-2 (right), c-3 (wrong), e-9 (wrong), d-4 (wrong).
DEV = [query("a", "1"), query("b", "2"), query("c"), query("d"), query("e", "5")]
MINED = [mined("1", 1.4), mined("2", 1.2), mined("3", 1.1), mined("4", 0.6), mined("9", 0.9)]


def test_the_threshold_of_the_best_f1_lies_midway_between_two_scores(bucc: Metric) -> None:
    """Two right of two taken and three gold is F1 80; the next score is 1.1."""
    assert fit(bucc, DEV, MINED, where="bucc2018") == {"threshold": pytest.approx(1.15)}


def test_pairs_above_the_threshold_are_judged_and_rows_are_source_side_sentences(bucc: Metric) -> None:
    fitted = fit(bucc, DEV, MINED, where="bucc2018")
    judged = judge(bucc, DEV, MINED, fitted, where="bucc2018")
    assert judged.ids == ("bucc/dev/a", "bucc/dev/b", "bucc/dev/e")
    assert judged.statistics.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 1]]
    assert bucc.all_scores(judged.statistics) == {
        "f1": pytest.approx(80.0),
        "precision": 100.0,
        "recall": pytest.approx(200 / 3),
    }


def test_it_needs_what_was_fitted(bucc: Metric) -> None:
    with pytest.raises(UserError, match="'mined-f1' needs what is fitted on development data"):
        judge(bucc, DEV, MINED, where="bucc2018")


def official_f1(gold: set[tuple[str, str]], predicted: set[tuple[str, str]]) -> float:
    """`bucc_f1` of google-research/xtreme's `evaluate.py`, in points."""
    correct = len(gold & predicted)
    if not correct:
        return 0.0
    precision, recall = correct / len(predicted), correct / len(gold)
    return 100 * 2 * precision * recall / (precision + recall)


def test_it_equals_the_official_formula_and_no_threshold_does_better_on_the_development_set(bucc: Metric) -> None:
    rng = random.Random(3)
    for _ in range(200):
        names = [str(i) for i in range(rng.randint(2, 20))]
        examples = [query(n, f"en-{n}") if rng.random() < 0.6 else query(n) for n in names]
        examples[0] = query("0", "en-0")
        predictions = [mined(f"en-{rng.choice([n, n, '0'])}", round(rng.uniform(0.5, 1.5), 1)) for n in names]
        fitted = fit(bucc, examples, predictions, where="bucc2018")

        def official(threshold: float, examples: Any = examples, predictions: Any = predictions) -> float:
            gold = {(e.id, g) for e in examples for g in e.gold}
            both = zip(examples, predictions, strict=True)
            return official_f1(gold, {(e.id, p["top"][0]) for e, p in both if p["scores"][0] >= threshold})

        judged = judge(bucc, examples, predictions, fitted, where="bucc2018")
        f1 = bucc.all_scores(judged.statistics)["f1"]
        assert f1 == pytest.approx(official(fitted["threshold"]))
        assert f1 == pytest.approx(max(official(p["scores"][0]) for p in predictions))
