"""What a study of another size would show: from the variance components of a contrast, by seeds, items and draws.

Items follow their clusters: a study draws whole ones, so that twice the items are twice the clusters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaincinv, ndtr, stdtrit

from crosswind.analysis.estimate import LEVEL, POWER, Components
from crosswind.analysis.multiplicity import ALPHA
from crosswind.evaluate.metrics.base import Array

MOST = 100.0
"""Times the clusters at hand that a plan asks for at most, where nobody knows how many items there are."""
LEAST_CLUSTERS = 30
"""Clusters that a plan asks for at least, or as many as are at hand: with fewer the variance of items is hardly known
(Cameron, Gelbach and Miller 2008, on tests with five to thirty clusters)."""


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


@dataclass(frozen=True, slots=True)
class PlannedComponents:
    """The variance components of a contrast in a study that was not run.

    `items` is V_I without the interaction, `seeds` has the interaction in it. `seed_count` is None where seeds are no
    sample; `systems` of them vary alike.
    """

    items: float
    interaction: float
    seeds: float
    df_items: float
    seed_count: int | None
    systems: int

    def power(self, effect: float, alpha: float) -> float:
        """How often such studies show an effect: the probability that the estimate lies beyond the half width, the mean
        over the half widths that they estimate."""
        se = math.sqrt(self.items + self.seeds)
        if se == 0:
            return 1.0
        of_items = _squared_of_items(self.df_items, alpha)
        squares = of_items * (self.items + self.interaction)
        if self.seed_count is not None:
            of_seeds = _squared_of_seeds(self.seed_count, self.systems, alpha)[:, None] * self.seeds
            squares = of_items * self.items + np.maximum(of_items * self.interaction, of_seeds)
        return float(ndtr((effect - np.sqrt(squares)) / se).mean())


@lru_cache(maxsize=1024)
def _squared_of_items(df: float, alpha: float) -> Array:
    """Squared half widths of a variance of 1 that is estimated with so many degrees of freedom."""
    values: Array = stdtrit(df, alpha / 2) ** 2 * _chi_squared(df, 15)
    return values


@lru_cache(maxsize=256)
def _squared_of_seeds(seeds: int, systems: int, alpha: float) -> Array:
    """The same of a variance between seeds, the mean of that of one system or of two; Welch's number of degrees of
    freedom depends on how unequal they happen to be estimated."""
    if systems == 1:
        values: Array = stdtrit(seeds - 1, alpha / 2) ** 2 * _chi_squared(seeds - 1, 60)
        return values
    each = _chi_squared(seeds - 1, 24)
    first, second = np.repeat(each, len(each)), np.tile(each, len(each))
    df = (seeds - 1) * (first + second) ** 2 / (first**2 + second**2)
    squares: Array = stdtrit(df, alpha / 2) ** 2 * (first + second) / 2
    return squares


def _chi_squared(df: float, steps: int) -> Array:
    """Values of chi squared over its degrees of freedom that each stand for an equal share of its distribution."""
    values: Array = gammaincinv(df / 2, (np.arange(steps) + 0.5) / steps) * 2 / df
    return values


def planned_components(
    parts: Components,
    seeds: int,
    clusters: float,
    of_draws: DrawVariance | None = None,
    draws: int | None = None,
) -> PlannedComponents:
    """The components of a study of so many seeds, clusters and draws, from those of a pilot.

    Where two systems or more vary between seeds they are taken to vary alike: few seeds do not say otherwise.
    """
    random = parts.seeds > 0 or parts.interaction > 0
    of_items = parts.sigma_item**2 / clusters
    interaction = parts.sigma_interaction**2 / (seeds * clusters) if random else 0.0
    if of_draws is not None and draws is not None:
        scale = parts.clusters / clusters
        of_items = max(0.0, of_items - of_draws.saved(of_draws.items, draws) * scale)
        saved = of_draws.saved(of_draws.interaction, draws) * scale * parts.seed_count / seeds
        interaction = max(0.0, interaction - saved) if random else 0.0
    return PlannedComponents(
        items=of_items,
        interaction=interaction,
        seeds=parts.sigma_seed**2 / seeds + interaction if random else 0.0,
        df_items=max(1.0, parts.df_items * clusters / parts.clusters),
        seed_count=seeds if random else None,
        systems=1 if parts.df_seeds <= parts.seed_count - 1 + 1e-9 else 2,
    )


def detectable(
    parts: Components,
    seeds: int,
    clusters: float,
    comparisons: int = 1,
    of_draws: DrawVariance | None = None,
    draws: int | None = None,
) -> float:
    """The smallest effect in points that a study of so many seeds, clusters and draws would show, with a power of 80 %.

    It is about a half width and 0.84 to 1.06 standard errors, and more where few seeds say how wide the interval is.
    """
    planned = planned_components(parts, seeds, clusters, of_draws, draws)
    alpha = ALPHA / comparisons
    low, high = 0.0, 1.0
    while planned.power(high, alpha) < POWER:
        high *= 2
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if planned.power(middle, alpha) >= POWER else (middle, high)
    return high


def clusters_needed(
    parts: Components,
    effect: float,
    seeds: int,
    comparisons: int = 1,
    of_draws: DrawVariance | None = None,
    draws: int | None = None,
    most: float = MOST,
) -> int | None:
    """The fewest clusters of items with which so many seeds and draws show an effect with a power of 80 %; `None` where
    `most` times those at hand do not."""
    low, high = min(LEAST_CLUSTERS, parts.clusters), int(parts.clusters * most)

    def shown(clusters: int) -> bool:
        planned = planned_components(parts, seeds, clusters, of_draws, draws)
        return planned.power(effect, ALPHA / comparisons) >= POWER

    if not shown(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle + 1, high)
    return low


def price_of_seeds(seeds: int) -> float:
    """How much wider an interval is than with known variance, where two nested systems' seeds dominate."""
    return float(np.abs(stdtrit(2 * (seeds - 1), (1 - LEVEL) / 2)) / 1.959964)
