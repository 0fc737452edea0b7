"""Robust training: what wraps the middle of a training step. One file a method, which declares itself.

A method is given a micro-batch whose words' embeddings it may displace, and leaves the gradient of what it
minimises in the parameters. The loop knows nothing else of it. Declarations import no torch: planning reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crosswind.registry import Registry
from crosswind.train.knobs import Knob, Numbers, all_settings

if TYPE_CHECKING:
    import torch

    from crosswind.train.micro import MicroBatch


@dataclass(frozen=True)
class RobustMethod:
    """A declaration.

    `backward` takes a micro-batch and the settings, adds the gradient of its loss to the parameters and gives the
    loss (detached, a share of the batch's mean). `passes` is how many forward and backward passes a micro-batch
    costs, in those of plain training. `momentum` takes the settings, the number of a step (from 0) and that of all
    steps, and gives the momentum of the moving average of the weights that `backward` asks the micro-batch for
    (`outputs_at_average`), or `None` where it asks for none.
    """

    name: str
    summary: str
    source: str
    backward: Callable[[MicroBatch, Numbers], torch.Tensor]
    passes: Callable[[Numbers], float]
    knobs: tuple[Knob, ...] = field(default=())
    momentum: Callable[[Numbers, int, int], float | None] = lambda settings, step, steps: None

    def settings(self, given: Mapping[str, float], where: str) -> dict[str, float]:
        """Every setting, those not given at their default; a `UserError` for another name or a senseless value."""
        return all_settings(self.name, self.knobs, given, where)


ROBUST: Registry[RobustMethod] = Registry(
    "robust training method", "crosswind.train.robust", "crosswind.robust", RobustMethod
)
