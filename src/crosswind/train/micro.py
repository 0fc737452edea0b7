"""A micro-batch as robust training sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch

from crosswind.train.objective import Batch, Decision, Objective


@dataclass
class MicroBatch:
    """The tensors of a micro-batch, and how the model is run on them.

    `total` is what the batch's summed loss is divided by. Every forward pass draws the same dropout, from `seed`:
    what an ascent finds belongs to the network that it was found for (Zhu et al. 2020, §3.3). `context` is that of
    a forward pass: autocast, the attention kernel. Within `at_average` the parameters hold the moving average of the
    weights, where the method keeps one.
    """

    objective: Objective
    batches: tuple[Batch, ...]
    total: int
    seed: int
    context: Callable[[], AbstractContextManager[object]]
    at_average: Callable[[], AbstractContextManager[object]] | None = None
    drawn: int = field(default=0)

    def generator(self) -> torch.Generator:
        """A generator of its own for each call: the draws of a micro-batch depend on its seed alone."""
        self.drawn += 1
        return torch.Generator().manual_seed((self.seed + 0x9E3779B9 * self.drawn) & 0x7FFF_FFFF_FFFF_FFFF)

    def embeddings(self) -> list[torch.Tensor]:
        """The words' own embeddings of each batch, `(rows, length, width)`, with their gradient's path."""
        return [self.objective.encoder.embeddings(batch.inputs["input_ids"]) for batch in self.batches]

    def outputs(self, deltas: Sequence[torch.Tensor] | None = None) -> list[torch.Tensor]:
        """The model's outputs; `deltas` are added to the words' embeddings."""
        torch.manual_seed(self.seed)
        with self.context():
            if deltas is None:
                return [self.objective.forward(batch) for batch in self.batches]
            moved = [words + delta for words, delta in zip(self.embeddings(), deltas, strict=True)]
            return [self.objective.forward(batch, words) for batch, words in zip(self.batches, moved, strict=True)]

    def outputs_at_average(self) -> list[torch.Tensor]:
        """The outputs of the moving average of the weights, without a gradient and with the dropout of other passes.

        No pass of the weights themselves may still wait for its backward pass.
        """
        if self.at_average is None:
            raise ValueError("the method declares no momentum, so no average of the weights is kept")
        with torch.no_grad(), self.at_average():
            return self.outputs()

    def loss(self, outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """The share of the batch's mean loss."""
        with self.context():
            return self.objective.loss(self.batches, outputs) / self.total

    def decisions(self, outputs: Sequence[torch.Tensor]) -> list[Decision]:
        """What the objective chooses between."""
        with self.context():
            return self.objective.decisions(self.batches, outputs)


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
