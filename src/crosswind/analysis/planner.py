"""How many seeds, items and draws would show an effect: planned from the variance components of a run or a pilot.

The components say what a study of another size would show; solved for the clusters of items they say how many of these
are needed under each number of seeds and draws (`sample_sizes`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.sample_sizes import MOST, DrawVariance, clusters_needed, detectable

SEEDS = (3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50)
FACTORS = (1.0, 2.0, 4.0)
"""Of the clusters of items at hand."""
DRAWS = (1, 2, 3, 5, 10)


@dataclass(frozen=True, slots=True)
class ItemCount:
    """The items of a target in one language: those of the run, and all that the task has (`None`: nobody knows)."""

    run: int
    whole: int | None = None


@dataclass(frozen=True)
class Planned:
    """A study that was not run: seeds, clusters of items, draws, the smallest effect that it would show, and its cost.

    `effect` is in points, with a power of 80 % at 5 %, corrected for `comparisons` by Bonferroni (an upper bound of
    Holm's). `training` and `predicting` are multiples of what the run at hand costs for these two. `items` are those of
    each target in one language.
    """

    seeds: int
    clusters: int
    draws: int
    effect: float
    training: float
    predicting: float
    items: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pilot:
    """What a plan knows of the run at hand besides its contrasts: `perturbed` is the share of its predictions that
    draws multiply, `training` and `other` the seconds that it took, `items` those of each target in one language."""

    perturbed: float = 0.0
    training: float = 0.0
    other: float = 0.0
    items: Mapping[str, ItemCount] = field(default_factory=dict)

    def seconds(self, plan: Planned) -> float:
        """What a planned study takes."""
        return plan.training * self.training + plan.predicting * self.other

    def most(self, targets: Sequence[str]) -> float:
        """How many times the items at hand there are, in the target that has the fewest more."""
        counts = [self.items[t] for t in targets if t in self.items]
        known = [x.whole / x.run for x in counts if x.whole is not None and x.run > 0]
        return max(1.0, min([MOST, *known]))


@dataclass(frozen=True)
class Forecasted:
    """What a contrast would need: `now` is what the run at hand shows, `more_items` and `more_draws` what it would show
    with more of these alone (`None` of draws where the run has one, which says nothing of others).

    `grid` are studies of round sizes, `enough` those with the fewest items that show the effect under some number of
    seeds and draws, and `cheapest` the one of them that costs least; `None` where no study of these sizes shows it.
    """

    contrast: Contrast
    effect: float
    comparisons: int
    now: float
    more_items: float
    more_draws: float | None
    of_draws: DrawVariance
    grid: tuple[Planned, ...]
    enough: tuple[Planned, ...]
    cheapest: Planned | None
    pilot: Pilot = Pilot()

    @property
    def sentence(self) -> str:
        """`english − none, clean: seen now 3.1 points; 5 seeds, 1,200 items a language (now 400) would show 2.0; more
        items alone would not help`."""
        c = self.contrast
        head = f"{c.name}, {c.measure}: seen now {self.now:.1f} points"
        if self.cheapest is None:
            most = min(self.grid, key=lambda p: p.effect)
            return f"{head}; {self.size(most)} would show {most.effect:.1f}, and no study planned here {self.effect:g}"
        if self.now <= self.effect:
            enough = f"; {self.size(self.cheapest)} would do"
            return f"{head}, so {self.effect:g} points would be shown by what is there{enough}"
        alone = {"items": self.more_items, "draws": self.more_draws}
        useless = [what for what, shown in alone.items() if shown is not None and self.now - shown < 0.1 * self.now]
        text = f"; more {' or '.join(useless)} alone would not help" if useless else ""
        return f"{head}; {self.size(self.cheapest)} would show {self.cheapest.effect:.1f}{text}"

    def size(self, plan: Planned) -> str:
        """`5 seeds, 1,200 items a language (now 400), 3 draws (now 2)`."""
        fixed = self.contrast.estimate.basis == "one model"  # of which there are no seeds
        parts = [] if fixed else [f"{plan.seeds} seeds"]
        parts.append(_items(plan, self.contrast, self.pilot))
        if self.contrast.conditions and self.contrast.measure != "clean":
            now = "" if plan.draws == self.of_draws.draws else f" (now {self.of_draws.draws})"
            parts.append(f"{plan.draws} draw{'' if plan.draws == 1 else 's'}{now}")
        return ", ".join(parts)

    def with_fewest_items(self, seeds: int) -> Planned | None:
        """The study of so many seeds with the fewest items that shows the effect."""
        return min((p for p in self.enough if p.seeds == seeds), key=lambda p: p.clusters, default=None)


def _items(plan: Planned, contrast: Contrast, pilot: Pilot) -> str:
    counts = {t: n for t, n in plan.items.items() if t in contrast.targets}
    if len(counts) == 1:
        target, number = next(iter(counts.items()))
        now = pilot.items[target].run
        return f"{number:,} items a language" + ("" if number == now else f" (now {now:,})")
    clusters = contrast.estimate.clusters
    if not counts:
        return f"{plan.clusters:,} clusters of items" + ("" if plan.clusters == clusters else f" (now {clusters:,})")
    each = ", ".join(f"{t} {n:,}" for t, n in counts.items())
    times = "the same" if plan.clusters == clusters else f"{plan.clusters / clusters:.2g} times the"
    return f"{times} items ({each} a language)"


def plan_contrast(
    contrast: Contrast,
    effect: float,
    comparisons: int = 1,
    of_draws: DrawVariance | None = None,
    pilot: Pilot | None = None,
) -> Forecasted | None:
    """What would show an effect of this size in a contrast; `None` where it has no components to plan from, or one
    seed, which says nothing of the others."""
    parts = contrast.estimate.components
    if parts is None or contrast.one_seed:
        return None
    known = pilot or Pilot()
    at_hand = contrast.estimate.clusters
    fixed = contrast.estimate.basis == "one model"
    many = 1 if fixed else parts.seed_count
    noise = of_draws or DrawVariance(max(1, contrast.draws))
    matters = noise.items > 0 or noise.interaction > 0

    def planned(seeds: int, clusters: int, draws: int) -> Planned:
        factor = clusters / at_hand
        reached = detectable(parts, seeds, clusters, comparisons, noise, draws)
        cells = seeds * factor / many * (1 - known.perturbed + known.perturbed * draws / noise.draws)
        items = {t: _rounded(known.items[t], factor) for t in contrast.targets if t in known.items}
        return Planned(seeds, clusters, draws, reached, seeds / many, cells, items)

    grid, enough = [], []
    most = known.most(contrast.targets)
    for draws in sorted({noise.draws, *(DRAWS if matters else ())}):
        for seeds in (1,) if fixed else SEEDS:
            grid += [planned(seeds, round(at_hand * factor), draws) for factor in FACTORS if factor <= most]
            needed = clusters_needed(parts, effect, seeds, comparisons, noise, draws, most)
            enough += [planned(seeds, needed, draws)] if needed is not None else []
    # What costs alike, or costs nobody knows what: the fewest seeds first, then the fewest items.
    cheapest = min(enough, key=lambda p: (known.seconds(p), p.training, p.predicting), default=None)
    now = detectable(parts, many, at_hand, comparisons)
    more = detectable(parts, many, at_hand * FACTORS[-1], comparisons)
    drawn = detectable(parts, many, at_hand, comparisons, noise, DRAWS[-1] * noise.draws) if noise.draws > 1 else None
    return Forecasted(
        contrast, effect, comparisons, now, more, drawn, noise, tuple(grid), tuple(enough), cheapest, known
    )


def _rounded(count: ItemCount, factor: float) -> int:
    items = math.ceil(count.run * factor - 1e-9)
    return items if count.whole is None else min(items, max(count.whole, count.run))


def _compared(c: Contrast) -> tuple[object, ...]:
    """What a contrast is of: two of one family may have a name, measure and kind in common (targets whose scores are
    better when higher, and those whose are better when lower)."""
    return c.name, c.kind, c.measure, c.scope, c.within, c.better, c.systems, c.targets, c.languages, c.conditions


def plan_family(
    contrasts: Sequence[Contrast],
    effect: float,
    single: Sequence[Sequence[Contrast]] = (),
    pilot: Pilot | None = None,
) -> list[Forecasted]:
    """The plans of the contrasts of one family, each corrected for their number; `single` has the same contrasts with
    each draw alone."""
    tested = [c for c in contrasts if c.estimate.components is not None and not c.one_seed and not c.at_floor]
    alone = [{_compared(c): c.estimate.components for c in of_draw} for of_draw in single]

    def of_draws(c: Contrast) -> DrawVariance | None:
        each = [by_name.get(_compared(c)) for by_name in alone]
        known = [parts for parts in each if parts is not None]
        whole = c.estimate.components
        return DrawVariance.measured(whole, known) if whole is not None and len(known) == len(each) > 1 else None

    plans = (plan_contrast(c, effect, max(1, len(tested)), of_draws(c), pilot) for c in tested)
    return [plan for plan in plans if plan is not None]


def plan_together(forecasts: Sequence[Forecasted], pilot: Pilot) -> Planned | None:
    """The cheapest study that shows the effect in all of these contrasts; `None` where none of these sizes does.

    Its `clusters` are those of the contrast that has most, its `effect` the largest of the effects that it shows.
    """
    plans = []
    random = any(p.seeds > 1 for f in forecasts for p in f.grid)
    for seeds in SEEDS if random else (1,):
        for draws in sorted({p.draws for f in forecasts for p in f.enough}):
            members = [_of(f, seeds, draws) for f in forecasts]
            known = [x for x in members if x is not None]
            if not known or len(known) < len(members):
                continue
            at_hand = [f.contrast.estimate.clusters for f in forecasts]
            factors = [p.clusters / now for p, now in zip(known, at_hand, strict=True)]
            factor = max(factors)
            items = {t: _rounded(n, factor) for t, n in pilot.items.items()}
            # What predictions cost is in proportion to the items; with draws, where a contrast has some.
            predicting = factor * max(p.predicting / f for p, f in zip(known, factors, strict=True))
            effect, training = max(p.effect for p in known), max(p.training for p in known)
            plans.append(Planned(seeds, round(factor * max(at_hand)), draws, effect, training, predicting, items))
    return min(plans, key=lambda p: (pilot.seconds(p), p.training, p.predicting), default=None)


def _of(forecast: Forecasted, seeds: int, draws: int) -> Planned | None:
    """The plan of a contrast with so many seeds and draws; what has no seeds, or no draws, has them in any number."""
    exact = [p for p in forecast.enough if p.seeds in (1, seeds) and p.draws == draws]
    of_draws = {p.draws for p in forecast.grid}
    anyway = [p for p in forecast.enough if p.seeds in (1, seeds)] if len(of_draws) == 1 else []
    return next(iter([*exact, *anyway]), None)
