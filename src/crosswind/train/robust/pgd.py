"""PGD: training on the worst displacement that some ascent steps find."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crosswind.train.knobs import Knob, Numbers
from crosswind.train.robust import RobustMethod

if TYPE_CHECKING:
    import torch

    from crosswind.train.micro import MicroBatch


def _backward(part: MicroBatch, settings: Numbers) -> torch.Tensor:
    import torch

    from crosswind.train.micro import ascended, uniform_start

    deltas = uniform_start(part, settings["start"])
    for _ in range(int(settings["steps"])):
        for delta in deltas:
            delta.requires_grad_()
        # Of the displacements alone: the parameters' gradient is that of the last pass.
        gradients = torch.autograd.grad(part.loss(part.outputs(deltas)), deltas, allow_unused=True)
        known = [torch.zeros_like(d) if g is None else g for d, g in zip(deltas, gradients, strict=True)]
        deltas = ascended([delta.detach() for delta in deltas], known, settings["rate"], settings["bound"])
    loss = part.loss(part.outputs(deltas))
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


PGD = RobustMethod(
    name="pgd",
    summary="the loss at the displacement that some ascent steps in the embeddings' space reach",
    source="Madry et al. 2018, equation 2.1, in the space of embeddings, as Zhu et al. 2020, §2 set it out",
    backward=_backward,
    passes=lambda settings: settings["steps"] + 1,
    knobs=(
        Knob("steps", 3, 1, 100, "ascent steps, each a forward and a backward pass", whole=True),
        Knob("rate", 0.1, 0, 1e3, "length of an ascent step, in the norm of a row's displacement"),
        Knob("start", 0.1, 0, 1e3, "norm within which the first displacement is drawn"),
        Knob("bound", 0.3, 0, 1e6, "largest norm of a row's displacement; 0 is none"),
    ),
)
