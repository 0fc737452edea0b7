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


@dataclass(frozen=True)
class Planned:
    """A study that was not run: seeds, clusters of items, the smallest effect that it would show, and its cost.

    `effect` is in points, with a power of 80 % at 5 %, corrected for `comparisons` by Bonferroni (an upper bound of
    Holm's). `training` and `predicting` are multiples of what the run at hand costs for these two.
    """

    seeds: int
    clusters: int
    effect: float
    training: float
    predicting: float


@dataclass(frozen=True)
class Forecasted:
    """What a contrast would need: `now` is what the run at hand shows, `best` the limit of more items, `cheapest` the
    least study of the grid that shows the effect, `None` where none of it does."""

    contrast: Contrast
    effect: float
    comparisons: int
    now: float
    more_items: float
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
            most = self.grid[-1]
            return f"{head}; {most.seeds} seeds of {most.clusters:,} clusters would show {most.effect:.1f}, no less"
        plan = self.cheapest
        items = c.estimate.clusters
        more = "" if plan.clusters <= items else f" on {plan.clusters:,} clusters of items (now {items:,})"
        gain = self.now - self.more_items
        useless = "; more items alone would not help" if gain < 0.1 * self.now else ""
        return f"{head}; {plan.seeds} seeds{more} would show {plan.effect:.1f}{useless}"


def detectable(parts: Components, seeds: int, clusters: float, comparisons: int = 1) -> float:
    """The smallest effect in points that a study of so many seeds and clusters would show, with a power of 80 %.

    Degrees of freedom grow as the counts do (Welch's number of those of the run over its seeds).
    """
    random = parts.seeds > 0 or parts.interaction > 0
    df_items = max(1.0, parts.df_items * clusters / parts.clusters)
    systems = max(1.0, parts.df_seeds / max(1, parts.seed_count - 1)) if random else 1.0
    df_seeds = systems * (seeds - 1)
    of_items = parts.sigma_item**2 / clusters
    interaction = parts.sigma_interaction**2 / (seeds * clusters) if random else 0.0
    of_seeds = parts.sigma_seed**2 / seeds + interaction
    alpha = ALPHA / comparisons
    t_items, t_seeds = stdtrit(df_items, alpha / 2) ** 2, stdtrit(df_seeds, alpha / 2) ** 2
    half = math.sqrt(t_items * of_items + max(t_items * interaction, t_seeds * of_seeds if random else 0.0))
    df = df_seeds if random and t_seeds * of_seeds > t_items * (of_items + interaction) else df_items
    return half + float(stdtrit(df, POWER)) * math.sqrt(of_items + of_seeds)


def plan_contrast(contrast: Contrast, effect: float, comparisons: int = 1) -> Forecasted | None:
    """What would show an effect of this size in a contrast; `None` where it has no components to plan from, or one
    seed, which says nothing of the others."""
    parts = contrast.estimate.components
    if parts is None or contrast.one_seed:
        return None
    at_hand = contrast.estimate.clusters
    many = parts.seed_count if parts.seeds > 0 else 1
    grid = []
    for factor in FACTORS:
        for seeds in SEEDS if parts.seeds > 0 else (1,):
            clusters = round(at_hand * factor)
            reached = detectable(parts, seeds, clusters, comparisons)
            grid.append(Planned(seeds, clusters, reached, seeds / many, seeds * factor / many))
    showing = [p for p in grid if p.effect <= effect]
    # Training is what costs: the fewest seeds first, then the fewest items.
    cheapest = min(showing, key=lambda p: (p.training, p.predicting), default=None)
    now = detectable(parts, many, at_hand, comparisons)
    more = detectable(parts, many, at_hand * FACTORS[-1], comparisons)
    return Forecasted(contrast, effect, comparisons, now, more, tuple(grid), cheapest)


def price_of_seeds(seeds: int) -> float:
    """How much wider an interval is than with known variance, where two nested systems' seeds dominate."""
    return float(np.abs(stdtrit(2 * (seeds - 1), (1 - LEVEL) / 2)) / 1.959964)


def plan_family(contrasts: Sequence[Contrast], effect: float) -> list[Forecasted]:
    """The plans of the contrasts of one family, each corrected for their number."""
    tested = [c for c in contrasts if c.estimate.components is not None and not c.one_seed and not c.at_floor]
    plans = (plan_contrast(c, effect, max(1, len(tested))) for c in tested)
    return [plan for plan in plans if plan is not None]
