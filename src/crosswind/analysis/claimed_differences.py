"""Claims about the difference of two routes: which contrast is meant, and what it says of an expectation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
from crosswind.analysis.multiplicity import ALPHA, holm
from crosswind.errors import unknown


@dataclass(frozen=True)
class Adjusted:
    """p-values adjusted over all checks of all claims (Holm), each kind of verdict for itself.

    `differences`, by contrast: of no difference. `within` and `beyond`, by check: that a gain is not within its size
    and tolerance (or below the margin), and that it is not beyond them.
    """

    differences: Mapping[int, float | None]
    within: Mapping[DifferenceCheck, float | None]
    beyond: Mapping[DifferenceCheck, float | None]

    @staticmethod
    def of(
        tested: Iterable[Contrast], checks: Iterable[DifferenceCheck], contrasts: Sequence[Contrast], run: RunFacts
    ) -> Adjusted:
        """Adjust what checks look at: the `tested` contrasts, and the sizes of differences among all `contrasts`."""
        unique = {id(c): c for c in tested if c.estimate.p is not None and c.verdict != "not tested"}
        differences = dict(zip(unique, holm([c.estimate.p for c in unique.values()]), strict=True))
        sized = {}
        for check in checks:
            chosen = difference_of(check, contrasts, run)
            if len(chosen) == 1 and (p := _size_p(check, *chosen[0])) is not None:
                sized[check] = p
        within, beyond = (
            dict(zip(sized, holm([p[side] for p in sized.values()]), strict=True)) for side in (0, 1)
        )  # fmt: skip
        return Adjusted(differences, within, beyond)

    def shows(self, contrast: Contrast) -> bool:
        """Whether it shows that two routes differ."""
        p = self.differences.get(id(contrast))
        return p is not None and p < ALPHA


def difference_of(check: DifferenceCheck, contrasts: Sequence[Contrast], run: RunFacts) -> list[tuple[Contrast, int]]:
    """The differences that a check may mean, each with the sign that makes it first minus second."""
    return pair_of(check.route, check.against, check.measure, contrasts, run, check.target, check.perturbation)


def _expected(check: DifferenceCheck, contrast: Contrast) -> tuple[float, float] | None:
    """Between what the gain is expected, in points; `None` where the check says no size."""
    if check.expect == "no benefit":
        margin = check.margin if check.margin is not None else contrast.margin
        return None if margin is None else (-math.inf, margin)
    if check.size is None:
        return None
    low, high = check.size - check.tolerance, check.size + check.tolerance
    return (low, high) if check.expect in ("helps", "more robust") else (-high, -low)


def _size_p(check: DifferenceCheck, contrast: Contrast, sign: int) -> tuple[float, float] | None:
    """The p-values of a gain that is not within the size that is expected, and of one that is not beyond it."""
    expected = _expected(check, contrast)
    if expected is None or contrast.verdict == "not tested":
        return None
    low, high = expected if sign * gain_sign(contrast) > 0 else (-expected[1], -expected[0])
    e = contrast.estimate
    within, below, above = e.p_between(low, high), e.p_below(low), e.p_above(high)
    if within is None or below is None or above is None:
        return None
    sides = [p for p, end in ((below, low), (above, high)) if math.isfinite(end)]
    return within, min(1.0, len(sides) * min(sides))


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
    check: DifferenceCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Adjusted
) -> Finding:
    """Whether one route is better than another, and by how much."""
    chosen = difference_of(check, contrasts, run)
    if not chosen:
        return missing_finding("comparison", run, check.route, check.against)
    if len(chosen) > 1:
        return Finding("not tested", f"{len(chosen)} pairs of routes fit: name them", tuple(c for c, _ in chosen))
    contrast, sign = chosen[0]
    if contrast.verdict == "not tested":
        return Finding("not tested", contrast.words, (contrast,))
    p = adjusted.differences.get(id(contrast))
    orientation = sign * gain_sign(contrast)
    low, high = interval_as_gain(contrast, orientation)
    text = f"gain {orientation * contrast.estimate.score:+.1f} [{low:+.1f}, {high:+.1f}]"
    text += "" if p is None else f", p = {p:.3g}"
    within, beyond = adjusted.within.get(check), adjusted.beyond.get(check)
    if beyond is not None and beyond < ALPHA:
        text += f" (not {_size_words(check, contrast)}: p = {beyond:.3g})"
    elif within is not None:
        text += f" ({_size_words(check, contrast)}: p = {within:.3g})"
    others: tuple[Contrast, ...] = ()
    if check.measure not in ("clean", "before", "everywhere", "official"):
        clean = pair_of(check.route, check.against, "clean", contrasts, run, check.target, check.perturbation)
        for plain, way in clean[:1]:
            ends = interval_as_gain(plain, way * gain_sign(plain))
            text += f"; clean {way * gain_sign(plain) * plain.estimate.score:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}]"
            others = (plain,)
    return Finding(_verdict(check, contrast, orientation, adjusted), text, (contrast, *others), p)


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


def _size_words(check: DifferenceCheck, contrast: Contrast) -> str:
    if check.size is None:
        margin = check.margin if check.margin is not None else contrast.margin
        return f"below {margin:g}"
    return f"within {check.size:g} ± {check.tolerance:g}"


def _verdict(check: DifferenceCheck, contrast: Contrast, orientation: int, adjusted: Adjusted) -> ClaimVerdict:
    """What a difference says of an expectation; `orientation` times the estimate is the gain of the first route."""
    gain = orientation * contrast.estimate.score
    significant = adjusted.shows(contrast)
    within, beyond = (p.get(check) for p in (adjusted.within, adjusted.beyond))
    if check.expect == "no benefit":
        if within is None or beyond is None:
            return "not tested"
        if within < ALPHA:
            return "supported"
        return "refuted" if beyond < ALPHA or (significant and gain > 0) else "undecided"
    wanted = 1 if check.expect in ("helps", "more robust") else -1
    if significant and gain * wanted < 0:
        return "refuted"
    if check.size is None:
        return "supported" if significant else "undecided"
    if beyond is not None and beyond < ALPHA:
        return "refuted"
    return "supported" if significant and within is not None and within < ALPHA else "undecided"


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
