"""Claims about the difference of two routes: which contrast is meant, and what it says of an expectation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import assert_never

from crosswind.analysis.claims import (
    BestCheck,
    ClaimVerdict,
    ConsistentCheck,
    DifferenceCheck,
    Finding,
    RouteRef,
    RunFacts,
)
from crosswind.analysis.contrasted import Contrast, Measure
from crosswind.analysis.multiplicity import ALPHA
from crosswind.errors import unknown


def pair_of(
    route: RouteRef,
    against: RouteRef,
    measure: Measure,
    contrasts: Sequence[Contrast],
    run: RunFacts,
    target: str = "",
    perturbation: str = "",
) -> list[tuple[Contrast, int]]:
    """The differences of two routes, each with the sign that makes it first minus second."""
    scope, within = ("target", target) if target else ("perturbation", perturbation) if perturbation else ("all", "")
    firsts, seconds = (set(ref.matches(run.routes, run.facts)) for ref in (route, against))
    chosen = []
    for c in differences_of(contrasts, measure, scope, within):
        if c.systems[0] in firsts and c.systems[1] in seconds:
            chosen.append((c, 1))
        elif c.systems[1] in firsts and c.systems[0] in seconds:
            chosen.append((c, -1))
    return chosen


def differences_of(contrasts: Sequence[Contrast], measure: Measure, scope: str, within: str) -> list[Contrast]:
    """The differences of a measure; where no language is left out of a mean, the narrower one is the wider."""
    rows = [c for c in contrasts if c.kind == "difference" and (c.scope, c.within) == (scope, within)]
    chosen = [c for c in rows if c.measure == measure]
    narrower: dict[Measure, Measure] = {"official": "everywhere", "everywhere": "clean"}
    if not chosen and measure in narrower:
        return differences_of(contrasts, narrower[measure], scope, within)
    return chosen


def missing_finding(check: str, run: RunFacts, *refs: RouteRef) -> Finding:
    """Why there is nothing to judge by: a route that the run lacks, with those that may be meant."""
    absent = [ref for ref in refs if not ref.matches(run.routes, run.facts)]
    if absent:
        names = [repr(ref.label) + _meant(ref, run) for ref in absent]
        return Finding("not tested", f"the run has no route {' and no route '.join(names)}")
    return Finding("not tested", f"the run has no such {check}")


def _meant(ref: RouteRef, run: RunFacts) -> str:
    hint = unknown("route", ref.name, run.routes).hint if ref.name else None
    return f" ({hint})" if hint else ""


def difference_finding(
    check: DifferenceCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Mapping[int, float | None]
) -> Finding:
    """Whether one route is better than another, and by how much."""
    chosen = pair_of(check.route, check.against, check.measure, contrasts, run, check.target, check.perturbation)
    if not chosen:
        return missing_finding("comparison", run, check.route, check.against)
    if len(chosen) > 1:
        return Finding("not tested", f"{len(chosen)} pairs of routes fit: name them", tuple(c for c, _ in chosen))
    contrast, sign = chosen[0]
    if contrast.verdict == "not tested":
        return Finding("not tested", contrast.words, (contrast,))
    p = adjusted.get(id(contrast))
    orientation = sign * gain_sign(contrast)
    low, high = interval_as_gain(contrast, orientation)
    text = f"gain {orientation * contrast.estimate.score:+.1f} [{low:+.1f}, {high:+.1f}]"
    text += "" if p is None else f", p = {p:.3g}"
    others: tuple[Contrast, ...] = ()
    if check.measure not in ("clean", "before", "everywhere", "official"):
        clean = pair_of(check.route, check.against, "clean", contrasts, run, check.target, check.perturbation)
        for plain, way in clean[:1]:
            ends = interval_as_gain(plain, way * gain_sign(plain))
            text += f"; clean {way * gain_sign(plain) * plain.estimate.score:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}]"
            others = (plain,)
    return Finding(_verdict(check, contrast, orientation, p), text, (contrast, *others), p)


def gain_sign(contrast: Contrast) -> int:
    """+1 where more of the measure is better for the first system, else -1: what makes a difference a gain."""
    match contrast.measure:
        case "drop" | "relative-drop" | "normalised-drop" | "right-drop" | "error":
            return -1
        case "clean" | "before" | "everywhere" | "official" | "perturbed" | "residual":
            return 1 if contrast.better == "higher" else -1
        case "consistency":  # a share of equal predictions, whichever way the metric goes
            return 1
        case _:
            assert_never(contrast.measure)


def interval_as_gain(contrast: Contrast, sign: int) -> tuple[float, float]:
    """The interval of a contrast that is tested, as a gain."""
    low, high = contrast.estimate.low, contrast.estimate.high
    if low is None or high is None:
        return -math.inf, math.inf
    return (low, high) if sign > 0 else (-high, -low)


def _verdict(check: DifferenceCheck, contrast: Contrast, orientation: int, p: float | None) -> ClaimVerdict:
    """What a difference says of an expectation; `orientation` times the estimate is the gain of the first route."""
    e = contrast.estimate
    gain = orientation * e.score
    low, high = interval_as_gain(contrast, orientation)
    if check.expect == "no benefit":
        bounds = e.bounds(2 * ALPHA)
        margin = check.margin if check.margin is not None else contrast.margin
        if margin is None or bounds is None:
            return "not tested"
        if max(orientation * bounds[0], orientation * bounds[1]) < margin:
            return "supported"
        return "refuted" if low > margin or (p is not None and p < ALPHA and gain > 0) else "undecided"
    wanted = 1 if check.expect in ("helps", "more robust") else -1
    significant = p is not None and p < ALPHA
    if significant and gain * wanted < 0:
        return "refuted"
    if check.size is None:
        return "supported" if significant else "undecided"
    least, most = check.size - check.tolerance, check.size + check.tolerance
    towards = sorted((wanted * low, wanted * high))
    if towards[1] < least or towards[0] > most:
        return "refuted"
    return "supported" if significant and least <= towards[0] and towards[1] <= most else "undecided"


def versus_all(
    route: str, check: BestCheck, contrasts: Sequence[Contrast], run: RunFacts
) -> list[tuple[Contrast, int]]:
    """The differences of a route from every other that it is compared with, with the sign that makes it the first.

    The same route with a defence is no other route.
    """
    chosen = []
    for c in differences_of(contrasts, check.measure, "all", ""):
        if route in c.systems and set(c.systems) <= set(run.routes):
            chosen.append((c, 1 if c.systems[0] == route else -1))
    return chosen


def helping(check: ConsistentCheck, contrasts: Sequence[Contrast], run: RunFacts) -> list[tuple[Contrast, int]]:
    """The differences of every route from the base in a target, with the sign that makes the base the second.

    The base with a defence is no other route.
    """
    base = set(check.against.matches(run.routes, run.facts))
    chosen = []
    of_target = differences_of(contrasts, check.measure, "target", check.target)
    for c in (c for c in of_target if set(c.systems) <= set(run.routes)):
        if c.systems[1] in base and c.systems[0] not in base:
            chosen.append((c, 1))
        elif c.systems[0] in base and c.systems[1] not in base:
            chosen.append((c, -1))
    return chosen


def shown_by(p: float | None) -> bool:
    """Whether an adjusted p-value shows a difference."""
    return p is not None and p < ALPHA
