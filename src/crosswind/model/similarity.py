"""The similarity of texts for a sentence encoder: what a constraint or an attack asks of a model."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from crosswind.model.encoder import load_encoder
from crosswind.model.pooling import Embedder, Pooling
from crosswind.model.rows import Padding, encode_texts, pad
from crosswind.model.sentence import sentence_modules

_HEIGHT, _STEP = 16, 16  # rows of a forward pass, and what its length is a multiple of
_LONGEST = 512  # tokens


class EncoderSimilarity:
    """The cosine of two texts' vectors, pooled as a checkpoint's sentence-transformers files say, or else the mean."""

    def __init__(self, source: str) -> None:
        modules = sentence_modules(source)
        self.encoder = load_encoder(source)
        if modules is None:
            self.embedder = Embedder(self.encoder.backbone, Pooling(), self.encoder.summary)
        else:
            self.embedder = Embedder(self.encoder.backbone, modules.pooling, self.encoder.summary)
            self.embedder.dense = modules.dense
        self.embedder.train(False)
        longest = modules.longest if modules and modules.longest else _LONGEST
        self.longest = min(longest, self.encoder.max_positions)
        self.vectors: dict[str, torch.Tensor] = {}

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The cosine of each pair, -1 to 1. The vectors of the first texts are kept for the next call."""
        fresh = [t for t in dict.fromkeys(t for pair in pairs for t in pair) if t not in self.vectors]
        vectors = {**self.vectors, **dict(zip(fresh, self._embed(fresh), strict=True))}
        self.vectors = {a: vectors[a] for a, _ in pairs}
        return [float(vectors[a] @ vectors[b]) for a, b in pairs]

    @torch.inference_mode()
    def _embed(self, texts: Sequence[str]) -> list[torch.Tensor]:
        prefix = self.embedder.pooling.prefix
        rows = encode_texts(self.encoder.tokenizer, [prefix + t for t in texts], self.longest)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        vectors: dict[int, torch.Tensor] = {}
        padding = Padding.of(self.encoder.tokenizer)
        for start in range(0, len(order), _HEIGHT):
            some = order[start : start + _HEIGHT]
            length = -(-max(len(rows[i]) for i in some) // _STEP) * _STEP
            batch = pad([rows[i] for i in some], padding, height=_HEIGHT, length=length)
            output = self.embedder(**batch)
            vectors |= {i: output[n] for n, i in enumerate(some)}
        return [vectors[i] for i in range(len(rows))]
