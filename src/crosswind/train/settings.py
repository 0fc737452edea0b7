"""The settings of a training phase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from crosswind.data.examples import Kind
from crosswind.model.lengths import default_length
from crosswind.run.kinds import unsigned

_HOW = "it says how a model was made, which is what scores compare"
_READ = "predicting signs it for the kinds that read it"


@dataclass(frozen=True)
class Training:
    """Hyper-parameters of one phase; the defaults are XTREME's (Hu et al. 2020, official scripts).

    `warmup` is a share of the steps if below 1, a number of steps otherwise. `max_length` is in tokens (None: by
    kind, `model/lengths.py`), `stride` the tokens that two windows of a context share (None: 128 of 384).
    `micro_tokens` cuts the optimiser's batch into micro-batches (rows × length) that fit the memory; each draws its
    own dropout, and sums are rounded in another order, so that it is part of the result (weights differ by 4e-3
    after 3 steps with dropout). `freeze: embeddings` keeps the word embeddings as they are.
    `dropout` replaces every dropout probability of the checkpoint (None: its own); on a CPU dropout
    of attention is dear, 0 doubles the speed at 230 tokens.
    `batch_by: clusters` keeps the examples of a cluster in one language (MNLI's hypotheses of one premise, the
    questions of a text) in one batch, where its end does not part them, so that what tells them apart makes the
    gradient; retrieval and masked LM know no clusters.
    `classifier_pooling` is what pair and choice heads read: the first token (Hugging Face's classes), or the
    mean or maximum over all tokens (a linear layer of ours), for encoders whose first token was never trained.
    `evaluate_every` (steps; None: at the end only) and `patience` (evaluations without a gain; None:
    never stop) steer selection.
    """

    batch_size: int = unsigned(_HOW, 32)
    batch_by: Literal["examples", "clusters"] = unsigned(_HOW, "examples")
    learning_rate: float = unsigned(_HOW, 2e-5)
    warmup: float = unsigned(_HOW, 0.0)
    decay: Literal["linear", "constant"] = unsigned(_HOW, "linear")
    weight_decay: float = unsigned(_HOW, 0.0)
    epsilon: float = unsigned(_HOW, 1e-8)
    clip: float = unsigned(_HOW, 1.0)
    max_length: int | None = None
    query_length: int | None = unsigned(_READ, None)
    stride: int | None = unsigned(_READ, None)
    precision: Literal["fp32", "bf16"] = "fp32"
    freeze: Literal["nothing", "embeddings"] = unsigned(_HOW, "nothing")
    dropout: float | None = unsigned(_HOW, None)
    classifier_pooling: Literal["cls", "mean", "max"] = unsigned(_HOW, "cls")
    micro_tokens: int = unsigned(_HOW, 4096)
    evaluate_every: int | None = unsigned(_HOW, None)
    patience: int | None = unsigned(_HOW, None)

    def length(self, kinds: Iterable[Kind]) -> int:
        """`max_length`, or the longest length of the kinds that are trained."""
        return default_length(kinds) if self.max_length is None else self.max_length

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step (counted from 0): warm-up, then decay to 0 at `steps`."""
        warm = self.warmup * steps if self.warmup < 1 else self.warmup
        if step < warm:
            return self.learning_rate * (step + 1) / (warm + 1)
        if self.decay == "constant":
            return self.learning_rate
        return self.learning_rate * max(steps - step, 0) / max(steps - warm, 1)
