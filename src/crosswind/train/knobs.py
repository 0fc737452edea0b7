"""The numbers that a training method is set by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosswind.errors import UserError, unknown

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Knob:
    """A number that a method is set by, with its default and the range that makes sense."""

    name: str
    default: float
    low: float
    high: float
    summary: str
    whole: bool = False


def all_settings(method: str, knobs: Sequence[Knob], given: Numbers, where: str) -> dict[str, float]:
    """Every setting, those not given at their default; a `UserError` for another name or a senseless value."""
    known = {knob.name: knob for knob in knobs}
    for name, value in given.items():
        if name not in known:
            raise unknown(f"setting of {method}", name, known, where=where)
        knob = known[name]
        if not knob.low <= value <= knob.high or (knob.whole and value != int(value)):
            what = "a whole number " if knob.whole else ""
            raise UserError(
                f"{value:g} is no value of {name}",
                where=f"{where}.{name}",
                hint=f"{knob.summary}: {what}from {knob.low:g} to {knob.high:g}",
            )
    return {name: float(given.get(name, knob.default)) for name, knob in known.items()}
