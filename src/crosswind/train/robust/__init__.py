"""Robust training: what wraps the middle of a training step. One file a method, which declares itself.

A method is given a micro-batch whose words' embeddings it may displace, and leaves the gradient of what it
minimises in the parameters. The loop knows nothing else of it. Declarations import no torch: planning reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crosswind.errors import UserError, unknown
from crosswind.registry import Registry

if TYPE_CHECKING:
    import torch

    from crosswind.train.micro import MicroBatch

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


@dataclass(frozen=True)
class RobustMethod:
    """A declaration.

    `backward` takes a micro-batch and the settings, adds the gradient of its loss to the parameters and gives the
    loss (detached, a share of the batch's mean). `passes` is how many forward and backward passes a micro-batch
    costs, in those of plain training.
    """

    name: str
    summary: str
    source: str
    backward: Callable[[MicroBatch, Numbers], torch.Tensor]
    passes: Callable[[Numbers], float]
    knobs: tuple[Knob, ...] = field(default=())

    def settings(self, given: Mapping[str, float], where: str) -> dict[str, float]:
        """Every setting, those not given at their default; a `UserError` for another name or a senseless value."""
        knobs = {knob.name: knob for knob in self.knobs}
        for name, value in given.items():
            if name not in knobs:
                raise unknown(f"setting of {self.name}", name, knobs, where=where)
            knob = knobs[name]
            if not knob.low <= value <= knob.high or (knob.whole and value != int(value)):
                what = "a whole number " if knob.whole else ""
                raise UserError(
                    f"{value:g} is no value of {name}",
                    where=f"{where}.{name}",
                    hint=f"{knob.summary}: {what}from {knob.low:g} to {knob.high:g}",
                )
        return {name: float(given.get(name, knob.default)) for name, knob in knobs.items()}


ROBUST: Registry[RobustMethod] = Registry(
    "robust training method", "crosswind.train.robust", "crosswind.robust", RobustMethod
)
