"""Attacks that spent their budget on ranking: said beside the figures, on the page and in the terminal."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from made_pages import full

from crosswind.analysis.attacked import AttackedSet, attack_line, line_table
from crosswind.analysis.summary import Summary
from crosswind.evaluate.metrics.base import METRICS
from crosswind.report.attacked import render_attacks
from crosswind.report.content import ATTACKED_COLUMNS, CURVE_COLUMNS, LATER_COLUMNS
from crosswind.report.page import render_page
from crosswind.report.sections.attack_table import attacked_tables
from crosswind.report.spent import spent_remarks, untried_shares


def outcomes(rows: list[tuple[str, int, list[int]]]) -> AttackedSet:
    """An accuracy attack of budget 16: how each example ended, its queries, and the queries of its curve's points."""
    curves = [[[q, 0.1 * (i + 1), 1.0, float(i), [1, 1, 0]] for i, q in enumerate(at)] for _, _, at in rows]
    frame = pl.DataFrame(
        {
            "id": [f"e{i}" for i in range(len(rows))],
            "end": [end for end, _, _ in rows],
            "clean_right": [0.0 if end == "wrong before" else 1.0 for end, _, _ in rows],
            "clean_loss": [0.0] * len(rows),
            "queries": [queries for _, queries, _ in rows],
            "passes": [queries for _, queries, _ in rows],
            "edit_rate": [0.0] * len(rows),
            "changes": [0] * len(rows),
            "positions": [41] * len(rows),
            "refused": ["{}"] * len(rows),
            "similarity": ["{}"] * len(rows),
            "curve": [json.dumps(curve) for curve in curves],
        }
    )
    right = frame["clean_right"].to_numpy()
    clean = np.stack([right, np.ones(len(rows)), np.zeros(len(rows))], axis=1)
    return AttackedSet("deepwordbug", 16, frame, [f"c{i}" for i in range(len(rows))], clean, clean)


SPENT = ("budget", 16, [])


def test_the_first_changed_text_is_the_first_point_of_the_curve() -> None:
    # The first ranked 11 words and then tried; the second asked at once; the third had nothing that it may try, and
    # the fourth no query left; the last is not attacked.
    made = outcomes(
        [("success", 14, [12, 14]), ("budget", 16, [1]), ("exhausted", 5, []), SPENT, ("wrong before", 0, [])]
    )
    line = attack_line("xnli", "en", made, METRICS["accuracy"], binary=True)
    assert line.before_change == (8.0, pytest.approx(14.5))  # 11, 0, 5 and 16
    assert line.untried == 25.0  # one of four
    text = render_attacks([line], [])
    assert "before a change       median 8, 90th percentile 14.5 of 16 queries" in text
    assert "of 25 % of the attacked examples no changed text was tried: all 16 queries went before" in text
    tried = attack_line("xnli", "en", outcomes([("success", 3, [1])]), METRICS["accuracy"], binary=True)
    assert "no changed text" not in render_attacks([tried], [])


def figures(made: AttackedSet) -> pl.DataFrame:
    of_line = line_table([attack_line("xnli", "en", made, METRICS["accuracy"], binary=True)]).row(0, named=True)
    row = {"route": "none", "defence": "none", "pipeline_seed": 1, "selection": "english", "protection": "none"}
    return pl.DataFrame([{**dict.fromkeys(ATTACKED_COLUMNS), **of_line, **row}], schema=ATTACKED_COLUMNS)


def test_the_page_says_that_the_budget_went_into_ranking_beside_the_figures(summary: Summary) -> None:
    figured = figures(outcomes([SPENT, SPENT]))
    (remark,) = spent_remarks(pl.DataFrame(schema=CURVE_COLUMNS), figured)
    assert untried_shares(figures(outcomes([SPENT, ("success", 3, [1])]))) == {("xnli", "deepwordbug", 16): 50.0}
    assert remark.startswith("xnli, deepwordbug: of every attacked example no changed text was tried: all 16 queries")
    assert "(41 positions in the median text)" in remark
    content = replace(full(summary), attacked=figured)
    section = render_page(content).split('<section id="attacks"')[1].split("</section>")[0]
    assert "went before the first change, into ranking" in section.split("<figure")[0]
    (table,) = attacked_tables(content)
    cells = dict(zip((c.title for c in table.columns), table.rows[0], strict=True))
    assert (cells["before a change"], cells["nothing tried"]) == ("16 / 16", "100")
    assert spent_remarks(content.curves, figures(outcomes([("success", 3, [1])]))) == ()


def test_a_run_that_does_not_say_what_was_asked_first_is_judged_by_what_it_has() -> None:
    none = pl.DataFrame(schema=CURVE_COLUMNS)
    older = figures(outcomes([SPENT, SPENT])).drop(LATER_COLUMNS)
    assert "all 16 queries went" in spent_remarks(none, older)[0]
    assert untried_shares(older) == {("xnli", "deepwordbug", 16): 100.0}
    assert spent_remarks(none, older.with_columns(edit_rate=pl.lit(0.2))) == ()
    assert spent_remarks(none, older.with_columns(exhausted=pl.lit(100.0))) == ()

    def curve(attack: str, scores: list[float]) -> pl.DataFrame:
        same = {
            **dict.fromkeys(("route", "defence", "protection"), "none"),
            "target": "xnli",
            "language": "ru",
            "selection": "english",
            "context_language": "",
            "pipeline_seed": 1,
            "budget": 16,
            "n": 15,
            "attack": attack,
            "control": ".random" in attack,
        }
        rows = [{**same, "at": at, "score": x} for at, x in zip((0, 1, 16), scores, strict=True)]
        return pl.DataFrame(rows, schema=CURVE_COLUMNS)

    draws, flat = curve("deepwordbug.random", [46.7, 6.7, 0.0]), curve("deepwordbug", [46.7] * 3)
    nothing = pl.DataFrame(schema=ATTACKED_COLUMNS)
    (remark,) = spent_remarks(pl.concat([flat, draws]), nothing)
    assert remark.startswith("xnli, deepwordbug: the attack changed no score in 16 queries, and random draws")
    assert spent_remarks(pl.concat([curve("deepwordbug", [46.7, 46.7, 40.0]), draws]), nothing) == ()
    # Draws that change nothing either say that the texts hold, and so do no draws.
    still = pl.concat([flat, curve("deepwordbug.random", [46.7] * 3)])
    assert spent_remarks(still, nothing) == spent_remarks(flat, nothing) == ()
