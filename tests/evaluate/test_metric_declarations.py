"""What every metric declares, and the scores that stand beside a task's headline."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, TaggingExample
from crosswind.evaluate.judge import judge
from crosswind.evaluate.metrics.base import METRICS, parse_signature
from crosswind.evaluate.metrics.retrieval import random_reciprocal
from crosswind.tasks.base import TASKS


def scores(metric: str, examples: list[Any], predictions: list[dict[str, Any]]) -> dict[str, float]:
    return METRICS[metric].all_scores(judge(METRICS[metric], examples, predictions, where="here").statistics)


@pytest.mark.parametrize("name", METRICS.names())
def test_a_metric_says_its_formula_its_source_its_direction_and_what_guessing_scores(name: str) -> None:
    metric = METRICS[name]
    assert metric.formula
    assert metric.source
    assert metric.better in ("higher", "lower")
    assert (metric.chance is None) == bool(metric.unknown_chance)
    assert len(metric.columns) == len(set(metric.columns)) > 0
    assert parse_signature(metric.signature())["metric"] == name
    sums = np.ones((5, len(metric.columns)))  # vectorised: resampling asks for many scores at once
    assert all(metric.score(sums, key).shape == (5,) for key in metric.keys)


def test_the_tasks_report_what_published_tables_do() -> None:
    assert TASKS["panx"].metrics == ("seqeval-f1", "seqeval-f1-new", "seqeval-f1-strict", "token-accuracy")
    assert TASKS["udpos"].metrics == ("seqeval-f1", "seqeval-f1-new", "token-accuracy")
    assert TASKS["lareqa"].metrics == ("map@20",)
    assert METRICS["map@20"].keys == ("map@20", "map", "mrr")  # cut and uncut, of one judgement


def test_the_error_rate_is_what_accuracy_lacks_and_lower_is_better() -> None:
    examples = [PairExample(str(i), "c", "en", "a", "b", x) for i, x in enumerate((0, 0, 0, 1))]
    predictions = [{"predicted": x} for x in (0, 0, 1, 0)]
    assert scores("error-rate", examples, predictions) == {"error_rate": 50.0}
    metric = METRICS["error-rate"]
    assert metric.better == "lower"
    # The commonest class is right three times of four.
    assert metric.chance_score(judge(metric, examples, predictions, where="here").statistics) == 25.0
    choice = ChoiceExample("x", "x", "en", "", "", ("a", "b", "c", "d"), 0)
    judged = judge(metric, [choice], [{"predicted": 0}], where="here")
    assert metric.chance_score(judged.statistics) == 75.0


def test_the_reciprocal_rank_is_of_the_first_gold_candidate_cut_and_uncut() -> None:
    """Ranks 1, 4 and 25, and a query whose gold was not ranked: (1 + 1/4 + 1/25 + 0) / 4 uncut."""
    examples = [QueryExample(f"q{i}", "c", "en", "?", ("a", "b")) for i in range(4)]
    predictions = [{"ranks": [1, 9]}, {"ranks": [4]}, {"ranks": [25, 30]}, {"ranks": []}]
    assert scores("mrr", examples, predictions) == {
        "mrr": pytest.approx(100 * (1 + 0.25 + 0.04) / 4),
        "mrr@20": pytest.approx(100 * 1.25 / 4),
    }
    assert scores("map@20", examples, predictions)["mrr"] == pytest.approx(100 * 1.25 / 4)


def test_the_reciprocal_rank_of_a_random_order_is_the_mean_over_all_orders() -> None:
    for pool, gold in ((1, 1), (5, 1), (6, 2), (7, 3), (4, 4)):
        firsts = [min(ranks) for ranks in itertools.combinations(range(1, pool + 1), gold)]
        assert random_reciprocal(gold, pool) == pytest.approx(sum(1 / r for r in firsts) / len(firsts))
    # One of a million: the harmonic number over a million.
    assert random_reciprocal(1, 10**6) == pytest.approx((np.log(10**6) + 0.5772156649) / 10**6, rel=1e-5)


def test_cut_and_uncut_average_precision_stand_beside_each_other() -> None:
    """LAReQA: eleven gold candidates, ten of them at ranks 1 to 10 and one at rank 22."""
    example = QueryExample("q", "c", "en", "?", tuple(map(str, range(11))))
    ranks = [*range(1, 11), 22]
    both = scores("map@20", [example], [{"ranks": ranks, "pool": 100}])
    assert both["map@20"] == pytest.approx(100 * 10 / 11)
    assert both["map"] == pytest.approx(100 * (10 + 11 / 22) / 11)
    uncut = scores("map", [example], [{"ranks": ranks, "pool": 100}])
    assert (uncut["map"], uncut["map@20"]) == (both["map"], both["map@20"])


def test_guessing_of_tags_is_the_commonest_one() -> None:
    examples = [TaggingExample(str(i), "c", "en", ("w",) * len(t), t) for i, t in enumerate((("N", "N", "V"), ("N",)))]
    predictions = [{"tags": ["V", "N", "V"]}, {"tags": ["V"]}]
    metric = METRICS["token-accuracy"]
    judged = judge(metric, examples, predictions, where="here")
    assert metric.all_scores(judged.statistics) == {"token_accuracy": 50.0}
    assert metric.chance_score(judged.statistics) == 75.0
