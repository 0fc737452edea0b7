"""The transfer rate of adversarial examples: counts by hand, and intervals that are over items with such an example."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from crosswind.analysis.transfer import BOTH_OTHER, SAME_ROUTE, SAME_SEED, transfer_rates
from crosswind.report.content import TRANSFER_COLUMNS
from crosswind.report.sections.attack_transfer import transfer_tables

ATTACK = ("target", "attack", "budget", "protection", "selection", "defence")


def row(model: tuple[str, int], source: tuple[str, int], moved: str, language: str = "ru") -> dict[str, Any]:
    """A row of four items of clusters a to d; of each `moved` says that it transferred (x), did not (o), or was not
    broken (.)."""
    broken = [(c, m == "x") for c, m in zip("abcd", moved, strict=True) if m != "."]
    return {
        "route": model[0], "pipeline_seed": model[1], "source_route": source[0], "source_seed": source[1],
        "defence": "none", "target": "xnli", "language": language, "attack": "deepwordbug", "budget": 40,
        "selection": "english", "context_language": "", "protection": "none", "n": 4, "both_right": 4,
        "broken": len(broken), "transferred": sum(x for _, x in broken), "clusters": [c for c, _ in broken],
        "sums": [float(number) for _, x in broken for number in (x, 1)],
    }  # fmt: skip


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TRANSFER_COLUMNS)


def test_a_rate_is_a_quotient_of_counts_of_pairs_then_a_mean_of_languages() -> None:
    frame = table(
        row(("none", 1), ("none", 2), "xxo."),  # 2 of 3
        row(("none", 2), ("none", 1), "oooo"),  # 0 of 4
        row(("english", 1), ("none", 1), "xxxx"),
        row(("english", 2), ("none", 1), "xo.."),
        row(("none", 1), ("none", 2), "x...", "tr"),
    )
    rates = {
        r.name["relation"]: r for r in transfer_rates(frame, (*ATTACK, "relation"), baseline=SAME_ROUTE)
    }  # fmt: skip
    assert rates[SAME_ROUTE].rate.score == pytest.approx((100 * 2 / 7 + 100) / 2)
    assert (rates[SAME_ROUTE].broken, rates[SAME_ROUTE].pairs, rates[SAME_ROUTE].more) == (8, 2, None)
    assert rates[SAME_SEED].rate.score == 100.0
    assert rates[BOTH_OTHER].rate.score == 50.0
    # Against the baseline only in the language that both have.
    more = rates[SAME_SEED].more
    assert more is not None
    assert more.score == pytest.approx(100 - 100 * 2 / 7)
    routes = transfer_rates(frame, (*ATTACK, "source_route", "route"))
    assert {(r.name["source_route"], r.name["route"]): r.pairs for r in routes} == {
        ("none", "none"): 2,
        ("none", "english"): 2,
    }


def test_the_interval_is_that_of_a_mean_over_the_clusters_that_have_an_example() -> None:
    # Two models in each of three clusters: 1, 1/2 and 1/2 of them.
    frame = table(row(("english", 1), ("none", 1), "xxo."), row(("english", 2), ("none", 1), "xox."))
    (rate,) = transfer_rates(frame, ATTACK)
    assert (rate.rate.clusters, rate.rate.basis) == (3, "one model")
    half = 4.303 * np.std([100, 50, 50], ddof=1) / np.sqrt(3)  # Student's t of two degrees of freedom
    assert rate.rate.score == pytest.approx(200 / 3)
    assert rate.rate.low == pytest.approx(max(0.0, 200 / 3 - half), rel=0.02, abs=0.5)


def test_nothing_broken_is_no_rate_and_no_table() -> None:
    frame = table(row(("english", 1), ("none", 1), "...."))
    assert transfer_rates(frame, ATTACK) == []
    assert transfer_tables(frame) == ()
    assert transfer_tables(table()) == ()


def test_the_tables_name_relations_in_order_and_routes_by_seed() -> None:
    by_relation, by_route = transfer_tables(
        table(
            row(("english", 2), ("none", 1), "xo.."),
            row(("english", 1), ("none", 1), "xxxx"),
            row(("none", 1), ("none", 2), "xxo."),
        )
    )
    assert [r[3] for r in by_relation.rows] == [SAME_ROUTE, SAME_SEED, BOTH_OTHER]
    assert [r[4].split()[0] for r in by_relation.rows] == ["66.7", "100.0", "50.0"]
    assert by_relation.rows[1][5].startswith("+33.3")
    assert {(r[3], r[4], r[5]) for r in by_route.rows} == {
        ("none", "english", "other seed"),
        ("none", "english", "same seed"),
        ("none", "none", "other seed"),
    }
    assert all(len(r) == len(t.columns) for t in (by_relation, by_route) for r in t.rows)
