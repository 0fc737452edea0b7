"""Masked LM on clean and on noisy lines, and a contrastive loss that draws the two of a line together.

Robust contrastive pretraining (RCP; Stickland et al. 2023, Robustification of Multilingual Language Models to
Real-world Noise in Crosslingual Zero-shot Settings): data augmentation with noise, and a contrastive loss whose
positives are a sentence and its noisy version. The contrastive loss is the in-batch softmax over cosines (InfoNCE, van
den Oord et al. 2018), both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn import functional as F

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.model.pooling import mean_of_attended
from crosswind.model.rows import Row
from crosswind.perturb.draw import choose, key
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec, TextScope
from crosswind.train.epochs import Epochs
from crosswind.train.masked import LineText, MaskedLM, encoded, masked_lm, sides_of
from crosswind.train.objective import Batch, Decision, Visit, cross_entropy, model_inputs, single

_NOISY = 1 << 32  # is added to the seed of the masks of noisy lines: they are other ones than those of the clean lines


@dataclass
class NoisyMaskedLM(MaskedLM):
    """Masked LM on lines that are drawn anew in every epoch."""

    epochs: Epochs[list[list[Row]]] | None = field(default=None, kw_only=True)

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        assert self.epochs is not None
        return self.epochs[epoch][index]


@dataclass
class ContrastiveMaskedLM:
    """The mean masked-LM loss of clean and noisy lines, and `weight` times the mean contrastive loss of their pairs.

    A line's vector is the mean of the last hidden states of its masked row. Lines of a batch that are the same are no
    negatives of each other. Both rows of a line count as tokens.
    """

    clean: MaskedLM
    noisy: NoisyMaskedLM
    weight: float
    temperature: float
    whole_batch: bool = True  # its negatives are the others of the batch
    name: str = field(init=False)
    encoder: Encoder = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.encoder = self.clean.name, self.clean.encoder

    @property
    def lengths(self) -> Sequence[int]:
        return self.clean.lengths

    @property
    def clusters(self) -> Sequence[str] | None:
        return None

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        return [*self.clean.rows(index), *self.noisy.rows(index, epoch)]

    def terms(self, index: int, epoch: int = 0) -> int:
        return self.clean.terms(index) + self.noisy.terms(index, epoch)

    def batch(self, visits: Sequence[Visit], step: int) -> tuple[Batch, ...]:
        """The masked clean lines and the masked noisy ones; `same[a, b]`: the lines `a` and `b` are one text."""
        (clean,), (noisy,) = self.clean.batch(visits, step), self.noisy.batch(visits, step)
        texts = [self.clean.rows(visit.example)[0].ids.tolist() for visit in visits]
        same = torch.tensor([[a == b for b in texts] for a in texts])
        same.fill_diagonal_(False)
        return clean, Batch(noisy.inputs, {**noisy.targets, "same": same})

    def forward(self, batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        """The last hidden states `(rows, length, width)`."""
        hidden: torch.Tensor = self.encoder.backbone(**model_inputs(batch, embeddings)).last_hidden_state
        return hidden

    def decisions(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> list[Decision]:
        head = self.encoder.lm_head()
        assert head is not None
        masked = [
            Decision(single(head(hidden[batch.targets["chosen"]])), batch.targets["gold"])
            for batch, hidden in zip(batches, outputs, strict=True)
        ]
        vectors = [
            F.normalize(mean_of_attended(single(hidden), batch.inputs["attention_mask"]), dim=-1)
            for batch, hidden in zip(batches, outputs, strict=True)
        ]
        with torch.autocast(vectors[0].device.type, enabled=False):
            scores = vectors[0] @ vectors[1].T / self.temperature
        same = batches[1].targets["same"]
        scores = scores.masked_fill(same, torch.finfo(scores.dtype).min)
        right = torch.arange(len(scores), device=scores.device)
        # The loop divides by the number of masked pieces: what is a mean over lines must be multiplied by it.
        weight = self.weight * sum(len(d.gold) for d in masked) / len(scores) / 2
        return [*masked, Decision(scores, right, weight), Decision(scores.T, right, weight)]

    def loss(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return cross_entropy(self.decisions(batches, outputs))


def contrastive_masked_lm(
    name: str,
    encoder: Encoder,
    lines: Sequence[TextLine | ParallelLine],
    noise: Sequence[Spec],
    *,
    weight: float,
    temperature: float,
    max_length: int,
    seed: int,
    batch_size: int,
) -> ContrastiveMaskedLM:
    """The objective on lines, each with one of the perturbations of `noise`, drawn anew in every epoch.

    Raises a `UserError` for an encoder without a masked-LM head that stands alone.
    """
    clean = masked_lm(name, encoder, lines, max_length=max_length, seed=seed)
    if encoder.lm_head() is None:
        kind = encoder.config.model_type
        raise UserError(
            f"the masked-LM head of {kind!r} reads more than hidden states",
            where="contrastive",
            hint="leave it out, or choose an encoder of the families of RoBERTa, BERT or ALBERT",
        )
    sides = sides_of(lines, seed)

    def of_epoch(epoch: int) -> list[list[Row]]:
        return encoded(encoder, noisy_sides(sides, noise, seed=seed, epoch=epoch), max_length)

    epochs = Epochs(of_epoch, len(lines), batch_size)
    noisy = NoisyMaskedLM(name, encoder, clean.rows_of, seed + _NOISY, epochs=epochs)
    return ContrastiveMaskedLM(clean, noisy, weight, temperature)


def noisy_sides(
    sides: Sequence[tuple[LineText, LineText | None]], noise: Sequence[Spec], *, seed: int, epoch: int
) -> list[tuple[LineText, LineText | None]]:
    """The texts of lines with noise, in order: each line by one of the specs, what has no alternatives as it is.

    A draw depends on (seed, epoch, language, text and how often it came before).
    """
    result: list[list[LineText | None]] = [[first, second] for first, second in sides]
    groups: dict[tuple[Spec, str], list[tuple[int, int]]] = {}
    for number, pair in enumerate(sides):
        for which, side in enumerate(pair):
            if side is not None:
                bits = key("noise of a line", str(seed), str(epoch), str(number))
                groups.setdefault((noise[choose(bits, len(noise))], side[0]), []).append((number, which))
    draw = key("draw", str(seed), str(epoch)) >> 1
    for (spec, language), members in groups.items():
        if spec.applies(TextScope(language)) is not None:
            continue
        texts = [side[1] for number, which in members if (side := sides[number][which]) is not None]
        made = perturb_lines(texts, spec, language, draw=draw, environment=Environment())
        for (number, which), text in zip(members, made, strict=True):
            result[number][which] = (language, text)
    return [(first, second) for first, second in result if first is not None]
