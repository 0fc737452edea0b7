"""What a training step asks of a source of examples, and the batches that pass between them.

A step is cut at its middle: `batch` makes tensors, `forward` runs the model, `loss` sums. Robust training
(`robust/`) wraps `forward`, which takes other embeddings in the place of the words' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import torch
from torch.nn import functional as F

from crosswind.model.encoder import Encoder
from crosswind.model.rows import Padding, Row, pad
from crosswind.train.batching import padded_length

Tensors = Mapping[str, torch.Tensor]


class Visit(NamedTuple):
    """An example in a batch: its number in the source, and the epoch of the source in which it is seen."""

    example: int
    epoch: int = 0


@dataclass(frozen=True)
class Batch:
    """Rows that go through the model at once.

    `inputs` are what the model reads, `(rows, length)` each; `targets` are tensors that the objective's own
    `forward` and `loss` read, by name.
    """

    inputs: Tensors
    targets: Tensors = field(default_factory=dict)

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(
            {k: v.to(device) for k, v in self.inputs.items()}, {k: v.to(device) for k, v in self.targets.items()}
        )


class Decision(NamedTuple):
    """Alternatives that a model chooses between: scores `(n, alternatives)`, the right ones `(n,)`, a weight."""

    scores: torch.Tensor
    gold: torch.Tensor
    weight: float = 1.0


class Objective(Protocol):
    """A source of training steps.

    An objective sums the loss of some examples and counts their terms; the loop divides the sum over the
    micro-batches by the batch's total.
    """

    name: str
    encoder: Encoder
    whole_batch: bool  # in-batch negatives: never cut into micro-batches

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each example's longest row: examples are grouped by them."""
        ...

    @property
    def clusters(self) -> Sequence[str] | None:
        """What examples belong together, if anything does."""
        ...

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        """The rows of one example in an epoch."""
        ...

    def terms(self, index: int, epoch: int = 0) -> int:
        """How many loss terms the example contributes."""
        ...

    def batch(self, visits: Sequence[Visit], step: int) -> tuple[Batch, ...]:
        """The tensors of some examples, on the CPU; more than one batch where they are encoded apart (retrieval)."""
        ...

    def forward(self, batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        """The model's output for a batch; `embeddings` `(rows, length, width)` replace those of the words.

        `Encoder.embeddings` gives the words' own. Not every architecture takes them (CANINE does not).
        """
        ...

    def decisions(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> list[Decision]:
        """What the examples choose between, from the outputs of their batches."""
        ...

    def loss(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        """The summed loss of the examples: mostly the cross-entropy of their decisions (`cross_entropy`)."""
        ...


def single(scores: torch.Tensor) -> torch.Tensor:
    """Scores in single precision, in which losses are computed, or in double where the model is."""
    return scores if scores.dtype == torch.float64 else scores.float()


def cross_entropy(decisions: Sequence[Decision]) -> torch.Tensor:
    """The summed cross-entropy of decisions, by their weights."""
    losses = [d.weight * F.cross_entropy(d.scores, d.gold, reduction="sum") for d in decisions]
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    return total


def padded(rows: Sequence[Row], encoder: Encoder) -> dict[str, torch.Tensor]:
    """A training batch `(rows, length)`, padded to a step of `padded_length` within the encoder's positions."""
    longest = max(len(r) for r in rows)
    length = max(min(padded_length(longest), encoder.max_positions), longest)
    return pad(rows, Padding.of(encoder.tokenizer), length=length)


def model_inputs(batch: Batch, embeddings: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """The arguments of the model: the batch's, with `inputs_embeds` for the words where embeddings are given."""
    if embeddings is None:
        return dict(batch.inputs)
    return {k: v for k, v in batch.inputs.items() if k != "input_ids"} | {"inputs_embeds": embeddings}
