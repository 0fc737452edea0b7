import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import UserError
from crosswind.evaluate.metrics import accuracy, retrieval, squad, tagging
from crosswind.evaluate.metrics.base import (
    METRICS,
    Metric,
    comparable,
    differences,
    parse_signature,
    require_comparable,
)


def test_the_registry_finds_the_metrics_that_tasks_name():
    for name in ("accuracy", "seqeval-f1", "token-accuracy", "squad", "mlqa", "map@20", "map"):
        assert METRICS[name].name == name
    with pytest.raises(UserError, match="did you mean 'accuracy'"):
        METRICS.get("acuracy")


def test_the_first_key_is_the_headline():
    own = [m for m in METRICS if METRICS.origin(m.name) is None]  # other tests include files
    assert {m.name: m.headline for m in own} == {
        "accuracy": "accuracy",
        "map": "map",
        "map@20": "map@20",
        "mlqa": "f1",
        "seqeval-f1": "f1",
        "seqeval-f1-new": "f1",
        "bucc-f1": "f1",
        "checklist-error": "error_rate",
        "error-rate": "error_rate",
        "mrr": "mrr",
        "seqeval-f1-strict": "f1",
        "set-f1": "f1",
        "squad": "f1",
        "squad2": "f1",
        "token-accuracy": "token_accuracy",
    }


def test_accuracy_is_in_points():
    stats = accuracy.accuracy_statistics([0, 1, 2, -1], [0, 1, 1, 1])
    assert stats[:, :2].tolist() == [[1, 1], [1, 1], [0, 1], [0, 1]]
    assert METRICS["accuracy"].all_scores(stats) == {"accuracy": 50.0}
    with pytest.raises(ValueError, match=r"\(2,\) predictions for \(1,\) labels"):
        accuracy.accuracy_statistics([0, 1], [0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8))
def test_scores_of_many_sums_are_the_scores_of_each(rows):
    sums = np.array([[min(t, p, g), p, g] for t, p, g in rows], dtype=float)
    metric = METRICS["set-f1"]
    for key in metric.keys:
        together = metric.score(sums, key)
        assert together.tolist() == [float(metric.score(s, key)) for s in sums]
        assert ((together >= 0) & (together <= 100)).all()


def test_the_f1_of_nothing_is_zero_and_the_mean_of_no_items_is_not_a_number():
    assert METRICS["set-f1"].all_scores(np.zeros((1, 3))) == {"f1": 0.0, "precision": 0.0, "recall": 0.0}
    assert np.isnan(METRICS["accuracy"].score(np.zeros(3)))


def test_qa_is_averaged_as_the_mean_of_exact_match_and_f1():
    stats = squad.answer_statistics(["the cat", "dog"], [["cat"], ["a black dog"]])
    scores = METRICS["squad"].all_scores(stats)
    assert scores == pytest.approx({"f1": 100 * (1 + 2 / 3) / 2, "exact_match": 50.0})
    assert METRICS["squad"].benchmark_score(scores) == pytest.approx(200 / 3)
    assert METRICS["accuracy"].benchmark_score({"accuracy": 12.5}) == 12.5


def test_a_signature_says_what_two_scores_must_share():
    a = METRICS["seqeval-f1"].signature(protect="answers", layer=None, device="cpu")
    assert a == "metric=seqeval-f1|version=1|seqeval=0.0.12|device=cpu|protect=answers"
    b = METRICS["seqeval-f1-new"].signature(protect="answers", device="cpu")
    assert parse_signature(a)["device"] == "cpu"
    assert comparable(a, a)
    assert not comparable(a, b)
    assert differences(a, b) == {"metric": ("seqeval-f1", "seqeval-f1-new"), "seqeval": ("0.0.12", "0.0.16")}
    with pytest.raises(UserError, match=r"seqeval \(0\.0\.12 against 0\.0\.16\)"):
        require_comparable(a, b)


def test_a_signature_refuses_what_it_could_not_read_back():
    with pytest.raises(ValueError, match="cannot hold"):
        METRICS["squad"].signature(pooling="mean|cls")
    with pytest.raises(ValueError, match="sets version itself"):
        METRICS["squad"].signature(version=2)


def test_statistics_of_the_wrong_width_or_key_are_refused():
    with pytest.raises(ValueError, match="needs 3 statistics"):
        METRICS["accuracy"].score(np.zeros(2))
    with pytest.raises(UserError, match="unknown metric key 'f2'"):
        METRICS["squad"].score(np.zeros(3), "f2")


def test_average_precision_at_20_divides_by_the_gold_that_fit():
    # 30 gold candidates on ranks 1..30: every precision is 1, and 20 of them fit.
    full = retrieval.rank_statistics([np.arange(1, 31)])
    assert full[:, :4].tolist() == [[1.0, 1.0, 1.0, 1.0]]
    # Ranks 2 and 21 of two: (1/2) / 2 cut, (1/2 + 2/21) / 2 uncut.
    row = retrieval.rank_statistics([[2, 21]])[0]
    assert row[:4].tolist() == pytest.approx([0.25, (0.5 + 2 / 21) / 2, 0.5, 1.0])


def test_with_one_gold_candidate_average_precision_at_20_is_the_reciprocal_rank():
    stats = retrieval.rank_statistics([[1], [4], [20], [21], []], gold=[1, 1, 1, 1, 1])
    assert stats[:, 0].tolist() == stats[:, 2].tolist() == [1.0, 0.25, 0.05, 0.0, 0.0]
    assert stats[:, 1].tolist() == [1.0, 0.25, 0.05, 1 / 21, 0.0]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12, unique=True), st.integers(0, 5))
def test_average_precision_agrees_with_its_definition(found, unfound):
    ranks = sorted(found)
    n = len(ranks) + unfound
    listed = [k in set(ranks) for k in range(1, 61)]
    uncut = sum(sum(listed[:k]) / k for k in range(1, 61) if listed[k - 1]) / n
    cut = sum(sum(listed[:k]) / k for k in range(1, 21) if listed[k - 1]) / min(n, 20)
    assert retrieval.rank_statistics([ranks], [n])[0, :2].tolist() == pytest.approx([cut, uncut])


@pytest.mark.parametrize("ranks", [[0], [3, 3], [4, 2]])
def test_ranks_that_are_no_ranking_are_refused(ranks):
    with pytest.raises(ValueError, match="ranks start at 1 and ascend"):
        retrieval.rank_statistics([ranks])


def test_tagging_refuses_sentences_of_another_length():
    with pytest.raises(ValueError, match="sentence 1: 1 predicted tags for 2"):
        tagging.chunk_statistics([["O"], ["O"]], [["O"], ["O", "O"]])


@pytest.mark.parametrize(("r", "refused"), [(-0.1, True), (1.01, True), (0.0, False), (1.0, False)])
def test_a_score_that_is_not_between_0_and_100_points_is_refused(r, refused):
    """A correlation may be below 0: intervals, floors and errors would be of something else."""
    correlation = Metric(
        "correlation", 1, ("r", "n"), {"r": lambda sums: 100 * sums[..., 0] / sums[..., 1]}, lambda *_: None
    )
    statistics = np.array([[r, 1.0], [r, 1.0]])
    if refused:
        with pytest.raises(UserError, match=r"metric correlation: scores -?\d+ points of r: scores lie between 0 and"):
            correlation.all_scores(statistics)
    else:
        assert correlation.all_scores(statistics) == {"r": 100 * r}
