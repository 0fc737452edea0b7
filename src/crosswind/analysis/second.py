"""Second intervals of a contrast, under other assumptions than the first: for the reader, never for a verdict.

*Seeds pooled*: all compared systems have one variance between seeds, estimated from all of them with R(S - 1) degrees
of freedom. A quarter narrower with two to four seeds; where one system varies far more than the others it covers too
little for that one.

*Languages random*: the languages of a family are a sample of it (families are fixed), so that the interval is about
other languages of the same families too. The variance within families is pooled over them (a family with one language
has none of its own): s² on N - F degrees of freedom, for N languages in F families; the mean with weights w varies by
s² Σ w². Clusters of items vary differently between languages, which is in s² already: like the interaction of items
and seeds in `estimate`, that part enters once, the larger way. What seeds add to s² enters twice, so that the interval
is wide rather than narrow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from crosswind.analysis.contrasted import SecondInterval
from crosswind.analysis.estimate import LEVEL, Estimate, interval_ends, on_strata
from crosswind.analysis.influence import ClusterNumbers, Influence
from crosswind.evaluate.metrics.base import Array

FEW_SEEDS = range(2, 5)
"""Numbers of seeds for which the variance between seeds is pooled."""

Terms = Sequence[tuple[float, Influence]]
"""Coefficients and the quantities of the systems that they belong to."""


def seeds_pooled(value: Estimate, terms: Terms, systems: Sequence[Influence], *, level: bool) -> SecondInterval | None:
    """The interval with the variance between seeds pooled over `systems`; `None` where there are not few seeds, or no
    second system to pool with."""
    parts = value.components
    random = [x for x in systems if not x.fixed and len(x.seeds) > 1]
    if parts is None or value.basis != "items and seeds" or parts.seed_count not in FEW_SEEDS or len(random) < 2:
        return None
    df = sum(len(x.seeds) - 1 for x in random)
    pooled = sum((len(x.seeds) - 1) * float(x.theta.var(ddof=1)) for x in random) / df
    seeds = pooled * sum(a**2 / len(x.seeds) for a, x in terms if not x.fixed)
    half = replace(parts, seeds=seeds, df_seeds=float(df)).half_width(1 - LEVEL)
    low, high = interval_ends(value.score, half, level, value.limits)
    return SecondInterval("seeds pooled", low, high, float(df))


def languages_random(
    value: Estimate,
    by_language: Mapping[str, tuple[float, Terms]],
    families: Mapping[str, str],
    numbers: ClusterNumbers,
    *,
    level: bool,
) -> SecondInterval | None:
    """The interval over other languages of the same families; `None` where no family has two languages.

    `by_language` has the weight of each language in the estimate and its own terms.
    """
    parts = value.components
    codes = list(by_language)
    members: dict[str, list[int]] = {}
    for i, code in enumerate(codes):
        members.setdefault(families[code], []).append(i)
    df = len(codes) - len(members)
    if parts is None or df < 1:
        return None
    weights = np.array([by_language[code][0] for code in codes])
    scores = np.array([sum(a * x.mean for a, x in by_language[code][1]) for code in codes])
    share = float((weights**2).sum()) / df
    between = share * float((_within(scores[:, None], weights, members) ** 2).sum())
    by_items = min(parts.items, share * _of_items([by_language[code][1] for code in codes], weights, members, numbers))
    t_items, t = (float(stdtrit(d, (1 - LEVEL) / 2)) ** 2 for d in (parts.df_items, df))
    first = parts.half_width(1 - LEVEL) ** 2
    half = math.sqrt(max(0.0, first - t_items * by_items) + max(t_items * by_items, t * between))
    low, high = interval_ends(value.score, half, level, value.limits)
    return SecondInterval("languages random", low, high, float(df))


def _within(values: Array, weights: Array, members: Mapping[str, Sequence[int]]) -> Array:
    """Rows of languages `(languages, any)` minus the weighted mean of their family."""
    out = np.array(values, dtype=np.float64)
    for rows in members.values():
        share = weights[rows] / weights[rows].sum()
        out[rows] -= share @ out[rows]
    return out


def _of_items(
    of_languages: Sequence[Terms], weights: Array, members: Mapping[str, Sequence[int]], numbers: ClusterNumbers
) -> float:
    """What the sampling of clusters adds to the sum of squares of languages within their families."""
    layouts = frozenset().union(*(x.layouts for terms in of_languages for _, x in terms))
    strata = numbers.strata(layouts)
    factor = (strata.sizes - 1.0)[strata.component]
    rows = [np.add.reduce([a * on_strata(x, strata).mean(axis=0) for a, x in terms]) * factor for terms in of_languages]
    apart = _within(np.stack(rows), weights, members)
    total = 0.0
    for row in apart:
        means = np.bincount(strata.component, row, len(strata.sizes)) / strata.sizes
        squares = np.bincount(strata.component, (row - means[strata.component]) ** 2, len(strata.sizes))
        total += float((squares / ((strata.sizes - 1.0) * strata.sizes)).sum())
    return total
