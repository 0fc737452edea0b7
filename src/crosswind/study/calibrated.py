"""Constraints calibrated by a review: how far a text may go before people stop giving it its gold label.

Of each threshold the reviewed items that it lets through are counted, and how many of them are valid: an item once,
however many annotators judged it, and valid if every one of them gave the gold label. Thresholds are the tenths of the
reviewed items by what the constraint measures. The one that is proposed is the loosest whose interval lies above the
share that is asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crosswind.analysis.agreement import Z, wilson_interval
from crosswind.errors import UserError, shown
from crosswind.perturb.constraint import NamedConstraint, Threshold, parse_constraints
from crosswind.perturb.passage import Passage
from crosswind.study.needed import NeedsMet
from crosswind.study.review import KEY, AnsweredReview

_LEVELS = 10


@dataclass(frozen=True)
class CalibrationLevel:
    """A threshold: of the `items` that it lets through so many are `valid`, a share with its 95 % interval (Wilson)."""

    threshold: float
    items: int
    valid: int
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """What a review says of a constraint: the levels from the strictest to the loosest, and which is `chosen`, if any.

    `proposed` is the constraint to write. Fewer than `needed` items cannot do, even if all are valid.
    """

    constraint: str
    side: str
    validity: float
    levels: tuple[CalibrationLevel, ...]
    chosen: CalibrationLevel | None
    proposed: str | None
    needed: int

    def to_json(self) -> dict[str, Any]:
        """The record as JSON."""
        return asdict(self)

    @property
    def finding(self) -> str:
        """What is proposed and why, or why nothing is, in a sentence."""
        asked, count = f"{100 * self.validity:g} %", self.levels[-1].items
        if self.chosen is not None:
            best = self.chosen
            beyond = "; nothing beyond it was reviewed" if best.items == count else ""
            return (
                f"of {best.items} items within it {best.valid} are valid, at 95 % {100 * best.low:.1f} to "
                f"{100 * best.high:.1f} %, so at least {asked}{beyond}"
            )
        if count < self.needed:
            return (
                f"too few verdicts: {count} items cannot say that {asked} are valid, even if all are; "
                f"at least {self.needed} are needed"
            )
        return f"at no threshold the interval lies above {asked}: too few items are valid, or too few were judged"


def calibrate(review: AnsweredReview, constraints: Sequence[str], validity: float, folder: Path) -> list[Calibration]:
    """What a review says of each constraint, which is named without its threshold.

    Raises `UserError` for a constraint that has none or that names it, a share outside 0 to 1 and a review whose key
    does not hold the texts.
    """
    if not 0 < validity < 1:
        hint = "a share of the items above 0 and below 1, such as 0.9"
        raise UserError(f"{validity:g} is no validity to ask for", where="--validity", hint=hint)
    codes = review.codes("perturbed")
    valid = [all(review.right(code)) for code in codes]
    pairs = [_pairs(review.about["items"][code], folder / KEY) for code in codes]
    made, needs = [], NeedsMet()
    for named in parse_constraints(constraints, where="--calibrate"):
        threshold = _threshold(named)
        flat = [pair for some in pairs for pair in some]
        given = {need.role: value for need, value in needs.of(named.needs()).items()}
        values = iter(threshold.measure(named.settings, given)(flat))
        measures = [threshold.worst([next(values) for _ in some]) for some in pairs]
        made.append(calibrated(named, measures, valid, validity))
    return made


def calibrated(
    named: NamedConstraint, measures: Sequence[float], valid: Sequence[bool], validity: float
) -> Calibration:
    """What verdicts on items say of a constraint, from what it measures of each item and whether it is valid."""
    threshold = _threshold(named)
    levels = []
    for value in _candidates(threshold, measures):
        passed = [v for m, v in zip(measures, valid, strict=True) if threshold.lets_through(m, value)]
        levels.append(CalibrationLevel(value, len(passed), sum(passed), *wilson_interval(sum(passed), len(passed))))
    chosen = next((level for level in reversed(levels) if level.low >= validity), None)
    proposed = None
    if chosen is not None:
        proposed = str(NamedConstraint(named.name, (*named.params, (threshold.side, chosen.threshold))))
    # All of n items: Wilson's lower limit is n / (n + z²).
    needed = math.ceil(Z**2 * validity / (1 - validity) - 1e-9)
    return Calibration(str(named), threshold.side, validity, tuple(levels), chosen, proposed, needed)


def clean_validity(review: AnsweredReview) -> float:
    """The share of clean items to which every annotator gives the gold label: what no constraint can exceed."""
    right = [all(review.right(code)) for code in review.codes("clean")]
    return sum(right) / len(right) if right else 1.0


def constraints_file(calibrations: Iterable[Calibration], review: AnsweredReview) -> str:
    """The constraints to write with their reasons, as `constraints` of a study's `perturb` and `attack` entries.

    Raises `UserError` where a constraint has no threshold: a file without it would say that all is allowed.
    """
    about, lines, proposed = review.about, [], []
    for made in calibrations:
        if made.proposed is None:
            raise UserError(f"{made.constraint} has no threshold to write", where="--output", hint=made.finding)
        lines.append(f"# {made.proposed}: {made.finding}\n")
        proposed.append(made.proposed)
    judged = f"{about['spec']} on {about['task']}, {about['language']}, judged by {len(review.sheets)}"
    return f"# {' '.join(judged.split())}\n{''.join(lines)}constraints: {json.dumps(proposed, ensure_ascii=False)}\n"


def _threshold(named: NamedConstraint) -> Threshold:
    threshold = named.kind.threshold
    if threshold is None:
        hint = "crosswind list constraints: those with most or least have one"
        raise UserError(f"{named.name} has no threshold", where="--calibrate", hint=hint)
    if threshold.side in dict(named.params):
        hint = f"leave {threshold.side} out"
        raise UserError(f"the threshold of {named} is what is looked for", where="--calibrate", hint=hint)
    return threshold


def _candidates(threshold: Threshold, measures: Sequence[float]) -> list[float]:
    """The tenths of the measures, from the strictest, rounded so that who has them passes."""
    ordered = sorted(measures, reverse=threshold.side == "least")
    tenths = dict.fromkeys(-(-len(ordered) * k // _LEVELS) - 1 for k in range(1, _LEVELS + 1))
    return list(dict.fromkeys(_rounded(threshold, ordered[i]) for i in tenths))


def _rounded(threshold: Threshold, value: float) -> float:
    """The strictest number of the threshold's decimals that lets a value through."""
    scale = 10.0**threshold.decimals
    whole = round(value * scale)
    if not threshold.lets_through(value, whole / scale):
        whole += 1 if threshold.side == "most" else -1
    return whole / scale


def _pairs(item: Any, key: Path) -> list[tuple[Passage, Passage]]:
    """The texts of an item before and after."""
    changed = item.get("changed")
    if changed is None:
        hint = "crosswind perturb --review with the same arguments chooses the same items: take its key.json"
        raise UserError("does not hold the texts as they were", where=str(key), hint=hint)
    whole = isinstance(changed, list) and all(isinstance(c, list) and len(c) == 3 for c in changed)
    if not changed or not whole or not all(isinstance(t, str) for c in changed for t in c):
        hint = "before, after and language of each text, as crosswind perturb --review wrote it"
        raise UserError(f"{shown(str(changed))} are no changed texts", where=str(key), hint=hint)
    return [(Passage.line(before, language), Passage.line(after, language)) for before, after, language in changed]
