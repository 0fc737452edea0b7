"""Drops beside the raw ones: in per cent, beyond the line from clean to perturbed, on items that all had right, and the
error against the base route's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from crosswind.analysis.contrast import BASE
from crosswind.analysis.contrasted import Contrast, ContrastScope, Measure
from crosswind.analysis.estimate import estimate
from crosswind.analysis.influence import weighted_sum
from crosswind.analysis.maker import ContrastMaker, Part
from crosswind.analysis.scored import System, under_common_seeds
from crosswind.analysis.shared_cells import SharedCells

_NEEDED = 1.0  # points of error that a reference must have for others to be measured in per cent of it
RIGHT_NOTE = (
    "The drop on items that all systems had right when clean is of a selection by outcome: an item that was right by"
    " luck once is so again less often, and so these drops are larger than those of new items. They compare systems on"
    " the same items, and say little of one system."
)
"""What a reader of `right-drop` must know, where such drops stand."""


def relative_drops(
    maker: ContrastMaker,
    measures: Sequence[Measure],
    scope: ContrastScope,
    within: str,
    parts: Sequence[Part],
    systems: Sequence[System],
    excluded: Sequence[str],
) -> Iterator[Contrast]:
    """Drops in per cent of the clean score, or of what it is above chance; not where that is nothing."""
    try:
        yield from list(maker.measured(measures, scope, within, parts, systems, "", excluded))
    except ZeroDivisionError:
        names = ", ".join(p.shared.cells.target for p in parts)
        maker.notes.append(f"{names}: a clean score is 0, so no drop is measured in per cent of it.")


def where_said(
    maker: ContrastMaker,
    measure: Measure,
    scope: ContrastScope,
    within: str,
    parts: Sequence[Part],
    systems: Sequence[System],
    excluded: Sequence[str],
) -> Iterator[Contrast]:
    """A measure of what was kept for single items, where it was: how many predictions stay as they were, and the drop
    on the items that all systems had right."""
    try:
        yield from list(maker.measured([measure], scope, within, parts, systems, "", excluded))
    except LookupError:
        return


def residuals(
    maker: ContrastMaker,
    scope: ContrastScope,
    within: str,
    parts: Sequence[Part],
    systems: Sequence[System],
    excluded: Sequence[str],
) -> Iterator[Contrast]:
    """What differs beyond the line from clean to perturbed scores of all systems, targets and languages (after Taori et
    al. 2020, effective robustness); the line is taken as given."""
    points = np.array([
        (maker.quantity([p._replace(languages=(x,))], s, "before").mean,
         maker.quantity([p._replace(languages=(x,))], s, "perturbed").mean)
        for p in parts for s in systems for x in p.languages
    ])  # fmt: skip
    if len(points) < 3 or np.ptp(points[:, 0]) == 0:
        return
    slope = float(np.polyfit(points[:, 0], points[:, 1], 1)[0])
    for a, b in maker.pairs_of(systems):
        terms = []
        for sign, s in ((1.0, a), (-1.0, b)):
            after, before = under_common_seeds(
                [maker.quantity(parts, s, "perturbed"), maker.quantity(parts, s, "before")]
            )
            terms.append((sign, weighted_sum([(1.0, after), (-slope, before)], maker.numbers)))
        table = f"differences by {scope}"
        yield maker.row_of("difference", "residual", scope, within, (a, b), parts, terms, table, excluded)


def errors_against_base(
    maker: ContrastMaker, members: Sequence[SharedCells], systems: Sequence[System]
) -> Iterator[Contrast]:
    """The error under each perturbation in per cent of the reference's, the mean over perturbations (Hendrycks and
    Dietterich 2019, section 4: the corruption error)."""
    names = list(dict.fromkeys(c.perturbation for x in members for c in x.conditions))
    above = [x for x in members if x.cells.gain > 0 and not set(systems) & x.floored]
    by_name = []
    for name in names:
        parts = []
        for x in above:
            chosen = tuple(c for c in x.conditions if c.perturbation == name)
            if chosen and x.languages(chosen):
                parts.append(Part(x, x.languages(chosen), chosen))
        if parts:
            by_name.append(parts)
    base = next((s for s in systems if s.route == BASE), systems[0])
    for s in systems if by_name else ():
        if s == base or s.encoder != base.encoder:
            continue
        mine = under_common_seeds([maker.quantity(parts, s, "perturbed") for parts in by_name])
        theirs = under_common_seeds([maker.quantity(parts, base, "perturbed") for parts in by_name])
        errors = [(100 - a.mean, 100 - b.mean) for a, b in zip(mine, theirs, strict=True)]
        if any(b < _NEEDED for _, b in errors):
            maker.notes.append(f"{maker.label(base)} makes too few errors to measure others in per cent of them.")
            return
        share = 1 / len(errors)
        score = share * sum(100 * a / b for a, b in errors)
        up = weighted_sum([(-100 * share / b, x) for x, (_, b) in zip(mine, errors, strict=True)], maker.numbers)
        down = weighted_sum([(100 * share * a / b**2, x) for x, (a, b) in zip(theirs, errors, strict=True)],
                            maker.numbers)  # fmt: skip
        value = estimate([(1.0, up), (1.0, down)], maker.numbers, score=score, null=100.0, limits=(0.0, math.inf))
        parts = [part for parts in by_name for part in parts]
        yield maker.contrast("ratio", "error", "all", "", (s, base), parts, value, "errors against the base")
