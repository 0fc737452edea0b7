"""From records to statistics: every metric against values computed by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, Span, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.judge import chance, judge
from crosswind.tasks.base import TASKS, Task


def task(name: str, **changes: Any) -> Task:
    return replace(TASKS[name], **changes)


def pairs(*labels: int | None) -> list[PairExample]:
    return [PairExample(f"xnli/test/{i}", "c", "en", "a", "b", x) for i, x in enumerate(labels)]


def span(context: str, *answers: tuple[int, int], language: str = "en", context_language: str = "") -> SpanExample:
    return SpanExample("s", "c", language, "Who?", context, tuple(Span(*a) for a in answers), context_language)


def query(*gold: str) -> QueryExample:
    return QueryExample("q", "c", "en", "?", gold)


def scores(task_: Task, examples: list[Any], records: list[dict[str, Any]]) -> dict[str, float]:
    metric, statistics = judge(task_, examples, records)
    assert statistics.shape == (len(examples), len(metric.columns))
    return metric.all_scores(statistics)


def test_accuracy_of_pairs_and_choices() -> None:
    records = [{"predicted": p} for p in (0, 2, 1, 1)]
    assert scores(TASKS["xnli"], pairs(0, 2, 2, 1), records) == {"accuracy": 75.0}
    choices = [ChoiceExample("c", "c", "en", "", "", ("a", "b"), x) for x in (0, 1)]
    assert scores(TASKS["xcopa"], choices, [{"predicted": 1}, {"predicted": 1}]) == {"accuracy": 50.0}


def test_accuracy_of_retrieval_counts_first_ranks_and_a_gold_that_is_not_in_the_pool_as_wrong() -> None:
    records = [{"ranks": [1]}, {"ranks": [2]}, {"ranks": []}, {"ranks": [1]}]
    assert scores(TASKS["tatoeba"], [query("d")] * 4, records) == {"accuracy": 50.0}


def test_squad_takes_the_best_gold_answer_and_english_normalisation() -> None:
    """"the lazy dog!" is "lazy dog"; "a lazy cat" shares one of two tokens: F1 50."""
    context = "the lazy dog! and a lazy cat"
    examples = [span(context, (0, 13), (18, 28)), span(context, (0, 13)), span(context, (0, 13))]
    records = [{"text": "lazy cat"}, {"text": "a lazy cat"}, {"text": ""}]
    found = scores(TASKS["xquad"], examples, records)
    assert found == {"f1": pytest.approx(50.0), "exact_match": pytest.approx(100 / 3)}


def test_squad_2_rewards_the_empty_answer_of_an_unanswerable_question() -> None:
    examples = [span("the fox"), span("the fox"), span("the fox", (4, 7))]
    records = [{"text": ""}, {"text": "fox"}, {"text": "the fox"}]
    found = scores(task("xquad", metric="squad2"), examples, records)
    assert found == {"f1": pytest.approx(200 / 3), "exact_match": pytest.approx(200 / 3)}


def test_mlqa_normalises_in_the_language_of_the_context() -> None:
    """A German context: "der Hund" is "Hund"; in English the article would count."""
    german = span("der Hund bellt", (0, 8), language="en", context_language="de")
    english = span("der Hund bellt", (0, 8), language="en")
    assert scores(TASKS["mlqa"], [german], [{"text": "Hund"}])["exact_match"] == 100.0
    assert scores(TASKS["mlqa"], [english], [{"text": "Hund"}])["exact_match"] == 0.0


def test_chunk_f1_of_entities() -> None:
    """Gold PER 0-1, LOC 3; predicted PER 0-1, LOC 2-3: 1 of 2 and 2; 4 of 5 tags are right."""
    gold = TaggingExample("t", "c", "en", ("a", "b", "c", "d", "e"), ("B-PER", "I-PER", "O", "B-LOC", "O"))
    records = [{"tags": ["B-PER", "I-PER", "B-LOC", "B-LOC", "O"]}]
    found = scores(TASKS["panx"], [gold], records)
    # predicted: PER, LOC at 2, LOC at 3 -> 2 right of 3 predicted and 2 gold
    assert found["precision"] == pytest.approx(200 / 3)
    assert found["recall"] == 100.0
    assert found["f1"] == pytest.approx(80.0)
    assert found["token_accuracy"] == 80.0


def test_both_behaviours_of_seqeval_and_token_accuracy() -> None:
    """CCONJ and SCONJ collapse from 0.0.16 on: the first letter is dropped."""
    gold = TaggingExample("t", "c", "en", ("a", "b"), ("CCONJ", "NOUN"))
    records = [{"tags": ["SCONJ", "NOUN"]}]
    assert scores(TASKS["udpos"], [gold], records)["f1"] == 50.0
    assert scores(task("udpos", metric="seqeval-f1-new"), [gold], records)["f1"] == 100.0
    assert scores(task("udpos", metric="token-accuracy"), [gold], records) == {"token_accuracy": 50.0}


def test_average_precision_of_lareqa() -> None:
    """Ranks 1 and 4 of 2 gold: (1/1 + 2/4) / 2 = 0.75. Rank 30 of 1: nothing at 20, 1/30 uncut."""
    examples, records = [query("a", "b"), query("a")], [{"ranks": [1, 4]}, {"ranks": [30]}]
    found = scores(TASKS["lareqa"], examples, records)
    assert found["map@20"] == pytest.approx(37.5)
    assert found["map"] == pytest.approx(100 * (0.75 + 1 / 30) / 2)
    assert found["mrr"] == pytest.approx(50.0)
    assert scores(task("lareqa", metric="map"), examples, records)["map"] == pytest.approx(100 * (0.75 + 1 / 30) / 2)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("xnli", pairs(None)[0]),
        ("xcopa", ChoiceExample("x", "c", "en", "", "", ("a", "b"))),
        ("udpos", TaggingExample("x", "c", "en", ("a",))),
        ("xquad", SpanExample("x", "c", "en", "Who?", "fox")),
    ],
)
def test_unlabelled_examples_are_a_users_error_that_names_the_first(name: str, example: Any) -> None:
    with pytest.raises(UserError, match=rf"{name}/en: {name}: {example.id} carries no gold label"):
        judge(TASKS[name], [example], [{}])


def test_a_metric_that_no_record_fits_is_a_users_error() -> None:
    with pytest.raises(UserError, match="'set-f1' cannot judge pair predictions"):
        judge(task("xnli", metric="set-f1"), pairs(1), [{"predicted": 1}])


def test_chance_is_the_commonest_class_a_guessed_choice_or_candidate() -> None:
    assert chance(TASKS["xnli"], pairs(0, 0, 1, 2)) == 50.0
    choices = [ChoiceExample("c", "c", "en", "", "", c, 0) for c in (("a", "b"), ("a", "b", "c", "d"))]
    assert chance(TASKS["xcopa"], choices) == 37.5
    assert chance(TASKS["tatoeba"], [query("a")], pool=200) == 0.5
    assert chance(TASKS["panx"], [TaggingExample("t", "c", "en", ("a",), ("O",))]) == 0.0
    assert chance(TASKS["xquad"], [span("fox", (0, 3))]) == 0.0
    assert chance(TASKS["xnli"], []) == 0.0
