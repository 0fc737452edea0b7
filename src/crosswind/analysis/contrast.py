"""What is compared: declared before a run; and what the study knows of the routes beside their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from crosswind.analysis.contrasted import Measure
from crosswind.analysis.results import NONE
from crosswind.analysis.scored import System
from crosswind.errors import unknown

BASE = "none"
PRIMARY = "primary"
ATTACKS = " attacks"
"""Behind the familiarity that a comparison is within, where it is over attacks."""
ALWAYS = ("english", "multilingual")
"""The question that Crosswind was made for is always one of the comparisons."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A factor of which routes have more and less: what more of it brings is one comparison over all of them.

    `values` are route -> amount; `None` is read from what the study knows of its routes (`items`, `tokens`, …).
    `doubling`: the slope is for each doubling of the amount, otherwise for each unit.
    """

    factor: str
    values: tuple[tuple[str, float | None], ...]
    doubling: bool = True


@dataclass(frozen=True)
class Comparisons:
    """Which routes are compared: declared before a run. Without `pairs` all of them.

    `measures` are those of the primary family. `paired_seeds`: seeds of one number are one draw of what routes share.
    `margin`: effects smaller than so many points count as none. `slopes` are comparisons over a factor.
    `random_languages`: a second interval is over other languages of the same families.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    measures: tuple[Measure, ...] = ("clean", "perturbed", "drop")
    paired_seeds: bool = False
    margin: float | None = None
    slopes: tuple[Slope, ...] = ()
    random_languages: bool = False


@dataclass(frozen=True)
class RouteFacts:
    """What the study knows of its routes beside their scores: `factors` (route -> what -> text) that two routes can
    differ in, and `seen` (route -> language -> labelled or unlabelled)."""

    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def differing(self, a: str, b: str) -> str:
        """What two routes differ in, `tasks: mnli | xnli; languages: en | de en`."""
        x, y = self.factors.get(a, {}), self.factors.get(b, {})
        names = [name for name in dict.fromkeys((*x, *y)) if x.get(name, NONE) != y.get(name, NONE)]
        return "; ".join(f"{name}: {x.get(name, NONE)} | {y.get(name, NONE)}" for name in names)


def system_label(system: System, systems: Sequence[System]) -> str:
    """The route, with encoder and defence where they tell systems apart."""
    parts = [system.encoder] if len({s.encoder for s in systems}) > 1 else []
    parts.append(system.route)
    return " · ".join([*parts, *([system.defence] if system.defence != NONE else [])])


def declared_pairs(systems: Sequence[System], comparisons: Comparisons) -> list[tuple[System, System]]:
    """Each pair that is compared: those that differ in one thing (encoder, defence or route), the base second."""
    base = next((s for s in systems if s.route == BASE and s.defence == NONE), systems[0])
    pairs = []
    for a, b in combinations(systems, 2):
        if sum(x != y for x, y in zip(a, b, strict=True)) == 1:
            is_base = a == base or (a.route == base.route and b.route != base.route)
            pairs.append((b, a) if is_base or a.route == b.route else (a, b))
    if not comparisons.pairs:
        return pairs
    routes = {s.route for s in systems}
    declared = [*comparisons.pairs, *([ALWAYS] if set(ALWAYS) <= routes else [])]
    for route in (r for named in declared for r in named):
        if route not in routes:
            raise unknown("route", route, sorted(routes), where="compare.pairs")
    asked = [
        (x, y) for named in declared for x in systems for y in systems
        if (x.route, y.route) == named and x.encoder == y.encoder and x.defence == y.defence
    ]  # fmt: skip
    asked += [(a, b) for a, b in pairs if a.route == b.route]
    unique: dict[frozenset[System], tuple[System, System]] = {}
    for pair in asked:
        unique.setdefault(frozenset(pair), pair)
    return list(unique.values())
