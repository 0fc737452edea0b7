"""Defences in the terminal and the page: gains apart, and costs in times of the undefended route's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crosswind.analysis.costs import DefenceCost, cost_table, costs_of, over_seeds, over_targets
from crosswind.analysis.summary import Summary
from crosswind.report.content import ReportContent
from crosswind.report.defended import COST_COLUMNS, GAIN_COLUMNS, defended_rows
from crosswind.report.page import render_page
from crosswind.report.terminal import render_terminal

PLAIN = DefenceCost(
    encoder="mini", defence="none", route="none", target="xnli", seeds=2, steps=100.0, train_cpu=50.0, train_wall=60.0,
    train_memory=800_000_000, train_gpu_memory=None, predict_cpu=4.0, predict_wall=5.0, predict_memory=500_000_000,
    predict_gpu_memory=None,
)  # fmt: skip
FREELB = replace(PLAIN, defence="freelb", train_cpu=150.0, train_memory=1_000_000_000, predict_cpu=5.0)


def test_costs_stand_beside_those_of_the_undefended_route() -> None:
    (row,) = defended_rows(Summary((), costs=(PLAIN, FREELB)))
    assert row.name == "none · freelb"
    assert row.gains == ("",) * len(GAIN_COLUMNS)
    assert dict(zip(COST_COLUMNS, row.costs, strict=True)) == {
        "steps": "100 (×1.00)",
        "training": "150 s (×3.00)",
        "memory": "1,000 MB (×1.25)",
        "predicting": "5 s (×1.25)",
        "memory of it": "500 MB (×1.00)",
    }


def test_times_are_summed_over_targets_and_memory_is_the_largest() -> None:
    other = replace(FREELB, target="panx", train_cpu=10.0, steps=7.0, train_memory=None)
    (total,) = over_targets([FREELB, other])
    assert (total.target, total.train_cpu, total.steps, total.train_memory) == (
        "xnli panx",
        160.0,
        107.0,
        1_000_000_000,
    )
    assert over_targets([FREELB, replace(other, steps=None)])[0].steps is None


def test_runs_of_other_seeds_are_one_mean_by_their_seeds() -> None:
    (mean,) = over_seeds([FREELB, replace(FREELB, seeds=1, train_cpu=300.0)])
    assert (mean.seeds, mean.target) == (3, "xnli")
    assert mean.train_cpu == pytest.approx(200.0)


def test_the_table_of_costs_reads_back() -> None:
    assert costs_of(cost_table([PLAIN, FREELB])) == (PLAIN, FREELB)


def test_terminal_and_page_show_them() -> None:
    summary = Summary((), costs=(PLAIN, FREELB))
    assert "150 s (×3.00)" in render_terminal(summary)
    page = render_page(ReportContent("t", summary))
    assert ">Defences</h2>" in page
    assert "150 s (×3.00)" in page
    assert ">Defences</h2>" not in render_page(ReportContent("t", Summary(())))
