"""SMART: what the model says of displaced embeddings stays near what it says of the clean ones.

With the proximal part what it says of the clean ones also stays near what the moving average of its weights says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crosswind.train.knobs import Knob, Numbers
from crosswind.train.robust import RobustMethod

if TYPE_CHECKING:
    import torch

    from crosswind.train.micro import MicroBatch
    from crosswind.train.objective import Decision

# Rate 1e-3, noise 1e-5, one step, the largest coordinate of a word's gradient plus 1e-6 and the divergence that the
# first displacement climbs are those of the authors' code (namisan/mt-dnn, mt_dnn/perturbation.py). That code has no
# proximal part: its weight, both momenta and their share of the steps were not checked against the paper.
_TINY = 1e-6
_EARLY = 0.1  # the share of the steps with the smaller momentum


def _divergence(first: Sequence[Decision], second: Sequence[Decision], *, symmetric: bool) -> torch.Tensor:
    """The summed Kullback-Leibler divergence of the second from the first distributions, or both ways."""
    import torch
    from torch.nn import functional as F

    total = torch.zeros((), device=first[0].scores.device)
    for a, b in zip(first, second, strict=True):
        of, by = F.log_softmax(a.scores, -1), F.log_softmax(b.scores, -1)
        one = F.kl_div(of, by, reduction="sum", log_target=True)
        if symmetric:
            one = one + F.kl_div(by, of, reduction="sum", log_target=True)
        total = total + a.weight * one
    return total


def _backward(part: MicroBatch, settings: Numbers) -> torch.Tensor:
    import torch

    from crosswind.train.objective import Decision

    proximal = settings.get("proximal", 0.0)
    # First, while no pass waits for its backward pass: the weights are exchanged for it.
    before = part.decisions(part.outputs_at_average()) if proximal else []
    outputs = part.outputs()
    clean = part.decisions(outputs)
    fixed = [Decision(d.scores.detach(), d.gold, d.weight) for d in clean]
    deltas = []
    for batch, words in zip(part.batches, part.embeddings(), strict=True):
        mask = batch.inputs["attention_mask"].to(words.dtype).unsqueeze(-1)
        noise = torch.randn(words.shape, generator=part.generator(), dtype=torch.float32).to(words)
        deltas.append((noise * settings["noise"] * mask).detach())
    for _ in range(int(settings["steps"])):
        for delta in deltas:
            delta.requires_grad_()
        moved = part.decisions(part.outputs(deltas))
        away = _divergence(moved, fixed, symmetric=False)
        gradients = torch.autograd.grad(away, deltas, allow_unused=True)
        deltas = [
            d.detach() if g is None else (d + settings["rate"] * g / (g.abs().amax(-1, keepdim=True) + _TINY)).detach()
            for d, g in zip(deltas, gradients, strict=True)
        ]
    moved = part.decisions(part.outputs(deltas))
    loss = part.loss(outputs) + settings["weight"] * _divergence(moved, clean, symmetric=True) / part.total
    if proximal:
        loss = loss + proximal * _divergence(clean, before, symmetric=True) / part.total
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def _momentum(settings: Numbers, step: int, steps: int) -> float | None:
    if not settings.get("proximal"):
        return None
    return settings["early_momentum"] if step + 1 <= _EARLY * steps else settings["momentum"]


SMART = RobustMethod(
    name="smart",
    summary="a penalty for how far a small displacement of the embeddings can change the output's distribution",
    source="Jiang et al. 2020 (SMART), the smoothness part as in the authors' code; with `proximal` all of it",
    backward=_backward,
    # Of a pass forward and backward the forward one is a third.
    passes=lambda settings: settings["steps"] + 2 + (1 / 3 if settings.get("proximal") else 0),
    knobs=(
        Knob("weight", 1, 0, 1e3, "of the penalty, beside the loss"),
        Knob("noise", 1e-5, 0, 1, "standard deviation of the first displacement"),
        Knob("rate", 1e-3, 0, 1e3, "largest change of a word's coordinate in an ascent step"),
        Knob("steps", 1, 1, 100, "ascent steps, each a forward and a backward pass", whole=True),
        Knob("proximal", 0, 0, 1e3, "of the Bregman proximal part; 0 leaves it out", part="proximal"),
        Knob("momentum", 0.999, 0, 1, "of the moving average of the weights", part="proximal"),
        Knob("early_momentum", 0.99, 0, 1, "the same in the first tenth of the steps", part="proximal"),
    ),
    momentum=_momentum,
)
