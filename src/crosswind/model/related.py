"""Whether two encoders come of one another: fine-tuning moves word embeddings little."""

from __future__ import annotations

import torch

from crosswind.model.encoder import Encoder

_ROWS = 1024  # embeddings that are compared, from the middle of the vocabulary
_ALIKE = 0.9  # mean cosine; of unrelated embeddings it is near that of two random vectors around their mean


def share_weights(one: Encoder, other: Encoder) -> bool:
    """Whether two encoders have the same word embeddings but for what fine-tuning changed.

    Embeddings are compared without their mean: what all of them share says nothing. An encoder without a table of word
    embeddings shares none.
    """
    tables = [_table(encoder) for encoder in (one, other)]
    if tables[0] is None or tables[1] is None or tables[0].shape != tables[1].shape:
        return False
    first, second = (t - t.mean(dim=0) for t in tables if t is not None)
    return float(torch.nn.functional.cosine_similarity(first, second, dim=1).mean()) > _ALIKE


def _table(encoder: Encoder) -> torch.Tensor | None:
    try:
        weight = encoder.backbone.get_input_embeddings().weight
    except (AttributeError, NotImplementedError):
        return None
    if not isinstance(weight, torch.Tensor):
        return None
    start = max(0, (len(weight) - _ROWS) // 2)
    return weight[start : start + _ROWS].detach().double().cpu()
