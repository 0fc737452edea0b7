"""The numbers that a training method is set by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosswind.errors import UserError, unknown

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Knob:
    """A number that a method is set by, with its default and the range that makes sense.

    `part` names the knob without which (at 0) this one means nothing. Such a part of a method is then no part of its
    settings: what was made before the method had it keeps its name.
    """

    name: str
    default: float
    low: float
    high: float
    summary: str
    whole: bool = False
    part: str = ""


def all_settings(method: str, knobs: Sequence[Knob], given: Numbers, where: str) -> dict[str, float]:
    """Every setting, those not given at their default, without parts that are left out; a `UserError` for another name,
    a senseless value, and a setting of a part that is left out.
    """
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
    settings = {name: float(given.get(name, knob.default)) for name, knob in known.items()}
    absent = [knob for knob in knobs if knob.part and not settings[knob.part]]
    for knob in absent:
        if knob.name in given and knob.name != knob.part:
            hint = f"give {knob.part} a value above 0, or leave {knob.name} out"
            raise UserError(f"{knob.name} means nothing without {knob.part}", where=f"{where}.{knob.name}", hint=hint)
        del settings[knob.name]
    return settings
