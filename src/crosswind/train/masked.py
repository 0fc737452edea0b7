"""Masked LM and translation LM, beside tasks or alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.data.text import monolingual
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.model.rows import Row, encode_texts
from crosswind.train.objectives import padded


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

    def rows(self, index: int) -> Sequence[Row]:
        return self.rows_of[index]

    def terms(self, index: int, step: int) -> int:
        return max(round(self.rate * self._free(index)), 1)

    def _free(self, index: int) -> int:
        return int((~np.isin(self.rows_of[index][0].ids, self.encoder.tokenizer.all_special_ids)).sum())

    def loss(self, indices: Sequence[int], device: torch.device, step: int) -> torch.Tensor:
        tokenizer = self.encoder.tokenizer
        rows = [self.rows_of[i][0] for i in indices]
        batch = padded(rows, self.encoder)
        chosen = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
        ids = batch["input_ids"]
        gold = ids.clone()
        special = np.asarray(tokenizer.all_special_ids)
        pieces = np.setdiff1d(np.arange(len(tokenizer)), special)
        for r, index in enumerate(indices):
            rng = np.random.default_rng((self.seed, 4, step, index))
            free = np.flatnonzero(~np.isin(rows[r].ids, special))
            if len(free) == 0:
                free = np.arange(len(rows[r]))
            picks = torch.from_numpy(rng.choice(free, self.terms(index, step), replace=False))
            fate = rng.random(len(picks))
            noise = torch.from_numpy(pieces[rng.integers(len(pieces), size=len(picks))])
            chosen[r, picks] = True
            mask_here = torch.from_numpy(fate < 0.8)
            random_here = torch.from_numpy((fate >= 0.8) & (fate < 0.9))
            ids[r, picks[mask_here]] = int(tokenizer.mask_token_id)
            ids[r, picks[random_here]] = noise[random_here]
        batch = {k: v.to(device) for k, v in batch.items()}
        chosen, gold = chosen.to(device), gold.to(device)
        return F.cross_entropy(self._logits(batch, chosen).float(), gold[chosen], reduction="sum")

    def _logits(self, batch: dict[str, torch.Tensor], chosen: torch.Tensor) -> torch.Tensor:
        head = self.encoder.lm_head()
        if head is None:
            assert self.encoder.lm is not None
            full: torch.Tensor = self.encoder.lm(**batch).logits
            return full[chosen]
        hidden = self.encoder.backbone(**batch).last_hidden_state
        result: torch.Tensor = head(hidden[chosen])
        return result


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
    firsts: list[str] = []
    seconds: list[str] = []
    for i, line in enumerate(lines):
        if isinstance(line, TextLine):
            firsts.append(line.text)
            seconds.append("")
        else:
            rng = np.random.default_rng((seed, 5, i))
            a, b = rng.choice(len(line.texts), 2, replace=False)
            firsts.append(line.texts[a][1])
            seconds.append(line.texts[b][1])
    rows = encode_texts(encoder.tokenizer, firsts, max_length, seconds)
    return MaskedLM(name, encoder, [[row] for row in rows], seed)


def with_translations(lines: list[Any], share: float, seed: int) -> list[TextLine | ParallelLine]:
    """Of parallel lines, `share` as pairs of translations and the rest as single lines."""
    if not lines or isinstance(lines[0], TextLine):
        return lines
    single = list(monolingual(lines))
    pairs = [line for line in lines if len(line.texts) > 1]
    if share <= 0 or not pairs:
        return [*single]
    wanted = round(len(single) * share / max(1 - share, 1e-9)) if share < 1 else len(single)
    rng = np.random.default_rng((seed, 7))
    drawn = [pairs[i] for i in rng.integers(len(pairs), size=wanted)]
    return drawn if share >= 1 else [*single, *drawn]
