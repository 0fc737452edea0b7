"""The benchmarks' own scores from a table of results: what XTREME's script would print of the same scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from crosswind.analysis.official import (
    OfficialScore,
    brief_official_lines,
    official_lines,
    official_scores,
    official_table,
)
from crosswind.analysis.results import ResultRow, table
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.evaluate.score import score_folder

ROW = ResultRow(
    encoder="e", route="none", pipeline_seed=1, target="xquad", language="de", split="test", metric="squad", key="f1",
    score=50.0, n=10, clusters=5, signature="metric=squad|version=1", cell="c",
)  # fmt: skip
KEYS = {"xquad": ("squad", "f1", "exact_match"), "mlqa": ("mlqa", "f1", "exact_match")}
KEYS["tydiqa"] = KEYS["xquad"]
SPLIT = {"tydiqa": "dev"}


def answers(task: str, f1: float, exact: float, english: float = 0.0, **changes: object) -> Iterator[ResultRow]:
    """The rows of a task of question answering in all its official languages; English scores `english` more."""
    metric, *keys = KEYS[task]
    for language in BENCHMARKS["xtreme"].tasks[task].languages:
        for key, score in zip(keys, (f1, exact), strict=True):
            more = english if language == "en" else 0.0
            row = replace(ROW, target=task, language=language, metric=metric, key=key, score=score + more)
            yield replace(row, **{"split": SPLIT.get(task, "test"), **changes})  # type: ignore[arg-type]


def find(scores: tuple[OfficialScore, ...], name: str, key: str = "metric", benchmark: str = "xtreme") -> OfficialScore:
    (score,) = [s for s in scores if (s.benchmark, s.name, s.key) == (benchmark, name, key) and s.condition.clean]
    return score


def test_question_answering_is_the_mean_of_exact_match_and_f1_with_english_in_it() -> None:
    scores = official_scores(table(answers("xquad", 50.0, 40.0, english=11.0)))
    assert find(scores, "xquad", "f1").score == pytest.approx(51.0)  # eleven languages, English 11 points above
    assert find(scores, "xquad", "exact_match").score == pytest.approx(41.0)
    assert find(scores, "xquad").score == pytest.approx(46.0)
    assert len(find(scores, "xquad").averaged) == 11
    assert "en" in find(scores, "xquad").averaged
    assert find(scores, "xquad").lacking == ()
    assert find(scores, "xquad").signature == "metric=squad|version=1"


def test_the_official_list_of_each_benchmark_decides() -> None:
    """XTREME-R has Romanian, which XTREME has not."""
    rows = [*answers("xquad", 50.0, 40.0), replace(ROW, language="ro", score=98.0), replace(ROW, language="pl")]
    scores = official_scores(table(rows))
    assert find(scores, "xquad", "f1").score == pytest.approx(50.0)
    assert find(scores, "xquad", "f1", "xtreme-r").score == pytest.approx((11 * 50 + 98) / 12)


def test_groups_stand_where_nothing_is_lacking() -> None:
    rows = list(chain.from_iterable(answers(task, f1, 40.0) for task, f1 in (("xquad", 50.0), ("mlqa", 60.0))))
    assert find(official_scores(table(rows)), "qa").score is None
    assert find(official_scores(table(rows)), "qa").lacking == ("tydiqa",)
    whole = official_scores(table([*rows, *answers("tydiqa", 70.0, 40.0)]))
    assert find(whole, "qa").score == pytest.approx((45 + 50 + 55) / 3)
    assert find(whole, "qa").averaged == ("xquad", "mlqa", "tydiqa")
    assert find(whole, "all_task").score is None
    assert find(whole, "all_task").lacking == ("xnli", "pawsx", "udpos", "panx", "bucc2018", "tatoeba")
    assert "tagging" not in {s.name for s in whole}  # nothing of it was run
    less = [r for r in answers("tydiqa", 70.0, 40.0) if r.language != "sw"]
    part = official_scores(table([*rows, *less]))
    assert find(part, "qa").score is None
    assert find(part, "qa").lacking == ("tydiqa (incomplete)",)
    assert find(part, "tydiqa").lacking == ("without 1 of 9 languages: sw",)


def test_a_part_of_the_rows_and_another_split_are_not_the_official_score() -> None:
    rows = answers("xquad", 50.0, 40.0, rows="20 by clusters")
    assert find(official_scores(table(rows)), "xquad").lacking == ("rows 20 by clusters",)
    dev = [replace(r, split="dev") for r in answers("mlqa", 50.0, 40.0)]
    assert find(official_scores(table(dev)), "mlqa").lacking == ("split dev",)
    both = official_scores(table([*dev, *answers("mlqa", 60.0, 40.0)]))
    assert find(both, "mlqa", "f1").score == pytest.approx(60.0)
    assert find(both, "mlqa").lacking == ()


def test_draws_and_seeds_are_averaged_and_conditions_stand_apart() -> None:
    noisy = [
        replace(r, perturbation="keyboard", severity=0.1, draw=draw, score=r.score - 10 * draw)
        for draw in (1, 2)
        for r in answers("xquad", 50.0, 40.0)
    ]
    scores = official_scores(table([*answers("xquad", 50.0, 40.0), *noisy]))
    f1 = {s.condition.label: s.score for s in scores if (s.benchmark, s.key) == ("xtreme", "f1")}
    assert f1 == {"clean": pytest.approx(50.0), "keyboard:0.1": pytest.approx(35.0)}


def test_languages_that_were_trained_on_are_in_the_average_and_named() -> None:
    rows = [
        replace(r, exposure="same-task/labelled") if r.language in ("de", "en") else r
        for r in answers("xquad", 50.0, 40.0)
    ]
    assert find(official_scores(table(rows)), "xquad").trained == ("de",)


def test_other_metrics_and_pairs_of_languages_are_no_part_of_it() -> None:
    pairs = [replace(r, context_language="hi", score=0.0) for r in answers("mlqa", 0.0, 0.0) if r.language == "de"]
    other = [replace(r, metric="mine", key="f1", score=0.0) for r in answers("mlqa", 0.0, 0.0) if r.key == "f1"]
    scores = official_scores(table([*answers("mlqa", 60.0, 40.0), *pairs, *other]))
    assert find(scores, "mlqa", "f1").score == pytest.approx(60.0)


def test_a_table_without_a_benchmarks_task_has_no_such_score() -> None:
    assert official_scores(table([replace(ROW, target="mine")])) == ()


def test_the_scores_are_a_table_and_a_line_a_model() -> None:
    rows = [*answers("xquad", 50.0, 40.0), *answers("mlqa", 60.0, 40.0, split="dev")]
    scores = official_scores(table(rows))
    frame = official_table(scores)
    assert len(frame) == len(scores)
    columns = ["benchmark", "encoder", "defence", "route", "condition", "name", "key", "score", "zero_shot"]
    assert frame.columns[:9] == columns
    assert official_lines(scores, "xtreme") == [
        "xtreme, none   official  zero-shot",
        "  xquad           45.0        45.0  11 languages",
        "  mlqa            50.0*       50.0  7 languages; split dev",
        "  qa                 –           –  not averaged, lacks mlqa (incomplete), tydiqa",
        "  all_task           –           –  not averaged, lacks xnli, pawsx, udpos, panx, mlqa (incomplete), tydiqa, "
        "bucc2018, tatoeba",
        "official: the mean over the benchmark's languages, English included; zero-shot: without the source language "
        "and trained ones",
        "* not the official score: languages, rows or the split are other ones (benchmarks.parquet)",
    ]
    assert len(official_lines(scores)) == 12
    two = [r for r in answers("xquad", 50.0, 40.0) if r.language in ("de", "en")]
    assert official_lines(official_scores(table(two)), "xtreme")[1] == (
        "  xquad           45.0*       45.0  2 languages; without 9 of 11 languages: ar el es hi ru th tr vi zh"
    )
    assert brief_official_lines(scores, "xtreme") == official_lines(scores, "xtreme")


def test_the_scores_of_many_models_are_a_line_each() -> None:
    rows = [r for route in ("none", "mnli", "squad") for r in answers("xquad", 50.0, 40.0, route=route)]
    rows += list(answers("mlqa", 55.0, 45.0, route="mnli", split="dev"))
    assert brief_official_lines(official_scores(table(rows)), "xtreme") == [
        "xtreme, official  xquad   mlqa  qa  all_task",
        "  mnli            45.0   50.0*  –         –",
        "  none            45.0          –         –",
        "  squad           45.0          –         –",
        "zero-shot means, and what scores are over or lack: --verbose, benchmarks.parquet",
        "* not the official score: languages, rows or the split are other ones (benchmarks.parquet)",
    ]


def test_the_zero_shot_mean_of_the_same_score_is_without_english_and_trained_languages() -> None:
    rows = [
        replace(r, exposure="same-task/labelled", score=r.score + 22) if r.language == "de" else r
        for r in answers("xquad", 50.0, 40.0, english=11.0)
    ]
    score = find(official_scores(table(rows)), "xquad")
    assert score.score == pytest.approx(45 + (11 + 22) / 11)
    assert score.zero_shot == pytest.approx(45.0)
    only = find(official_scores(table(answers("tydiqa", 50.0, 40.0, english=9.0))), "tydiqa")
    assert (only.score, only.zero_shot) == (pytest.approx(46.0), pytest.approx(45.0))


@pytest.mark.parametrize("benchmark", ["xtreme", "xtreme-r"])
def test_the_averages_of_a_run_are_those_of_the_official_script_on_its_mock_data(
    official_data: Callable[..., Path], benchmark: str
) -> None:
    """Figures of `evaluate.py` on its own mock data (../shared/reference/evaluation_protocol.md, Aggregation)."""
    mock = official_data("xtreme-mock") / "xtreme-mock"
    scores = score_folder(mock / "predictions", mock / "labels", benchmark, allow_missing=True)
    rows = [
        replace(ROW, target=task, language=language, metric=scored.metric, key=key, score=score,
                split=SPLIT.get(task, "test"), signature=scored.signature)
        for task, scored in scores.tasks.items()
        for language, keys in scored.languages.items()
        for key, score in keys.items()
    ]  # fmt: skip
    official = official_scores(table(rows))
    if benchmark == "xtreme":
        expected = {
            "pawsx": 51.42857142857143, "xnli": 30.666666666666668, "panx": 57.50793650793652,
            "udpos": 70.21746048354693, "bucc2018": 55.0, "tatoeba": 53.611111111111114,
            "xquad": (77.27272727272727 + 79.9586776859504) / 2, "mlqa": (57.142857142857146 + 81.76870748299321) / 2,
            "tydiqa": (88.88888888888889 + 97.22222222222223) / 2,
        }  # fmt: skip
        for task, value in expected.items():
            assert find(official, task).score == pytest.approx(value, abs=1e-9)
        assert find(official, "all_task").score == pytest.approx(sum(expected.values()) / 9, abs=1e-9)
        qa = sum(expected[task] for task in ("xquad", "mlqa", "tydiqa")) / 3
        assert find(official, "qa").score == pytest.approx(qa, abs=1e-9)
        retrieval = (expected["bucc2018"] + expected["tatoeba"]) / 2
        assert find(official, "retrieval").score == pytest.approx(retrieval, abs=1e-9)
    else:
        assert find(official, "mewslix", benchmark=benchmark).score == pytest.approx(14.39025156130419, abs=1e-9)
        assert find(official, "all_task", benchmark=benchmark).score is None  # the mock data lack XCOPA and LAReQA
    for task, scored in scores.tasks.items():
        assert find(official, task, benchmark=benchmark).score == pytest.approx(scored.score, abs=1e-9)
    for group, score in scores.groups.items():
        assert find(official, group, benchmark=benchmark).score == pytest.approx(score, abs=1e-9)
