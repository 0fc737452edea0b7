"""How many seeds, items and draws show an effect: planned from known components, and checked by simulated studies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.estimate import Components, Estimate, IntervalBasis, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence
from crosswind.analysis.planner import ItemCount, Pilot, plan_contrast, plan_family, plan_together
from crosswind.analysis.sample_sizes import PlannedComponents, clusters_needed, detectable


def components(item: float, seed: float, both: float, seeds: int = 3, clusters: int = 100) -> Components:
    """Of a contrast of two routes with these standard deviations, as the specification takes them together."""
    interaction = both**2 / (seeds * clusters)
    return Components(
        items=item**2 / clusters + interaction,
        interaction=interaction,
        seeds=seed**2 / seeds + interaction,
        df_items=clusters - 1.0,
        df_seeds=2.0 * (seeds - 1),
        seed_count=seeds,
        clusters=clusters,
    )


def contrast(parts: Components, basis: IntervalBasis = "items and seeds", **more: object) -> Contrast:
    seeds = (parts.seed_count, parts.seed_count)
    value = Estimate(0.0, -1.0, 1.0, basis, 1.0, parts, seeds, parts.clusters)
    made = Contrast(
        name="english − none", kind="difference", measure="clean", scope="all", within="",
        systems=("english", "none"), targets=("xnli",), languages=("de",), conditions=(), estimate=value,
        better="higher", family="primary",
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_of_a_fixed_model_the_items_are_those_of_the_textbook() -> None:
    """One standard deviation of 20 points, an effect of 2: n = ((1.960 + 0.842) 20 / 2)^2 = 785 (Cohen 1988), and two
    more for Student's t in the place of the normal distribution."""
    parts = replace(components(20, 0, 0), seeds=0.0)
    assert clusters_needed(parts, 2.0, 1) == 787
    assert detectable(parts, 1, 787) <= 2.0 < detectable(parts, 1, 786)
    # Bonferroni over three: (2.394 + 0.842)^2 100 = 1,047, and three more.
    assert clusters_needed(parts, 2.0, 1, comparisons=3) == 1050
    assert clusters_needed(parts, 2.0, 1, most=7.0) is None  # the task has 700
    assert clusters_needed(parts, 30.0, 1) == 30  # never so few that their variance is not known


@pytest.mark.parametrize(("seeds", "effect"), [(3, 3.0), (5, 2.0), (10, 1.2)])
def test_the_power_is_that_of_the_noncentral_t_distribution(seeds: int, effect: float) -> None:
    """Where one variance is all that is random a test is Student's: of the seeds of one system, or of the items."""
    for alpha in (0.05, 0.05 / 3):
        beyond = stats.nct.sf(stats.t.ppf(1 - alpha / 2, seeds - 1), seeds - 1, effect)
        assert PlannedComponents(0.0, 0.0, 1.0, 99.0, seeds, 1).power(effect, alpha) == pytest.approx(beyond, abs=0.005)
        beyond = stats.nct.sf(stats.t.ppf(1 - alpha / 2, 59), 59, effect)
        assert PlannedComponents(1.0, 0.0, 0.0, 59.0, None, 2).power(effect, alpha) == pytest.approx(beyond, abs=0.005)


def test_a_plan_names_seeds_items_and_draws_and_takes_the_cheapest() -> None:
    pilot = Pilot(training=300.0, other=60.0, items={"xnli": ItemCount(400, 5010)})
    made = contrast(components(20, 2, 20))
    plan = plan_contrast(made, 2.95, pilot=pilot)
    assert plan is not None
    assert plan.cheapest is not None
    by_seeds = {p.seeds: p for p in plan.enough}
    # With 6 seeds the 5,010 items that the task has would not do.
    assert min(by_seeds) == 8
    # Training costs 100 s a seed, predicting 20 s a seed and 400 items.
    costs = {s: s * 100 + s * 20 * p.clusters / 100 for s, p in by_seeds.items()}
    assert pilot.seconds(plan.cheapest) == pytest.approx(min(costs.values()))
    assert plan.cheapest.seeds == min(costs, key=lambda s: costs[s])
    assert by_seeds[8].items == {"xnli": 4 * by_seeds[8].clusters}
    assert plan.sentence == (
        f"english − none, clean: seen now {plan.now:.1f} points; {plan.cheapest.seeds} seeds, "
        f"{plan.cheapest.items['xnli']:,} items a language (now 400) would show {plan.cheapest.effect:.1f}"
    )
    nothing = plan_contrast(made, 0.2, pilot=pilot)
    assert nothing is not None
    assert nothing.cheapest is None
    assert nothing.sentence.endswith("and no study planned here 0.2")
    seen = plan_contrast(made, 20.0, pilot=pilot)
    assert seen is not None
    assert "points would be shown by what is there; 3 seeds, 120 items a language (now 400) would do" in seen.sentence


def test_of_two_contrasts_of_one_name_each_has_its_own_draws() -> None:
    """Targets whose scores are better when lower have a mean of their own, with the same names of contrasts."""
    noisy = components(20, 1, 5)
    up = contrast(noisy, measure="drop", draws=2)
    down = contrast(noisy, measure="drop", draws=2, better="lower", targets=("ppl",))

    def alone(c: Contrast, item: float) -> Contrast:
        return replace(c, estimate=replace(c.estimate, components=components(item, 1, 5)))

    # Of the first the draws differ by nothing, of the second by much.
    single = [[alone(up, 20.0), alone(down, 30.0)] for _ in range(2)]
    first, second = plan_family([up, down], 2.0, single)
    assert first.of_draws.items == pytest.approx(0.0)
    assert second.of_draws.items == pytest.approx(2 * (30**2 - 20**2) / 100)


def test_one_study_shows_the_effect_in_all_contrasts() -> None:
    pilot = Pilot(training=300.0, other=60.0, items={"xnli": ItemCount(400)})
    contrasts = [contrast(components(20, 1, 5)), contrast(components(30, 2, 5), measure="perturbed")]
    plans = plan_family(contrasts, 4.0, pilot=pilot)
    whole = plan_together(plans, pilot)
    assert whole is not None
    for plan in plans:
        parts = plan.contrast.estimate.components
        assert parts is not None
        assert detectable(parts, whole.seeds, whole.clusters, 2) <= 4.0
        assert plan.cheapest is not None
        assert pilot.seconds(plan.cheapest) <= pilot.seconds(whole)
    assert whole.items == {"xnli": 4 * whole.clusters}


def power(
    plan: tuple[int, int], spread: tuple[float, float, float], effect: float, comparisons: int, studies: int
) -> float:
    """How often studies of so many seeds and clusters show an effect of two routes whose contrast has these spreads."""
    seeds, clusters = plan
    item, seed, both = (x / np.sqrt(2) for x in spread)
    rng = np.random.default_rng([seeds, clusters])
    numbers = ClusterNumbers()
    layout = numbers.layout_of(np.arange(clusters, dtype=np.intp))
    layouts = frozenset([layout])

    def route(level: float) -> Influence:
        values = level + item * rng.standard_normal(clusters) + seed * rng.standard_normal((seeds, 1))
        values = values + both * rng.standard_normal((seeds, clusters))
        theta = values.mean(axis=1)
        # Without a cluster the mean changes by its distance over the others' number.
        apart = (values - theta[:, None]) / (clusters - 1)
        return Influence(tuple(range(seeds)), theta, apart, numbers.columns(layouts), layouts)

    shown = 0
    for _ in range(studies):
        made = estimate([(1.0, route(effect)), (-1.0, route(0.0))], numbers)
        assert made.components is not None
        shown += made.score > made.components.half_width(0.05 / comparisons)
    return shown / studies


@pytest.mark.parametrize(
    ("spread", "seeds"),
    [((20.0, 2.0, 10.0), 5), ((20.0, 0.3, 25.0), 3), ((8.0, 3.0, 8.0), 8)],
    ids=["both", "items alone", "seeds dominate"],
)
def test_a_planned_study_has_the_power_that_the_plan_states(spread: tuple[float, float, float], seeds: int) -> None:
    """80 % at 5 %, corrected for three comparisons, at the sizes that the plan says; 400 simulated studies a plan, so
    that one standard error is 2 points."""
    plan = plan_contrast(contrast(components(*spread)), 6.0, 3)
    assert plan is not None
    planned = plan.with_fewest_items(seeds)
    assert planned is not None
    assert planned.effect <= 6.0 + 1e-6
    assert power((planned.seeds, planned.clusters), spread, 6.0, 3, 400) == pytest.approx(0.8, abs=0.06)
    # With half of the seeds it has less.
    assert power((max(2, planned.seeds // 2), planned.clusters), spread, 6.0, 3, 100) < 0.7
