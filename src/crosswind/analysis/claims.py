"""Claims: statements about routes, judged by the contrasts of a run.

A claim is judged by its checks; each names a comparison and what is expected of it. The p-values of all checks of a
file are one family (Holm). Outside its scope a claim is *not tested*, and the run's own answer stands beside it as an
analogue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

from crosswind.analysis.contrast import RouteFacts
from crosswind.analysis.contrasted import Contrast, Measure
from crosswind.analysis.multiplicity import ALPHA, holm

ClaimVerdict = Literal["supported", "refuted", "undecided", "not tested"]
Expectation = Literal["helps", "hurts", "more robust", "less robust", "no benefit"]
"""Of a level *helps* or *hurts*; of a drop *more* or *less robust*; *no benefit*: less than a margin."""

STATUS: Mapping[ClaimVerdict, str] = {
    "supported": "VERIFIED",
    "refuted": "FALSIFIED",
    "undecided": "UNVERIFIED",
    "not tested": "UNVERIFIED",
}


@dataclass(frozen=True, slots=True)
class RouteRef:
    """A route by its name, or by what it was trained on between the encoder and the target: tasks and languages."""

    name: str = ""
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def matches(self, routes: Sequence[str], facts: RouteFacts) -> list[str]:
        """The routes of a run that it names."""
        if self.name:
            return [route for route in routes if route == self.name]
        return [
            route
            for route in routes
            if facts.factors.get(route, {}).get("tasks", "").split() == sorted(self.tasks)
            and self.languages in ((), tuple(facts.factors.get(route, {}).get("languages", "").split()))
        ]

    @property
    def label(self) -> str:
        """How a table names it."""
        if self.name:
            return self.name
        return f"trained on {' '.join(self.tasks)}" + (f" in {' '.join(self.languages)}" if self.languages else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceCheck:
    """One route against another: what is expected, and by how much.

    `size` in points with a `tolerance`: supported if the interval lies within it, refuted if it lies outside. `margin`:
    of *no benefit*, below which a gain counts as none. `target` narrows it to one target, `perturbation` to one.
    """

    measure: Measure
    route: RouteRef
    against: RouteRef
    expect: Expectation
    size: float | None = None
    tolerance: float = 1.0
    margin: float | None = None
    target: str = ""
    perturbation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestCheck:
    """A route is better than each of the others."""

    measure: Measure
    route: RouteRef


@dataclass(frozen=True, slots=True, kw_only=True)
class MostCheck:
    """These targets gain more than all others."""

    measure: Measure
    route: RouteRef
    against: RouteRef
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistentCheck:
    """At least so many routes help a target; with `fails`, fewer than so many do."""

    measure: Measure
    target: str
    against: RouteRef
    at_least: int
    fails: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenCheck:
    """The best route of each target, chosen on development data, gains so much over a route, the mean over targets."""

    measure: Measure
    against: RouteRef
    size: float
    tolerance: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceCheck:
    """What the run itself is: its encoder, its number of phases, the tasks that its routes cover."""

    encoder: str = ""
    phases: int | None = None
    covers: tuple[str, ...] = ()


ClaimCheck = DifferenceCheck | BestCheck | MostCheck | ConsistentCheck | ChosenCheck | ProvenanceCheck


@dataclass(frozen=True, slots=True)
class ClaimScope:
    """What a claim is about: an encoder, targets, a split, a selection; empty is any."""

    encoder: str = ""
    targets: tuple[str, ...] = ()
    split: str = ""
    selection: str = ""

    def lacking(self, run: RunFacts) -> str:
        """Why a run is outside the scope; empty if it is inside."""
        reasons = []
        if self.encoder and not any(same_model(self.encoder, name) for name in run.encoders):
            reasons.append(f"the encoder is {', '.join(run.encoders)}, the claim is about {self.encoder}")
        missing = [target for target in self.targets if target not in run.targets]
        if missing:
            reasons.append(f"the run has no {', '.join(missing)}")
        if self.split and set(run.splits) != {self.split}:
            reasons.append(f"the run evaluates {', '.join(run.splits)}, the claim is about {self.split}")
        if self.selection and not set(run.selections) <= {self.selection, "untuned"}:
            reasons.append(f"checkpoints were chosen on {', '.join(run.selections)}, not on {self.selection}")
        return "; ".join(reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement with its source, scope and checks, of which all must hold."""

    id: str
    statement: str
    source: str
    scope: ClaimScope
    checks: tuple[ClaimCheck, ...]


@dataclass(frozen=True)
class RunFacts:
    """What claims ask of a run besides its contrasts; `development` is (route, target) -> mean score on dev."""

    encoders: tuple[str, ...]
    routes: tuple[str, ...]
    targets: tuple[str, ...]
    splits: tuple[str, ...]
    selections: tuple[str, ...]
    facts: RouteFacts
    development: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to: a verdict, in words, with the contrasts used and the adjusted p-value."""

    verdict: ClaimVerdict
    text: str
    contrasts: tuple[Contrast, ...] = ()
    adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A claim with its verdict; `outside` says why the run is not in its scope, and then `analogue` what it shows."""

    claim: Claim
    verdict: ClaimVerdict
    findings: tuple[Finding, ...]
    outside: str = ""
    analogue: ClaimVerdict | None = None


def judge_claims(claims: Sequence[Claim], contrasts: Sequence[Contrast], run: RunFacts) -> list[JudgedClaim]:
    """Every claim judged by a run; p-values are adjusted over all checks of all claims (Holm)."""
    tested = [c for claim in claims for check in claim.checks for c in _used(check, contrasts, run)]
    unique = list({id(c): c for c in tested if c.estimate.p is not None and c.verdict != "not tested"}.values())
    adjusted = dict(zip((id(c) for c in unique), holm([c.estimate.p for c in unique]), strict=True))
    return [_judged(claim, contrasts, run, adjusted) for claim in claims]


def same_model(a: str, b: str) -> bool:
    """Whether two names mean one checkpoint: the last part of a path or hub id, whatever its case."""
    return a.rstrip("/").rpartition("/")[2].lower() == b.rstrip("/").rpartition("/")[2].lower()


def _judged(
    claim: Claim, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Mapping[int, float | None]
) -> JudgedClaim:
    findings = tuple(_finding(check, contrasts, run, adjusted) for check in claim.checks)
    verdict = _together([f.verdict for f in findings])
    outside = claim.scope.lacking(run)
    if outside and not all(isinstance(check, ProvenanceCheck) for check in claim.checks):
        return JudgedClaim(claim, "not tested", findings, outside, verdict)
    return JudgedClaim(claim, verdict, findings)


def _together(verdicts: Sequence[ClaimVerdict]) -> ClaimVerdict:
    """A claim is refuted by one check and supported by all."""
    order: tuple[ClaimVerdict, ...] = ("refuted", "not tested", "undecided", "supported")
    return min(verdicts, key=order.index) if verdicts else "not tested"


def _finding(
    check: ClaimCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Mapping[int, float | None]
) -> Finding:
    match check:
        case DifferenceCheck():
            return _difference(check, contrasts, run, adjusted)
        case BestCheck():
            return _best(check, contrasts, run, adjusted)
        case MostCheck():
            return _most(check, contrasts, run)
        case ConsistentCheck():
            return _consistent(check, contrasts, run, adjusted)
        case ChosenCheck():
            return _chosen(check, contrasts, run)
        case ProvenanceCheck():
            return _provenance(check, run)
        case _:
            assert_never(check)


def _used(check: ClaimCheck, contrasts: Sequence[Contrast], run: RunFacts) -> list[Contrast]:
    """The contrasts whose p-values a check looks at."""
    match check:
        case DifferenceCheck():
            chosen = _pair(check.route, check.against, check.measure, contrasts, run, check.target, check.perturbation)
            return [c for c, _ in chosen]
        case BestCheck():
            routes = check.route.matches(run.routes, run.facts)
            return [c for route in routes for c, _ in _against_all(route, check, contrasts)]
        case ConsistentCheck():
            return [c for c, _ in _helping(check, contrasts, run)]
        case MostCheck() | ChosenCheck() | ProvenanceCheck():
            return []
        case _:
            assert_never(check)


def _pair(
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
    for c in _differences(contrasts, measure, scope, within):
        if c.systems[0] in firsts and c.systems[1] in seconds:
            chosen.append((c, 1))
        elif c.systems[1] in firsts and c.systems[0] in seconds:
            chosen.append((c, -1))
    return chosen


def _differences(contrasts: Sequence[Contrast], measure: Measure, scope: str, within: str) -> list[Contrast]:
    """The differences of a measure; where every language was perturbed, `clean` is the score everywhere."""
    rows = [c for c in contrasts if c.kind == "difference" and (c.scope, c.within) == (scope, within)]
    chosen = [c for c in rows if c.measure == measure]
    if not chosen and measure == "everywhere":
        chosen = [c for c in rows if c.measure == "clean"]
    return chosen


def _missing(check: str, run: RunFacts, *refs: RouteRef) -> Finding:
    absent = [ref.label for ref in refs if not ref.matches(run.routes, run.facts)]
    if absent:
        return Finding("not tested", f"the run has no route {' and no route '.join(absent)}")
    return Finding("not tested", f"the run has no such {check}")


def _difference(
    check: DifferenceCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Mapping[int, float | None]
) -> Finding:
    chosen = _pair(check.route, check.against, check.measure, contrasts, run, check.target, check.perturbation)
    if not chosen:
        return _missing("comparison", run, check.route, check.against)
    if len(chosen) > 1:
        return Finding("not tested", f"{len(chosen)} pairs of routes fit: name them", tuple(c for c, _ in chosen))
    contrast, sign = chosen[0]
    if contrast.verdict == "not tested":
        return Finding("not tested", contrast.words, (contrast,))
    p = adjusted.get(id(contrast))
    orientation = sign * _gain(contrast)
    low, high = _interval(contrast, orientation)
    text = f"gain {orientation * contrast.estimate.score:+.1f} [{low:+.1f}, {high:+.1f}]"
    text += "" if p is None else f", p = {p:.3g}"
    others: tuple[Contrast, ...] = ()
    if check.measure not in ("clean", "before", "everywhere"):
        clean = _pair(check.route, check.against, "clean", contrasts, run, check.target, check.perturbation)
        for plain, way in clean[:1]:
            ends = _interval(plain, way * _gain(plain))
            text += f"; clean {way * _gain(plain) * plain.estimate.score:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}]"
            others = (plain,)
    return Finding(_verdict(check, contrast, orientation, p), text, (contrast, *others), p)


def _gain(contrast: Contrast) -> int:
    """+1 where more of the measure is better for the first system, else -1: what makes a difference a gain."""
    match contrast.measure:
        case "drop" | "relative-drop" | "normalised-drop" | "error":
            return -1
        case "clean" | "before" | "everywhere" | "perturbed" | "residual":
            return 1 if contrast.better == "higher" else -1
        case "consistency":  # a share of equal predictions, whichever way the metric goes
            return 1
        case _:
            assert_never(contrast.measure)


def _interval(contrast: Contrast, sign: int) -> tuple[float, float]:
    """The interval of a contrast that is tested, as a gain."""
    low, high = contrast.estimate.low, contrast.estimate.high
    if low is None or high is None:
        return -math.inf, math.inf
    return (low, high) if sign > 0 else (-high, -low)


def _verdict(check: DifferenceCheck, contrast: Contrast, orientation: int, p: float | None) -> ClaimVerdict:
    """What a difference says of an expectation; `orientation` times the estimate is the gain of the first route."""
    e = contrast.estimate
    gain = orientation * e.score
    low, high = _interval(contrast, orientation)
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


def _against_all(route: str, check: BestCheck, contrasts: Sequence[Contrast]) -> list[tuple[Contrast, int]]:
    chosen = []
    for c in _differences(contrasts, check.measure, "all", ""):
        if route in c.systems:
            chosen.append((c, 1 if c.systems[0] == route else -1))
    return chosen


def _best(
    check: BestCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Mapping[int, float | None]
) -> Finding:
    matching = check.route.matches(run.routes, run.facts)
    if len(matching) != 1:
        return _missing("route", run, check.route)
    chosen = [(c, sign * _gain(c)) for c, sign in _against_all(matching[0], check, contrasts)]
    tested = [(c, sign) for c, sign in chosen if c.verdict != "not tested"]
    if not tested:
        why = chosen[0][0].words if chosen else "the run has one route"
        return Finding("not tested", why, tuple(c for c, _ in chosen))
    better = [c for c, sign in tested if sign * c.estimate.score > 0 and _below(adjusted.get(id(c)))]
    worse = [c for c, sign in tested if sign * c.estimate.score < 0 and _below(adjusted.get(id(c)))]
    text = f"better than {len(better)}, worse than {len(worse)} of {len(tested)} other routes"
    verdict: ClaimVerdict = "refuted" if worse else "supported" if len(better) == len(tested) else "undecided"
    return Finding(verdict, text, tuple(c for c, _ in tested))


def _below(p: float | None) -> bool:
    return p is not None and p < ALPHA


def _most(check: MostCheck, contrasts: Sequence[Contrast], run: RunFacts) -> Finding:
    gains: dict[str, tuple[float, float]] = {}
    used = []
    for target in run.targets:
        for c, sign in _pair(check.route, check.against, check.measure, contrasts, run, target):
            if c.verdict != "not tested":
                gains[target] = _interval(c, sign * _gain(c))
                used.append(c)
    missing = [t for t in check.targets if t not in gains]
    others = [t for t in gains if t not in check.targets]
    if missing or not others:
        what = f"no gain of {', '.join(missing)}" if missing else "no other target"
        return Finding("not tested", f"the run has {what}")
    least = min(gains[t][0] for t in check.targets)
    most = max(gains[t][1] for t in check.targets)
    text = "; ".join(f"{t} [{low:+.1f}, {high:+.1f}]" for t, (low, high) in gains.items())
    if least > max(gains[t][1] for t in others):
        return Finding("supported", text, tuple(used))
    verdict: ClaimVerdict = "refuted" if any(gains[t][0] > most for t in others) else "undecided"
    return Finding(verdict, text, tuple(used))


def _helping(check: ConsistentCheck, contrasts: Sequence[Contrast], run: RunFacts) -> list[tuple[Contrast, int]]:
    base = set(check.against.matches(run.routes, run.facts))
    chosen = []
    for c in _differences(contrasts, check.measure, "target", check.target):
        if c.systems[1] in base and c.systems[0] not in base:
            chosen.append((c, 1))
        elif c.systems[0] in base and c.systems[1] not in base:
            chosen.append((c, -1))
    return chosen


def _consistent(
    check: ConsistentCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Mapping[int, float | None]
) -> Finding:
    chosen = [(c, s * _gain(c)) for c, s in _helping(check, contrasts, run) if c.verdict != "not tested"]
    if len(chosen) < check.at_least:
        return Finding("not tested", f"the run has {len(chosen)} routes to compare, of {check.at_least}")
    helped = [c for c, sign in chosen if sign * c.estimate.score > 0 and _below(adjusted.get(id(c)))]
    open_ = [c for c, sign in chosen if c not in helped and _interval(c, sign)[1] > 0]
    text = f"{len(helped)} of {len(chosen)} routes help, {len(open_)} more may"
    verdict: ClaimVerdict
    if check.fails:
        verdict = "refuted" if len(helped) >= check.at_least else "undecided" if open_ else "supported"
    else:
        most = len(helped) + len(open_)
        verdict = "supported" if len(helped) >= check.at_least else "refuted" if most < check.at_least else "undecided"
    return Finding(verdict, text, tuple(c for c, _ in chosen))


def _chosen(check: ChosenCheck, contrasts: Sequence[Contrast], run: RunFacts) -> Finding:
    """The mean over targets of the chosen routes' gains; its half width is at most the mean of theirs."""
    if not run.development:
        return Finding("not tested", "the run has no scores on development data to choose on")
    gains: list[tuple[float, float]] = []
    used = []
    for target in run.targets:
        scores = {route: score for (route, of), score in run.development.items() if of == target}
        best = max(scores, key=lambda route: scores[route], default=None)
        if best is None:
            return Finding("not tested", f"{target} has no scores on development data")
        if best in check.against.matches(run.routes, run.facts):
            gains.append((0.0, 0.0))
            continue
        pairs = _pair(RouteRef(best), check.against, check.measure, contrasts, run, target)
        if not pairs or pairs[0][0].verdict == "not tested":
            return Finding("not tested", f"{best} is not compared in {target}")
        contrast, sign = pairs[0]
        low, high = _interval(contrast, sign * _gain(contrast))
        gains.append((sign * _gain(contrast) * contrast.estimate.score, (high - low) / 2))
        used.append(contrast)
    mean = sum(gain for gain, _ in gains) / len(gains)
    half = sum(width for _, width in gains) / len(gains)
    text = f"{mean:+.1f} [{mean - half:+.1f}, {mean + half:+.1f}] over {len(gains)} targets"
    if mean + half < check.size - check.tolerance or mean - half > check.size + check.tolerance:
        return Finding("refuted", text, tuple(used))
    inside = check.size - check.tolerance <= mean - half and mean + half <= check.size + check.tolerance
    return Finding("supported" if inside else "undecided", text, tuple(used))


def _provenance(check: ProvenanceCheck, run: RunFacts) -> Finding:
    said, holds = [], True
    if check.encoder:
        holds = holds and all(same_model(check.encoder, name) for name in run.encoders)
        said.append(f"encoder {', '.join(run.encoders)}")
    if check.phases is not None:
        trained = {route: int(run.facts.factors.get(route, {}).get("phases", "0")) for route in run.routes}
        with_phase = [route for route, phases in trained.items() if phases]
        tuned = [selection for selection in run.selections if selection != "untuned"]
        # The encoder, at least one phase between, and the target's own.
        holds = holds and bool(with_phase) and (check.phases < 3 or bool(tuned))
        said.append(f"{len(with_phase)} of {len(run.routes)} routes with an intermediate phase")
    if check.covers:
        seen = {task for route in run.routes for task in run.facts.factors.get(route, {}).get("tasks", "").split()}
        missing = [task for task in check.covers if task not in seen]
        holds = holds and not missing
        without = f" (not {', '.join(missing)})" if missing else ""
        said.append(f"{len(check.covers) - len(missing)} of {len(check.covers)} tasks{without}")
    return Finding("supported" if holds else "refuted", "; ".join(said))
