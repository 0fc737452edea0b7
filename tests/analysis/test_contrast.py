"""Contrasts of routes on tables whose figures can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from crosswind.analysis.results import CellStats, ResultRow, table
from crosswind.analysis.summarise import summarise
from crosswind.evaluate.metrics import accuracy
from crosswind.evaluate.metrics.base import METRICS
from crosswind.report.answer import answer

SIGNATURE = METRICS["accuracy"].signature(device="cpu")
N = 400


class Study:
    """Cells that are right on a given share of their items, the same items first."""

    def __init__(self):
        self.rows, self.cells = [], {}

    def add(self, route, language, right, *, seed=1, target="xnli", **columns):
        key = f"cell-{len(self.rows)}"
        items = tuple(f"{target}/test/{i}" for i in range(N))
        stats = accuracy.accuracy_statistics([0] * right + [1] * (N - right), [0] * N)
        self.cells[key] = CellStats(stats, items, "accuracy", items)
        row = ResultRow(
            encoder="mini", route=route, pipeline_seed=seed, target=target, language=language, split="test",
            metric="accuracy", key="accuracy", score=100 * right / N, n=N, clusters=N, signature=SIGNATURE, cell=key,
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


def by_route(contrasts, targets):
    return {c.route: c for c in contrasts if c.targets == targets}


def two_routes(study, target="xnli", seed=1):
    study.pair("none", "en", 360, 320, seed=seed, target=target)
    study.pair("none", "de", 300, 260, seed=seed, target=target)
    study.pair("none", "sw", 200, 180, seed=seed, target=target)
    study.pair("multi", "en", 380, 370, seed=seed, target=target)
    study.pair("multi", "de", 320, 300, seed=seed, target=target)
    return study.pair("multi", "sw", 220, 216, seed=seed, target=target)


def test_what_a_route_changes_is_counted_over_the_other_languages():
    found = by_route(two_routes(Study()).contrasts(routes=["none", "multi"]), ("xnli",))
    none, multi = found["none"], found["multi"]
    assert none.clean.score == pytest.approx(100 * (300 + 200) / (2 * N))
    assert none.perturbed.score == pytest.approx(100 * (260 + 180) / (2 * N))
    assert none.drop.score == pytest.approx(100 * 60 / (2 * N))
    assert multi.clean.score == pytest.approx(100 * 40 / (2 * N))
    assert multi.perturbed.score == pytest.approx(100 * 76 / (2 * N))
    assert multi.drop.score == pytest.approx(100 * (24 - 60) / (2 * N))
    for estimate in (multi.clean, multi.perturbed, multi.drop):
        assert estimate.low < estimate.score < estimate.high


def test_the_interval_is_of_paired_items():
    """Both routes are right on the same items but for 20 each: the standard error is that of these alone."""
    found = by_route(two_routes(Study()).contrasts(routes=["none", "multi"], replicates=4000), ("xnli",))
    # Per item the mean difference over de and sw is 1/2 where one of them differs: items 300-319 and 200-219.
    difference = np.zeros(N)
    difference[300:320] += 50
    difference[200:220] += 50
    error = difference.std() / np.sqrt(N)
    clean = found["multi"].clean
    assert (clean.high - clean.low) / 2 == pytest.approx(1.96 * error, rel=0.08)


def test_pipeline_seeds_widen_the_interval_and_are_drawn_jointly():
    apart, alike = Study(), Study()
    for target in ("xnli", "pawsx"):
        for seed, gain in ((1, -60), (2, 0), (3, 60)):
            for study, more in ((apart, gain), (alike, 0)):
                study.add("none", "de", 200, seed=seed, target=target)
                study.add("multi", "de", 220 + more, seed=seed, target=target)
    targets = ("pawsx", "xnli")
    wide = by_route(apart.contrasts(replicates=4000), targets)["multi"].clean
    narrow = by_route(alike.contrasts(replicates=4000), targets)["multi"].clean
    assert wide.score == pytest.approx(narrow.score) == pytest.approx(5.0)
    # Three seeds with gains of -10, 5 and 20 points in both targets: Student's interval of their mean, whichever the
    # number of targets, for the draws are theirs together.
    seeds = np.array([-10.0, 5.0, 20.0])
    assert (wide.high - wide.low) / 2 == pytest.approx(t.ppf(0.975, 2) * seeds.std(ddof=1) / np.sqrt(3), rel=0.2)
    assert narrow.high - narrow.low < (wide.high - wide.low) / 3


def test_all_targets_are_averaged_but_for_those_at_their_floor():
    study = two_routes(Study())
    two_routes(study, target="pawsx")
    for route in ("none", "multi"):
        study.pair(route, "de", 134, 133, target="xcopa")
    found = study.contrasts(routes=["none", "multi"], chance={"xcopa": 50.0})
    together = by_route(found, ("pawsx", "xnli"))
    assert together["multi"].clean.score == pytest.approx(5.0)
    assert not by_route(found, ("pawsx", "xcopa", "xnli"))
    assert by_route(found, ("xcopa",))["multi"].clean.score == pytest.approx(0.0)


def test_what_is_not_zero_shot_or_need_not_hold_does_not_enter():
    study = two_routes(Study())
    trained = "same-task/labelled"
    study.pair("none", "fr", 100, 100).pair("multi", "fr", 390, 390, exposure=trained)
    study.add("multi", "de", 0, perturbation="shuffle", severity=1.0, draw=1)
    study.add("none", "de", 300, perturbation="shuffle", severity=1.0, draw=1)
    study.add("multi", "sw", 0, perturbation="swap", severity=0.1, draw=1, protection="answers")
    study.add("none", "sw", 0, selection="oracle").add("multi", "sw", 400, selection="oracle")
    multi = by_route(study.contrasts(routes=["none", "multi"], diagnostic={"shuffle"}), ("xnli",))["multi"]
    assert multi.clean.score == pytest.approx(5.0)
    assert multi.perturbed.score == pytest.approx(9.5)


def test_seeds_that_only_one_route_has_are_left_out():
    study = two_routes(Study())
    study.pair("none", "de", 0, 0, seed=2).pair("none", "sw", 0, 0, seed=2)
    multi = by_route(study.contrasts(routes=["none", "multi"]), ("xnli",))["multi"]
    assert (multi.clean.score, multi.pipeline_seeds) == (pytest.approx(5.0), 1)


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
    multi = by_route(summary.contrasts, ("xnli",))["multi"]
    assert (multi.clean.score, multi.perturbed.score) == pytest.approx((0.0, 0.0))
    assert any("lack some cells" in note for note in summary.notes)


def test_a_route_that_misses_a_target_is_not_in_the_mean_and_that_is_said():
    study = two_routes(two_routes(Study()), target="pawsx")
    study.pair("late", "de", 300, 260).pair("late", "sw", 200, 180)
    summary = study.summary(routes=["none", "multi", "late"])
    assert set(by_route(summary.contrasts, ("pawsx", "xnli"))) == {"none", "multi"}
    assert any(note.startswith("late is not in the mean") for note in summary.notes)


def test_the_answer_is_about_what_is_not_at_its_floor():
    study = two_routes(Study())
    for route in ("none", "multi"):
        study.pair(route, "de", 134, 133, target="xcopa")
    assert answer(study.summary(chance={"xcopa": 50.0})).endswith(
        "(xnli, other languages than English, one pipeline seed)."
    )
    lost = Study()
    for route in ("none", "multi"):
        lost.pair(route, "de", 134, 133, target="xcopa")
    assert answer(lost.summary(chance={"xcopa": 50.0})).startswith("Every route is at its floor in xcopa")


def test_targets_that_were_not_perturbed_enter_the_clean_mean_only():
    study = two_routes(Study())
    study.add("none", "de", 200, target="pawsx").add("multi", "de", 240, target="pawsx")
    multi = by_route(study.contrasts(routes=["none", "multi"]), ("pawsx", "xnli"))["multi"]
    assert multi.clean.score == pytest.approx(7.5)
    assert (multi.perturbed.score, multi.perturbed_targets) == (pytest.approx(9.5), ("xnli",))


def test_one_route_has_no_contrast_and_no_answer():
    summary = Study().pair("none", "de", 300, 200).summary()
    assert summary.contrasts == ()
    assert answer(summary) is None
    assert summary.compared().is_empty()


def test_the_answer_says_what_is_lost_and_whether_the_routes_help():
    study = two_routes(two_routes(Study()), target="pawsx")
    for target in ("xnli", "pawsx"):
        for language, right in (("en", 330), ("de", 270), ("sw", 140)):
            study.pair("worse", language, right, right - 60, target=target)
    text = answer(study.summary(routes=["none", "multi", "worse"]))
    assert text.startswith("Under perturbation zero-shot transfer loses 7.5 [")
    assert "of 62.5 points" in text
    assert "+9.5 [" in text
    assert "with multi (helps)" in text
    assert "with worse (hurts)" in text
    assert text.endswith("(means of 2 targets, other languages than English, one pipeline seed).")


def test_the_table_of_contrasts_has_a_row_each():
    summary = two_routes(Study()).summary(routes=["none", "multi"])
    frame = summary.compared()
    assert frame["route"].to_list() == ["none", "multi"]
    assert frame["drop_score"].to_list() == pytest.approx([7.5, -4.5])
