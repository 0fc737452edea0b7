"""Contrasts of routes on tables whose figures can be counted by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest

from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.analysis.results import SAME_AS_CLEAN, CellStats, ResultRow, table
from crosswind.analysis.summarise import summarise
from crosswind.errors import UserError
from crosswind.evaluate.metrics import accuracy
from crosswind.evaluate.metrics.base import METRICS
from crosswind.report.answer import answer, answer_parts, verdicts_answered

SIGNATURE = METRICS["accuracy"].signature(device="cpu")
N = 400


class Study:
    """Cells that are right on a given share of their items, the same items first."""

    def __init__(self, items=N):
        self.rows, self.cells, self.items = [], {}, items

    def add(self, route, language, right, *, seed=1, target="xnli", **columns):
        key = f"cell-{len(self.rows)}"
        n = self.items
        items = tuple(f"{target}/test/{i}" for i in range(n))
        stats = accuracy.accuracy_statistics([0] * right + [1] * (n - right), [0] * n)
        self.cells[key] = CellStats(stats, items, columns.get("metric", "accuracy"), items)
        row = ResultRow(
            encoder="mini", route=route, pipeline_seed=seed, target=target, language=language, split="test",
            metric="accuracy", key="accuracy", score=100 * right / n, n=n, clusters=n, signature=SIGNATURE, cell=key,
        )  # fmt: skip
        self.rows.append(replace(row, **columns))
        return self

    def pair(self, route, language, clean, perturbed, **columns):
        self.add(route, language, clean, **columns)
        return self.add(route, language, perturbed, perturbation="swap", severity=0.1, draw=1, **columns)

    def contrasts(self, **options):
        return summarise(table(self.rows), self.cells.__getitem__, **options).contrasts

    def summary(self, **options):
        return summarise(table(self.rows), self.cells.__getitem__, **options)


def rows(contrasts, targets, scope="target"):
    """The rows of a target, or over all, by measure and name."""
    return {(c.measure, c.name): c for c in contrasts if c.scope == scope and c.targets == targets and c.kind in KINDS}


KINDS = ("level", "difference")
MULTI = "multi − none"


def two_routes(study, target="xnli", seed=1):
    study.pair("none", "en", 360, 320, seed=seed, target=target)
    study.pair("none", "de", 300, 260, seed=seed, target=target)
    study.pair("none", "sw", 200, 180, seed=seed, target=target)
    study.pair("multi", "en", 380, 370, seed=seed, target=target)
    study.pair("multi", "de", 320, 300, seed=seed, target=target)
    return study.pair("multi", "sw", 220, 216, seed=seed, target=target)


def test_what_a_route_changes_is_counted_over_the_other_languages():
    of = rows(two_routes(Study()).contrasts(routes=["none", "multi"]), ("xnli",))
    assert of["clean", "none"].estimate.score == pytest.approx(100 * (300 + 200) / (2 * N))
    assert of["perturbed", "none"].estimate.score == pytest.approx(100 * (260 + 180) / (2 * N))
    assert of["drop", "none"].estimate.score == pytest.approx(100 * 60 / (2 * N))
    assert of["clean", MULTI].estimate.score == pytest.approx(100 * 40 / (2 * N))
    assert of["perturbed", MULTI].estimate.score == pytest.approx(100 * 76 / (2 * N))
    assert of["drop", MULTI].estimate.score == pytest.approx(100 * (24 - 60) / (2 * N))
    for measure in ("clean", "perturbed", "drop"):
        estimate = of[measure, MULTI].estimate
        assert estimate.low < estimate.score < estimate.high


def test_the_interval_is_of_paired_items():
    """Both routes are right on the same items but for 20 each: the standard error is that of these alone."""
    of = rows(two_routes(Study()).contrasts(routes=["none", "multi"]), ("xnli",))
    # Per item the mean difference over de and sw is 1/2 where one of them differs: items 300-319 and 200-219.
    difference = np.zeros(N)
    difference[300:320] += 50
    difference[200:220] += 50
    assert of["clean", MULTI].estimate.se == pytest.approx(difference.std(ddof=1) / np.sqrt(N))


def test_pipeline_seeds_are_shared_by_all_targets_and_nested_in_routes():
    study = Study()
    for target in ("xnli", "pawsx"):
        for seed, gain in ((1, -60), (2, 0), (3, 60)):
            study.add("none", "de", 200, seed=seed, target=target)
            study.add("multi", "de", 220 + gain, seed=seed, target=target)
    multi = rows(study.contrasts(), ("pawsx", "xnli"), "all")["clean", MULTI]
    # Seeds of `multi` at 40, 55 and 70 points in both targets: the variance of their mean, whichever the number of
    # targets; those of `none` do not differ.
    assert multi.estimate.components.seeds == pytest.approx(np.var([40, 55, 70], ddof=1) / 3)
    assert multi.estimate.components.df_seeds == pytest.approx(2)
    assert (multi.estimate.seeds, multi.estimate.basis) == ((3, 3), "items and seeds")
    assert multi.verdict == "not settled"
    assert multi.words.startswith("not settled: effects below ")


def test_all_targets_are_averaged_but_for_those_at_their_floor():
    study = two_routes(Study())
    two_routes(study, target="pawsx")
    for route in ("none", "multi"):
        study.pair(route, "de", 134, 133, target="xcopa")
    contrasts = study.contrasts(routes=["none", "multi"], chance={"xcopa": 50.0})
    together = rows(contrasts, ("pawsx", "xnli"), "all")
    assert together["clean", MULTI].estimate.score == pytest.approx(5.0)
    assert together["drop", MULTI].excluded == ("xcopa (at the floor)",)
    whole = rows(contrasts, ("pawsx", "xcopa", "xnli"), "all")
    assert {measure for measure, _ in whole} == {"official", "everywhere"}  # over all of them, floors or not
    assert whole["everywhere", "multi"].estimate.score == pytest.approx(100 * ((320 + 220) / 2 * 2 + 134) / 3 / N)
    multi = ((380 + 320 + 220) / 3 * 2 + 134) / 3
    assert whole["official", "multi"].estimate.score == pytest.approx(100 * multi / N)
    floored = rows(contrasts, ("xcopa",))["drop", MULTI]
    assert (floored.floored, floored.words) == (("multi", "none"), "not tested: multi, none at the floor")


def test_where_nobody_knows_what_guessing_scores_a_score_that_reaches_0_is_at_its_floor():
    study = two_routes(Study())
    for route in ("none", "multi"):
        study.pair(route, "de", 0, 0, target="panx")
    contrasts = study.contrasts(routes=["none", "multi"])
    assert rows(contrasts, ("panx",))["drop", MULTI].floored == ("multi", "none")
    assert rows(contrasts, ("xnli",))["drop", MULTI].floored == ()


def test_a_target_in_which_one_route_is_at_its_floor_enters_clean_contrasts_and_no_drop():
    """A route at its floor has nothing to lose: it must not look robust."""
    study = two_routes(two_routes(Study()), target="pawsx")
    study.pair("none", "de", 300, 240, target="xcopa").pair("multi", "de", 134, 134, target="xcopa")
    contrasts = study.contrasts(routes=["none", "multi"], chance={"xcopa": 50.0})
    clean = rows(contrasts, ("pawsx", "xcopa", "xnli"), "all")["clean", MULTI]
    assert clean.estimate.score == pytest.approx((5 + 5 + 100 * (134 - 300) / N) / 3)
    of = rows(contrasts, ("pawsx", "xnli"), "all")
    assert of["drop", MULTI].estimate.score == pytest.approx(-4.5)
    assert of["drop", MULTI].excluded == ("xcopa (at the floor)",)
    assert of["before", MULTI].estimate.score == pytest.approx(5.0)  # like for like with what is left
    assert of["perturbed", MULTI].estimate.score == pytest.approx(9.5)


def test_what_is_not_zero_shot_or_need_not_hold_does_not_enter():
    study = two_routes(Study())
    trained = "same-task/labelled"
    study.pair("none", "fr", 100, 100).pair("multi", "fr", 390, 390, exposure=trained)
    study.add("multi", "de", 0, perturbation="shuffle", severity=1.0, draw=1)
    study.add("none", "de", 300, perturbation="shuffle", severity=1.0, draw=1)
    study.add("multi", "sw", 0, perturbation="swap", severity=0.1, draw=1, protection="answers")
    study.add("none", "sw", 0, selection="oracle").add("multi", "sw", 400, selection="oracle")
    of = rows(study.contrasts(routes=["none", "multi"], diagnostic={"shuffle"}), ("xnli",))
    assert of["clean", MULTI].estimate.score == pytest.approx(5.0)
    assert of["perturbed", MULTI].estimate.score == pytest.approx(9.5)


def test_routes_may_have_other_numbers_of_seeds():
    study = two_routes(Study())
    study.pair("none", "de", 340, 260, seed=2).pair("none", "sw", 240, 180, seed=2)
    multi = rows(study.contrasts(routes=["none", "multi"]), ("xnli",))["clean", MULTI]
    assert (multi.estimate.score, multi.estimate.seeds) == (pytest.approx(0.0), (1, 2))
    assert multi.words == "one seed: not tested"
    assert multi.adjusted is None


@pytest.mark.parametrize("lost", [("multi", "sw", 1), ("multi", "sw", 2), ("none", "de", 2)])
def test_routes_are_compared_on_the_cells_that_all_have(lost):
    """Two routes that do not differ, where a cell of one failed."""
    study = Study()
    for route in ("none", "multi"):
        for seed in (1, 2):
            for language, right in (("de", 300), ("sw", 120)):
                if (route, language, seed) != lost:
                    study.pair(route, language, right, right - 40, seed=seed)
    summary = study.summary(routes=["none", "multi"])
    of = rows(summary.contrasts, ("xnli",))
    assert (of["clean", MULTI].estimate.score, of["perturbed", MULTI].estimate.score) == pytest.approx((0.0, 0.0))
    assert any("lack some cells" in note for note in summary.notes)


def test_a_run_of_which_no_seed_has_all_languages_has_figures_of_what_there_is():
    study = Study().add("none", "de", 300, seed=1).add("none", "sw", 200, seed=2).add("none", "fr", 100, seed=1)
    summary = study.summary()
    (others,) = summary.select("others")
    assert (others.languages, others.estimate.score) == (("de", "fr"), pytest.approx(50.0))


def test_a_route_that_misses_a_target_is_not_in_the_mean_and_that_is_said():
    study = two_routes(two_routes(Study()), target="pawsx")
    study.pair("late", "de", 300, 260).pair("late", "sw", 200, 180)
    summary = study.summary(routes=["none", "multi", "late"])
    assert {name for _, name in rows(summary.contrasts, ("pawsx", "xnli"), "all")} == {"none", "multi", MULTI}
    assert any(note.startswith("late is not in the mean") for note in summary.notes)


def test_routes_without_a_common_seed_over_targets_are_not_averaged():
    study = Study()
    for route, seed in (("none", 1), ("multi", 2)):
        study.pair("none", "de", 300, 260, seed=seed, target="xnli" if seed == 1 else "pawsx")
        study.pair("multi", "de", 300, 260, seed=1, target="xnli" if route == "none" else "pawsx")
    summary = study.summary()
    assert any(note.startswith("none is not in the mean over targets: no pipeline seed") for note in summary.notes)


def test_means_over_perturbations_are_over_the_languages_that_all_of_them_have():
    study = Study()
    for route, more in (("none", 0), ("multi", 20)):
        for language in ("de", "sw", "zh"):
            study.pair(route, language, 300 + more, 260 + more)
        study.add(route, "de", 100 + more, perturbation="diacritics", severity=0.2, draw=1)
    summary = study.summary(routes=["none", "multi"])
    drop = rows(summary.contrasts, ("xnli",))["drop", "none"]
    assert drop.languages == ("de",)
    assert drop.estimate.score == pytest.approx(100 * (40 + 200) / 2 / N)
    (note,) = (n for n in summary.notes if "mean over perturbations" in n)
    assert note.startswith("xnli: the mean over perturbations is over de, which all of them have; sw, zh stand with")
    swap = next(c for c in summary.contrasts if c.within == "swap" and (c.measure, c.name) == ("drop", "none"))
    assert (swap.languages, swap.estimate.score) == (("de", "sw", "zh"), pytest.approx(10.0))
    pair = next(c for c in summary.contrasts if c.kind == "perturbations" and c.name == "none")
    assert (pair.within, pair.languages) == ("diacritics − swap", ("de",))
    assert pair.estimate.score == pytest.approx(100 * (200 - 40) / N)


def test_every_pair_is_compared_and_english_with_multilingual_always():
    study = Study()
    for route, right in (("none", 200), ("english", 240), ("multilingual", 260)):
        study.pair(route, "de", right, right - 20)
    names = ["none", "english", "multilingual"]
    of = rows(study.contrasts(routes=names), ("xnli",), "all")
    pairs = {name: c.estimate.score for (m, name), c in of.items() if m == "clean" and c.kind == "difference"}
    assert pairs == {
        "english − none": pytest.approx(10.0),
        "multilingual − none": pytest.approx(15.0),
        "english − multilingual": pytest.approx(-5.0),
    }
    declared = Comparisons(pairs=(("multilingual", "none"),), margin=1.0)
    of = rows(study.contrasts(routes=names, comparisons=declared), ("xnli",), "all")
    assert {name for (m, name) in of if "−" in name} == {"multilingual − none", "english − multilingual"}
    with pytest.raises(UserError, match=r"(?s)compare\.pairs: unknown route 'multilingul'.*mean 'multilingual'"):
        study.contrasts(routes=names, comparisons=Comparisons(pairs=(("multilingul", "none"),)))


def seeded(shift=0, spread=(0, 3, -3), languages=("de", "sw")):
    study = Study()
    for route, more in (("none", 0), ("multi", shift)):
        for seed, other in zip((1, 2, 3), spread, strict=True):
            for language in languages:
                study.pair(route, language, 240 + more + other, 200 + more, seed=seed)
    return study


def test_verdicts_need_the_adjusted_p_of_the_declared_family():
    of = rows(seeded(shift=60).contrasts(), ("xnli",), "all")
    assert of["clean", MULTI].verdict == "helps"
    assert of["clean", MULTI].family == "primary"
    p = sorted(of[m, MULTI].estimate.p for m in ("clean", "perturbed", "drop"))
    assert of["drop", MULTI].adjusted == pytest.approx(max(p[2], 2 * p[1], 3 * p[0]))
    assert rows(seeded(shift=-60).contrasts(), ("xnli",), "all")["perturbed", MULTI].verdict == "hurts"


def test_no_difference_is_a_statement_of_equivalence_with_a_margin_or_is_not_made():
    plain = rows(seeded(shift=0, spread=(0, 1, -1)).contrasts(), ("xnli",), "all")["clean", MULTI]
    assert plain.verdict == "not settled"
    wide = Comparisons(margin=10.0)
    of = rows(seeded(shift=0, spread=(0, 1, -1)).contrasts(comparisons=wide), ("xnli",), "all")["clean", MULTI]
    assert of.words == "equivalent within ±10"
    narrow = Comparisons(margin=0.1)
    of = rows(seeded(shift=0, spread=(0, 1, -1)).contrasts(comparisons=narrow), ("xnli",), "all")["clean", MULTI]
    assert of.verdict == "not settled"


def test_equivalence_is_corrected_for_the_number_of_comparisons():
    study = seeded(shift=0, spread=(0, 1, -1))
    alone = rows(study.contrasts(), ("xnli",), "all")["clean", MULTI].estimate
    # Just inside the margin by itself, and no more than that among three.
    half = alone.bounds(0.08)[1] - alone.score
    of = rows(study.contrasts(comparisons=Comparisons(margin=abs(alone.score) + half)), ("xnli",), "all")
    chosen = [of[m, MULTI] for m in ("clean", "perturbed", "drop")]
    assert chosen[0].within_margin == pytest.approx(0.04, rel=1e-3)
    p = sorted(c.within_margin for c in chosen)
    assert sorted(c.equivalence for c in chosen) == pytest.approx(
        [3 * p[0], max(3 * p[0], 2 * p[1]), max(3 * p[0], 2 * p[1], p[2])]
    )
    assert chosen[0].equivalence > 0.05
    assert chosen[0].verdict == "not settled"


def test_a_model_that_was_given_is_judged_over_items():
    study = Study().pair("none", "de", 300, 200).pair("none", "en", 300, 200)
    cells = {row.cell for row in study.rows}
    of = rows(study.contrasts(given=cells), ("xnli",))
    assert of["drop", "none"].estimate.basis == "one model"
    assert of["drop", "none"].verdict == "differs"
    assert rows(study.contrasts(), ("xnli",))["drop", "none"].estimate.basis == "items"


def test_seeds_that_share_a_cell_are_one_model():
    study = Study().pair("none", "de", 300, 200)
    study.rows += [replace(row, pipeline_seed=seed) for row in study.rows for seed in (2, 3)]
    drop = rows(study.contrasts(), ("xnli",))["drop", "none"]
    assert (drop.estimate.basis, drop.estimate.seeds) == ("one model", (3,))


def test_english_stands_against_the_other_languages():
    gaps = [c for c in two_routes(Study()).contrasts(routes=["none", "multi"]) if c.kind == "source gap"]
    over_all = {(c.measure, c.name): c.estimate.score for c in gaps if c.scope == "all"}
    assert over_all["clean", "none"] == pytest.approx(100 * (360 - 250) / N)
    assert over_all["drop", "multi"] == pytest.approx(100 * (10 - (20 + 4) / 2) / N)


def test_the_gap_to_english_is_known_for_every_family_and_script():
    gaps = [c for c in two_routes(Study()).contrasts(routes=["none", "multi"]) if c.kind == "source gap"]
    of = {(c.within, c.measure, c.name): c.estimate.score for c in gaps if c.scope == "family"}
    assert of["IE: Germanic", "clean", "none"] == pytest.approx(100 * (360 - 300) / N)
    assert of["Niger-Congo", "perturbed", "multi"] == pytest.approx(100 * (370 - 216) / N)
    assert not [c for c in gaps if c.scope == "script"]  # all of them are written in one


def test_a_contrast_says_what_it_is_under_each_seed():
    study = Study()
    for seed, gain in ((1, -60), (2, 0), (3, 60)):
        study.add("none", "de", 200 + 4 * seed, seed=seed)
        study.add("multi", "de", 220 + gain, seed=seed)
    of = rows(study.contrasts(), ("xnli",))
    assert dict(of["clean", "multi"].estimate.by_seed) == pytest.approx({1: 40.0, 2: 55.0, 3: 70.0})
    # 160 - 204, 220 - 208 and 280 - 212 of 400.
    assert dict(of["clean", MULTI].estimate.by_seed) == pytest.approx({1: -11.0, 2: 3.0, 3: 17.0})
    assert of["clean", MULTI].estimate.score == pytest.approx(3.0)
    assert study.summary().compared()["by_seed"].drop_nulls()[-1].count(":") == 3


def test_languages_families_and_scripts_have_contrasts_of_their_own():
    study = Study()
    for route, more in (("none", 0), ("multi", 40)):
        for language in ("de", "nl", "ru", "sw"):
            study.pair(route, language, 200 + more, 160)
    by = {(c.scope, c.within): c.languages for c in study.contrasts() if (c.measure, c.name) == ("drop", MULTI)}
    assert by["family", "IE: Germanic"] == ("de", "nl")
    assert by["family", "Niger-Congo"] == ("sw",)
    assert by["script", "Cyrl"] == ("ru",)
    assert by["script", "Latn"] == ("de", "nl", "sw")
    assert by["language", "ru"] == ("ru",)


def test_relative_and_normalised_drops_residuals_and_errors_stand_beside_the_raw_ones():
    of = rows(two_routes(Study()).contrasts(routes=["none", "multi"], chance={"xnli": 25.0}), ("xnli",), "all")
    assert of["relative-drop", "none"].estimate.score == pytest.approx(100 * 7.5 / 62.5)
    assert of["normalised-drop", "none"].estimate.score == pytest.approx(100 * 7.5 / 37.5)
    # The line through (75, 65), (50, 45), (80, 75), (55, 54): what multi has beyond it.
    slope = np.polyfit([75, 50, 80, 55], [65, 45, 75, 54], 1)[0]
    assert of["residual", MULTI].estimate.score == pytest.approx(9.5 - slope * 5)
    error = next(c for c in two_routes(Study()).contrasts(routes=["none", "multi"]) if c.kind == "ratio")
    assert error.estimate.score == pytest.approx(100 * (100 - 64.5) / (100 - 55))


def test_the_error_over_several_perturbations_names_all_of_them():
    study = two_routes(Study())
    for route in ("none", "multi"):
        study.add(route, "de", 240, perturbation="keyboard", severity=0.2, draw=1)
    error = next(c for c in study.contrasts(routes=["none", "multi"]) if c.kind == "ratio")
    assert {c.perturbation for c in error.conditions} == {"swap", "keyboard"}
    assert error.languages == ("de", "sw")


def test_unequal_items_and_settings_that_differ_are_refused_with_the_reason():
    study = Study().pair("none", "de", 300, 260)
    study.rows[-1:] = []
    study.add("multi", "de", 300)
    study.rows[-1] = replace(study.rows[-1], n=N - 1)
    summary = study.summary()
    assert summary.contrasts == ()
    assert any("the routes were scored on unequal items" in note for note in summary.notes)
    study = (
        Study().add("none", "de", 300).add("multi", "de", 300, signature=METRICS["accuracy"].signature(device="cuda"))
    )
    summary = study.summary()
    assert summary.contrasts == ()
    assert any("these scores cannot be compared: they differ in device (cuda against cpu)" in n for n in summary.notes)


def test_seeds_of_one_cell_with_other_items_are_refused():
    study = Study().add("none", "de", 300).add("none", "de", 300, seed=2)
    cell = study.cells["cell-1"]
    study.cells["cell-1"] = replace(cell, clusters=tuple(f"other/{i}" for i in range(N)))
    with pytest.raises(UserError, match="the pipeline seeds or draws were scored on different items"):
        study.summary()


def test_a_score_that_is_no_number_is_refused():
    study = Study().add("none", "de", 300)
    study.cells["cell-0"] = replace(study.cells["cell-0"], stats=np.full((N, 3), np.nan))
    with pytest.raises(UserError, match="the score of none, xnli, de, clean is no number"):
        study.summary()


def test_what_two_routes_differ_in_and_what_they_saw_stand_beside():
    study = Study()
    for route in ("none", "english"):
        study.add(route, "fr", 300)
        study.add(route, "fr", 260, perturbation="codemix(embed=de)", severity=0.5, draw=1)
    facts = RouteFacts({"none": {}, "english": {"tasks": "mnli", "items": "8,000"}}, {"english": {"de": "labelled"}})
    of = rows(study.contrasts(routes=["none", "english"], facts=facts), ("xnli",), "all")
    assert of["drop", "english − none"].differs == "tasks: mnli | none; items: 8,000 | none"
    assert of["drop", "english − none"].material == (
        "de: labelled for english, unseen for none; script Latn: labelled for english, unseen for none"
    )


def test_the_answer_is_about_what_is_not_at_its_floor():
    study = two_routes(Study())
    for route in ("none", "multi"):
        study.pair(route, "de", 134, 133, target="xcopa")
    text = answer(study.summary(chance={"xcopa": 50.0}))
    assert "(xnli, other languages than English; one pipeline seed, intervals over items only; given this" in text
    assert "not in it: xcopa (at the floor)" in text
    lost = Study()
    for route in ("none", "multi"):
        lost.pair(route, "de", 134, 133, target="xcopa")
    assert answer(lost.summary(chance={"xcopa": 50.0})).startswith("Every route is at its floor in xcopa")


def test_the_answer_names_targets_of_which_only_clean_scores_are_compared():
    study = two_routes(Study())
    for route, right in (("none", 270), ("multi", 134)):  # multi is at the floor: of its drop nothing follows
        study.pair(route, "de", right, right - 30, target="xcopa")
    summary = study.summary(chance={"xcopa": 33.3})
    of = {c.measure: c.targets for c in summary.contrasts if (c.kind, c.scope) == ("difference", "all")}
    assert (of["clean"], of["drop"]) == (("xcopa", "xnli"), ("xnli",))
    assert "(xnli, of clean differences with xcopa besides, other languages than English;" in (answer(summary) or "")


def test_targets_that_were_not_perturbed_enter_the_mean_of_clean_scores_everywhere():
    study = two_routes(Study())
    study.add("none", "de", 200, target="pawsx").add("multi", "de", 240, target="pawsx")
    contrasts = study.contrasts(routes=["none", "multi"])
    assert rows(contrasts, ("pawsx", "xnli"), "all")["everywhere", MULTI].estimate.score == pytest.approx(7.5)
    of = rows(contrasts, ("xnli",), "all")
    assert of["perturbed", MULTI].estimate.score == pytest.approx(9.5)
    assert of["clean", MULTI].excluded == ("pawsx (not perturbed)",)


def test_one_route_has_levels_and_drops_and_no_answer():
    summary = Study().pair("none", "de", 300, 200).summary()
    assert {c.kind for c in summary.contrasts} == {"level"}
    assert answer(summary) is None


def test_the_answer_says_what_is_lost_and_whether_the_routes_help():
    study = Study()
    for seed in (1, 2, 3):
        for target in ("xnli", "pawsx"):
            two_routes(study, target, seed)
            for language, right in (("en", 330), ("de", 270), ("sw", 140)):
                study.pair("worse", language, right, right - 60, target=target, seed=seed)
    text = answer(study.summary(routes=["none", "multi", "worse"]))
    assert text.startswith("Under perturbation zero-shot transfer loses 7.5 [")
    assert "of 62.5 points without intermediate training" in text
    assert "multi − none: clean +5.0 [" in text
    assert "left under perturbation +9.5 [" in text
    assert "(helps), drop −4.5 [" in text
    assert "(more robust)" in text
    assert "worse − none: clean −" in text
    assert "(hurts)" in text
    assert text.endswith(
        "(means of 2 targets, other languages than English; intervals over items and 3 pipeline seeds; verdicts by Holm"
        " over 9 comparisons, given this encoder)."
    )


def test_the_question_comes_first_and_what_is_alike_is_said_once():
    study = Study()
    for seed in (1, 2, 3):
        for route in ("none", "english", "multilingual"):
            # Clean and perturbed scores move together by 10 points from seed to seed, and drops do not.
            right = 300 + 40 * ((seed + len(route)) % 3)
            study.pair(route, "de", right, right - 100, seed=seed)
            study.pair(route, "sw", right - 40, right - 140, seed=seed)
    summary = study.summary(routes=["none", "english", "multilingual"], comparisons=Comparisons(margin=5.0))
    parts = answer_parts(summary)
    assert parts is not None
    assert [text.partition(":")[0] for text in parts.sentences[1:]] == [
        "english − multilingual", "english − none", "multilingual − none",
    ]  # fmt: skip
    assert re.search(
        r"clean [^(]+\], left under perturbation [^(]+\] \(both not settled: effects below [\d.]+ cannot be seen"
        r" here\), drop [^(]+ \(equivalent within ±5\)$",
        parts.sentences[1],
    )
    assert verdicts_answered(summary) == (
        "None of 9 comparisons of routes shows a difference; 3 are equivalent within ±5"
    )


def test_what_differs_is_named_and_what_is_equivalent_is_counted():
    study = Study()
    for seed in (1, 2, 3):
        two_routes(study, seed=seed)
        study.pair("same", "de", 300, 260, seed=seed).pair("same", "sw", 200, 180, seed=seed)
    routes = ["none", "multi", "same"]
    said = verdicts_answered(study.summary(routes=routes, comparisons=Comparisons(margin=2.0)))
    assert said is not None
    assert said.startswith("6 of 9 comparisons of routes are settled: multi − none, clean (helps); ")
    assert said.endswith("; and 2 more. 2 more are equivalent within ±2")


def test_the_table_of_contrasts_has_a_row_each():
    frame = two_routes(Study()).summary(routes=["none", "multi"]).compared()
    row = frame.filter(scope="all", measure="drop", kind="difference").row(0, named=True)
    assert (row["name"], row["system"], row["against"], row["interval"]) == (MULTI, "multi", "none", "items")
    assert (row["estimate"], row["clusters"], row["seeds"], row["family"]) == (pytest.approx(-4.5), N, "1 1", "primary")
    assert row["verdict"] == "one seed: not tested"
    assert row["df"] == pytest.approx(N - 1)
    assert row["conditions"] == "swap:0.1"


def test_a_clean_score_of_zero_has_no_relative_drop_and_that_is_said():
    floored = Study().pair("none", "de", 0, 0).pair("multi", "de", 20, 10).summary()
    assert not any(c.measure == "relative-drop" for c in floored.contrasts)
    assert "none at the floor" in " ".join(c.words for c in floored.contrasts if c.measure == "drop")
    # No errors at all are the best that there is, and no floor.
    faultless = Study()
    for route, right in (("none", N), ("multi", N - 20)):
        faultless.pair(route, "de", right, right - 10, metric="error-rate", key="error_rate")
    summary = faultless.summary()
    assert "xnli: a clean score is 0, so no drop is measured in per cent of it." in summary.notes
    assert not any(c.measure == "relative-drop" for c in summary.contrasts)


def languages_at(damage, seeds=(1, 2, 3)):
    """English loses 10 points and German 20, and each is damaged as `damage` says."""
    study = Study()
    for seed in seeds:
        for language, clean, perturbed in (("en", 360, 320), ("de", 340, 260)):
            study.add("none", language, clean, seed=seed)
            noise = {"perturbation": "swap", "severity": 0.1, "draw": 1, **damage[language]}
            study.add("none", language, perturbed, seed=seed, **noise)
    (gap,) = [c for c in study.contrasts() if c.kind == "source gap" and c.measure == "drop" and c.scope == "target"]
    return gap


ALIKE = {"changed_items": 0.5, "words_hit": 0.2, "edits": 4.0, "chrf": 80.0, "changed_tokens": 0.3}


def test_a_gap_between_languages_that_are_damaged_alike_holds_on_every_axis():
    gap = languages_at({"en": ALIKE, "de": ALIKE})
    assert gap.estimate.score == pytest.approx(-10)
    assert gap.axes.held == ("items", "words", "edits", "chrF", "tokens")  # no token is unknown: no axis
    assert gap.verdict == "differs"


def test_a_gap_that_is_gone_at_equal_damage_depends_on_the_axis():
    # German has three times the words, edits, chrF and tokens changed for twice the loss: the gap turns round there.
    worse = {"changed_items": 0.5, "words_hit": 0.6, "edits": 12.0, "chrf": 40.0, "changed_tokens": 0.9}
    gap = languages_at({"en": ALIKE, "de": worse})
    assert gap.axes.held == ("items",)
    assert gap.axes.lost == ("words", "edits", "chrF", "tokens")
    assert gap.verdict == "depends on the axis"
    assert gap.words == (
        "depends on the axis: its sign holds on 1 of 5 axes of damage (not: words, edits, chrF, tokens)"
    )


def test_three_axes_are_enough():
    worse = {"changed_items": 0.5, "words_hit": 0.2, "edits": 4.0, "chrf": 40.0, "changed_tokens": 0.9}
    gap = languages_at({"en": ALIKE, "de": worse})
    assert gap.axes.lost == ("chrF", "tokens")
    assert gap.verdict == "differs"


def test_without_known_damage_there_are_no_axes():
    assert languages_at({"en": {"changed_items": 0.0}, "de": {}}).axes is None


def test_a_defended_system_stands_against_the_undefended_and_encoders_against_each_other():
    study = Study().pair("none", "de", 240, 200).pair("none", "de", 230, 220, defence="noise")
    (pair,) = {c.systems for c in study.contrasts() if c.kind == "difference"}
    assert pair == ("none · noise", "none")
    drop = rows(study.contrasts(), ("xnli",), "all")["drop", "none · noise − none"]
    assert drop.estimate.score == pytest.approx(100 * (10 - 40) / N)
    two = Study().pair("none", "de", 240, 200).pair("none", "de", 300, 220, encoder="large")
    two.pair("multi", "de", 300, 220, encoder="large")
    pairs = {c.systems for c in two.contrasts() if c.kind == "difference" and c.scope == "target"}
    assert pairs == {("mini · none", "large · none"), ("large · multi", "large · none")}


def test_attacks_stand_by_condition_and_in_no_mean_over_noise():
    study = Study()
    for route, left in (("none", 100), ("multi", 140)):
        study.pair(route, "de", 300, 260)
        for budget, more in ((50, 60), (500, 0)):
            study.add(route, "de", left + more, attack="polygloss", budget=budget, draw=1)
    curve = {c.within: c.estimate.score for c in study.contrasts()
             if c.scope == "condition" and (c.measure, c.name) == ("drop", MULTI)}  # fmt: skip
    assert curve == {
        "swap:0.1": pytest.approx(0.0),
        "polygloss, 50 queries": pytest.approx(-10.0),
        "polygloss, 500 queries": pytest.approx(-10.0),
    }
    assert rows(study.contrasts(), ("xnli",), "all")["drop", "none"].estimate.score == pytest.approx(10.0)


def test_the_correlation_of_same_numbered_seeds_is_noted():
    summary = seeded(shift=20).summary()
    (note,) = (n for n in summary.notes if "seeds of one number correlate" in n)
    assert note == (
        "multi and none: seeds of one number correlate by 1.00 (3 seeds, clean); they count as different trainings."
    )


def test_consistency_is_the_share_of_predictions_that_stay_as_they_were():
    study = Study()
    for route, same in (("none", 300), ("multi", 340)):
        study.pair(route, "de", 300, 260)
        items = tuple(f"xnli/test/{i}" for i in range(N))
        stats = np.stack([np.arange(N) < same, np.ones(N)], axis=1).astype(float)
        study.cells[study.rows[-1].cell + SAME_AS_CLEAN] = CellStats(stats, items, "consistency", items)
    of = rows(study.contrasts(), ("xnli",), "all")
    assert of["consistency", "none"].estimate.score == pytest.approx(75.0)
    assert of["consistency", MULTI].estimate.score == pytest.approx(10.0)
    assert not any(measure == "consistency" for measure, _ in rows(two_routes(Study()).contrasts(), ("xnli",)))


def test_systems_that_differ_in_route_and_defence_at_once_are_no_pair():
    study = Study()
    for route in ("none", "multi"):
        for defence in ("none", "noise"):
            study.pair(route, "de", 300, 260, defence=defence)
    pairs = {c.systems for c in study.contrasts(routes=["none", "multi"]) if c.kind == "difference"}
    assert pairs == {
        ("none · noise", "none"),
        ("multi · noise", "multi"),
        ("multi", "none"),
        ("multi · noise", "none · noise"),
    }


def test_a_defence_is_compared_on_what_it_was_made_for_and_on_the_rest_apart():
    """One language, by hand: 100 · (right with − right without) / 400 items, the mean over the conditions of a side."""
    study = Study()
    for defence, rights in (("none", (320, 240, 280, 200, 160)), ("noise", (316, 300, 272, 240, 200))):
        sides = ("none",) * 5 if defence == "none" else ("none", "in-family", "held-out", "held-out", "in-family")
        clean, swap, case, bidi, attacked = (
            {"right": right, "defence": defence, "familiarity": side} for right, side in zip(rights, sides, strict=True)
        )
        study.add("none", "de", **clean)
        study.add("none", "de", perturbation="swap", severity=0.1, draw=1, **swap)
        study.add("none", "de", perturbation="case", severity=0.1, draw=1, **case)
        study.add("none", "de", perturbation="bidi", severity=0.1, draw=1, **bidi)
        study.add("none", "de", attack="deepwordbug", budget=9, **attacked)
        study.add("none", "de", attack="deepwordbug.random", budget=9, **attacked)
    made = [c for c in study.contrasts() if c.scope == "familiarity"]
    perturbed = {c.within: c for c in made if c.measure == "perturbed"}
    assert {within: c.estimate.score for within, c in perturbed.items()} == pytest.approx(
        {"in-family": 15.0, "held-out": (-2.0 + 10.0) / 2, "in-family attacks": 10.0}
    )
    assert [c.perturbation for c in perturbed["held-out"].conditions] == ["bidi", "case"]
    assert [c.attack for c in perturbed["in-family attacks"].conditions] == ["deepwordbug"]
    assert {(c.name, c.kind, c.family) for c in made if c.measure == "drop"} == {
        ("none · noise − none", "difference", "differences by familiarity")
    }


def _two_ways(seeds=(1, 2, 3)):
    """`averaged` is right on 7 (de) and 3 (sw) items more when clean, and one more a seed; under noise on 10 more."""
    study = Study()
    for seed in seeds:
        two_routes(study, seed=seed)
        for language, clean, perturbed in (("en", 365, 320), ("de", 307 + seed, 270), ("sw", 203 + seed, 190)):
            study.pair("none", language, clean, perturbed, seed=seed, selection="averaged")
        study.add("none", "fr", 100, seed=seed, selection="averaged")
    return study


def test_another_way_of_choosing_checkpoints_is_compared_with_the_usual_one_on_the_same_cells():
    made = [c for c in _two_ways().contrasts(routes=["none", "multi"]) if c.kind == "selection"]
    assert {(c.scope, c.measure, c.name) for c in made} == {
        (scope, measure, "none: averaged − english")
        for scope in ("all", "target")
        for measure in ("everywhere", "perturbed")
    }
    (clean,) = [c for c in made if (c.scope, c.measure) == ("target", "everywhere")]
    assert clean.languages == ("de", "sw")  # fr has no usual cell, en is the source
    assert clean.estimate.score == pytest.approx(100 * 14 / (2 * N))
    assert clean.estimate.components.seeds == pytest.approx(np.var([1.5, 1.75, 2.0], ddof=1) / 3)
    assert clean.family == "selections by target"
    (noisy,) = [c for c in made if (c.scope, c.measure) == ("target", "perturbed")]
    assert noisy.estimate.score == pytest.approx(100 * 20 / (2 * N))
    assert [c.label for c in noisy.conditions] == ["swap:0.1"]
    one = [c for c in _two_ways([1]).contrasts(routes=["none", "multi"]) if c.kind == "selection"]
    assert {c.words for c in one} == {"one seed: not tested"}


def test_a_way_that_no_seed_has_beside_the_usual_one_is_compared_with_nothing():
    study = two_routes(two_routes(Study(), seed=1), seed=2)
    study.pair("none", "de", 310, 270, seed=3, selection="oracle")
    study.pair("none", "de", 310, 270, seed=1, selection="averaged")
    study.pair("none", "sw", 210, 190, seed=2, selection="averaged")
    made = study.contrasts(routes=["none", "multi"])
    assert [c for c in made if c.kind == "selection"] == []
    assert any(c.kind == "difference" for c in made)


def test_the_usual_comparisons_do_not_change_by_another_way():
    base = two_routes(two_routes(two_routes(Study(), seed=1), seed=2), seed=3)

    def by_name(study):
        rows = [c for c in study.contrasts() if c.kind != "selection"]
        return {(c.name, c.kind, c.measure, c.scope, c.within): (c.estimate.score, c.estimate.low) for c in rows}

    assert by_name(base) == by_name(_two_ways())


def test_a_condition_is_one_over_targets_with_limits_of_their_own():
    study = two_routes(Study())
    for route, clean, perturbed in (("none", 300, 280), ("multi", 320, 310)):
        for draw, right, noise in ((0, clean, {}), (1, perturbed, {"perturbation": "swap", "severity": 0.1})):
            study.add(route, "de", right, target="panx", rows="50 by clusters", selection="untuned", draw=draw, **noise)
    rows = [c for c in study.contrasts(routes=["none", "multi"]) if c.scope == "condition" and c.measure == "drop"]
    (drop,) = [c for c in rows if c.name == "none"]
    assert (drop.within, drop.targets) == ("swap:0.1", ("panx", "xnli"))
    assert drop.estimate.score == pytest.approx((100 * 20 / N + 100 * 60 / (2 * N)) / 2)
