"""The figures of an attack: the curve holds the task's metric, and budgets are equal in two senses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from crosswind.analysis.attacked import AttackedSet, attack_line, line_table
from crosswind.evaluate.metrics.base import METRICS, Metric, f1_scores
from crosswind.report.attacked import render_attacks

ENTITIES = Metric("entities", 1, ("right", "predicted", "gold"), f1_scores(), lambda *_: None)  # type: ignore[arg-type, return-value]


def attacked(
    name: str,
    clean: Any,
    after: Any,
    curves: list[list[Any]],
    queries: list[int],
    ends: list[str],
    right: list[float],
    refused: list[dict[str, int]] | None = None,
) -> AttackedSet:
    n = len(curves)
    frame = pl.DataFrame(
        {
            "id": [f"e{i}" for i in range(n)],
            "end": ends,
            "clean_right": right,
            "clean_loss": [0.0] * n,
            "queries": queries,
            "passes": queries,
            "edit_rate": [max([p[1] for p in curve], default=0.0) for curve in curves],
            "changes": [len(curve) for curve in curves],
            "positions": [3] * n,
            "similarity": ["{}"] * n,
            "refused": [json.dumps(some) for some in refused or [{}] * n],
            "curve": [json.dumps(curve) for curve in curves],
        }
    )
    clusters = [f"c{i}" for i in range(n)]
    return AttackedSet(name, 10, frame, clusters, np.array(clean, float), np.array(after, float))


def test_the_curve_of_tagging_is_the_f1_of_all_entities() -> None:
    # Two sentences: of 4 entities 4 are right, of 1 entity 1; the attack leaves 2 of 4 and 0 of 1.
    clean = [[4, 4, 4], [1, 1, 1]]
    curves = [[[2, 0.2, 0.75, 1.0, [3, 4, 4]], [6, 0.4, 0.5, 2.0, [2, 4, 4]]], [[8, 0.1, 0.0, 3.0, [0, 1, 1]]]]
    made = attacked("a", clean, [[2, 4, 4], [0, 1, 1]], curves, [10, 8], ["budget", "success"], [1.0, 1.0])
    line = attack_line("ner", "de", made, ENTITIES, binary=False)
    assert line.after.score == pytest.approx(100 * 2 * 2 / 10)
    assert dict(line.over_budget) == pytest.approx({1: 100.0, 2: 80.0, 5: 80.0, 10: 40.0})
    assert dict(line.over_edit_rate) == pytest.approx(
        {0.05: 100.0, 0.1: 80.0, 0.2: 60.0, 0.3: 60.0, 0.4: 40.0, 0.5: 40.0, 1.0: 40.0}
    )
    assert line.success_over_budget is None
    assert (line.control_over_edit_rate, line.similarity) == (None, None)
    # Where all changed texts are alike, what could have gone unseen is of the figure's own size: any chrF of two texts.
    alike = attack_line("ner", "de", replace(made, chrf=[80.0, 80.0]), ENTITIES, binary=False).chrf
    assert alike is not None
    assert (alike.score, alike.low, alike.high) == (80.0, 0.0, 100.0)
    cosines = [{"E": 0.8}, {"E": 0.9}]
    seen = replace(made, outcomes=made.outcomes.with_columns(similarity=pl.Series([json.dumps(c) for c in cosines])))
    similar = attack_line("ner", "de", seen, ENTITIES, binary=False)
    assert similar.similarity is not None
    assert similar.similarity.score == pytest.approx(0.85)
    assert "cosine of them        0.850 [" in render_attacks([similar], [])
    several = seen.outcomes.with_columns(similarity=pl.lit(json.dumps({"E": 0.8, "F": 0.9})))
    assert attack_line("ner", "de", replace(seen, outcomes=several), ENTITIES, binary=False).similarity is None
    # Both were changed, with .4 and .1 edits a word: the mean, in that unit, with an interval that cannot go below 0.
    assert line.edit_rate is not None
    assert line.edit_rate.score == pytest.approx(0.25)
    assert (line.edit_rate.low, line.edit_rate.limits[0]) == (0.0, 0.0)
    assert line.edit_rate.high == pytest.approx(0.25 + 12.706 * 0.15, rel=1e-3)  # Student's t of one degree of freedom
    assert similar.similarity.high == 1.0


def test_what_was_not_changed_makes_no_interval_of_changed_texts_narrower() -> None:
    rates = (0.1, 0.2, 0.4)
    curves: list[list[Any]] = [[[1, rate, 0.0, 2.0, [0, 1, 0]]] for rate in rates]

    def line(unchanged: int) -> Any:
        n = 3 + unchanged
        made = attacked(
            "a", [[1, 1, 0]] * n, [[0, 1, 0]] * 3 + [[1, 1, 0]] * unchanged, curves + [[]] * unchanged, [1] * n,
            ["success"] * 3 + ["exhausted"] * unchanged, [1.0] * n,
        )  # fmt: skip
        made = replace(made, chrf=[90.0, 80.0, 85.0] + [100.0] * unchanged)
        cosines = [{"E": 0.80}, {"E": 0.82}, {"E": 0.81}] + [{}] * unchanged
        measured = made.outcomes.with_columns(similarity=pl.Series([json.dumps(c) for c in cosines]))
        made = replace(made, outcomes=measured)
        return attack_line("nli", "de", made, METRICS["accuracy"], binary=True)

    few, many = line(0), line(37)
    assert (few.edit_rate, few.chrf, few.similarity) == (many.edit_rate, many.chrf, many.similarity)
    assert few.edit_rate.clusters == 3
    # Both ends, each figure in its own unit: edits a word, chrF, cosine. Only edits reach a limit, 0.
    of_figures = ((few.edit_rate, rates), (few.chrf, (90.0, 80.0, 85.0)), (few.similarity, (0.80, 0.82, 0.81)))
    for figure, values in of_figures:
        half = 4.303 * np.std(values, ddof=1) / np.sqrt(3)  # Student's t of two degrees of freedom
        low = max(np.mean(values) - half, 0.0)
        assert (figure.low, figure.high) == pytest.approx((low, np.mean(values) + half), rel=1e-3)


def test_a_control_is_read_at_the_budget_and_at_the_queries_of_the_search() -> None:
    clean = [[1, 1, 0]] * 4
    wrong = [0, 1, 0]
    # The search: success at once; nothing left after 3 queries; success after 5; wrong before.
    curves: list[list[Any]] = [[[1, 0.1, 0, 2.0, wrong]], [[2, 0.1, 1, 0.5, [1, 1, 0]]], [[5, 0.3, 0, 2.0, wrong]], []]
    ends = ["success", "exhausted", "success", "wrong before"]
    right = [1.0, 1.0, 1.0, 0.0]
    before = [*clean[:3], wrong]
    made = attacked("a", before, [wrong, clean[1], wrong, wrong], curves, [1, 3, 5, 0], ends, right)
    # The draws: at query 2, at 7, at 4.
    drawn: list[list[Any]] = [[[q, 0.5, 0, 2.0, wrong]] for q in (2, 7, 4)] + [[]]
    control = attacked("a.random", before, [wrong] * 4, drawn, [2, 7, 4, 0], ["success"] * 3 + ["wrong before"], right)
    line = attack_line("nli", "de", made, METRICS["accuracy"], binary=True, control=control)
    assert (line.before.score, line.after.score) == (75.0, 25.0)
    assert line.control is not None
    assert line.gain is not None
    assert (line.control.score, line.gain.score) == (0.0, -25.0)  # its whole budget: it draws on where the search ended
    assert line.control_at_used is not None
    assert line.gain_at_used is not None
    assert (line.control_at_used.score, line.gain_at_used.score) == (50.0, 25.0)  # within 1, 3 and 5 queries: the third
    assert line.success is not None
    assert line.success.score == pytest.approx(200 / 3)
    assert dict(line.success_over_budget or ()) == pytest.approx({1: 100 / 3, 2: 100 / 3, 5: 200 / 3, 10: 200 / 3})
    assert dict(line.success_over_edit_rate or ())[0.2] == pytest.approx(100 / 3)
    assert line.control_queries == pytest.approx((4.0, 6.4))
    assert dict(line.control_over_budget or ()) == {1: 75.0, 2: 50.0, 5: 25.0, 10: 0.0}
    assert dict(line.control_over_edit_rate or ())[0.4] == 75.0  # its draws have .5 edits a word
    assert dict(line.control_success_over_edit_rate or ())[0.5] == pytest.approx(100.0)
    assert dict(line.control_success_over_budget or ())[2] == pytest.approx(100 / 3)
    # An error rate grows: what the attack gains over the draws is the same.
    errors = attack_line("nli", "de", made, METRICS["error-rate"], binary=True, control=control)
    assert (errors.before.score, errors.after.score) == (25.0, 75.0)
    assert errors.gain is not None
    assert errors.gain_at_used is not None
    assert (errors.gain.score, errors.gain_at_used.score) == (-25.0, 25.0)
    text = render_attacks([line], [])
    assert "gain, equal queries    25.0" in text
    assert "success over budget   1: 33.3  2: 33.3  5: 66.7  10: 66.7" in text
    assert line_table([line])["gain_at_used"][0] == 25.0


def test_draws_that_end_with_the_search_stand_against_it_as_its_curve_has_it() -> None:
    """In A' of an attack on a pool the copies for all queries are together, and no draw could be read like that."""
    right, wrong = [1, 1, 0], [0, 1, 0]
    curves: list[list[Any]] = [[[2, 0.1, 0, 2.0, wrong]], []]
    made = attacked("a", [right] * 2, [wrong] * 2, curves, [2, 4], ["success", "exhausted"], [1.0, 1.0])
    drawn: list[list[Any]] = [[[1, 0.1, 0, 2.0, wrong]], []]
    control = attacked("a.random", [right] * 2, [wrong] * 2, drawn, [1, 10], ["success", "budget"], [1.0, 1.0])
    line = attack_line("nli", "de", made, METRICS["accuracy"], binary=True, control=control)
    assert line.control_at_used is not None
    assert line.gain_at_used is not None
    assert (line.after.score, line.control_at_used.score, line.gain_at_used.score) == (0.0, 50.0, 0.0)


def test_what_constraints_refused_is_counted_of_attacked_examples_and_said() -> None:
    curves: list[list[Any]] = [[[4, 0.1, 1, 2.0, [1, 1, 0]]], [], [[1, 0.1, 0, 2.0, [0, 1, 0]]], []]
    ends = ["refused", "refused", "success", "wrong before"]
    refused = [
        {"similarity(model=E)": 520, "protected": 9},
        {"similarity(model=E)": 512, "digits": 8},
        {},
        {"digits": 7},
    ]
    clean = [[1, 1, 0]] * 3 + [[0, 1, 0]]
    made = attacked("a", clean, clean, curves, [4, 0, 1, 0], ends, [1.0, 1.0, 1.0, 0.0], refused)
    line = attack_line("nli", "de", made, METRICS["accuracy"], binary=True, of=5_010)
    assert line.refused == (520, 520)  # sites that may not change are no texts
    assert line.given_up == pytest.approx(200 / 3)
    assert line.exhausted == 0
    said = render_attacks([line], [])
    assert "a, budget 10, 4 of 5,010 examples" in said
    assert "refused by limits     median 520, 90th percentile 520 texts; 67 % of examples ended there" in said
    row = line_table([line]).row(0, named=True)
    assert (row["n"], row["of"], row["refused_median"], round(row["given_up"])) == (4, 5_010, 520, 67)
