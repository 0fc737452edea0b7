"""Robust training: what wraps the middle of a training step. One file a method, which declares itself.

A method is given a micro-batch whose words' embeddings it may displace, and leaves the gradient of what it
minimises in the parameters. The loop knows nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch

from crosswind.errors import UserError, unknown
from crosswind.registry import Registry
from crosswind.train.robust.micro import MicroBatch

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


def plain_backward(part: MicroBatch) -> torch.Tensor:
    """The step without a defence: one forward and one backward pass."""
    loss = part.loss(part.outputs())
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def per_row(values: torch.Tensor) -> torch.Tensor:
    """`(rows,)` numbers as `(rows, 1, 1)`, to scale embeddings `(rows, length, width)` by."""
    return values.reshape(-1, 1, 1)


def uniform_start(part: MicroBatch, magnitude: float) -> list[torch.Tensor]:
    """Uniform displacements in the balls of Frobenius norm `magnitude` of each row (Zhu et al. 2020, algorithm 1).

    A row of n words of width w draws from (-1, 1) and is divided by the square root of n·w.
    """
    deltas = []
    for batch, words in zip(part.batches, part.embeddings(), strict=True):
        mask = batch.inputs["attention_mask"].to(words.dtype)
        drawn = torch.rand(words.shape, generator=part.generator(), dtype=torch.float32).to(words) * 2 - 1
        scale = magnitude / (mask.sum(1) * words.shape[-1]).clamp(min=1).sqrt()
        deltas.append(drawn * mask.unsqueeze(-1) * per_row(scale))
    return deltas


def ascended(
    deltas: Sequence[torch.Tensor], gradients: Sequence[torch.Tensor], rate: float, bound: float
) -> list[torch.Tensor]:
    """A step of length `rate` along each row's normalised gradient, back into the ball of norm `bound` (0: no ball)."""
    stepped = []
    for delta, gradient in zip(deltas, gradients, strict=True):
        norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-8)
        moved = delta + rate * gradient / per_row(norm)
        if bound:
            length = moved.flatten(1).norm(dim=1).clamp(min=1e-12)
            moved = moved * per_row((bound / length).clamp(max=1))
        stepped.append(moved.detach())
    return stepped
