"""What an attack gains over random draws at an equal budget, on tables whose figures can be counted by hand."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from test_contrast import N, Study

from crosswind.analysis.contrasted import Contrast
from crosswind.report.answer import answer, answer_parts
from crosswind.report.parts import Prose, TextTable
from crosswind.report.sections.attack_curves import gains_over_draws

ATTACK, DRAWS = "deepwordbug(x=1)@first;chrf(least=60)", "deepwordbug.random(x=1)@first;chrf(least=60)"


def attacked(study: Study, route: str, language: str, clean: int, drawn: int, left: int, **columns: object) -> Study:
    study.add(route, language, clean, **columns)
    for attack, right in ((DRAWS, drawn), (ATTACK, left)):
        study.add(route, language, right, attack=attack, budget=50, **columns)
    return study


def made(**columns: object) -> Study:
    """Of 400 items: in xnli the search leaves 30 fewer than draws do in each language, in pawsx 10."""
    study = Study()
    for seed in (1, 2, 3):
        for route in ("none", "multi"):
            for language in ("de", "sw"):
                attacked(study, route, language, 300, 240 + seed, 210 + seed, seed=seed, **columns)
            attacked(study, route, "de", 300, 200, 190, seed=seed, target="pawsx", **columns)
    return study


def gains(contrasts: tuple[Contrast, ...]) -> dict[tuple[str, str], Contrast]:
    return {(c.systems[0], c.within): c for c in contrasts if c.kind == "attack"}


def test_an_attack_is_what_draws_leave_minus_what_it_leaves() -> None:
    of = gains(made().contrasts(routes=["none", "multi"]))
    assert sorted(of) == sorted((r, x) for r in ("none", "multi") for x in ("", "xnli", "pawsx"))
    one = of["none", "xnli"]
    assert one.name == f"none: random draws − {ATTACK}, 50 queries"
    assert (one.measure, one.scope, one.languages) == ("perturbed", "target", ("de", "sw"))
    assert one.estimate.score == pytest.approx(100 * 30 / N)
    assert (one.estimate.seeds, one.estimate.basis) == ((3,), "items and seeds")
    # The same items in both languages, and under each seed 30 of them: seeds 1 to 3 move the 30 on by one each.
    differs = np.zeros((3, N))
    for seed in (1, 2, 3):
        differs[seed - 1, 210 + seed : 240 + seed] = 100
    assert one.estimate.components is not None
    assert one.estimate.components.seeds == pytest.approx(0.0)
    assert one.estimate.se == pytest.approx(differs.mean(axis=0).std(ddof=1) / np.sqrt(N), rel=0.02)
    assert of["none", ""].estimate.score == pytest.approx((100 * 30 / N + 100 * 10 / N) / 2)
    assert (of["none", ""].targets, of["none", ""].scope) == (("pawsx", "xnli"), "all")
    assert {c.family for c in of.values()} == {"attacks by all", "attacks by target"}
    assert one.verdict == "differs"
    assert of["none", "pawsx"].adjusted is not None


def test_what_has_no_draws_of_its_budget_beside_it_has_no_row() -> None:
    for change in ({"budget": 60}, {"protection": "answers"}, {"attack": "deepwordbug.random"}):
        study = made()
        study.rows = [replace(r, **change) if r.attack == DRAWS else r for r in study.rows]  # type: ignore[arg-type]
        assert gains(study.contrasts()) == {}
    # Adversarial examples of another model are no attack on this one; a language without draws is in no mean.
    study = made()
    study.rows = [replace(r, attack=f"{r.attack};from=multi") if r.attack == ATTACK else r for r in study.rows]
    assert gains(study.contrasts()) == {}
    study = made()
    study.rows = [r for r in study.rows if not (r.attack == DRAWS and r.language == "sw")]
    assert {c.languages for c in gains(study.contrasts()).values() if c.within == "xnli"} == {("de",)}


def test_an_attack_that_leaves_more_than_draws_do_is_below_0() -> None:
    study = Study()
    for seed in (1, 2):
        attacked(study, "none", "de", 100, 150, 180, seed=seed)
    (one,) = (c for c in gains(study.contrasts()).values() if c.within == "xnli")
    assert one.estimate.score == pytest.approx(-100 * 30 / N)


def test_the_page_says_what_the_search_gains_with_its_interval() -> None:
    text, table = gains_over_draws(made().contrasts(routes=["none", "multi"]))
    assert isinstance(text, Prose)
    assert isinstance(table, TextTable)
    said = f"{re.escape(ATTACK)}, 50 queries, what the search gains over random draws at an equal budget"
    said += r" \(below 0: the draws did more\), in de, sw: none "
    said += r"\+5\.0 \[\+\d\.\d, \+\d\.\d\]; multi"
    assert re.match(said, text.text), text.text
    assert {row[0] for row in table.rows} == {"xnli", "pawsx", "all: pawsx, xnli"}
    assert gains_over_draws(()) == []


def test_a_gain_of_few_clusters_is_cut_at_what_a_difference_of_scores_can_be_and_the_table_says_so() -> None:
    study = Study()
    for seed in (1, 2):
        attacked(study, "none", "de", 300, 300 - 150 * (seed - 1), 140, seed=seed)
    summary_rows = study.contrasts()
    gain = gains(summary_rows)["none", "xnli"].estimate
    assert gain.components is not None
    assert gain.components.half_width(0.05) > 200  # two seeds that disagree: Student's t with one degree of freedom
    assert (gain.low, gain.high, gain.cut) == (-100.0, 100.0, True)
    (table,) = (part for part in gains_over_draws(summary_rows) if isinstance(part, TextTable))
    assert "(a score at 0 and 100, a difference of two at −100 and +100): 1 was cut there" in table.caption
    assert table.rows[0][5] == "not settled: no effect that scores can have can be seen here"
    (whole,) = (part for part in gains_over_draws(made().contrasts()) if isinstance(part, TextTable))
    assert "cut there" not in whole.caption


def test_a_study_of_attacks_says_first_what_they_leave_and_what_draws_do() -> None:
    study = made()
    for seed in (1, 2, 3):
        attacked(study, "none", "de", 0, 0, 0, seed=seed, target="udpos")  # at its floor under each attack
        attacked(study, "multi", "de", 0, 0, 0, seed=seed, target="udpos")
    parts = answer_parts(study.summary(routes=["none", "multi"]))
    assert parts is not None
    first, *sentences = parts.sentences
    assert first.startswith("Without intermediate training, zero-shot transfer reaches ")
    both = next(s for s in sentences if s.startswith(f"none, pawsx, xnli under {ATTACK}, 50 queries: "))
    # (190 + 212) / 2 of 400 are left; draws leave 200 and 242 of them.
    draws = r"random draws at this budget take 5\.0 \[\d\.\d, \d\.\d\] less \(differs\)"
    assert re.search(rf": 50\.2 \[[^]]+\] left of 75\.0; {draws}$", both)
    floored = [s for s in sentences if s.startswith("none, udpos under")]
    assert [s.rpartition("(")[2] for s in floored] == ["not tested: none at the floor)"]
    assert sentences[-2] == "The only comparison of drops under attack is not settled"
    assert sentences[-1].startswith("multi − none: clean +0.0 [")
    assert not any(s.startswith("multi, ") for s in sentences)


def test_attacks_whose_draws_do_more_say_so_and_perturbations_are_what_a_study_asks_first() -> None:
    study = Study()
    for seed in (1, 2):
        for route in ("none", "multi"):
            attacked(study, route, "de", 300, 150, 180, seed=seed)
    assert re.search(r"random draws at this budget take 7\.5 \[\d.\d, \d+.\d\] more", answer(study.summary()) or "")
    for seed in (1, 2):
        for route in ("none", "multi"):
            study.add(route, "de", 250, perturbation="swap", severity=0.1, seed=seed)
    said = answer(study.summary()) or ""
    assert said.startswith("Under perturbation zero-shot transfer loses ")
    assert "random draws" not in said
