"""Tables with several metrics, with one whose lower score is better, and with one that leaves rows out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from crosswind.analysis.results import CellStats, ResultRow, table
from crosswind.analysis.summarise import summarise
from crosswind.analysis.summary import Summary, SummaryLine
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, Metric, mean_of
from crosswind.report.answer import answer
from crosswind.report.terminal import render_terminal

N = 400
SWAP = {"perturbation": "swap", "severity": 0.1, "draw": 1}
FILE = """
from crosswind.evaluate.metrics.base import Judged, Metric, mean_of

MISTAKE_RATE = Metric(
    name="mistake-rate",
    version=1,
    columns=("wrong", "n"),
    scores={"mistake_rate": mean_of(0, 1)},
    judge=lambda examples, predictions, fitted: Judged((), (), None),
    better="lower",
    chance=mean_of(1, 1),
)
"""


class Study:
    """Cells whose first `share` items count 1 in the first column of the metric."""

    def __init__(self) -> None:
        self.rows: list[ResultRow] = []
        self.cells: dict[str, CellStats] = {}

    def add(self, route: str, language: str, first: int, metric: str, target: str = "xnli", **columns: Any) -> Study:
        stats = np.zeros((N, len(METRICS[metric].columns)))
        stats[:first, 0] = 1
        stats[:, 1] = 1
        items = tuple(f"{target}/test/{i}" for i in range(N))
        return self.add_stats(route, language, stats, items, metric, target, **columns)

    def add_stats(
        self, route: str, language: str, stats: Any, items: tuple[str, ...], metric: str, target: str, **columns: Any
    ) -> Study:
        cell = f"cell-{len(self.rows)}"
        self.cells[cell] = CellStats(np.asarray(stats, dtype=float), items, metric, items)
        row = ResultRow(
            encoder="mini", route=route, pipeline_seed=1, target=target, language=language, split="test",
            metric=metric, key=METRICS[metric].headline, score=0.0, n=N, clusters=N,
            signature=METRICS[metric].signature(), cell=cell,
        )  # fmt: skip
        self.rows.append(replace(row, **columns))
        return self

    def summary(self, **options: Any) -> Summary:
        return summarise(table(self.rows), self.cells.__getitem__, **options)


def line(summary: Summary, perturbation: str) -> SummaryLine:
    (only,) = (x for x in summary.select("others") if x.condition.perturbation == perturbation)
    return only


@pytest.fixture(scope="module")
def error_rate(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mistake_rate.py").write_text(FILE, encoding="utf-8")
    if "mistake-rate" not in METRICS:
        METRICS.include(folder)
    return "mistake-rate"


def test_a_drop_is_a_loss_of_quality_where_a_lower_score_is_better(error_rate: str) -> None:
    """The error rate rises from 20 to 35: a drop of 15."""
    summary = Study().add("none", "de", 80, error_rate).add("none", "de", 140, error_rate, **SWAP).summary()
    swapped = line(summary, "swap")
    assert swapped.drop is not None
    assert (swapped.estimate.score, swapped.drop.score) == (pytest.approx(35), pytest.approx(15))
    assert swapped.drop.low > 0
    assert (swapped.metric, swapped.key, swapped.better) == ("mistake-rate", "mistake_rate", "lower")
    assert "Where a lower score is better, the drop is perturbed minus clean." in render_terminal(summary)


def test_the_floor_of_an_error_rate_is_above(error_rate: str) -> None:
    study = Study().add("none", "de", 80, error_rate).add("none", "sw", 265, error_rate)
    lines = {x.languages: x.at_floor for x in study.summary(chance={"xnli": 200 / 3}).select("language")}
    assert lines == {("de",): False, ("sw",): True}


def test_a_route_helps_where_it_lowers_the_error_rate(error_rate: str) -> None:
    study = Study()
    for seed in (1, 2, 3):
        for route, clean, perturbed in (("none", 160, 200), ("multi", 100, 120), ("worse", 220, 280)):
            study.add(route, "de", clean, error_rate, pipeline_seed=seed)
            study.add(route, "de", perturbed, error_rate, pipeline_seed=seed, **SWAP)
    summary = study.summary(routes=["none", "multi", "worse"])
    drops = {c.name: c.estimate.score for c in summary.contrasts if c.measure == "drop" and c.scope == "all"}
    assert (drops["none"], drops["multi − none"], drops["worse − none"]) == pytest.approx((10, -5, 5))
    text = answer(summary)
    assert text is not None
    assert text.startswith("Under perturbation zero-shot transfer loses 10.0 [")
    assert "of 40.0 points" in text
    assert "multi − none: clean −15.0 [" in text
    assert "(helps), drop −5.0 [" in text
    assert "worse − none: clean +15.0 [" in text
    assert "(hurts), drop +5.0 [" in text


def test_targets_of_both_directions_are_not_averaged(error_rate: str) -> None:
    study = Study()
    for route, right in (("none", 200), ("multi", 240)):
        study.add(route, "de", N - right, error_rate, target="errors")
        for target in ("pawsx", "xnli"):
            study.add(route, "de", right, "accuracy", target=target)
    summary = study.summary()
    assert {c.targets for c in summary.contrasts} == {("errors",), ("pawsx",), ("xnli",), ("pawsx", "xnli")}
    assert {c.targets for c in summary.contrasts if c.family == "primary"} == {("pawsx", "xnli")}
    assert any(note.startswith("errors: a lower score is better") for note in summary.notes)


def test_a_target_is_summarised_by_its_headline_metric_alone() -> None:
    study = Study().add("none", "de", 200, "accuracy").add("none", "de", 300, "token-accuracy")
    named = study.summary(headline={"xnli": "token-accuracy"})
    assert [(x.metric, x.key, x.estimate.score) for x in named.select("others")] == [
        ("token-accuracy", "token_accuracy", pytest.approx(75.0))
    ]
    assert named.notes == ()


def test_of_several_metrics_none_of_which_is_named_the_first_is_taken_and_that_is_said() -> None:
    summary = Study().add("none", "de", 200, "accuracy").add("none", "de", 300, "token-accuracy").summary()
    assert [x.metric for x in summary.select("others")] == ["accuracy"]
    assert summary.notes == ("xnli: summarised by accuracy; token-accuracy stand in the results.",)


def test_keys_of_one_name_are_told_apart_by_their_metrics() -> None:
    """Both seqevals report `f1`: two rows of the table, not one result twice."""
    row = Study().add("none", "de", 200, "seqeval-f1").rows[0]
    frame = table([row, replace(row, metric="seqeval-f1-new")])
    assert frame["key"].to_list() == ["f1", "f1"]
    assert frame.filter(pl.col("metric") == "seqeval-f1").height == 1


def test_a_row_that_a_sparse_metric_leaves_out_is_zeros() -> None:
    """Clean: 30 of 40 gold pairs found; perturbed: 20, and ten wrong pairs of sentences without gold."""
    clean = [(1, 1, 1)] * 30 + [(0, 0, 1)] * 10
    perturbed = [(1, 1, 1)] * 20 + [(0, 0, 1)] * 20 + [(0, 1, 0)] * 10
    names = tuple(f"bucc/test/{i}" for i in range(50))
    study = Study().add_stats("none", "de", clean, names[:40], "set-f1", "bucc")
    study.add_stats("none", "de", perturbed, names, "set-f1", "bucc", **SWAP)
    swapped = line(study.summary(), "swap")
    assert swapped.clean is not None
    assert swapped.clean.score == pytest.approx(100 * 60 / 70)
    assert swapped.estimate.score == pytest.approx(100 * 40 / 70)


def test_a_sparse_metric_needs_the_clean_score_of_the_same_rows() -> None:
    names = tuple(f"bucc/test/{i}" for i in range(4))
    study = Study().add_stats("none", "de", [(1, 1, 1)] * 4, names, "set-f1", "bucc")
    study.add_stats("none", "de", [(1, 1, 1)] * 2, names[:2], "set-f1", "bucc", rows="0-1", **SWAP)
    with pytest.raises(UserError, match="other items than the clean test set"):
        study.summary()


def test_statistics_of_another_metric_than_the_rows_are_refused() -> None:
    study = Study().add("none", "de", 200, "accuracy")
    study.cells["cell-0"] = replace(study.cells["cell-0"], metric="squad")
    with pytest.raises(ValueError, match="statistics of squad where accuracy is summarised"):
        study.summary()


def test_the_direction_is_part_of_a_metric() -> None:
    def judge(examples: Any, predictions: Any, fitted: Any) -> Any:
        raise NotImplementedError

    assert Metric("m", 1, ("a", "n"), {"m": mean_of(0, 1)}, judge).better == "higher"
    assert {METRICS[name].better for name in ("accuracy", "squad", "seqeval-f1", "map@20")} == {"higher"}


def test_routes_are_compared_by_a_sparse_metric_though_their_predictions_have_unequal_rows() -> None:
    """40 gold pairs: 30 found by none, 34 by english, which also mines ten wrong pairs of other sentences."""
    names = tuple(f"bucc2018/test/{i}" for i in range(50))
    none = [(1, 1, 1)] * 30 + [(0, 0, 1)] * 10
    english = [(1, 1, 1)] * 34 + [(0, 0, 1)] * 6 + [(0, 1, 0)] * 10
    study = Study().add_stats("none", "de", none, names[:40], "bucc-f1", "bucc2018", clusters=40)
    study.add_stats("english", "de", english, names, "bucc-f1", "bucc2018", clusters=50)
    summary = study.summary()
    assert not any("unequal items" in note for note in summary.notes)
    difference = next(c for c in summary.contrasts if c.kind == "difference" and c.measure == "clean")
    assert difference.estimate.score == pytest.approx(100 * (68 / 84 - 60 / 70))
