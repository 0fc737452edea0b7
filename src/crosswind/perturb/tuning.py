"""The severity at which a perturbation does a given damage, so that conditions are compared at equal damage.

Levels nest: what a severity changes a higher one changes too, so that the damage grows with it and bisection finds
the level. It is found on clean texts without their labels, and depends on them, the draw and the target alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

from crosswind.errors import UserError, unknown
from crosswind.perturb.applied import Constraint
from crosswind.perturb.damage import Damage, damage
from crosswind.perturb.lines import line_ids
from crosswind.perturb.noise import numbered, perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.spec import Resolved, Spec, TextScope
from crosswind.perturb.words import words

DamageAxis = Literal["chrf", "edits", "words"]
_AXES: tuple[DamageAxis, ...] = get_args(DamageAxis)

SEVERITY_STEPS = 1024
"""Severities are multiples of 1 / SEVERITY_STEPS: finer than a sample of a thousand texts tells apart."""


@dataclass(frozen=True, slots=True)
class DamageTarget:
    """The damage wanted on an axis: mean `chrf` (0 to 100), `edits` a text, or the share of `words` hit."""

    axis: DamageAxis
    value: float

    def of(self, done: Damage) -> float:
        """Where a damage lies on the axis."""
        match self.axis:
            case "chrf":
                return done.chrf
            case "edits":
                return done.edits_per_text
            case "words":
                return done.word_share
            case _:
                assert_never(self.axis)

    def reached_by(self, done: Damage) -> bool:
        """Whether a damage is as great as wanted."""
        value = self.of(done)
        return value <= self.value if self.axis == "chrf" else value >= self.value

    def __str__(self) -> str:
        short = f"{self.value:g}"
        return f"{self.axis}={short if float(short) == self.value else repr(self.value)}"


def parse_damage(text: str, where: str) -> DamageTarget:
    """The target that `chrf=90`, `edits=2` or `words=0.1` names; a `UserError` otherwise."""
    match = re.fullmatch(r"\s*([a-z]+)\s*=\s*([0-9]+(?:\.[0-9]+)?)\s*", text)
    if match is None:
        raise UserError(f"{text!r} is no damage", where=where, hint="write chrf=90, edits=2 or words=0.1")
    return damage_target(match[1], float(match[2]), where)


def damage_target(name: str, value: float, where: str) -> DamageTarget:
    """The target of that value on the axis of that name; a `UserError` for none."""
    for axis in _AXES:
        if axis == name:
            target = DamageTarget(axis, value)
            if not value > 0 or (axis == "chrf" and value >= 100):
                hint = "0 < chrf < 100; edits and words above 0"
                raise UserError(f"'{target}' is no change", where=where, hint=hint)
            return target
    raise unknown("axis of damage", name, _AXES, where=where)


def damage_named(text: str) -> tuple[str, str, float] | None:
    """Perturbation, axis and value of `keyboard@chrf=90`, as results name it; `None` for another text."""
    match = re.fullmatch(rf"(.+)@({'|'.join(_AXES)})=([0-9]+(?:\.[0-9]+)?)", text)
    return None if match is None else (match[1], match[2], float(match[3]))


def tuned_severity(measured: Callable[[float], Damage], target: DamageTarget) -> float:
    """The lowest severity (a multiple of 1 / `SEVERITY_STEPS`) whose damage, as `measured`, is as great as wanted.

    Raises a `UserError` if that of severity 1 is not.
    """
    most = measured(1.0)
    if not target.reached_by(most):
        raise UserError(
            f"the damage {target} is out of reach: at severity 1 it is {target.axis}={target.of(most):.3g}",
            hint="ask for less damage, or for another perturbation",
        )
    low, high = 0, SEVERITY_STEPS
    while high - low > 1:
        middle = (low + high) // 2
        if target.reached_by(measured(middle / SEVERITY_STEPS)):
            high = middle
        else:
            low = middle
    return high / SEVERITY_STEPS


def damage_of_lines(
    texts: Sequence[str],
    at: Callable[[float], Spec],
    scope: TextScope,
    *,
    draw: int,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
) -> Callable[[float], Damage]:
    """The damage that a spec does to lines, by severity; `resolved` is what it needs besides."""
    named = zip(texts, line_ids(texts), strict=True)
    passages = [Passage.line(text, scope.language, name) for text, name in named]
    spans = [words(text, scope.language) for text in texts]

    def measured(severity: float) -> Damage:
        spec = at(severity)
        prepared = {(atom, scope.language, scope.kind): atom.prepare(scope, resolved) for atom in spec.atoms}
        noised = perturb_passages(
            passages, list(numbered(spec.atoms)), draw_number=draw, prepared=prepared, constraints=constraints
        )
        total = Damage()
        for text, of_text, written in zip(texts, spans, noised.written, strict=True):
            if written is None:
                total += Damage.none(text, len(of_text))
            else:
                total += damage(text, written.passage.text, written.rewrite, of_text)
        return total

    return measured
