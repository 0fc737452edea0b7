"""Estimates with their intervals, over another sample of items and of pipeline seeds.

Clusters of items and pipeline seeds are crossed random factors; seeds are nested in systems (seed 1 of two routes is
two trainings). The variance of a contrast has three components: items, seeds, and the interaction of both (Owen 2007,
"The pigeonhole bootstrap", section 3). Each enters the half width with its own quantile of Student's t: one joint
number of degrees of freedom (Satterthwaite's) covers too little where few seeds happen to agree (compare Graybill and
Wang 1980 on sums of variance components). Figures of a simulation: docs/statistics.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import expit, logit, stdtrit

from crosswind.analysis.influence import (
    UNLIMITED,
    ClusterNumbers,
    Indices,
    Influence,
    Limits,
    Strata,
    limits_of_sum,
    weighted_sum,
)
from crosswind.evaluate.metrics.base import Array

LEVEL = 0.95
POWER = 0.80
NEAR_BOUND = 5.0
"""Points from 0 or 100 within which a level's interval is made on the logit scale."""

IntervalBasis = Literal["items and seeds", "items", "one model", "none"]
"""What an interval is over: items and pipeline seeds; items alone, of one seed; items, of a model that is no sample of
seeds; or there is no interval."""


@dataclass(frozen=True, slots=True)
class Components:
    """The variance of an estimate, in points squared, by what is random.

    `items` counts the interaction once (V_I), `interaction` is V_int, at most as large, and `seeds` counts the
    interaction once too. `seed_count` is the smallest number of seeds of a system whose seeds are random, `clusters`
    the number of clusters.
    """

    items: float
    interaction: float
    seeds: float
    df_items: float
    df_seeds: float
    seed_count: int
    clusters: int

    @property
    def variance(self) -> float:
        """The unbiased variance of the estimate."""
        return max(0.0, self.items + self.seeds - self.interaction)

    def half_width(self, alpha: float) -> float:
        """Half the width of the interval of level 1 - alpha."""
        t_items = float(stdtrit(self.df_items, alpha / 2)) ** 2
        joint = t_items * self.interaction
        if self.seeds > 0:
            joint = max(joint, float(stdtrit(self.df_seeds, alpha / 2)) ** 2 * self.seeds)
        return math.sqrt(t_items * (self.items - self.interaction) + joint)

    @property
    def df(self) -> float:
        """The degrees of freedom of the larger component of the half width."""
        t_items, t_seeds = (stdtrit(df, (1 - LEVEL) / 2) for df in (self.df_items, self.df_seeds or 1.0))
        return self.df_seeds if t_seeds**2 * self.seeds > t_items**2 * self.items else self.df_items

    def p_value(self, size: float) -> float:
        """The alpha at which the half width is the absolute size of the estimate."""
        if size == 0:
            return 1.0
        low, high = -100.0, 0.0  # the exponent of 10
        for _ in range(45):
            middle = (low + high) / 2
            if self.half_width(10**middle) > abs(size):
                low = middle
            else:
                high = middle
        return float(10**high)

    def detectable(self) -> float:
        """The smallest effect that would be seen at 5 % with a power of 80 %."""
        return self.half_width(1 - LEVEL) + float(stdtrit(self.df, POWER)) * math.sqrt(self.variance)

    @property
    def sigma_item(self) -> float:
        """The standard deviation between clusters: its square over the number of clusters is their variance."""
        return math.sqrt(max(0.0, self.items - self.interaction) * self.clusters)

    @property
    def sigma_seed(self) -> float:
        """The standard deviation between seeds of what does not come from the items; 0 where it is estimated below."""
        return math.sqrt(max(0.0, self.seeds - self.interaction) * self.seed_count)

    @property
    def sigma_interaction(self) -> float:
        """The standard deviation of a cluster under a seed, of what neither explains."""
        return math.sqrt(self.interaction * self.clusters * self.seed_count)

    def standard_error(self, seeds: float, clusters: float) -> float:
        """What the standard error would be with other numbers of seeds and clusters."""
        of_seeds, of_items = self.sigma_seed**2 / seeds, self.sigma_item**2 / clusters
        return math.sqrt(of_seeds + of_items + self.sigma_interaction**2 / (seeds * clusters))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score or a difference in points with its interval of 95 %, which is missing where there is none.

    `basis` says what the interval is over, `components` where it comes from. `p` is of no difference, so a score has
    none; `note` says what is special: no cluster that differs, one cluster. `by_seed` are the values under the pipeline
    seeds that all systems have, (seed, points); empty where seeds are no sample or the value is no sum. `unseen`, where
    all clusters were alike: what could still be there, in points (the rule of three). `limits` are between what the
    value can lie (a score, the difference of two): no interval goes beyond.
    """

    score: float
    low: float | None
    high: float | None
    basis: IntervalBasis = "none"
    p: float | None = None
    components: Components | None = None
    seeds: tuple[int, ...] = ()
    clusters: int = 0
    note: str = ""
    by_seed: tuple[tuple[int, float], ...] = ()
    unseen: float | None = None
    limits: Limits = UNLIMITED

    @property
    def cut(self) -> bool:
        """Whether the interval ends where the value can, and would go on beyond."""
        return self.low == self.limits[0] < self.score or self.score < self.limits[1] == self.high

    @property
    def remark(self) -> str:
        """What is special, for a table: the note, and whether the interval was cut."""
        return "; ".join(filter(None, (self.note, CUT_SHORT if self.cut else "")))

    @property
    def se(self) -> float | None:
        """The standard error, in points."""
        return None if self.components is None else math.sqrt(self.components.variance)

    @property
    def detectable(self) -> float | None:
        """The smallest effect that would have been seen with a power of 80 %, in points; where all clusters were alike,
        `unseen`: of a larger one some cluster would have differed with a probability of 95 % or more."""
        if self.components is None:
            return self.unseen
        return self.components.detectable()

    def p_below(self, bound: float) -> float | None:
        """The p-value of the one-sided test that the truth is `bound` or more: small where it lies below."""
        return self._one_sided(bound - self.score)

    def p_above(self, bound: float) -> float | None:
        """The p-value of the one-sided test that the truth is `bound` or less: small where it lies above."""
        return self._one_sided(self.score - bound)

    def p_between(self, low: float, high: float) -> float | None:
        """The p-value of two one-sided tests: small where the truth lies between the bounds (Schuirmann 1987)."""
        above, below = self.p_above(low), self.p_below(high)
        return None if above is None or below is None else max(above, below)

    def _one_sided(self, distance: float) -> float | None:
        if self.components is not None:
            p = self.components.p_value(distance) / 2
            return p if distance > 0 else 1 - p
        if self.unseen is None:
            return None
        # n clusters without one that differs: exp(-n share), 5 % where the share is 3 / n.
        return math.exp(-3 * distance / self.unseen) if distance > 0 else 1.0

    @property
    def unseen_words(self) -> str:
        """What effects could not have been seen, in words; empty where nobody knows."""
        if self.detectable is None:
            return ""
        if self.detectable >= max(-self.limits[0], self.limits[1]):
            return "no effect that scores can have can be seen here"
        return f"effects below {self.detectable:.1f} cannot be seen here"

    def bounds(self, alpha: float) -> tuple[float, float] | None:
        """The interval of level 1 - alpha; that of 95 % where all items were alike."""
        if self.components is None:
            return None if self.low is None or self.high is None else (self.low, self.high)
        return within_limits(self.score, self.components.half_width(alpha), self.limits)


CUT_SHORT = "interval cut where what it is of can lie no further"
# For readers: items that belong to one text, document or template are resampled together.
ONE_CLUSTER = "no interval: all items are of one text or document, which does not show how far others would differ"
NONE_DIFFERS = "every text gave the same value, so how far texts differ could not be seen"
EMPTY_WITHOUT = (
    "no interval: in one of its test sets all items that count are of one text or document, which does not show how far"
    " others would differ"
)


def estimate(
    terms: Sequence[tuple[float, Influence]],
    numbers: ClusterNumbers,
    *,
    level: bool = False,
    paired: bool = False,
    score: float | None = None,
    null: float = 0.0,
    limits: Limits = UNLIMITED,
) -> Estimate:
    """Estimate a sum of quantities of different systems: one quantity (1, x), or a contrast (1, x), (-1, y).

    `level`: it is a score between 0 and 100. `paired`: seeds of one number are one draw, so that systems are compared
    seed by seed. `score` takes the place of the sum where the terms are the linearisation of something else, whose
    value without any effect is `null` and which lies within `limits`; those of a sum are the sum's.
    """
    value = sum(a * x.mean for a, x in terms) if score is None else score
    seeds = tuple(len(x.seeds) for _, x in terms)
    strata = numbers.strata(frozenset().union(*(x.layouts for _, x in terms)))
    clusters = len(strata.columns)
    by_seed = () if score is not None else _values_by_seed(terms)
    limits = limits if score is not None else limits_of_sum([(a, x.limits) for a, x in terms])

    def without(note: str) -> Estimate:
        return Estimate(value, None, None, seeds=seeds, clusters=clusters, note=note, by_seed=by_seed)

    if strata.sizes.min() < 2:
        return without(ONE_CLUSTER)
    if not math.isfinite(value) or not all(np.isfinite(x.values).all() for _, x in terms):
        return without(EMPTY_WITHOUT)
    reach = 1.0 if score is not None else max(sum(max(0.0, sign * a) for a, _ in terms) for sign in (1.0, -1.0))
    if not level:  # a cluster can move a difference of drops as far as 200 points
        reach = max(reach, (limits[1] - limits[0]) / 200) if math.isfinite(limits[1] - limits[0]) else reach
    if paired and len(terms) > 1:
        terms = [_seed_by_seed(terms, numbers)]
    parts = components(terms, strata)
    alone = any(len(x.seeds) < 2 and not x.fixed for _, x in terms)
    if alone:  # The seeds of the other systems say nothing of the one that has none to vary.
        parts = replace(parts, interaction=0.0, seeds=0.0)
    basis: IntervalBasis = "one model" if all(x.fixed for _, x in terms) else "items" if alone else "items and seeds"
    if parts.items <= 1e-20 and parts.seeds <= 1e-20:
        alike = _alike(value, null, basis, seeds, clusters, strata, level, reach, limits)
        return replace(alike, by_seed=by_seed)
    low, high = interval_ends(value, parts.half_width(1 - LEVEL), level, limits)
    p = None if level else parts.p_value(value - null)
    return Estimate(value, low, high, basis, p, parts, seeds, clusters, by_seed=by_seed, limits=limits)


def _values_by_seed(terms: Sequence[tuple[float, Influence]]) -> tuple[tuple[int, float], ...]:
    """The sum under each seed that all quantities have. Seeds of one number are no pair: it is one of the values that
    the sum may have, for the eye."""
    trained = [(a, x) for a, x in terms if not x.fixed]
    if not trained:
        return ()
    given = sum(a * x.mean for a, x in terms if x.fixed)
    common = [s for s in trained[0][1].seeds if all(s in x.seeds for _, x in trained)]
    return tuple((s, float(given + sum(a * x.theta[x.seeds.index(s)] for a, x in trained))) for s in common)


def components(terms: Sequence[tuple[float, Influence]], strata: Strata) -> Components:
    """The variance components of a sum of quantities whose seeds are nested in the systems."""
    _, component, sizes = strata
    factor = (sizes - 1.0)[component]
    scaled = [(a, x, on_strata(x, strata) * factor) for a, x in terms]
    mean: Array = np.add.reduce([a * values.mean(axis=0) for a, _, values in scaled])
    by_stratum = _variances(mean, component, sizes) / sizes
    items = float(by_stratum.sum())
    df_items = float(items**2 / (by_stratum**2 / (sizes - 1)).sum()) if items > 0 else float(sizes.min() - 1)
    interaction, seeds, spread, counts = 0.0, 0.0, 0.0, []
    for a, x, values in scaled:
        s = len(x.seeds)
        if x.fixed or s < 2:
            continue
        counts.append(s)
        apart = values - values.mean(axis=0)
        for row in apart:
            row -= (np.bincount(component, row, len(sizes)) / sizes)[component]
        squares = np.bincount(component, (apart**2).sum(axis=0), len(sizes))
        interaction += a**2 * float((squares / ((s - 1) * (sizes - 1.0) * s * sizes)).sum())
        of_seeds = a**2 * float(x.theta.var(ddof=1)) / s
        seeds += of_seeds
        spread += of_seeds**2 / (s - 1)
    df_seeds = seeds**2 / spread if spread > 0 else float(min(counts, default=2) - 1)
    return Components(
        items=items,
        interaction=min(interaction, items),
        seeds=seeds,
        df_items=df_items,
        df_seeds=df_seeds,
        seed_count=min(counts, default=1),
        clusters=len(component),
    )


def on_strata(x: Influence, strata: Strata) -> Array:
    """Its values for all clusters of the strata: 0 where it has no items of a cluster."""
    if len(x.columns) == len(strata.columns):
        return x.values
    values = np.zeros((len(x.seeds), len(strata.columns)))
    values[:, np.searchsorted(strata.columns, x.columns)] = x.values
    return values


def _variances(values: Array, component: Indices, sizes: Indices) -> Array:
    """The variance of the values within each stratum."""
    means = np.bincount(component, values, len(sizes)) / sizes
    variances: Array = np.bincount(component, (values - means[component]) ** 2, len(sizes)) / (sizes - 1)
    return variances


def _seed_by_seed(terms: Sequence[tuple[float, Influence]], numbers: ClusterNumbers) -> tuple[float, Influence]:
    """The contrast under each seed that all systems have, as one quantity."""
    common = [s for s in terms[0][1].seeds if all(s in x.seeds for _, x in terms)]
    if not common:
        raise ValueError("no seed in common")
    return 1.0, weighted_sum([(a, x.of_seeds(common)) for a, x in terms], numbers)


def within_limits(value: float, half: float, limits: Limits) -> tuple[float, float]:
    """The ends of an interval of half this width, cut where the value can lie no further.

    What is cut away holds no value that could be true, so that the interval covers as often as before.
    """
    if not limits[0] - 1e-6 <= value <= limits[1] + 1e-6:  # a metric of somebody's that is no score between 0 and 100
        return value - half, value + half
    return max(limits[0], value - half), min(limits[1], value + half)


def interval_ends(value: float, half: float, level: bool, limits: Limits) -> tuple[float, float]:
    """The ends of an interval, within limits; of a level near 0 or 100 on the logit scale."""
    if not level or not 0 < value < 100 or NEAR_BOUND <= value <= 100 - NEAR_BOUND:
        return within_limits(value, half, limits)
    share = value / 100
    spread = half / 100 / (share * (1 - share))
    return 100 * float(expit(logit(share) - spread)), 100 * float(expit(logit(share) + spread))


def _alike(
    value: float, null: float, basis: IntervalBasis, seeds: tuple[int, ...], clusters: int, strata: Strata, level: bool,
    reach: float, limits: Limits,
) -> Estimate:  # fmt: skip
    """All clusters are alike: what could still be there without having been seen in so many (the rule of three).

    A cluster under which all systems differ by 100 points moves the sum by 100 times `reach`: 1 for a difference of
    two, 2 for a difference of drops, of a slope what its coefficients above 0 add up to.
    """
    # Of several strata with equal weights the smallest hides most.
    seen = float(strata.sizes.min()) * len(strata.sizes)
    hidden = 300 * reach / seen
    low, high = within_limits(value, hidden, limits)
    if level and (math.isclose(value, 0, abs_tol=1e-9) or math.isclose(value, 100)):
        # Clopper and Pearson 1934 for n of n: the bound is (alpha / 2) ** (1 / n).
        missed = 100 * (1 - ((1 - LEVEL) / 2) ** (1 / seen))
        low, high = (0.0, missed) if value < 50 else (100 - missed, 100.0)
    p = None if level else 1.0 if value == null else 0.0 if abs(value - null) > hidden else None
    return Estimate(value, low, high, basis, p, None, seeds, clusters, NONE_DIFFERS, unseen=hidden, limits=limits)
