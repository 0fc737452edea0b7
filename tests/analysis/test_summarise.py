"""Summaries of small tables whose figures can be counted by hand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from crosswind.analysis.condition import Condition
from crosswind.analysis.results import CellStats, ResultRow, exposure, table
from crosswind.analysis.summarise import summarise
from crosswind.errors import UserError
from crosswind.evaluate.metrics import accuracy
from crosswind.evaluate.metrics.base import METRICS

SIGNATURE = METRICS["accuracy"].signature(device="cpu")
ITEMS = tuple(f"xnli/test/{i}" for i in range(300))
KEYBOARD = {"perturbation": "keyboard", "severity": 0.1, "draw": 1}


class Study:
    """Rows and statistics of cells that are right on the first `right` of their items."""

    def __init__(self):
        self.rows, self.cells = [], {}

    def add(self, language, right, items=ITEMS, **columns):
        key = f"cell-{len(self.rows)}"
        stats = accuracy.accuracy_statistics([0] * right + [1] * (len(items) - right), [0] * len(items))
        clusters = tuple(f"{item}/premise" for item in items)
        self.cells[key] = CellStats(stats, clusters, "accuracy", items)
        base = ResultRow(
            encoder="mini",
            route=columns.pop("route", "none"),
            pipeline_seed=columns.pop("pipeline_seed", 1),
            target="xnli",
            language=language,
            split="test",
            metric="accuracy",
            key="accuracy",
            score=100 * right / len(items),
            n=len(items),
            clusters=len(items),
            signature=columns.pop("signature", SIGNATURE),
            cell=key,
        )
        self.rows.append(replace(base, **columns))
        return self

    def summary(self, **options):
        return summarise(table(self.rows), self.cells.__getitem__, **options)


def one(summary, **wanted):
    found = [x for x in summary.lines if all(getattr(x, k) == v for k, v in wanted.items())]
    assert len(found) == 1, wanted
    return found[0]


def test_the_clean_score_beside_a_perturbed_one_is_over_the_same_languages():
    study = Study().add("en", 270).add("de", 240).add("fr", 210).add("sw", 120)
    study.add("en", 240, **KEYBOARD).add("de", 210, **KEYBOARD).add("fr", 150, **KEYBOARD)
    summary = study.summary()
    clean = one(summary, scope="others", condition=Condition())
    assert clean.languages == ("de", "fr", "sw")
    assert clean.estimate.score == pytest.approx((80 + 70 + 40) / 3)
    assert clean.clean is clean.drop is None
    noisy = one(summary, scope="others", condition=Condition("keyboard", 0.1))
    assert noisy.languages == ("de", "fr")
    assert noisy.estimate.score == pytest.approx(60)
    assert noisy.clean.score == pytest.approx(75)
    assert noisy.drop.score == pytest.approx(15)
    assert noisy.drop.low < 15 < noisy.drop.high
    english = one(summary, scope="english", condition=Condition("keyboard", 0.1))
    assert (english.estimate.score, english.clean.score) == pytest.approx((80, 90))


def test_a_drop_is_paired_by_item():
    study = Study().add("de", 240).add("de", 225, **KEYBOARD)
    line = one(study.summary(), scope="others", condition=Condition("keyboard", 0.1))
    drop, clean = line.drop, line.clean
    # 15 of 300 items turn wrong, none right: the variance is that of a 5 % count.
    assert drop.high - drop.low == pytest.approx(2 * 1.96 * 100 * np.sqrt(0.05 * 0.95 / 300), rel=0.1)
    assert drop.high - drop.low < 0.65 * (clean.high - clean.low)
    assert drop.low > 0


def test_seeds_and_draws_are_averaged_within_a_language():
    study = Study().add("de", 240).add("de", 210, pipeline_seed=2)
    for seed, draw, right in [(1, 1, 180), (1, 2, 150), (2, 1, 120)]:
        study.add("de", right, pipeline_seed=seed, perturbation="keyboard", severity=0.1, draw=draw)
    line = one(study.summary(), scope="others", condition=Condition("keyboard", 0.1))
    assert line.estimate.score == pytest.approx(((60 + 50) / 2 + 40) / 2)
    assert line.clean.score == pytest.approx(75)
    assert (line.pipeline_seeds, line.draws, line.n) == (2, 2, 300)


def test_languages_that_any_route_was_trained_on_leave_every_zero_shot_mean():
    study = Study()
    for route, right in [("english", (240, 210, 180)), ("multilingual", (270, 225, 180))]:
        for language, r in zip(("de", "fr", "sw"), right, strict=True):
            labelled = route == "multilingual" and language == "de"
            study.add(language, r, route=route, exposure=exposure("same-task", "labelled" if labelled else "unseen"))
        study.add("en", 270, route=route, exposure=exposure("same-task", "labelled"))
    summary = study.summary(routes=["multilingual", "english"])
    for route, score in [("english", 65), ("multilingual", 67.5)]:
        line = one(summary, route=route, scope="others")
        assert (line.languages, line.estimate.score) == (("fr", "sw"), pytest.approx(score))
        assert line.trained_on == ()
        assert one(summary, route=route, scope="english").languages == ("en",)
    apart = one(summary, route="multilingual", scope="translate-train")
    assert (apart.languages, apart.trained_on, apart.estimate.score) == (("de",), ("de",), pytest.approx(90))
    assert one(summary, route="english", scope="translate-train").trained_on == ()
    assert "de left out of every route's zero-shot mean" in summary.notes[0]
    assert [x.route for x in summary.select("others")] == ["multilingual", "english"]


def test_the_source_language_of_a_target_takes_the_place_of_english():
    study = Study().add("en", 270).add("de", 240).add("sw", 120)
    summary = study.summary(sources={"xnli": "de"})
    assert one(summary, scope="english").languages == ("de",)
    assert one(summary, scope="others").languages == ("en", "sw")
    assert "xnli: its source language is German (de)." in summary.notes
    assert study.summary().notes == ()


def test_cells_whose_interval_reaches_chance_are_marked():
    summary = Study().add("en", 270).add("de", 240).add("sw", 105).summary(chance={"xnli": 100 / 3})
    others = one(summary, scope="others")
    assert not others.at_floor
    assert others.floor_languages == ("sw",)
    assert one(summary, scope="language", languages=("sw",)).at_floor
    assert not one(summary, scope="english").at_floor
    assert not any(x.at_floor for x in Study().add("sw", 105).summary().lines)


def test_an_attack_on_some_items_stands_beside_their_clean_score():
    some = ITEMS[200:300]
    study = Study().add("de", 250)
    study.add("de", 20, some, attack="polygloss", budget=500, rows="200-299", pipeline_seed=1)
    line = one(study.summary(), scope="others", condition=Condition(attack="polygloss", budget=500, rows="200-299"))
    assert line.condition.label == "polygloss, 500 queries, rows 200-299"
    assert (line.clean.score, line.estimate.score, line.n) == (pytest.approx(50), pytest.approx(20), 100)


def test_a_perturbed_cell_needs_its_clean_one():
    with pytest.raises(UserError, match=r"no clean result beside keyboard:0\.1 of none, xnli, de"):
        Study().add("en", 270).add("de", 240, **KEYBOARD).summary()
    with pytest.raises(UserError, match="other items than the clean test set"):
        Study().add("de", 240).add("de", 1, ("elsewhere/1",), **KEYBOARD).summary()


def test_scores_of_different_settings_are_not_subtracted():
    other = METRICS["accuracy"].signature(device="cuda")
    with pytest.raises(UserError, match=r"cannot be compared with clean: device \(cpu against cuda\)"):
        Study().add("de", 240).add("de", 210, signature=other, **KEYBOARD).summary()
    protected = METRICS["accuracy"].signature(device="cpu", protect="answers")
    study = Study().add("de", 240).add("de", 210, signature=protected, protection="answers", **KEYBOARD)
    line = study.summary().select("others")[1]
    assert line.condition.label == "keyboard:0.1, answers protected"


def test_cross_language_pairs_stand_apart():
    study = Study().add("de", 240, context_language="de").add("de", 30, context_language="zh")
    summary = study.summary()
    assert one(summary, scope="others").estimate.score == pytest.approx(80)
    assert [x.languages for x in summary.select("language")] == [("de",), ("zh-de",)]


def test_routes_scored_on_different_languages_are_noted():
    study = Study().add("de", 240).add("fr", 240).add("de", 210, route="english")
    assert study.summary().notes == (
        "xnli, clean: the routes were scored on different languages, and so are their means.",
        "xnli: some routes or seeds lack some cells; the routes are compared on what all have.",
    )


def test_the_summary_is_a_tidy_table():
    study = Study().add("en", 270).add("de", 240).add("de", 210, **KEYBOARD)
    frame = study.summary(chance={"xnli": 100 / 3}).table()
    row = frame.filter((pl.col("scope") == "others") & (pl.col("perturbation") == "keyboard")).row(0, named=True)
    assert row["languages"] == "de"
    assert (row["score"], row["clean_score"], row["drop_score"]) == pytest.approx((70, 80, 10))
    assert frame.filter(pl.col("perturbation") == "clean")["drop_score"].null_count() == 4
    assert study.summary().table().equals(study.summary().table())
    assert summarise(table([]), {}.__getitem__).table().is_empty()


def test_a_cell_without_a_score_is_in_no_mean_drop_or_contrast_and_is_named():
    study = Study()
    for route, more in (("none", 0), ("english", 15)):
        for language, clean, noisy in (("en", 270, 240), ("de", 240, 180), ("sr", 150, 150)):
            study.add(language, clean + more, route=route)
            score = {"score": None, "changed_items": 0.0} if language == "sr" else {"changed_items": 0.9}
            study.add(language, noisy + more, route=route, **KEYBOARD, **score, changed_tokens=0.25)
    summary = study.summary(routes=["none", "english"])
    noisy = one(summary, route="none", scope="others", condition=Condition("keyboard", 0.1))
    assert (noisy.languages, noisy.estimate.score, noisy.drop.score) == (("de",), *map(pytest.approx, (60, 20)))
    assert (noisy.changed_items, noisy.changed_tokens) == (0.9, 0.25)
    clean = one(summary, route="none", scope="others", condition=Condition())
    assert (clean.languages, clean.changed_items) == (("de", "sr"), None)
    base = {c.measure: c for c in summary.contrasts if (c.name, c.scope, c.kind) == ("none", "all", "level")}
    assert (base["perturbed"].estimate.score, base["drop"].estimate.score) == pytest.approx((60, 20))
    assert base["drop"].changed_items == pytest.approx(0.9)
    assert [(x.route, x.scope, x.languages, x.changed_items) for x in summary.unchanged] == [
        ("english", "language", ("sr",), 0.0),
        ("none", "language", ("sr",), 0.0),
    ]
    assert not [x for x in summary.lines if x.languages == ("sr",) and not x.condition.clean]


def test_a_mean_of_which_every_cell_is_without_a_score_is_named():
    study = Study().add("en", 270).add("de", 240)
    study.add("en", 270, **KEYBOARD, score=None, changed_items=0.01).add("de", 240, **KEYBOARD, score=None)
    summary = study.summary()
    assert {line.condition for line in summary.lines} == {Condition()}
    assert {x.scope: x.changed_items for x in summary.unchanged if x.scope != "language"} == {
        "english": 0.01,
        "others": 0.0,
    }


def test_the_changed_share_of_a_mean_is_that_of_its_languages():
    study = Study().add("de", 240).add("fr", 240)
    study.add("de", 200, **KEYBOARD, changed_items=0.4, changed_tokens=0.1)
    study.add("fr", 200, **KEYBOARD, changed_items=0.8, changed_tokens=0.3)
    line = one(study.summary(), scope="others", condition=Condition("keyboard", 0.1))
    assert (line.changed_items, line.changed_tokens) == pytest.approx((0.6, 0.2))
    columns = study.summary().table().filter(scope="others", perturbation="keyboard")
    assert columns["changed_items"].item() == pytest.approx(0.6)


def test_pairs_of_languages_have_a_mean_of_their_own():
    """MLQA: 40 % and 60 % over two pairs, beside the 80 % of German passages with German questions."""
    study = Study().add("en", 270).add("de", 240).add("de", 120, context_language="en")
    summary = study.add("es", 180, context_language="de").summary()
    pairs = one(summary, scope="pairs")
    assert pairs.languages == ("de-es", "en-de")
    assert pairs.estimate.score == pytest.approx(50)
    others = one(summary, scope="others")
    assert (others.languages, others.estimate.score) == (("de",), pytest.approx(80))


def test_a_route_without_a_defence_comes_before_its_defences_in_every_table_and_figure():
    study = Study()
    for defence in ("adversarial", "noise", "none"):
        for route in ("english", "none"):
            study.add("de", 240, route=route, defence=defence)
    lines = [(x.route, x.defence) for x in study.summary(routes=("none", "english")).lines if x.scope == "language"]
    assert lines == [(route, d) for route in ("none", "english") for d in ("none", "adversarial", "noise")]
