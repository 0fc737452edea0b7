"""Do the other intervals cover? Slopes, equal damage, items that all had right, and both second intervals.

    python benchmarks/calibration_further.py [--simulations 500] [--rows NAME…] [--seed 1]

The generator of `calibration.py`, accuracy, one target, three routes without a true difference, three seeds. *Slope*:
over amounts 1, 2, 4. *Equal damage*: one noise at damages 1 and 2 against another at 1.5, of one route; the truth is
the difference of the expected drops, the first by its line. *Right when clean*: a difference of drops on items that all
routes of a seed had right. *Seeds pooled*: the difference of two routes with the variance between seeds of all three;
*unequal*: one of the two has nine times the variance of the others. *Languages random*: six languages in three
families, whose effect on the second route is drawn from a family; the truth is over other languages, and the first
interval, over these languages, stands beside it.

Printed: coverage of the interval of 95 % in per cent, and its mean width over the oracle's (1.96 times the standard
deviation of the estimates over the simulations).
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).resolve().parent))

from calibration import CLEAN, DOMINANT, EQUAL, ITEM_VARIANCES, LANGUAGES
from crosswind.analysis.equal_damage import difference_at_equal_damage
from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, cell_influence, mean_influence, weighted_sum
from crosswind.analysis.second import languages_random, seeds_pooled
from crosswind.analysis.slopes import slope_coefficients
from crosswind.evaluate.metrics.base import Array, mean_of

ROUTES, SEEDS, CLUSTERS, SIZE = 3, 3, 100, 3
SCORE = mean_of(0, 1)
DAMAGES = ((1.0, -0.3), (2.0, -0.7), (1.5, -0.5))
"""Damage and shift of the latent value: two severities of one noise, one of another."""
FAMILIES = ("a", "a", "b", "b", "c", "c")
LANGUAGE_SD = 0.15
Outcome = tuple[float, float, float, float]
"""Low, high, estimate, truth."""


def correct(
    rng: np.random.Generator,
    shifts: Sequence[float],
    seeds_sd: Sequence[float],
    languages: Array,
) -> Array:
    """Whether items are right `(conditions, routes, seeds, languages, items)`; the first condition is clean.

    `seeds_sd` is the standard deviation of each route's seed effects, `languages` the shift `(routes, languages)`.
    """
    n, v = CLUSTERS * SIZE, {name: math.sqrt(x) for name, x in ITEM_VARIANCES.items()}
    many = languages.shape[1]
    items = np.repeat(rng.normal(0, v["cluster"], CLUSTERS), SIZE) + rng.normal(0, v["item"], n)
    fixed = items + rng.normal(0, v["route"], (ROUTES, 1, many, n)) + rng.normal(0, v["seed"], (ROUTES, SEEDS, many, n))
    fixed = fixed + CLEAN + languages[:, None, :, None]
    fixed = fixed + (rng.normal(size=(ROUTES, SEEDS)) * np.array(seeds_sd)[:, None])[:, :, None, None]
    out = fixed + rng.normal(0, v["residual"], (len(shifts), ROUTES, SEEDS, many, n))
    out += np.array(shifts)[:, None, None, None, None]
    out[1:] += rng.normal(0, math.sqrt(0.3), n) + rng.normal(0, math.sqrt(0.3), (len(shifts) - 1, 1, 1, 1, n))
    right: Array = (out > 0).astype(np.float64)
    return right


def quantity(right: Array, numbers: ClusterNumbers, kept: Array | None = None) -> Influence:
    """The mean accuracy over languages of one route and condition `(seeds, languages, items)`, over the items that are
    `kept`."""
    counted = np.ones_like(right) if kept is None else kept
    sums = np.stack([right * counted, counted], axis=-1)
    sums = sums.reshape(*right.shape[:2], CLUSTERS, SIZE, 2).sum(axis=-2)
    layout, _ = numbers.sums(np.zeros((CLUSTERS, 1)), tuple(map(str, range(CLUSTERS))))
    cells = [cell_influence(sums[:, i : i + 1], SCORE, range(SEEDS), layout, numbers) for i in range(right.shape[1])]
    return mean_influence(cells, numbers)


def _of(e: Estimate, truth: float = 0.0) -> Outcome:
    assert e.low is not None
    assert e.high is not None
    return e.low, e.high, e.score, truth


def _fixed_languages(seeds_sd: Sequence[float], rng: np.random.Generator, shifts: Sequence[float] = (0.0,)) -> Array:
    return correct(rng, shifts, seeds_sd, np.tile(LANGUAGES, (ROUTES, 1)))


def slope(sd: tuple[float, float, float], rng: np.random.Generator) -> Outcome:
    """The slope over a factor that changes nothing."""
    numbers, right = ClusterNumbers(), _fixed_languages([math.hypot(*sd[:2])] * ROUTES, rng)
    coefficients = slope_coefficients([1, 2, 4], doubling=True)
    return _of(estimate([(a, quantity(right[0, r], numbers)) for r, a in enumerate(coefficients)], numbers))


def equal_damage(sd: tuple[float, float, float], rng: np.random.Generator) -> Outcome:
    """One noise minus another where both damage alike."""
    of_seeds = math.hypot(*sd[:2])
    numbers = ClusterNumbers()
    right = _fixed_languages([of_seeds] * ROUTES, rng, (0.0, *(shift for _, shift in DAMAGES)))
    clean = quantity(right[0, 0], numbers)
    drops = [weighted_sum([(1.0, clean), (-1.0, quantity(x[0], numbers))], numbers) for x in right[1:]]
    at = [(damage, drop) for (damage, _), drop in zip(DAMAGES, drops, strict=True)]
    weighted = difference_at_equal_damage(at[:2], at[2:])
    assert weighted is not None

    def expected(shift: float, more: float) -> float:
        spread = math.sqrt(sum(ITEM_VARIANCES.values()) + of_seeds**2 + more)
        return 100 * float(np.mean(ndtr((CLEAN + np.array(LANGUAGES) + shift) / spread)))

    lost = [expected(0.0, 0.0) - expected(shift, 0.6) for _, shift in DAMAGES]
    return _of(estimate([(1.0, weighted_sum(weighted, numbers))], numbers), (lost[0] + lost[1]) / 2 - lost[2])


def right_when_clean(sd: tuple[float, float, float], rng: np.random.Generator) -> Outcome:
    """The difference of two routes' drops on the items that all had right."""
    numbers, right = ClusterNumbers(), _fixed_languages([math.hypot(*sd[:2])] * ROUTES, rng, (0.0, -0.7))
    kept = right[0].prod(axis=0)
    first, second = (quantity(right[1, r], numbers, kept) for r in (0, 1))
    return _of(estimate([(1.0, first), (-1.0, second)], numbers))


def pooled(sd: tuple[float, float, float], rng: np.random.Generator, more: float = 1.0) -> Outcome:
    """The difference of two routes by the variance between seeds of three."""
    of_seeds = math.hypot(*sd[:2])
    numbers, right = ClusterNumbers(), _fixed_languages([more * of_seeds, of_seeds, of_seeds], rng)
    all_routes = [quantity(right[0, r], numbers) for r in range(ROUTES)]
    terms = [(1.0, all_routes[0]), (-1.0, all_routes[1])]
    e = estimate(terms, numbers)
    second = seeds_pooled(e, terms, all_routes, level=False)
    assert second is not None
    return second.low, second.high, e.score, 0.0


def unequal(sd: tuple[float, float, float], rng: np.random.Generator) -> Outcome:
    """The same where one route has nine times the variance of the others."""
    return pooled(sd, rng, 3.0)


def over_languages(
    sd: tuple[float, float, float], rng: np.random.Generator, language_sd: float = LANGUAGE_SD, wide: bool = True
) -> Outcome:
    """The difference of two routes whose languages are a sample of their families."""
    shift = np.zeros((ROUTES, len(FAMILIES)))
    shift[1] = rng.normal(0, language_sd, len(FAMILIES))
    numbers, right = ClusterNumbers(), correct(rng, (0.0,), [math.hypot(*sd[:2])] * ROUTES, shift)
    by_language = {}
    for i in range(len(FAMILIES)):
        terms = [(a, quantity(right[0, r][:, i : i + 1], numbers)) for r, a in ((0, 1.0), (1, -1.0))]
        by_language[str(i)] = (1 / len(FAMILIES), terms)
    e = estimate([(a, quantity(right[0, r], numbers)) for r, a in ((0, 1.0), (1, -1.0))], numbers)
    spread = math.sqrt(sum(ITEM_VARIANCES.values()) + sd[0] ** 2 + sd[1] ** 2)
    truth = 100 * float(ndtr(CLEAN / spread) - ndtr(CLEAN / math.hypot(spread, language_sd)))
    families = {str(i): name for i, name in enumerate(FAMILIES)}
    second = languages_random(e, by_language, families, numbers, level=False)
    assert second is not None
    return (second.low, second.high, e.score, truth) if wide else _of(e, truth)


def these_languages(sd: tuple[float, float, float], rng: np.random.Generator) -> Outcome:
    """The first interval of the same, which is about these languages."""
    return over_languages(sd, rng, wide=False)


def alike_languages(sd: tuple[float, float, float], rng: np.random.Generator) -> Outcome:
    """The second interval where languages do not differ."""
    return over_languages(sd, rng, 0.0)


Simulation = Callable[[tuple[float, float, float], np.random.Generator], Outcome]
SIMULATIONS: dict[str, Simulation] = {
    "slope over three routes": slope,
    "perturbations at equal damage": equal_damage,
    "drop where all were right": right_when_clean,
    "seeds pooled": pooled,
    "seeds pooled, unequal": unequal,
    "languages random": over_languages,
    "languages random, without differences": alike_languages,
    "these languages, of others": these_languages,
}


def run(simulation: Simulation, sd: tuple[float, float, float], many: int, seed: int) -> tuple[float, float]:
    """Coverage in per cent, and width over the oracle's."""
    rng = np.random.default_rng(seed)
    out = np.array([simulation(sd, rng) for _ in range(many)])
    low, high, score, truth = out.T
    oracle = 1.959964 * math.sqrt(np.mean((score - truth) ** 2))
    return 100 * float(np.mean((low <= truth) & (truth <= high))), float(np.mean(high - low) / 2 / oracle)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--rows", nargs="*", default=[], help="parts of names")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print("| interval | seeds equal to items | seeds dominant | CPU s |\n|---|---|---|---|")
    for name, simulation in SIMULATIONS.items():
        if arguments.rows and not any(part in name for part in arguments.rows):
            continue
        begun = time.process_time()
        cells = [run(simulation, sd, arguments.simulations, arguments.seed) for sd in (EQUAL, DOMINANT)]
        text = " | ".join(f"{coverage:.1f}, {width:.2f}" for coverage, width in cells)
        print(f"| {name} | {text} | {time.process_time() - begun:.0f} |", flush=True)


if __name__ == "__main__":
    main()
