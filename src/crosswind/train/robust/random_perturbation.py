"""Random perturbation: training on embeddings displaced at random, the training of randomised smoothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crosswind.train.knobs import Knob, Numbers
from crosswind.train.robust import RobustMethod

if TYPE_CHECKING:
    import torch

    from crosswind.train.micro import MicroBatch


def _backward(part: MicroBatch, settings: Numbers) -> torch.Tensor:
    import torch

    deltas = []
    for batch, words in zip(part.batches, part.embeddings(), strict=True):
        generator = part.generator()
        direction = torch.randn(words.shape, generator=generator, dtype=torch.float32)
        direction = direction / direction.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        # Uniform in a ball of w dimensions: the radius is the w-th root of a uniform number.
        radius = torch.rand(words.shape[:-1], generator=generator, dtype=torch.float32) ** (1 / words.shape[-1])
        mask = batch.inputs["attention_mask"].to(words.dtype).unsqueeze(-1)
        deltas.append((settings["radius"] * radius.unsqueeze(-1) * direction).to(words) * mask)
    loss = part.loss(part.outputs(deltas))
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


RANDOM_PERTURBATION = RobustMethod(
    name="random-perturbation",
    summary="randomised smoothing: each word's embedding is displaced by a vector drawn from a ball, in one pass",
    source="Huang et al. 2021 (Improving Zero-Shot Cross-Lingual Transfer Learning via Robust Training), RS-RP",
    backward=_backward,
    passes=lambda settings: 1.0,
    knobs=(Knob("radius", 0.1, 0, 1e3, "largest displacement of a word's embedding, in its norm"),),
)
