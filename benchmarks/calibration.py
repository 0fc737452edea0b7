"""Do the intervals cover? A simulation with known truth: coverage, width against an oracle, false verdicts.

    python benchmarks/calibration.py [--simulations 500] [--rows NAME…] [--seed 1]

Two routes without a true difference, two targets, three languages, clean and two draws of one noise. A latent value
of every item is the sum of: its mean (0.3; -0.4 under noise; +-0.3 by language), its cluster (variance .4, shared by
languages and routes), the item (.3), item x route x language (.2), item x route x seed x language (.5), seed effects,
a residual (.3), and under noise the item again (.3) and the draw (.3). Seed effects are three: one shared by both
targets, one of each target, one under noise alone. Accuracy: value > 0. Average precision: Phi(value)^4. F1: gold 1 +
Poisson(1), true positives binomial with Phi(value), false positives Poisson(.8 gold (1 - Phi)).

Oracle: an interval of 1.96 times the standard deviation that the estimates have over the simulations. Printed:
variance between seeds over that between items; of three contrasts the coverage of the interval of 95 % in per cent and
its mean width over the oracle's; the coverage of a level; the share of simulations with a false verdict among clean,
perturbed and drop: over items only, uncorrected, with Holm. The same of *equivalent*, where the three differ by just
the margin, in turn above and below (20 points, so that the other side of it is out of reach): uncorrected, with Holm.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from scipy.special import ndtr

from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, cell_influence, mean_influence, weighted_sum
from crosswind.analysis.multiplicity import ALPHA, holm
from crosswind.evaluate.metrics.base import METRICS, Array, mean_of

MetricName = Literal["accuracy", "AP", "F1"]
LANGUAGES = (-0.3, 0.0, 0.3)
CLEAN, NOISE = 0.3, -0.4
SCORES = {"accuracy": mean_of(0, 1), "AP": mean_of(0, 1), "F1": METRICS["set-f1"].function()}
MARGIN = 20.0
ITEM_VARIANCES = {"cluster": 0.4, "item": 0.3, "route": 0.2, "seed": 0.5, "residual": 0.3}


@dataclass(frozen=True)
class Row:
    """One row of the table. `seeds_sd`: standard deviations of the seed effects (shared, of a target, under noise)."""

    name: str
    metric: MetricName = "accuracy"
    seeds: int = 3
    seeds_sd: tuple[float, float, float] = (0.0, 0.0, 0.0)
    clusters: int = 100  # of a target
    size: int = 3  # items of a cluster
    mean: float = 0.0  # added to every latent value
    paired: bool = False


# Equal: the variance between seeds of the clean contrast is 1 to 2 times that between items; dominant: 14 to 30 times.
NONE, EQUAL, DOMINANT = (0.0, 0.0, 0.0), (0.04, 0.03, 0.025), (0.145, 0.12, 0.07)


def rows() -> list[Row]:
    """Every row of the specification's table, and the shapes of clusters beside it."""
    kinds = (("none", NONE), ("equal", EQUAL), ("dominant", DOMINANT))
    metrics: tuple[MetricName, ...] = ("accuracy", "F1", "AP")
    table = [Row(f"{m}, 2 seeds, equal", m, 2, EQUAL) for m in metrics]
    table += [Row(f"{m}, {s} seeds, {k}", m, s, sd) for m in metrics for s in (3, 5) for k, sd in kinds]
    table += [Row(f"{m}, 10 seeds, equal", m, 10, EQUAL) for m in metrics]
    table += [
        Row("accuracy, 3 seeds, equal, 5 clusters of 20", "accuracy", 3, EQUAL, clusters=5, size=20),
        Row("accuracy, 3 seeds, equal, 20 clusters of 5", "accuracy", 3, EQUAL, clusters=20, size=5),
        Row("accuracy, 3 seeds, equal, singletons near the ceiling", "accuracy", 3, EQUAL, 300, 1, mean=2.7),
        Row("AP, 3 seeds, equal, skewed (low)", "AP", 3, EQUAL, mean=-1.8),
    ]
    return table


@dataclass(frozen=True)
class Simulated:
    """The contrasts and a level of one simulation."""

    clean: Estimate
    perturbed: Estimate
    drop: Estimate
    level: Estimate
    items_only: tuple[float | None, ...]


def simulate(row: Row, rng: np.random.Generator) -> Simulated:
    """One data set, and what the estimator says of it."""
    numbers = ClusterNumbers()
    shape = (2, row.seeds)  # route, seed
    shared, noisy = rng.normal(0, row.seeds_sd[0], shape), rng.normal(0, row.seeds_sd[2], shape)
    parts: dict[str, list[list[Influence]]] = {"clean": [[], []], "perturbed": [[], []]}
    for target in range(2):
        effect = shared + rng.normal(0, row.seeds_sd[1], shape)
        ids = tuple(f"{target}/{g}" for g in range(row.clusters))
        values = _latent(row, rng)  # (condition: clean, draw 1, draw 2; route, seed, language, item)
        values[0] += (CLEAN + row.mean + effect)[:, :, None, None]
        values[1:] += (NOISE + row.mean + effect + noisy)[:, :, None, None]
        statistics = _statistics(row.metric, values, rng)
        statistics = statistics.reshape(*statistics.shape[:-2], row.clusters, row.size, -1).sum(axis=-2)
        layout, _ = numbers.sums(np.zeros((row.clusters, 1)), ids)
        for route in range(2):
            by_language: dict[str, list[Influence]] = {"clean": [], "perturbed": []}
            for language in range(len(LANGUAGES)):
                cell = statistics[:, route, :, language].swapaxes(0, 1)  # (seed, condition, cluster, k)
                for name, part in (("clean", cell[:, :1]), ("perturbed", cell[:, 1:])):
                    by_language[name].append(
                        cell_influence(part, SCORES[row.metric], range(row.seeds), layout, numbers)
                    )
            for name, members in by_language.items():
                parts[name][route].append(mean_influence(members, numbers))
    clean, noisy_parts = ([mean_influence(x, numbers) for x in parts[name]] for name in ("clean", "perturbed"))
    drops = [weighted_sum([(1.0, a), (-1.0, b)], numbers) for a, b in zip(clean, noisy_parts, strict=True)]
    made = [estimate([(1.0, x), (-1.0, y)], numbers, paired=row.paired) for x, y in (clean, noisy_parts, drops)]
    level = estimate([(1.0, clean[0])], numbers, level=True)
    return Simulated(made[0], made[1], made[2], level, tuple(_items_only(e) for e in made))


def _items_only(e: Estimate) -> float | None:
    """p over items alone, as if the seeds at hand were all there are."""
    if e.components is None:
        return e.p
    return replace(e.components, interaction=0.0, seeds=0.0).p_value(e.score)


def _latent(row: Row, rng: np.random.Generator) -> Array:
    """The latent values `(3 conditions, route, seed, language, item)` without mean and seed effects."""
    n, s, v = row.clusters * row.size, row.seeds, ITEM_VARIANCES
    sd = {name: math.sqrt(x) for name, x in v.items()}
    items = np.repeat(rng.normal(0, sd["cluster"], row.clusters), row.size) + rng.normal(0, sd["item"], n)
    fixed = items + rng.normal(0, sd["route"], (2, 1, 3, n)) + rng.normal(0, sd["seed"], (2, s, 3, n))
    fixed = fixed + np.array(LANGUAGES)[:, None]
    out = fixed + rng.normal(0, sd["residual"], (3, 2, s, 3, n))
    out[1:] += rng.normal(0, math.sqrt(0.3), n) + rng.normal(0, math.sqrt(0.3), (2, 1, 1, 1, n))
    noisy: Array = out
    return noisy


def _statistics(metric: MetricName, values: Array, rng: np.random.Generator) -> Array:
    match metric:
        case "accuracy":
            return np.stack([values > 0, np.ones_like(values)], axis=-1).astype(np.float64)
        case "AP":
            return np.stack([ndtr(values) ** 4, np.ones_like(values)], axis=-1)
        case "F1":
            gold = np.broadcast_to(1 + rng.poisson(1.0, values.shape[-1]), values.shape)
            share = ndtr(values)
            right = rng.binomial(gold, share)
            wrong = rng.poisson(0.8 * gold * (1 - share))
            return np.stack([right, right + wrong, gold], axis=-1).astype(np.float64)


def true_level(row: Row) -> float:
    """The clean score that a new sample of items and seeds is expected to have, by Gauss-Hermite quadrature."""
    nodes, weights = hermegauss(61)
    weights = weights / weights.sum()
    spread = math.sqrt(sum(ITEM_VARIANCES.values()))
    of_seeds = math.hypot(row.seeds_sd[0], row.seeds_sd[1])
    scores = []
    for language in LANGUAGES:
        means = CLEAN + row.mean + language + of_seeds * nodes  # a node: a seed's model
        if row.metric == "accuracy":
            by_seed = ndtr(means / spread)
        elif row.metric == "AP":
            by_seed = (ndtr(means[:, None] + spread * nodes) ** 4 * weights).sum(axis=1)
        else:
            right = (ndtr(means[:, None] + spread * nodes) * weights).sum(axis=1)
            by_seed = 2 * right / (right + 0.8 * (1 - right) + 1)
        scores.append(float((by_seed * weights).sum()))
    return 100 * float(np.mean(scores))


@dataclass(frozen=True)
class Outcome:
    """Coverage and width of each contrast, the coverage of the level, and shares of false verdicts, in per cent."""

    row: Row
    coverage: dict[str, float]
    width: dict[str, float]
    level_coverage: float
    false_verdicts: dict[str, float]
    false_equivalence: dict[str, float]
    seed_share: float  # variance between seeds over that between items, of the clean contrast


def run(row: Row, simulations: int, seed: int) -> Outcome:
    """Simulate a row."""
    rng = np.random.default_rng([seed, *row.name.encode()])
    made = [simulate(row, rng) for _ in range(simulations)]
    coverage, width = {}, {}
    for name in ("clean", "perturbed", "drop"):
        estimates: list[Estimate] = [getattr(x, name) for x in made]
        bounds = np.array([(e.low, e.high) for e in estimates], dtype=np.float64)
        oracle = 1.959964 * np.sqrt(np.mean([e.score**2 for e in estimates]))
        coverage[name] = 100 * float(np.mean((bounds[:, 0] <= 0) & (bounds[:, 1] >= 0)))
        width[name] = float(np.mean(bounds[:, 1] - bounds[:, 0]) / 2 / oracle)
    truth = true_level(row)
    inside = [(x.level.low or 0.0) <= truth <= (x.level.high or 100.0) for x in made]
    components = [c for x in made if (c := x.clean.components) is not None]
    share = np.mean([c.seeds - c.interaction for c in components]) / np.mean([c.items for c in components])
    level = 100 * float(np.mean(inside))
    return Outcome(row, coverage, width, level, _false(made), _false_equivalence(made), float(share))


def _false(made: list[Simulated]) -> dict[str, float]:
    p = [[x.clean.p, x.perturbed.p, x.drop.p] for x in made]
    corrected = [holm(values) for values in p]
    only = [list(x.items_only) for x in made]
    return {"items only": _any_below(only), "uncorrected": _any_below(p), "Holm": _any_below(corrected)}


def _false_equivalence(made: list[Simulated]) -> dict[str, float]:
    """Of three comparisons whose truth is the margin: how often one is called equivalent."""
    p = [
        [
            replace(e, score=e.score + side * MARGIN).p_between(-MARGIN, MARGIN)
            for e, side in ((x.clean, 1), (x.perturbed, -1), (x.drop, 1))
        ]
        for x in made
    ]
    return {"uncorrected": _any_below(p), "Holm": _any_below([holm(values) for values in p])}


def _any_below(p: list[list[float | None]]) -> float:
    return 100 * float(np.mean([any(v is not None and v < ALPHA for v in values) for values in p]))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--rows", nargs="*", default=[], help="parts of names")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print("| row | seeds/items | clean | perturbed | drop | level | items only | uncorrected | Holm"
          " | equivalent | with Holm | CPU s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for row in rows():
        if arguments.rows and not any(part in row.name for part in arguments.rows):
            continue
        begun = time.process_time()
        out = run(row, arguments.simulations, arguments.seed)
        cells = [f"{out.coverage[n]:.1f}, {out.width[n]:.2f}" for n in ("clean", "perturbed", "drop")]
        shares = (out.level_coverage, *out.false_verdicts.values(), *out.false_equivalence.values())
        cells += [f"{x:.1f}" for x in shares]
        cells.append(f"{time.process_time() - begun:.0f}")
        print(f"| {row.name} | {out.seed_share:.1f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
