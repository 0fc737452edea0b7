"""The similarity of texts for a sentence encoder: what a constraint or an attack asks of a model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch

from crosswind.model.encoder import load_encoder
from crosswind.model.pooling import Embedder, Pooling
from crosswind.model.rows import Padding, encode_texts, pad
from crosswind.model.sentence import sentence_modules

_HEIGHT, _STEP = 16, 16  # rows of a forward pass, and what its length is a multiple of
_LONGEST = 512  # tokens
_REMEMBERED = 16_384  # texts whose vectors are kept: 64 MB of 1,024 numbers each


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
        self.remembered = _REMEMBERED
        self.embedded = 0  # texts that the encoder has read
        self._vectors: OrderedDict[str, torch.Tensor] = OrderedDict()

    def __call__(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The cosine of each pair, -1 to 1; a text that was among the latest ones is not read again."""
        texts = dict.fromkeys(t for pair in pairs for t in pair)
        fresh = [t for t in texts if t not in self._vectors]
        self._vectors.update(zip(fresh, self._embed(fresh), strict=True))
        for text in texts:
            self._vectors.move_to_end(text)
        cosines = [float(self._vectors[a] @ self._vectors[b]) for a, b in pairs]
        while len(self._vectors) > self.remembered:
            self._vectors.popitem(last=False)
        return cosines

    @torch.inference_mode()
    def _embed(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """The vectors of texts; a pass holds those of one rounded length, so that none depends on its neighbours."""
        self.embedded += len(texts)
        prefix = self.embedder.pooling.prefix
        rows = encode_texts(self.encoder.tokenizer, [prefix + t for t in texts], self.longest)
        shapes: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            shapes.setdefault(-(-len(row) // _STEP) * _STEP, []).append(i)
        vectors: dict[int, torch.Tensor] = {}
        padding = Padding.of(self.encoder.tokenizer)
        for length, members in shapes.items():
            for start in range(0, len(members), _HEIGHT):
                some = members[start : start + _HEIGHT]
                batch = pad([rows[i] for i in some], padding, height=_HEIGHT, length=length)
                output = self.embedder(**batch)
                # Copied: a view would keep the whole pass.
                vectors |= {i: output[n].clone() for n, i in enumerate(some)}
        return [vectors[i] for i in range(len(rows))]
