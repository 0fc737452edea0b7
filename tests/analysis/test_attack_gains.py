"""What an attack gains over random draws at an equal budget, on tables whose figures can be counted by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from test_contrast import N, Study

from crosswind.analysis.contrasted import Contrast
from crosswind.report.answer import answer, answer_parts, levels_answered
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


def sentences_of(study: Study, routes: Sequence[str] = ("none", "multi")) -> list[str]:
    parts = answer_parts(study.summary(routes=list(routes)))
    assert parts is not None
    return list(parts.sentences)


UNDER = f"under {ATTACK}, 50 queries: from"


def test_a_study_of_attacks_says_first_what_they_leave_of_each_target_and_what_draws_do() -> None:
    first, *sentences = sentences_of(made())
    assert first.startswith("Without intermediate training, zero-shot transfer reaches ")
    on_xnli, on_pawsx = (next(s for s in sentences if s.startswith(f"{t} with none, ")) for t in ("xnli", "pawsx"))
    more = r"the search did more than random draws at the same budget, by"
    figures = r"\[\d+\.\d, \d+\.\d\]"
    assert re.fullmatch(
        rf"xnli with none, de, sw, {re.escape(UNDER)} 75\.0 to 53\.0 {figures}; {more} 7\.5 {figures} \(differs\)",
        on_xnli,
    )
    assert re.match(rf"pawsx with none, de, {re.escape(UNDER)} 75\.0 to 47\.5 {figures}; {more} 2\.5 ", on_pawsx)
    assert sentences[-2] == "The only comparison of drops under attack is not settled"
    assert sentences[-1].startswith("multi − none: clean +0.0 [")
    assert not any("with multi" in s for s in sentences)


def test_a_target_where_another_route_is_at_its_floor_is_not_passed_over() -> None:
    study = made()
    for seed in (1, 2, 3):
        attacked(study, "none", "de", 300, 240, 150, seed=seed, target="udpos")
        attacked(study, "multi", "de", 0, 0, 0, seed=seed, target="udpos")
    (said,) = (s for s in sentences_of(study) if s.startswith("udpos"))
    assert f"{UNDER} 75.0 to 37.5 [" in said
    assert "the search did more than random draws at the same budget, by 22.5 [" in said
    over_all = [c for c in study.contrasts(routes=["none", "multi"]) if c.kind == "attack" and c.scope == "all"]
    assert {c.targets for c in over_all} == {("pawsx", "xnli")}
    assert {c.excluded for c in over_all} == {("udpos (at the floor)",)}
    text = gains_over_draws(study.contrasts(routes=["none", "multi"]))[0]
    assert isinstance(text, Prose)
    assert "(without udpos (at the floor))" in text.text


def test_a_mean_over_all_targets_needs_several_and_the_page_has_a_line_for_every_attack() -> None:
    study = Study()
    for seed in (1, 2, 3):
        attacked(study, "none", "de", 300, 240, 210, seed=seed)
        attacked(study, "none", "de", 300, 240, 210, seed=seed, target="pawsx")
        for route, right in (("textbugger", 150), ("textbugger.random", 200)):
            study.add("none", "de", right, attack=route, budget=50, seed=seed)
    contrasts = study.contrasts()
    assert {c.name for c in contrasts if c.kind == "attack" and c.scope == "all"} == {
        f"none: random draws − {ATTACK}, 50 queries"
    }
    texts = [part.text for part in gains_over_draws(contrasts) if isinstance(part, Prose)]
    assert any(text.startswith("textbugger, 50 queries") for text in texts), texts


def test_a_gain_is_said_of_the_items_and_languages_of_the_sentence_alone() -> None:
    study = made()
    study.rows = [r for r in study.rows if not (r.attack == DRAWS and (r.language == "sw" or r.target == "pawsx"))]
    for target in ("xnli", "pawsx"):  # in one of its two languages, and in none
        (said,) = (s for s in sentences_of(study) if s.startswith(f"{target} with none"))
        assert "random draws" not in said
    study = made()
    for row in [r for r in study.rows if r.attack != "none" and r.target == "xnli"]:
        right = 100 if row.attack == DRAWS else 40
        study.add(row.route, row.language, right, attack=row.attack, budget=50, seed=row.pipeline_seed, rows="5")
    said = [s for s in sentences_of(study) if s.startswith("xnli with none")]
    assert len(said) == 2
    assert not any("random draws" in s for s in said)


def test_a_model_at_chance_and_a_search_that_did_not_more_are_said_so() -> None:
    study = Study()
    for seed in (1, 2):
        for route in ("none", "multi"):
            attacked(study, route, "de", 133, 133, 133, seed=seed)  # chance of three classes, 400 items
            attacked(study, route, "de", 300, 250, 240, seed=seed, target="pawsx")
    summary = study.summary(chance={"xnli": 100 / 3, "pawsx": 50.0})
    summary = replace(summary, untried={("xnli", ATTACK, 50): 92.0, ("pawsx", ATTACK, 50): 4.0})
    at_chance, above = (
        next(s for s in levels_answered(summary, 20).sentences if s.startswith(f"{t} with none, ") and UNDER in s)
        for t in ("xnli", "pawsx")
    )
    assert (
        "at chance before any attack, so that nothing follows from what is left; of 92 % of the attacked" in at_chance
    )
    assert "attacked examples no changed text was tried; neither the search nor random draws at the same" in at_chance
    assert re.search(r"budget did more, the difference being 0\.0 .*\(not tested: none at the floor\)$", at_chance)
    assert "at chance" not in above
    assert "no changed text" not in above


def test_what_is_not_settled_is_not_said_without_it() -> None:
    """Whatever a note says in place of the usual words."""
    study = Study()
    for seed in (1, 2):
        attacked(study, "none", "de", 300, 260, 240, seed=seed)
    summary = study.summary()
    notes = ("no cluster differs", "one cluster")
    for note in notes:
        (gain,) = (c for c in summary.contrasts if c.kind == "attack" and c.scope == "target")
        unsettled = replace(gain.estimate, p=0.4, components=None, note=note)
        other = replace(summary, contrasts=(replace(gain, estimate=unsettled, adjusted=None),))
        (said,) = (s for s in levels_answered(other).sentences if "random draws" in s)
        assert said.endswith(f"(not settled: {note})")


def test_attacks_whose_draws_do_more_say_so_and_perturbations_are_what_a_study_asks_first() -> None:
    study = Study()
    for seed in (1, 2):
        for route in ("none", "multi"):
            attacked(study, route, "de", 300, 150, 180, seed=seed)
    draws = "random draws at the same budget did more than the search, by 7.5 ["
    assert draws in (answer(study.summary(routes=["none", "multi"])) or "")
    for seed in (1, 2):
        for route in ("none", "multi"):
            study.add(route, "de", 250, perturbation="swap", severity=0.1, seed=seed)
    said = answer(study.summary(routes=["none", "multi"])) or ""
    assert said.startswith("Under perturbation zero-shot transfer loses ")
    assert "random draws" not in said


def test_what_an_attack_did_is_said_where_no_routes_are_compared() -> None:
    study = Study()
    attacked(study, "none", "de", 300, 240, 210)
    levels, attack = levels_answered(study.summary()).sentences
    assert re.fullmatch(r"xnli, the mean of 1 language other than English: 75\.0 \[\d+\.\d, \d+\.\d\] clean", levels)
    assert attack.startswith(f"xnli with none, de, {UNDER} 75.0 to 52.5 [")


def test_more_attacks_than_a_screen_holds_are_counted() -> None:
    study = Study()
    for seed in (1, 2):
        for route in ("none", "multi"):
            study.add(route, "de", 300, seed=seed)
            for number in range(11):
                study.add(route, "de", 200, attack=f"a{number}", budget=50, seed=seed)
    sentences = sentences_of(study)
    assert sum(" under a" in s and s.startswith("xnli with none") for s in sentences) == 8
    assert "and 3 more" in sentences
