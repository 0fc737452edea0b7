"""From hidden states to one vector a text: the poolings of retrieval and of classifiers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch
from torch import nn
from transformers import PreTrainedModel

from crosswind.errors import UserError

RowSummary = Literal["first", "last"]
"""The token of a row that stands for the whole of it: see `Encoder.summary`."""

ClassifierPooling = Literal["cls", "mean", "max"]
"""What pair and choice heads read of a row: its first token, or the mean or maximum over its tokens."""


@dataclass(frozen=True)
class Pooling:
    """How a text becomes a unit vector.

    `mean`: over all attended tokens, special ones included (XTREME's Tatoeba protocol); `cls`: the
    token that stands for the row, in most the first; `pooler`: the checkpoint's own pooler (LAReQA).
    `layer`: the hidden state to read (0 the embeddings; `None` the last). `prefix` goes before every
    text (e5 encoders want `query: `).
    """

    mode: Literal["mean", "cls", "pooler"] = "mean"
    layer: int | None = None
    prefix: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def text_encoder(backbone: PreTrainedModel) -> PreTrainedModel:
    """What turns rows into hidden states: the model, or of one with a decoder (T5, mBART) its encoder half."""
    if not backbone.config.is_encoder_decoder:
        return backbone
    half: PreTrainedModel = backbone.get_encoder()
    return half


def summary_token(hidden: torch.Tensor, attended: torch.Tensor, which: RowSummary) -> torch.Tensor:
    """The hidden state `(rows, width)` of each row's first or last attended token, wherever its padding is."""
    first = attended.argmax(1)
    position = first if which == "first" else first + attended.sum(1) - 1
    return hidden[torch.arange(len(hidden), device=hidden.device), position]


def left_aligned(output: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """A model's output for every token `(rows, length, …)`, each row's first token in front, as rows count them."""
    first = attended.argmax(1)
    if not first.any():
        return output
    length = output.shape[1]
    index = (torch.arange(length, device=output.device)[None, :] + first[:, None]) % length
    return output[torch.arange(len(output), device=output.device)[:, None], index]


def mean_of_attended(hidden: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """The mean `(rows, width)` of hidden states `(rows, length, width)` over attended tokens, special ones included."""
    mask = attended.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)


class Embedder(nn.Module):
    """A dual encoder with shared weights: rows `(rows, length)` to unit vectors `(rows, width)`.

    `log_scale` is the logarithm of the learnable inverse temperature of the in-batch softmax, which
    starts at 100 (LAReQA). Raises `UserError` where a pooler is asked for and the encoder has none.
    """

    def __init__(self, backbone: PreTrainedModel, pooling: Pooling, summary: RowSummary = "first") -> None:
        super().__init__()
        if pooling.layer is not None and not 0 <= pooling.layer <= int(backbone.config.num_hidden_layers):
            raise ValueError(f"layer {pooling.layer} of {backbone.config.num_hidden_layers}")
        self.backbone = backbone
        self.pooling = pooling
        self.summary: RowSummary = summary
        self.dense: nn.Module = nn.Sequential()  # layers of a sentence-transformers checkpoint behind its pooling
        self.log_scale = nn.Parameter(torch.tensor(100.0).log())

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        layer = self.pooling.layer
        last = layer is None or layer == int(self.backbone.config.num_hidden_layers)
        result = text_encoder(self.backbone)(**batch, output_hidden_states=not last)
        if self.pooling.mode == "pooler":
            vector = getattr(result, "pooler_output", None)
            if vector is None:
                raise UserError(
                    f"the architecture {self.backbone.config.model_type!r} has no pooler",
                    where="pooling.mode",
                    hint="pool by mean or cls",
                )
        else:
            hidden = result.last_hidden_state if last else result.hidden_states[layer]
            attended = batch["attention_mask"]
            one = self.pooling.mode == "cls"
            vector = summary_token(hidden, attended, self.summary) if one else mean_of_attended(hidden, attended)
        return nn.functional.normalize(self.dense(vector.float()), dim=-1)


def resolved_pooling(asked: Any, layers: int, saved: Pooling | None = None) -> Pooling:
    """The pooling as asked for; what is left open is as `saved` with the checkpoint, else the mean of the last layer.

    A layer below 1 is a share of the depth (0.6 of 24 layers is 14).
    """
    saved = saved or Pooling()
    if asked is None:
        return saved
    layer = saved.layer if asked.layer is None else asked.layer
    if isinstance(layer, float) and layer < 1:
        layer = round(layer * layers)
    if layer is not None and int(layer) > layers:
        raise UserError(f"layer {layer} of an encoder with {layers}", where="pooling.layer", hint="0 is the embeddings")
    prefix = saved.prefix if asked.prefix is None else asked.prefix
    return replace(saved, mode=asked.mode or saved.mode, layer=None if layer is None else int(layer), prefix=prefix)
