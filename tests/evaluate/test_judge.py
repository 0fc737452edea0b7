"""From predictions to statistics: every metric against values computed by hand."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.judge import fit, judge, metrics_of
from crosswind.evaluate.metrics.base import METRICS, Judged, Metric, mean_of
from crosswind.tasks.base import TASKS


def pairs(*labels: int | None) -> list[PairExample]:
    return [PairExample(f"xnli/test/{i}", "c", "en", "a", "b", x) for i, x in enumerate(labels)]


def span(
    context: str, *answers: tuple[int, int], language: str = "en", context_language: str = "", name: str = "s"
) -> SpanExample:
    return SpanExample(name, "c", language, "Who?", context, tuple(Span(*a) for a in answers), context_language)


def query(*gold: str, name: str = "q") -> QueryExample:
    return QueryExample(name, "c", "en", "?", gold)


def scores(metric: str, examples: list[Any], predictions: list[dict[str, Any]]) -> dict[str, float]:
    judged = judge(METRICS[metric], examples, predictions, where="here")
    assert judged.statistics.shape == (len(examples), len(METRICS[metric].columns))
    assert judged.ids == tuple(e.id for e in examples)
    assert judged.clusters == tuple(e.cluster for e in examples)
    return METRICS[metric].all_scores(judged.statistics)


def test_accuracy_of_pairs_and_choices() -> None:
    predictions = [{"predicted": p} for p in (0, 2, 1, 1)]
    assert scores("accuracy", pairs(0, 2, 2, 1), predictions) == {"accuracy": 75.0}
    choices = [ChoiceExample(f"c{x}", "c", "en", "", "", ("a", "b"), x) for x in (0, 1)]
    assert scores("accuracy", choices, [{"predicted": 1}, {"predicted": 1}]) == {"accuracy": 50.0}


def test_accuracy_of_retrieval_counts_first_ranks_and_a_gold_that_is_not_in_the_pool_as_wrong() -> None:
    predictions = [{"ranks": [1]}, {"ranks": [2]}, {"ranks": []}, {"ranks": [1]}]
    assert scores("accuracy", [query("d", name=f"q{i}") for i in range(4)], predictions) == {"accuracy": 50.0}


def test_squad_takes_the_best_gold_answer_and_english_normalisation() -> None:
    """ "the lazy dog!" is "lazy dog"; "a lazy cat" shares one of two tokens: F1 50."""
    context = "the lazy dog! and a lazy cat"
    examples = [
        span(context, (0, 13), (18, 28), name="a"),
        span(context, (0, 13), name="b"),
        span(context, (0, 13), name="c"),
    ]
    predictions = [{"text": "lazy cat"}, {"text": "a lazy cat"}, {"text": ""}]
    result = scores("squad", examples, predictions)
    assert result == {"f1": pytest.approx(50.0), "exact_match": pytest.approx(100 / 3)}


def test_squad_2_rewards_the_empty_answer_of_an_unanswerable_question() -> None:
    examples = [span("the fox", name="a"), span("the fox", name="b"), span("the fox", (4, 7), name="c")]
    predictions = [{"text": ""}, {"text": "fox"}, {"text": "the fox"}]
    result = scores("squad2", examples, predictions)
    assert result == {"f1": pytest.approx(200 / 3), "exact_match": pytest.approx(200 / 3)}


def test_mlqa_normalises_in_the_language_of_the_context() -> None:
    """A German context: "der Hund" is "Hund"; in English the article would count."""
    german = span("der Hund bellt", (0, 8), language="en", context_language="de")
    english = span("der Hund bellt", (0, 8), language="en")
    assert scores("mlqa", [german], [{"text": "Hund"}])["exact_match"] == 100.0
    assert scores("mlqa", [english], [{"text": "Hund"}])["exact_match"] == 0.0


def test_chunk_f1_of_entities() -> None:
    """Gold PER 0-1, LOC 3; predicted PER 0-1, LOC 2-3: 1 of 2 and 2; 4 of 5 tags are right."""
    gold = TaggingExample("t", "c", "en", ("a", "b", "c", "d", "e"), ("B-PER", "I-PER", "O", "B-LOC", "O"))
    predictions = [{"tags": ["B-PER", "I-PER", "B-LOC", "B-LOC", "O"]}]
    result = scores("seqeval-f1", [gold], predictions)
    # predicted: PER, LOC at 2, LOC at 3 -> 2 right of 3 predicted and 2 gold
    assert result["precision"] == pytest.approx(200 / 3)
    assert result["recall"] == 100.0
    assert result["f1"] == pytest.approx(80.0)
    assert result["token_accuracy"] == 80.0


def test_both_behaviours_of_seqeval_and_token_accuracy() -> None:
    """CCONJ and SCONJ collapse from 0.0.16 on: the first letter is dropped."""
    gold = TaggingExample("t", "c", "en", ("a", "b"), ("CCONJ", "NOUN"))
    predictions = [{"tags": ["SCONJ", "NOUN"]}]
    assert scores("seqeval-f1", [gold], predictions)["f1"] == 50.0
    assert scores("seqeval-f1-new", [gold], predictions)["f1"] == 100.0
    assert scores("token-accuracy", [gold], predictions) == {"token_accuracy": 50.0}


def test_average_precision_of_lareqa() -> None:
    """Ranks 1 and 4 of 2 gold: (1/1 + 2/4) / 2 = 0.75. Rank 30 of 1: nothing at 20, 1/30 uncut."""
    examples = [query("a", "b", name="q1"), query("a", name="q2")]
    predictions = [{"ranks": [1, 4]}, {"ranks": [30]}]
    result = scores("map@20", examples, predictions)
    assert result["map@20"] == pytest.approx(37.5)
    assert result["map"] == pytest.approx(100 * (0.75 + 1 / 30) / 2)
    assert result["mrr"] == pytest.approx(50.0)
    assert scores("map", examples, predictions)["map"] == pytest.approx(100 * (0.75 + 1 / 30) / 2)


def test_set_f1_has_a_row_for_each_source_sentence_with_a_predicted_or_a_gold_pair() -> None:
    """Predicted a-x, a-y, c-z; gold a-x, b-w: one of three and of two. The sentence d is left out."""
    examples = [query("x", name="a"), query("w", name="b"), query(name="c"), query(name="d")]
    predictions = [{"chosen": ["x", "y"]}, {"chosen": []}, {"chosen": ["z"]}, {"chosen": []}]
    judged = judge(METRICS["set-f1"], examples, predictions, where="bucc2018")
    assert judged.ids == ("a", "b", "c")
    assert judged.statistics.tolist() == [[1, 2, 1], [0, 0, 1], [0, 1, 0]]
    assert METRICS["set-f1"].sparse
    assert METRICS["set-f1"].all_scores(judged.statistics) == {
        "f1": pytest.approx(40.0),
        "precision": pytest.approx(100 / 3),
        "recall": 50.0,
    }


@pytest.mark.parametrize(
    ("metric", "example"),
    [
        ("accuracy", pairs(None)[0]),
        ("accuracy", ChoiceExample("x", "c", "en", "", "", ("a", "b"))),
        ("seqeval-f1", TaggingExample("x", "c", "en", ("a",))),
        ("squad", SpanExample("x", "c", "en", "Who?", "fox")),
    ],
)
def test_unlabelled_examples_are_a_users_error_that_names_the_first(metric: str, example: Any) -> None:
    with pytest.raises(UserError, match=rf"mine/en: mine: {example.id} carries no gold label"):
        judge(METRICS[metric], [example], [{}], where="mine")


def test_a_query_without_a_right_candidate_has_no_average_precision() -> None:
    with pytest.raises(UserError, match="q has no right candidate"):
        judge(METRICS["map@20"], [query()], [{"ranks": []}], where="lareqa")


def test_a_metric_that_cannot_judge_such_predictions_is_a_users_error() -> None:
    with pytest.raises(UserError, match="'set-f1' cannot judge pair predictions"):
        judge(METRICS["set-f1"], pairs(1), [{"predicted": 1}], where="xnli")


def metric_that_gives(judged: Judged) -> Metric:
    return Metric("mine", 1, ("right", "n"), {"mine": mean_of(0, 1)}, lambda examples, predictions, fitted: judged)


@pytest.mark.parametrize(
    ("judged", "message"),
    [
        (Judged(("a",), ("c",), np.zeros((1, 3))), r"statistics \(1, 3\) and 1 clusters for 1 ids and 2 columns"),
        (Judged(("a",), (), np.zeros((1, 2))), r"statistics \(1, 2\) and 0 clusters for 1 ids and 2 columns"),
        (Judged(("a", "a"), ("c", "c"), np.zeros((2, 2))), "two rows of one id"),
        (Judged(("a", "b"), ("c", "c"), np.array([[1, 1], [np.nan, 1]])), "a statistic of b that is not finite"),
    ],
)
def test_a_metric_that_gives_no_statistics_is_a_users_error_that_names_it(judged: Judged, message: str) -> None:
    with pytest.raises(UserError, match=f"the metric 'mine' gives {message}"):
        judge(metric_that_gives(judged), pairs(0), [{"predicted": 0}], where="xnli")


def test_a_metric_without_anything_to_fit_fits_nothing() -> None:
    assert fit(METRICS["accuracy"], pairs(0), [{"predicted": 0}], where="xnli") == {}


def test_a_tasks_metrics_are_registered_judge_its_kind_and_begin_with_the_headline() -> None:
    names = [m.name for m in metrics_of(TASKS["udpos"])]
    assert names == ["seqeval-f1", "seqeval-f1-new", "token-accuracy"]
    assert TASKS["udpos"].metric == "seqeval-f1"
    assert all(metrics_of(task)[0].name == task.metric for task in TASKS)
    with pytest.raises(UserError, match="task xnli: the metric 'squad' cannot judge pair predictions"):
        metrics_of(replace(TASKS["xnli"], metrics=("accuracy", "squad")))


def test_only_squad_2_has_questions_without_an_answer() -> None:
    assert [task.name for task in TASKS if task.unanswerable] == ["squad2"]


def test_judging_and_every_metric_need_no_torch() -> None:
    code = (
        "import sys; import crosswind.evaluate.judge; from crosswind.evaluate.metrics.base import METRICS;"
        "from crosswind.evaluate.benchmark import BENCHMARKS; METRICS.names(); BENCHMARKS.names();"
        "print(sorted({'torch', 'transformers'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
