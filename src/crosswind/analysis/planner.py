"""How many seeds, items and draws would show an effect: planned from the variance components of a run or a pilot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.estimate import LEVEL, POWER, Components
from crosswind.analysis.multiplicity import ALPHA

SEEDS = (3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50)
FACTORS = (1.0, 2.0, 4.0)
"""Of the clusters of items at hand."""
DRAWS = (1, 2, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class DrawVariance:
    """What draws of noise add to the variance of a contrast, in points squared, with one draw and as many clusters and
    seeds as the run has: to that of items alone and to the interaction with seeds. `draws` are those of the run.

    With D draws the mean over them has the D-th part of it. It is measured by the variances with each draw alone: their
    mean exceeds that with all D by (1 - 1/D) of it.
    """

    draws: int
    items: float = 0.0
    interaction: float = 0.0

    @classmethod
    def measured(cls, whole: Components, single: Sequence[Components]) -> DrawVariance:
        """From the components with all draws and with each draw alone; nothing is known of one draw."""
        many = len(single)
        if many < 2:
            return cls(max(1, many))

        def share(of_all: float, of_each: Sequence[float]) -> float:
            return max(0.0, (float(np.mean(of_each)) - of_all) * many / (many - 1))

        alone = share(whole.items - whole.interaction, [x.items - x.interaction for x in single])
        return cls(many, alone, share(whole.interaction, [x.interaction for x in single]))

    def saved(self, variance: float, draws: int) -> float:
        """How much less variance so many draws have than the run's."""
        return variance * (1 / self.draws - 1 / draws)


@dataclass(frozen=True)
class Planned:
    """A study that was not run: seeds, clusters of items, draws, the smallest effect that it would show, and its cost.

    `effect` is in points, with a power of 80 % at 5 %, corrected for `comparisons` by Bonferroni (an upper bound of
    Holm's). `training` and `predicting` are multiples of what the run at hand costs for these two.
    """

    seeds: int
    clusters: int
    draws: int
    effect: float
    training: float
    predicting: float


@dataclass(frozen=True)
class Forecasted:
    """What a contrast would need: `now` is what the run at hand shows, `more_items` and `more_draws` what it would show
    with more of these alone (`None` of draws where the run has one, which says nothing of others), `cheapest` the least
    study of the grid that shows the effect, `None` where none of it does."""

    contrast: Contrast
    effect: float
    comparisons: int
    now: float
    more_items: float
    more_draws: float | None
    of_draws: DrawVariance
    grid: tuple[Planned, ...]
    cheapest: Planned | None

    @property
    def sentence(self) -> str:
        """`english − none, clean: 5 seeds would show 2.0 points; 4 times the items would not help`."""
        c = self.contrast
        head = f"{c.name}, {c.measure}: seen now {self.now:.1f} points"
        if self.now <= self.effect:
            return f"{head}, so {self.effect:g} points would be shown by what is there"
        if self.cheapest is None:
            most = min(self.grid, key=lambda p: p.effect)
            size = f"{most.seeds} seeds of {most.clusters:,} clusters" + _draws(most.draws, self.of_draws.draws)
            return f"{head}; {size} would show {most.effect:.1f}, no less"
        plan = self.cheapest
        items = c.estimate.clusters
        more = "" if plan.clusters <= items else f" on {plan.clusters:,} clusters of items (now {items:,})"
        more = _draws(plan.draws, self.of_draws.draws) + more
        alone = {"items": self.more_items, "draws": self.more_draws}
        useless = [what for what, shown in alone.items() if shown is not None and self.now - shown < 0.1 * self.now]
        text = f"; more {' or '.join(useless)} alone would not help" if useless else ""
        return f"{head}; {plan.seeds} seeds{more} would show {plan.effect:.1f}{text}"


def _draws(asked: int, now: int) -> str:
    return "" if asked == now else f", {asked} draw{'' if asked == 1 else 's'} (now {now})"


def detectable(
    parts: Components,
    seeds: int,
    clusters: float,
    comparisons: int = 1,
    of_draws: DrawVariance | None = None,
    draws: int | None = None,
) -> float:
    """The smallest effect in points that a study of so many seeds, clusters and draws would show, with a power of 80 %.

    Degrees of freedom grow as the counts do (Welch's number of those of the run over its seeds).
    """
    random = parts.seeds > 0 or parts.interaction > 0
    df_items = max(1.0, parts.df_items * clusters / parts.clusters)
    systems = max(1.0, parts.df_seeds / max(1, parts.seed_count - 1)) if random else 1.0
    df_seeds = systems * (seeds - 1)
    of_items = parts.sigma_item**2 / clusters
    interaction = parts.sigma_interaction**2 / (seeds * clusters) if random else 0.0
    if of_draws is not None and draws is not None:
        scale = parts.clusters / clusters
        of_items = max(0.0, of_items - of_draws.saved(of_draws.items, draws) * scale)
        saved = of_draws.saved(of_draws.interaction, draws) * scale * parts.seed_count / seeds
        interaction = max(0.0, interaction - saved) if random else 0.0
    of_seeds = parts.sigma_seed**2 / seeds + interaction
    alpha = ALPHA / comparisons
    t_items, t_seeds = stdtrit(df_items, alpha / 2) ** 2, stdtrit(df_seeds, alpha / 2) ** 2
    half = math.sqrt(t_items * of_items + max(t_items * interaction, t_seeds * of_seeds if random else 0.0))
    df = df_seeds if random and t_seeds * of_seeds > t_items * (of_items + interaction) else df_items
    return half + float(stdtrit(df, POWER)) * math.sqrt(of_items + of_seeds)


def plan_contrast(
    contrast: Contrast,
    effect: float,
    comparisons: int = 1,
    of_draws: DrawVariance | None = None,
    perturbed: float = 0.0,
) -> Forecasted | None:
    """What would show an effect of this size in a contrast; `None` where it has no components to plan from, or one
    seed, which says nothing of the others. `perturbed` is the share of predictions that draws multiply."""
    parts = contrast.estimate.components
    if parts is None or contrast.one_seed:
        return None
    at_hand = contrast.estimate.clusters
    many = parts.seed_count if parts.seeds > 0 else 1
    noise = of_draws or DrawVariance(max(1, contrast.draws))
    matters = noise.items > 0 or noise.interaction > 0
    grid = []
    for draws in sorted({noise.draws, *(DRAWS if matters else ())}):
        for factor in FACTORS:
            for seeds in SEEDS if parts.seeds > 0 else (1,):
                clusters = round(at_hand * factor)
                reached = detectable(parts, seeds, clusters, comparisons, noise, draws)
                cells = seeds * factor / many * (1 - perturbed + perturbed * draws / noise.draws)
                grid.append(Planned(seeds, clusters, draws, reached, seeds / many, cells))
    showing = [p for p in grid if p.effect <= effect]
    # Training is what costs: the fewest seeds first, then the fewest items.
    cheapest = min(showing, key=lambda p: (p.training, p.predicting), default=None)
    now = detectable(parts, many, at_hand, comparisons)
    more = detectable(parts, many, at_hand * FACTORS[-1], comparisons)
    drawn = detectable(parts, many, at_hand, comparisons, noise, DRAWS[-1] * noise.draws) if noise.draws > 1 else None
    return Forecasted(contrast, effect, comparisons, now, more, drawn, noise, tuple(grid), cheapest)


def price_of_seeds(seeds: int) -> float:
    """How much wider an interval is than with known variance, where two nested systems' seeds dominate."""
    return float(np.abs(stdtrit(2 * (seeds - 1), (1 - LEVEL) / 2)) / 1.959964)


def plan_family(
    contrasts: Sequence[Contrast],
    effect: float,
    single: Sequence[Sequence[Contrast]] = (),
    perturbed: float = 0.0,
) -> list[Forecasted]:
    """The plans of the contrasts of one family, each corrected for their number; `single` has the same contrasts with
    each draw alone."""
    tested = [c for c in contrasts if c.estimate.components is not None and not c.one_seed and not c.at_floor]
    alone = [{(c.name, c.measure, c.kind): c.estimate.components for c in of_draw} for of_draw in single]

    def of_draws(c: Contrast) -> DrawVariance | None:
        each = [by_name.get((c.name, c.measure, c.kind)) for by_name in alone]
        known = [parts for parts in each if parts is not None]
        whole = c.estimate.components
        return DrawVariance.measured(whole, known) if whole is not None and len(known) == len(each) > 1 else None

    plans = (plan_contrast(c, effect, max(1, len(tested)), of_draws(c), perturbed) for c in tested)
    return [plan for plan in plans if plan is not None]
