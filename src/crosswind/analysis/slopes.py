"""Slopes over a declared factor: what more of it (intermediate data, tokens, phases) brings, as one comparison.

The least-squares slope of the systems' quantities y over x, the amount or its logarithm to base 2, is the contrast
Σ a y with a = (x - mean x) / Σ (x - mean x)², so that its interval is that of any contrast. Whether the relation is a
straight line is not tested: every level stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from crosswind.analysis.contrast import PRIMARY, RouteFacts, Slope
from crosswind.analysis.contrasted import Contrast, ContrastScope, Measure
from crosswind.analysis.maker import ContrastMaker, Part
from crosswind.analysis.results import NONE
from crosswind.analysis.scored import System
from crosswind.errors import UserError

_KEY = "compare.slopes"


def amounts(slope: Slope, facts: RouteFacts) -> dict[str, float]:
    """How much of the factor each route has: as declared, or as the study knows it; a `UserError` where it does not."""
    out = {}
    for route, value in slope.values:
        if value is not None:
            out[route] = value
            continue
        text = facts.factors.get(route, {}).get(slope.factor, "").replace(",", "")
        try:
            out[route] = float(text)
        except ValueError:
            raise UserError(
                f"nobody knows how much of {slope.factor!r} {route} has",
                where=_KEY,
                hint=f"say it: routes: {{{route}: 1000, …}}",
            ) from None
    if len({*out.values()}) < 2:
        raise UserError(f"the routes have equally much of {slope.factor!r}", where=_KEY, hint="name routes that differ")
    if slope.doubling and min(out.values()) <= 0:
        raise UserError(f"an amount of {slope.factor!r} is not above 0", where=_KEY, hint="or say scale: linear")
    return out


def slope_coefficients(values: Sequence[float], *, doubling: bool) -> list[float]:
    """The coefficient of each system's quantity in the least-squares slope."""
    x = [math.log2(v) if doubling else v for v in values]
    mean = sum(x) / len(x)
    spread = sum((v - mean) ** 2 for v in x)
    return [(v - mean) / spread for v in x]


def slopes(
    maker: ContrastMaker,
    measures: Sequence[Measure],
    scope: ContrastScope,
    within: str,
    parts: Sequence[Part],
    systems: Sequence[System],
    family: str = "",
    excluded: Sequence[str] = (),
) -> Iterator[Contrast]:
    """A row a declared slope, measure, encoder and defence; the mean over targets is of the primary family."""
    for slope in maker.comparisons.slopes if parts else ():
        having = amounts(slope, maker.facts)
        for encoder, defence in dict.fromkeys((s.encoder, s.defence) for s in systems):
            chosen = [System(encoder, defence, route) for route in sorted(having, key=lambda r: having[r])]
            if not set(chosen) <= set(systems):
                maker.notes.append(f"There is no slope over {slope.factor}: some of its routes were not scored.")
                continue
            coefficients = slope_coefficients([having[s.route] for s in chosen], doubling=slope.doubling)
            name = f"{'doubling' if slope.doubling else 'each'} of {slope.factor}"
            name += f" · {defence}" if defence != NONE else ""
            text = f"{slope.factor}: " + " | ".join(f"{s.route} {having[s.route]:,g}" for s in chosen)
            for measure in measures:
                primary = family == PRIMARY and measure in maker.comparisons.measures
                signed = [*zip(coefficients, chosen, strict=True)]
                table = PRIMARY if primary else f"differences by {scope}"
                row = maker.row("slope", measure, scope, within, signed, parts, table, excluded, systems)
                yield replace(row, name=name, differs=text)
