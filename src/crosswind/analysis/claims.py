"""Claims: statements about routes, judged by the contrasts of a run.

A claim is judged by its checks; each names a comparison and what is expected of it. The p-values of all checks of a
file are one family (Holm). Outside its scope a claim is *not tested*, and the run's own answer stands beside it as an
analogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from crosswind.analysis.contrast import RouteFacts
from crosswind.analysis.contrasted import Contrast, Measure
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.tasks.base import TASKS

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
    """What a claim is about: an encoder, targets, a split, a selection; empty is any. `parameters` is the encoder's
    size, which the statement says: a run is inside by the encoder's name. `benchmark`: its averages are over the
    languages that a benchmark has of each target, no fewer and no others.

    A target without the split counts with the only one that it is evaluated on: XQuAD has no development set.
    """

    encoder: str = ""
    targets: tuple[str, ...] = ()
    split: str = ""
    selection: str = ""
    benchmark: str = ""
    parameters: int | None = None

    def lacking(self, run: RunFacts) -> str:
        """Why a run is outside the scope; empty if it is inside."""
        reasons = []
        if self.encoder and not any(same_model(self.encoder, name) for name in run.encoders):
            reasons.append(f"the encoder is {', '.join(run.encoders)}, the claim is about {self.encoder}")
        missing = [target for target in self.targets if target not in run.targets]
        if missing:
            reasons.append(f"the run has no {', '.join(missing)}")
        if self.split:
            reasons += self._other_splits(run)
        if self.selection and not set(run.selections) <= {self.selection, "untuned"}:
            reasons.append(f"checkpoints were chosen on {', '.join(run.selections)}, not on {self.selection}")
        if self.benchmark:
            reasons += self._other_languages(run)
        return "; ".join(reasons)

    def remark(self, run: RunFacts) -> str:
        """What a reader of a run that is inside must know: the targets that lack the split, with what they have."""
        instead: dict[str, list[str]] = {}
        for target in self._in_run(run):
            if self.split and (split := only_split(target, self.split)) != self.split:
                instead.setdefault(split, []).append(target)
        parts = [f"{', '.join(targets)} on {split}" for split, targets in sorted(instead.items())]
        return f"for want of {self.split} data {' and '.join(parts)}" if parts else ""

    def _in_run(self, run: RunFacts) -> list[str]:
        return [target for target in self.targets or run.targets if target in run.targets]

    def _other_splits(self, run: RunFacts) -> list[str]:
        """The targets that are evaluated on another split than is asked."""
        asked = self._in_run(run)
        other: dict[str, list[str]] = {}
        for target in asked:
            there = run.splits.get(target, ())
            if there != (only_split(target, self.split),):
                other.setdefault(", ".join(there), []).append(target)
        alike = len(other) == 1 and [*other.values()] == [asked]
        where = {splits: "" if alike else f"{', '.join(targets)} on " for splits, targets in other.items()}
        return [f"the run evaluates {of}{splits}, the claim is about {self.split}" for splits, of in where.items()]

    def _other_languages(self, run: RunFacts) -> list[str]:
        """The targets whose average the benchmark takes over other languages than the run."""
        reasons = []
        for target in self.targets or run.targets:
            part = BENCHMARKS[self.benchmark].tasks.get(target)
            if part is None or target not in run.languages:
                continue
            asked, there = set(part.languages), set(run.languages[target])
            if lacking := sorted(asked - there):
                reasons.append(f"{self.benchmark} averages {target} over {', '.join(lacking)} too")
            if beyond := sorted(there - asked):
                reasons.append(f"{self.benchmark} averages {target} without {', '.join(beyond)}")
        return reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement with its source, scope and checks, of which all must hold.

    `general`: it is worded of encoders at large, so that two of unequal size have to agree.
    """

    id: str
    statement: str
    source: str
    scope: ClaimScope
    checks: tuple[ClaimCheck, ...]
    general: bool = False

    @property
    def of_procedure(self) -> bool:
        """Whether it is about what was done and covered, and not about an effect."""
        return bool(self.checks) and all(isinstance(check, ProvenanceCheck) for check in self.checks)


@dataclass(frozen=True)
class RunFacts:
    """What claims ask of a run besides its contrasts; `splits` are those that each target is evaluated on,
    `development` is (route, target) -> mean score on dev, `languages` are those that each target's averages are over.
    """

    encoders: tuple[str, ...]
    routes: tuple[str, ...]
    targets: tuple[str, ...]
    splits: Mapping[str, tuple[str, ...]]
    selections: tuple[str, ...]
    facts: RouteFacts
    development: Mapping[tuple[str, str], float] = field(default_factory=dict)
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to: a verdict, in words, with the contrasts used and the adjusted p-value."""

    verdict: ClaimVerdict
    text: str
    contrasts: tuple[Contrast, ...] = ()
    adjusted: float | None = None


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A claim with its verdict; `outside` says why the run is not in its scope, and then `analogue` what it shows.
    `remark` is what a reader must know of a run that is inside."""

    claim: Claim
    verdict: ClaimVerdict
    findings: tuple[Finding, ...]
    outside: str = ""
    analogue: ClaimVerdict | None = None
    remark: str = ""


def counted_verdicts(judged: Sequence[JudgedClaim]) -> str:
    """How many claims have which verdict, those about effects apart: that a procedure was followed supports none."""
    parts = []
    for what, of_procedure in (("about effects", False), ("about procedure and coverage", True)):
        verdicts = [j.verdict for j in judged if j.claim.of_procedure == of_procedure]
        counts = [f"{verdicts.count(v)} {v}" for v in STATUS if v in verdicts]
        parts += [f"{what}: {', '.join(counts)}"] if counts else []
    return "; ".join(parts)


def encoder_words(name: str, parameters: int | None) -> str:
    """An encoder with its size, for a sentence."""
    return name if parameters is None else f"{name} ({parameters / 1e6:.1f} M parameters)"


def stated(claim: Claim, encoder: str, words: str) -> str:
    """A claim with the encoder that it is about and its size: its own, or else the run's, which is `encoder` or in
    `words`. What was done is said of a run, and names no encoder but the one that it may be about."""
    scope = claim.scope
    if claim.of_procedure:
        return claim.statement
    if scope.encoder and not same_model(scope.encoder, encoder):
        words = encoder_words(scope.encoder, scope.parameters)
    return f"with {words}: {claim.statement}"


def only_split(target: str, asked: str) -> str:
    """The split that is asked of a target, or else the only one that it is evaluated on."""
    if has_split(target, asked):
        return asked
    evaluated = [split for split in TASKS[target].splits if split != "train"]
    return evaluated[0] if len(evaluated) == 1 else asked


def has_split(target: str, split: str) -> bool:
    """Whether a target has a split; of a task that is not declared here nobody knows, and it may."""
    return target not in TASKS.names() or split in TASKS[target].splits


def same_model(a: str, b: str) -> bool:
    """Whether two names mean one checkpoint: the last part of a path or hub id, whatever its case."""
    return a.rstrip("/").rpartition("/")[2].lower() == b.rstrip("/").rpartition("/")[2].lower()
