"""What guessing scores, as a function of the statistics of a metric."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, Span, SpanExample, TaggingExample
from crosswind.evaluate.judge import judge
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.metrics.retrieval import random_precision


def chance(metric: str, examples: list[Any], predictions: list[dict[str, Any]]) -> float | None:
    judged = judge(METRICS[metric], examples, predictions, where="here")
    return METRICS[metric].chance_score(judged.statistics)


def queries(count: int, *gold: str) -> list[QueryExample]:
    return [QueryExample(f"q{i}", "c", "en", "?", gold) for i in range(count)]


def test_of_pairs_it_is_the_share_of_the_commonest_class() -> None:
    examples = [PairExample(str(i), "c", "en", "a", "b", x) for i, x in enumerate((0, 0, 1, 2))]
    assert chance("accuracy", examples, [{"predicted": 2}] * 4) == 50.0
    assert chance("accuracy", [], []) == 0.0


def test_of_choices_it_is_one_over_their_number() -> None:
    choices = [ChoiceExample(str(len(c)), "c", "en", "", "", c, 0) for c in (("a", "b"), ("a", "b", "c", "d"))]
    assert chance("accuracy", choices, [{"predicted": 0}] * 2) == 37.5


def test_of_a_nearest_neighbour_it_is_one_over_the_pool() -> None:
    assert chance("accuracy", queries(2, "a"), [{"ranks": [1], "pool": 200}] * 2) == 0.5
    assert chance("accuracy", queries(1, "a"), [{"ranks": [1]}]) == 0.0


def test_of_chunks_and_answers_it_is_not_known() -> None:
    tagged = TaggingExample("t", "c", "en", ("a",), ("O",))
    assert chance("seqeval-f1", [tagged], [{"tags": ["O"]}]) is None
    assert chance("token-accuracy", [tagged], [{"tags": ["O"]}]) == 100.0
    answer = SpanExample("s", "c", "en", "Who?", "fox", (Span(0, 3),))
    assert chance("squad", [answer], [{"text": "fox"}]) is None


def test_of_a_ranking_it_is_the_mean_average_precision_of_every_order() -> None:
    """Of several gold candidates some stand among the first by luck, which one over the pool leaves out."""
    for pool, gold, cut in ((4, 2, 20), (6, 1, 3), (6, 3, 2), (5, 5, 20)):
        orders = itertools.combinations(range(1, pool + 1), gold)
        precisions = [sum((i + 1) / r for i, r in enumerate(ranks) if r <= cut) / min(gold, cut) for ranks in orders]
        assert random_precision(gold, pool, cut) == pytest.approx(sum(precisions) / len(precisions))
    # All ranks of 4 candidates with 2 gold: (1 + 5/6 + 3/4 + 7/12 + 1/2 + 5/12) / 6
    predictions = [{"ranks": [1, 2], "pool": 4}] * 3
    assert chance("map@20", queries(3, "a", "b"), predictions) == pytest.approx(100 * 4.083333 / 6, abs=1e-4)
    assert chance("map", queries(3, "a", "b"), predictions) == pytest.approx(68.0556, abs=1e-3)


def test_a_part_of_the_items_has_the_chance_of_its_own_sums() -> None:
    """Resampling sums some rows: the chance of four queries of pools of 2 and of 10 is their mean."""
    predictions = [{"ranks": [1], "pool": n} for n in (2, 2, 10, 10)]
    judged = judge(METRICS["accuracy"], queries(4, "a"), predictions, where="here")
    assert METRICS["accuracy"].chance_score(judged.statistics) == pytest.approx(30.0)
    assert METRICS["accuracy"].chance_score(judged.statistics[2:]) == pytest.approx(10.0)
