"""Comparisons at equal damage, slopes, splits by material, items that all had right, and second intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from test_contrast import N, Study, rows

from crosswind.analysis.condition import Condition
from crosswind.analysis.contrast import Comparisons, RouteFacts, Slope
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.equal_damage import difference_at_equal_damage, drop_at
from crosswind.analysis.influence import Influence
from crosswind.analysis.material import embedded_languages, language_seen, material_seen, script_exposure
from crosswind.analysis.results import WHERE_RIGHT, CellStats
from crosswind.analysis.slopes import amounts, slope_coefficients
from crosswind.errors import UserError


def quantity(value: float) -> Influence:
    return Influence((1,), np.array([value]), np.zeros((1, 3)), np.arange(3), frozenset())


def noisy(
    study: Study, right: int, damage: float, name: str, severity: float, route: str = "none", **more: Any
) -> None:
    axes = {"changed_items": damage, "words_hit": damage, "edits": 10 * damage, "chrf": 100 - 50 * damage}
    axes |= {"changed_tokens": damage, "unknown_tokens": 0.0}
    study.add("none", "de", right, perturbation=name, severity=severity, draw=1, **{**axes, **more})


@given(
    st.lists(st.tuples(st.floats(0.01, 10), st.floats(-50, 50)), min_size=1, max_size=5, unique_by=lambda p: p[0]),
    st.floats(0, 1),
)
def test_a_drop_is_read_from_the_straight_lines_between_clean_and_the_severities(
    points: list[tuple[float, float]], share: float
) -> None:
    points.sort()
    damage = share * points[-1][0]
    weighted = drop_at([(d, quantity(y)) for d, y in points], damage)
    expected = np.interp(damage, [0, *(d for d, _ in points)], [0, *(y for _, y in points)])
    assert sum(w * x.mean for w, x in weighted) == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match="is beyond the curve"):
        drop_at([(d, quantity(y)) for d, y in points], points[-1][0] * 1.01)


def test_nothing_is_read_beyond_what_both_were_damaged() -> None:
    long, short = [(1.0, quantity(4.0)), (3.0, quantity(12.0))], [(2.0, quantity(5.0))]
    both = difference_at_equal_damage(long, short)
    assert both is not None
    assert sum(w * x.mean for w, x in both) == pytest.approx(8.0 - 5.0)
    assert difference_at_equal_damage(long, []) is None


def equal_damage(contrasts: tuple[Contrast, ...]) -> dict[str, Contrast]:
    return {c.within: c for c in contrasts if c.kind == "equal damage"}


def test_two_perturbations_are_compared_where_they_damage_alike() -> None:
    """Swap takes 4 points at a damage of .1 and 12 at .3, keyboard 10 at .2, where swap takes 8 by its line."""
    study = Study().add("none", "de", 300)
    noisy(study, 284, 0.1, "swap", 0.1)
    noisy(study, 252, 0.3, "swap", 0.3)
    noisy(study, 260, 0.2, "keyboard", 0.2)
    at = equal_damage(study.contrasts())
    assert set(at) == {f"keyboard − swap at equal {x}" for x in ("items", "words", "edits", "chrF", "tokens")}
    row = at["keyboard − swap at equal words"]
    assert row.estimate.score == pytest.approx(10 - 8)
    lost = [np.arange(N) >= right for right in (260, 284, 252)]
    item = 100 * (lost[0] - (lost[1].astype(float) + lost[2]) / 2) * (np.arange(N) < 300)
    assert row.estimate.se == pytest.approx(item.std(ddof=1) / np.sqrt(N))
    assert row.axes is not None
    assert row.axes.held == ("items", "words", "edits", "chrF", "tokens")
    raw = next(c for c in study.contrasts() if c.kind == "perturbations")
    assert raw.estimate.score == pytest.approx(10 - (4 + 12) / 2)
    assert raw.axes == row.axes


def test_a_comparison_of_perturbations_whose_sign_depends_on_the_axis_says_so() -> None:
    """Keyboard takes more at equal words, less at equal characters, tokens and chrF."""
    study = Study()
    for seed in (1, 2, 3):
        study.add("none", "de", 300, seed=seed)
        noisy(study, 260, 0.2, "swap", 0.1, seed=seed)
        noisy(study, 200, 0.2, "keyboard", 0.1, seed=seed, edits=9.0, chrf=40.0, changed_tokens=0.9)
    at = equal_damage(study.contrasts())
    words, edits = (at[f"keyboard − swap at equal {x}"] for x in ("words", "edits"))
    assert words.estimate.score == pytest.approx(25 - 10)
    assert edits.estimate.score == pytest.approx(25 * 2 / 9 - 10)
    assert words.axes is not None
    assert words.axes.held == ("items", "words")
    assert (words.verdict, edits.verdict) == ("depends on the axis", "differs")
    assert "its sign holds on 2 of 5 axes of damage (not: edits, chrF, tokens)" in words.words


def test_languages_are_compared_where_they_are_damaged_alike() -> None:
    study = Study()
    for language, clean, perturbed, damage in (("en", 360, 320, 0.2), ("de", 340, 260, 0.6)):
        study.add("none", language, clean)
        study.add("none", language, perturbed, perturbation="swap", severity=0.1, draw=1, words_hit=damage)
    row = equal_damage(study.contrasts())["source − others at equal words"]
    assert row.estimate.score == pytest.approx(10 - 20 / 3)


@given(st.lists(st.floats(1, 1000), min_size=2, max_size=6, unique=True), st.integers(0, 1000))
def test_the_coefficients_of_a_slope_are_those_of_least_squares(x: list[float], seed: int) -> None:
    if np.ptp(np.log2(x)) < 0.01:
        return
    y = np.random.default_rng(seed).normal(size=len(x))
    assert y @ slope_coefficients(x, doubling=True) == pytest.approx(np.polyfit(np.log2(x), y, 1)[0], rel=1e-6)
    assert y @ slope_coefficients(x, doubling=False) == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-6)


FACTS = RouteFacts({"small": {"items": "1,000"}, "middle": {"items": "2,000"}, "large": {"items": "8,000"}})
SLOPE = Slope("items", (("small", None), ("middle", None), ("large", None)))


def test_a_slope_over_a_declared_factor_is_one_comparison_over_its_routes() -> None:
    study = Study()
    clean = {"small": 200, "middle": 220, "large": 260}
    for seed in (1, 2, 3):
        for route, right in clean.items():
            study.pair(route, "de", right + seed, right - 40, seed=seed)
    of = {
        c.measure: c
        for c in study.contrasts(facts=FACTS, comparisons=Comparisons(slopes=(SLOPE,)))
        if c.kind == "slope" and c.scope == "all"
    }
    row = of["clean"]
    assert row.estimate.score == pytest.approx(np.polyfit([0, 1, 3], np.array([202, 222, 262]) / 4, 1)[0])
    assert (row.name, row.systems, row.family) == ("doubling of items", ("small", "middle", "large"), "primary")
    assert row.differs == "items: small 1,000 | middle 2,000 | large 8,000"
    assert row.verdict == "helps"
    a = slope_coefficients([1000, 2000, 8000], doubling=True)
    assert row.estimate.components is not None
    of_seeds = np.var([0.25, 0.5, 0.75], ddof=1) / 3
    assert row.estimate.components.seeds == pytest.approx(float(np.square(a).sum() * of_seeds))
    assert of["drop"].estimate.score == pytest.approx(0.0, abs=1e-9)


def test_a_slope_without_known_amounts_or_with_equal_ones_is_refused() -> None:
    with pytest.raises(UserError, match=r"compare\.slopes: nobody knows how much of 'hours' small has"):
        amounts(replace(SLOPE, factor="hours"), FACTS)
    with pytest.raises(UserError, match="have equally much of 'hours'"):
        amounts(Slope("hours", (("a", 2.0), ("b", 2.0))), FACTS)
    with pytest.raises(UserError, match="is not above 0"):
        amounts(Slope("items", (("a", -2.0), ("b", 2.0))), FACTS)
    with pytest.raises(UserError, match="is not above 0"):
        amounts(Slope("items", (("small", 0.0), ("large", None))), FACTS)
    linear = Slope("items", (("none", 0.0), ("small", 0.0), ("large", None)), doubling=False)
    assert amounts(linear, FACTS) == {"none": 0.0, "small": 0.0, "large": 8000.0}  # what is said is taken, 0 as well


SEEN = {"english": {"de": "labelled", "en": "labelled", "lexicon ntrex": "unlabelled"}, "mlm": {"nl": "unlabelled"}}


def test_what_is_seen_of_a_script_is_the_most_that_is_seen_of_its_languages() -> None:
    assert embedded_languages("codemix(embed=de,zh,rate=0.2)") == ("de", "zh")
    assert script_exposure("Latn", "english", SEEN) == "labelled"
    assert script_exposure("Latn", "mlm", SEEN) == "unlabelled"
    assert script_exposure("Hans", "mlm", SEEN) == "unseen"


def test_a_code_without_its_script_is_the_language_that_was_seen() -> None:
    seen = {"english": {"qlo-Latn": "labelled", "sr-Latn": "unlabelled", "lexicon qlo": "labelled"}}
    assert language_seen("qlo", "english", seen) == language_seen("qlo-Latn", "english", seen) == "labelled"
    assert language_seen("sr-Cyrl", "english", seen) == "unseen"
    condition = Condition(perturbation="codemix(embed=qlo)", severity=0.2)
    said = material_seen([condition], ["english"], seen)
    assert said.startswith("qlo: labelled for english; script Latn: labelled for english")


def test_code_mixing_is_split_by_what_the_routes_have_seen_of_it() -> None:
    study = Study()
    for route in ("none", "english"):
        study.add(route, "fr", 300)
        for embedded, right in (("de", 280), ("ru", 240)):
            left = right + (10 if route == "english" else 0)
            study.add(route, "fr", left, perturbation=f"codemix(embed={embedded})", severity=0.5, draw=1)
    contrasts = study.contrasts(routes=["none", "english"], facts=RouteFacts({}, SEEN))
    of = {(c.name, c.within): c.estimate.score for c in contrasts if c.scope == "material" and c.measure == "drop"}
    assert of == {
        ("none", "unseen"): pytest.approx(100 * (20 + 60) / 2 / N),
        ("english", "labelled"): pytest.approx(100 * 10 / N),
        ("english", "unseen"): pytest.approx(100 * 50 / N),
        ("english − none", "labelled | unseen"): pytest.approx(-100 * 10 / N),
        ("english − none", "unseen"): pytest.approx(-100 * 10 / N),
    }
    drop = rows(contrasts, ("xnli",), "all")["drop", "english − none"]
    assert drop.material.startswith("de: labelled for english, unseen for none; ru: unseen for english")
    assert "script Cyrl: unseen for english, unseen for none" in drop.material
    assert drop.material.endswith("lexicon ntrex: unlabelled for english, unseen for none")
    assert material_seen((), ("none",), SEEN) == ""


def test_the_drop_on_items_that_all_had_right_is_from_100() -> None:
    """Of the 200 items that both had right, `none` keeps 150 and `multi` 180; the items are others under each seed."""
    study = Study()
    for seed in (1, 2, 3):
        for route, left in (("none", 150), ("multi", 180)):
            study.pair(route, "de", 300, 260, seed=seed)
            items = tuple(f"xnli/test/{i}" for i in range(seed, 200 + seed))
            stats = np.stack([np.arange(200) < left, np.ones(200), np.zeros(200)], axis=1).astype(float)
            study.cells[study.rows[-1].cell + WHERE_RIGHT] = CellStats(stats, items, "accuracy", items)
    summary = study.summary(routes=["none", "multi"])
    of = rows(summary.contrasts, ("xnli",), "all")
    assert of["right-drop", "none"].estimate.score == pytest.approx(25.0)
    assert of["right-drop", "multi − none"].estimate.score == pytest.approx(-15.0)
    assert of["right-drop", "multi − none"].verdict == "more robust"
    assert not any("a selection by outcome" in note for note in summary.notes)  # which stands where such drops do
    assert not any(c.measure == "right-drop" for c in Study().pair("none", "de", 300, 260).contrasts())


def test_the_official_mean_has_every_language_in_it() -> None:
    study = Study()
    for route, more in (("none", 0), ("multi", 20)):
        study.add(route, "en", 360 + more).add(route, "de", 300 + more)
        study.add(route, "fr", 200 + more, exposure="same-task/labelled")
    of = rows(study.contrasts(routes=["none", "multi"]), ("xnli",), "all")
    assert of["clean", "none"].languages == ("de",)
    assert of["official", "none"].languages == ("de", "en", "fr")
    assert of["official", "none"].estimate.score == pytest.approx(100 * (360 + 300 + 200) / 3 / N)
    assert of["official", "multi − none"].estimate.score == pytest.approx(5.0)


def three_routes(seeds: tuple[int, ...] = (1, 2, 3)) -> Study:
    study = Study()
    spread = {"none": (0, 4, -4, 2, 1), "english": (8, -8, 0, 3, 2), "multi": (1, 0, -1, 1, 2)}
    for route, of_seeds in spread.items():
        for seed in seeds:
            study.pair(route, "de", 240 + of_seeds[seed - 1], 200, seed=seed)
    return study


def test_the_pooled_interval_has_one_variance_between_seeds() -> None:
    row = rows(three_routes().contrasts(), ("xnli",), "all")["clean", "english − multi"]
    (pooled,) = row.second
    parts = row.estimate.components
    assert parts is not None
    variances = [np.var(np.array(x) / 4, ddof=1) for x in ((0, 4, -4), (8, -8, 0), (1, 0, -1))]
    x = 2 * np.mean(variances) / 3
    t_items, t_seeds = student.ppf(0.975, parts.df_items) ** 2, student.ppf(0.975, 6) ** 2
    half = np.sqrt(t_items * (parts.items - parts.interaction) + max(t_items * parts.interaction, t_seeds * x))
    assert (pooled.over, pooled.df) == ("seeds pooled", 6)
    assert pooled.high - pooled.low == pytest.approx(2 * half)
    assert not rows(three_routes((1, 2, 3, 4, 5)).contrasts(), ("xnli",), "all")["clean", "none"].second


def test_languages_that_are_random_within_families_widen_the_interval() -> None:
    """Without variance of items within families the formula is s² / N on N - F degrees of freedom."""
    study = Study()
    gains = {"de": 8, "nl": 40, "ru": 12, "uk": 28, "tr": 20}
    for seed in (1, 2, 3):
        for language, gain in gains.items():
            study.add("none", language, 200, seed=seed).add("multi", language, 200 + gain, seed=seed)
    chosen = Comparisons(random_languages=True)
    row = rows(study.contrasts(comparisons=chosen), ("xnli",), "all")["clean", "multi − none"]
    (wider,) = [x for x in row.second if x.over == "languages random"]
    assert wider.df == 5 - 3
    points = {language: 100 * gain / N for language, gain in gains.items()}
    squares = 2 * ((points["de"] - points["nl"]) / 2) ** 2 + 2 * ((points["ru"] - points["uk"]) / 2) ** 2
    between = squares / 2 / 5
    matrix = np.array([[100.0 * (200 <= i < 200 + g) for i in range(N)] for g in gains.values()])
    apart = matrix.copy()
    for pair in ((0, 1), (2, 3), (4,)):
        apart[list(pair)] -= matrix[list(pair)].mean(axis=0)
    by_items = apart.var(axis=1, ddof=1).sum() / N / 2 / 5
    parts = row.estimate.components
    assert parts is not None
    t_items, t = student.ppf(0.975, parts.df_items) ** 2, student.ppf(0.975, 2) ** 2
    first = parts.half_width(0.05) ** 2
    by_items = min(by_items, parts.items)
    half = np.sqrt(max(0, first - t_items * by_items) + max(t_items * by_items, t * between))
    assert (wider.high - wider.low) / 2 == pytest.approx(half)
    table = study.summary(comparisons=chosen).compared().filter(scope="all", measure="clean", kind="difference")
    assert table["languages_low"].to_list() == [pytest.approx(wider.low)]
    assert not [x for x in rows(study.contrasts(), ("xnli",), "all")["clean", "multi − none"].second
                if x.over == "languages random"]  # fmt: skip


def test_floors_are_those_of_the_languages() -> None:
    """Guessing scores 30 in German and 70 in Swahili: at 35 and 72 points only the mean's own chance decides."""
    study = Study().pair("none", "de", 240, 200).pair("none", "sw", 282, 240).pair("none", "fr", 282, 240)
    summary = study.summary(chance={"xnli": {"de": 30.0, "sw": 70.0, "fr": 30.0}})
    lines = {line.languages: line for line in summary.lines if line.condition.clean and line.scope == "language"}
    assert {languages[0]: line.at_floor for languages, line in lines.items()} == {"de": False, "sw": True, "fr": False}
    of = rows(summary.contrasts, ("xnli",))
    drop, above = 100 * (40 + 42 + 42) / 3 / N, 100 * (240 + 282 + 282) / 3 / N - 130 / 3
    assert of["normalised-drop", "none"].estimate.score == pytest.approx(100 * drop / above)
