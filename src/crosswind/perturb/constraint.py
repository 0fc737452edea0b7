"""Constraints by name: what noise and attacks may not do, one file a constraint, found by `CONSTRAINTS`.

A study file names them (`constraints: [digits, "chrf(least=80)"]`), in the grammar of perturbations without a
severity. A named constraint with its parameters becomes the `Constraint` that noise and attacks obey.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.needs import ModelNeed, Need
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Value
from crosswind.perturb.spec import Resolved, TextScope, parsed_call, printed_call
from crosswind.registry import Registry

Settings = Mapping[str, Value]
"""The values of a constraint's parameters, defaults included."""


class Similarity(Protocol):
    """What says how similar texts are, passed in by whoever has a model."""

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """The cosine of the vectors of each pair of texts, -1 to 1."""
        ...


@dataclass(frozen=True)
class Threshold:
    """What a constraint measures of texts and compares with its parameter `side`: at `most` so much, or at `least`.

    `measure` makes what gives a number for each (original, result), of the parameters' values and what the needs
    resolved to. Thresholds that are looked for (`crosswind review --calibrate`) have so many `decimals`.
    """

    side: Literal["most", "least"]
    measure: Callable[[Settings, Given], Callable[[Sequence[tuple[Passage, Passage]]], Sequence[float]]]
    decimals: int

    def constraint(self, name: str, settings: Settings, given: Given) -> Constraint:
        """The constraint with the threshold of the settings."""
        measure, threshold = self.measure(settings, given), float(str(settings[self.side]))

        def check(pairs: Sequence[tuple[Passage, Passage]]) -> Sequence[bool]:
            return [self.lets_through(value, threshold) for value in measure(pairs)]

        return Constraint(name, check=check)

    def lets_through(self, value: float, threshold: float) -> bool:
        """Whether a text of this measure passes."""
        return value <= threshold if self.side == "most" else value >= threshold

    def worst(self, values: Iterable[float]) -> float:
        """Of the measures of several texts that which passes last."""
        return max(values) if self.side == "most" else min(values)


@dataclass(frozen=True, kw_only=True)
class ConstraintKind:
    """A declaration.

    `make` makes the constraint of the parameters' values and what the needs resolved to, by role (a model: a
    `Similarity`). `applies` says why it cannot be judged in a scope, or `None`; `fits` says so of parameters too.
    `resources` names the files that it reads in a scope, by SHA-256. A constraint with a `threshold` can be calibrated
    by what people say of perturbed texts.
    """

    name: str
    summary: str
    source: str
    make: Callable[[str, Settings, Given], Constraint]
    params: tuple[Param, ...] = ()
    needs: Callable[[Settings], tuple[Need, ...]] = lambda settings: ()
    applies: Callable[[TextScope], str | None] = lambda scope: None
    fits: Callable[[Settings, TextScope], str | None] = lambda settings, scope: None
    resources: Callable[[Settings, TextScope], Mapping[str, str]] = lambda settings, scope: {}
    version: str = "1"
    threshold: Threshold | None = None


CONSTRAINTS: Registry[ConstraintKind] = Registry(
    "constraint", "crosswind.perturb.constraints", "crosswind.constraints", ConstraintKind
)


@dataclass(frozen=True, slots=True)
class NamedConstraint:
    """A constraint with its parameters (those that differ from the defaults); `str` prints what it was parsed from."""

    name: str
    params: tuple[tuple[str, Value], ...] = ()

    @property
    def kind(self) -> ConstraintKind:
        """The declaration that it names."""
        return CONSTRAINTS[self.name]

    @property
    def settings(self) -> Settings:
        """The values of all parameters."""
        return {**{p.name: p.default for p in self.kind.params if p.default is not None}, **dict(self.params)}

    @property
    def identity(self) -> str:
        """What results call it: without where data lie."""
        places = {p.name for p in self.kind.params if p.location}
        return printed_call(self.name, [(k, v) for k, v in self.params if k not in places])

    def needs(self) -> tuple[Need, ...]:
        """What it needs beside the text: the caller resolves it."""
        return self.kind.needs(self.settings)

    @property
    def asks_model(self) -> bool:
        """Whether one of its needs is a model."""
        return any(isinstance(need, ModelNeed) for need in self.needs())

    def made(self, resolved: Resolved | None = None) -> Constraint:
        """The constraint that noise and attacks obey; a `UserError` for a need that is not met."""
        given = {}
        for need in self.needs():
            if resolved is None or need not in resolved:
                raise UserError(
                    f"the constraint {self.name} needs its {need.role}, and it is not given",
                    hint=f"a study and the command line load it; crosswind.perturb takes resolved={{{need.role!r}: …}}",
                )
            given[need.role] = resolved[need]
        return replace(self.kind.make(self.identity, self.settings, given), asks_model=self.asks_model)

    def __str__(self) -> str:
        return printed_call(self.name, self.params)


def clear_of(sites: Sites, spans: Sequence[tuple[int, int]]) -> list[bool]:
    """Of each site, whether it touches none of the spans (start, end) and is not put into one."""
    if not spans:
        return [True] * len(sites)
    return [
        not any(start < high and end > low for low, high in spans)
        for start, end in zip(sites.starts, sites.ends, strict=True)
    ]


def parse_constraints(texts: Iterable[str], *, where: str | None = None) -> tuple[NamedConstraint, ...]:
    """The constraints that texts name, sorted and each once; a `UserError` as perturbations give it, naming `where`."""

    def params_of(name: str) -> Sequence[Param]:
        return CONSTRAINTS.get(name, where=where).params

    parsed = {NamedConstraint(*parsed_call(t, params_of, what="constraint", where=where)) for t in texts}
    return tuple(sorted(parsed, key=str))


def refusal_of(constraints: Iterable[NamedConstraint], scope: TextScope) -> str | None:
    """Why one of the constraints cannot be judged in a scope, or `None`."""
    reasons = (c.kind.applies(scope) or c.kind.fits(c.settings, scope) for c in constraints)
    return next((reason for reason in reasons if reason is not None), None)


def constraint_resources(constraints: Iterable[NamedConstraint], scope: TextScope) -> dict[str, str]:
    """Name -> version of what the constraints depend on in a scope, of files their SHA-256."""
    prints = {}
    for c in constraints:
        prints[f"constraint/{c.name}"] = c.kind.version
        prints |= {f"constraint/{c.name} {name}": v for name, v in c.kind.resources(c.settings, scope).items()}
    return prints


def written_constraints(constraints: Iterable[NamedConstraint]) -> str:
    """Constraints as they were written where that says where data lie, else nothing (see `constraints_as_written`)."""
    every = list(constraints)
    return json.dumps([str(c) for c in every]) if any(str(c) != c.identity for c in every) else ""


def constraints_as_written(written: str, identities: Iterable[str]) -> tuple[NamedConstraint, ...]:
    """The constraints that `written_constraints` gave, or those of their identities where it gave nothing."""
    return parse_constraints(json.loads(written) if written else identities)
