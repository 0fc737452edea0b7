"""FreeLB: adversarial training whose ascent steps all contribute their gradient."""

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

    steps, mean = int(settings["steps"]), torch.zeros(())
    deltas = uniform_start(part, settings["start"])
    for step in range(steps):
        for delta in deltas:
            delta.requires_grad_()
        loss = part.loss(part.outputs(deltas)) / steps
        loss.backward()  # type: ignore[no-untyped-call]
        mean = mean.to(loss.device) + loss.detach()
        if step + 1 < steps:
            gradients = [delta.grad if delta.grad is not None else torch.zeros_like(delta) for delta in deltas]
            deltas = ascended([delta.detach() for delta in deltas], gradients, settings["rate"], settings["bound"])
    return mean


FREELB = RobustMethod(
    name="freelb",
    summary="the gradients of all ascent steps in the embeddings' space are accumulated",
    source="Zhu et al. 2020 (FreeLB: Enhanced Adversarial Training for Natural Language Understanding), algorithm 1",
    backward=_backward,
    passes=lambda settings: settings["steps"],
    knobs=(
        Knob("steps", 3, 1, 100, "ascent steps, each a forward and a backward pass", whole=True),
        Knob("rate", 0.1, 0, 1e3, "length of an ascent step, in the norm of a row's displacement"),
        Knob("start", 0.1, 0, 1e3, "norm within which the first displacement is drawn"),
        Knob("bound", 0, 0, 1e6, "largest norm of a row's displacement; 0 is none"),
    ),
)
