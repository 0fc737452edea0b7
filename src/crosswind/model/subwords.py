"""The sub-words of sentences with their hidden states, which an aligner of words compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from crosswind.model.encoder import Encoder, load_encoder
from crosswind.model.offsets import template, tokenize_words
from crosswind.model.pooling import text_encoder
from crosswind.model.rows import Padding, Row, pad
from crosswind.prepare.align import Link, WordPair
from crosswind.prepare.align_vectors import SubwordVectors, align_by_vectors

_HEIGHT, _STEP = 16, 16  # rows of a forward pass, and what its length is a multiple of


class EncoderSubwords:
    """The hidden states of one layer of an encoder (0 is the embeddings, a share below 1 is one of its depth).

    SimAlign reads layer 8 of 12 of mBERT and XLM-R, two thirds of the depth. A sentence that is longer than the
    encoder reads is cut into windows of whole words.
    """

    def __init__(self, encoder: Encoder, layer: int | float = 2 / 3) -> None:
        self.encoder = encoder
        self.layer = round(layer * encoder.layers) if isinstance(layer, float) else layer
        if not 0 <= self.layer <= encoder.layers:
            raise ValueError(f"layer {self.layer} of {encoder.layers}")

    def __call__(self, sentences: Sequence[Sequence[str]]) -> list[SubwordVectors]:
        """The sub-words of each sentence without special tokens, in order."""
        longest = min(self.encoder.max_positions, 512)
        windows = tokenize_words(self.encoder.tokenizer, [tuple(s) for s in sentences], longest)
        rows = [Row(t.ids, t.types, i, t.starts, first) for i, parts in enumerate(windows) for first, t in parts]
        parts: list[list[SubwordVectors]] = [[] for _ in sentences]
        order = sorted(range(len(rows)), key=lambda r: len(rows[r]))
        states: dict[int, SubwordVectors] = {}
        for start in range(0, len(order), _HEIGHT):
            batch = order[start : start + _HEIGHT]
            for r, vectors in zip(batch, self._forward([rows[r] for r in batch]), strict=True):
                states[r] = vectors
        for r, row in enumerate(rows):
            parts[row.owner].append(states[r])
        return [
            SubwordVectors(np.concatenate([p.vectors for p in s]), np.concatenate([p.words for p in s])) for s in parts
        ]

    @torch.inference_mode()
    def _forward(self, rows: Sequence[Row]) -> list[SubwordVectors]:
        padding = Padding.of(self.encoder.tokenizer)
        length = -(-max(len(r) for r in rows) // _STEP) * _STEP
        batch = pad(rows, padding, height=_HEIGHT, length=length)
        backbone = self.encoder.backbone
        batch = {name: tensor.to(backbone.device) for name, tensor in batch.items()}
        backbone.train(False)
        hidden = text_encoder(backbone)(**batch, output_hidden_states=True).hidden_states[self.layer]
        states = hidden.float().cpu().numpy()
        every = []
        for i, row in enumerate(rows):
            shift = length - len(row) if padding.left else 0
            end = len(row) - len(template(self.encoder.tokenizer).tail)
            at = np.arange(int(row.positions[0]), end)
            word = np.searchsorted(row.positions, at, side="right") - 1 + row.first
            every.append(SubwordVectors(states[i, at + shift], word))
        return every


def encoder_aligner(source: str) -> Callable[[Sequence[WordPair]], list[list[Link]]]:
    """Links the words of sentence pairs by the hidden states of a checkpoint, two thirds up, each other's nearest."""
    subwords = EncoderSubwords(load_encoder(source))
    return lambda pairs: align_by_vectors(pairs, subwords)
