"""Masked LM and translation LM, beside tasks or alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.data.text import monolingual
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.model.rows import Row, encode_texts
from crosswind.train.objective import Batch, Decision, Visit, cross_entropy, model_inputs, padded, single

LineText = tuple[str, str]
"""A text of a line: its language and what it says."""


@dataclass
class MaskedLM:
    """Masked LM on lines, translation LM on pairs of translations (Conneau & Lample 2019).

    15 % of the pieces are chosen; 80 % of these become the mask, 10 % a random piece, 10 % stay
    (Devlin et al. 2019). The head runs on the chosen positions only. A step's choice is drawn from
    (seed, step, example).
    """

    name: str
    encoder: Encoder
    rows_of: list[list[Row]]
    seed: int
    rate: float = 0.15
    whole_batch: bool = False

    @property
    def lengths(self) -> Sequence[int]:
        return [len(rows[0]) for rows in self.rows_of]

    @property
    def clusters(self) -> Sequence[str] | None:
        return None

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        return self.rows_of[index]

    def terms(self, index: int, epoch: int = 0) -> int:
        return max(round(self.rate * self._free(index, epoch)), 1)

    def _free(self, index: int, epoch: int) -> int:
        return int((~np.isin(self.rows(index, epoch)[0].ids, self.encoder.tokenizer.all_special_ids)).sum())

    def batch(self, visits: Sequence[Visit], step: int) -> tuple[Batch, ...]:
        tokenizer = self.encoder.tokenizer
        rows = [self.rows(*visit)[0] for visit in visits]
        inputs = padded(rows, self.encoder)
        ids = inputs["input_ids"]
        chosen = torch.zeros_like(ids, dtype=torch.bool)
        original = ids.clone()
        special = np.asarray(tokenizer.all_special_ids)
        pieces = np.setdiff1d(np.arange(len(tokenizer)), special)
        for r, visit in enumerate(visits):
            rng = np.random.default_rng((self.seed, 4, step, visit.example))
            begin = int(inputs["attention_mask"][r].argmax())  # where padding is on the left
            free = np.flatnonzero(~np.isin(rows[r].ids, special))
            if len(free) == 0:
                free = np.arange(len(rows[r]))
            picks = torch.from_numpy(begin + rng.choice(free, self.terms(*visit), replace=False))
            fate = rng.random(len(picks))
            noise = torch.from_numpy(pieces[rng.integers(len(pieces), size=len(picks))])
            chosen[r, picks] = True
            to_mask = torch.from_numpy(fate < 0.8)
            to_noise = torch.from_numpy((fate >= 0.8) & (fate < 0.9))
            ids[r, picks[to_mask]] = int(tokenizer.mask_token_id)
            ids[r, picks[to_noise]] = noise[to_noise]
        return (Batch(inputs, {"chosen": chosen, "gold": original[chosen]}),)

    def forward(self, batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        """Logits `(chosen, vocabulary)` at the chosen positions, row by row."""
        chosen, inputs = batch.targets["chosen"], model_inputs(batch, embeddings)
        head = self.encoder.lm_head()
        if head is None:
            assert self.encoder.lm is not None
            full: torch.Tensor = self.encoder.lm(**inputs).logits
            return full[chosen]
        hidden = self.encoder.backbone(**inputs).last_hidden_state
        result: torch.Tensor = head(hidden[chosen])
        return result

    def decisions(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> list[Decision]:
        (batch,), (output,) = batches, outputs
        return [Decision(single(output), batch.targets["gold"])]

    def loss(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return cross_entropy(self.decisions(batches, outputs))


def masked_lm(
    name: str, encoder: Encoder, lines: Sequence[TextLine | ParallelLine], *, max_length: int, seed: int
) -> MaskedLM:
    """Masked LM on text lines and translation LM on parallel lines, one example a line.

    Of a parallel line an ordered pair of languages is drawn once, from the seed. Raises `UserError`
    for an architecture without a masked-LM head or a tokenizer without a mask.
    """
    if encoder.lm is None or encoder.tokenizer.mask_token_id is None:
        lacking = "masked-LM head" if encoder.lm is None else "mask token in its tokenizer"
        raise UserError(
            f"the encoder (architecture {encoder.config.model_type!r}) has no {lacking}",
            where="mlm",
            hint="leave the mlm share out, or choose an encoder with one",
        )
    return MaskedLM(name, encoder, encoded(encoder, sides_of(lines, seed), max_length), seed)


def sides_of(lines: Sequence[TextLine | ParallelLine], seed: int) -> list[tuple[LineText, LineText | None]]:
    """What is read of each line: its text, or of a parallel line an ordered pair, drawn once from the seed."""
    sides: list[tuple[LineText, LineText | None]] = []
    for i, line in enumerate(lines):
        if isinstance(line, TextLine):
            sides.append(((line.language, line.text), None))
        else:
            rng = np.random.default_rng((seed, 5, i))
            a, b = rng.choice(len(line.texts), 2, replace=False)
            sides.append((line.texts[a], line.texts[b]))
    return sides


def encoded(encoder: Encoder, sides: Sequence[tuple[LineText, LineText | None]], max_length: int) -> list[list[Row]]:
    """The one row of each line."""
    firsts = [first[1] for first, _ in sides]
    seconds = ["" if second is None else second[1] for _, second in sides]
    return [[row] for row in encode_texts(encoder.tokenizer, firsts, max_length, seconds)]


def training_lines(
    corpora: Sequence[Sequence[TextLine | ParallelLine]], share: float, seed: int
) -> list[TextLine | ParallelLine]:
    """The lines of masked LM: single lines, then pairs of translations as the `share` of all lines.

    Every text of a parallel line is a single line too. The pairs are drawn from all parallel corpora, from the
    seed, with other partners each time; share 1 leaves them alone, and without parallel lines there are none.
    """
    single = [line for corpus in corpora for line in _single(corpus)]
    pairs = [line for corpus in corpora for line in corpus if isinstance(line, ParallelLine) and len(line.texts) > 1]
    if share <= 0 or not pairs:
        return [*single]
    wanted = round(len(single) * share / (1 - share)) if share < 1 else len(single)
    drawn = [pairs[i] for i in np.random.default_rng((seed, 7)).integers(len(pairs), size=wanted)]
    return [*drawn] if share >= 1 else [*single, *drawn]


def _single(corpus: Sequence[TextLine | ParallelLine]) -> list[TextLine]:
    parallel = monolingual(line for line in corpus if isinstance(line, ParallelLine))
    return [*parallel, *(line for line in corpus if isinstance(line, TextLine))]
