"""Task heads on an encoder: Hugging Face's own classes around the shared backbone.

Several heads may share one backbone: each is the `AutoModelFor…` of its kind whose base model was
replaced by the encoder's. Where an architecture has no class of a kind, ours (`RowScorer`) serves.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)

from crosswind.data.examples import Kind
from crosswind.model.encoder import Encoder, quiet, seeded
from crosswind.model.labels import ClassMap
from crosswind.model.pooling import (
    ClassifierPooling,
    Embedder,
    Pooling,
    left_aligned,
    mean_of_attended,
    summary_token,
    text_encoder,
)
from crosswind.model.rows import Row

AUTO_CLASSES: dict[Kind, Any] = {
    "pair": AutoModelForSequenceClassification,
    "choice": AutoModelForMultipleChoice,
    "tagging": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
}


@dataclass
class Head:
    """A kind, its labels (class names or tags; choice, span and query heads do not need them) and the module.

    Of a loaded head `classes` say how the checkpoint's own classes became the task's, `notes` what a reader of results
    should know.

    The module maps a batch of rows `(rows, length)` to outputs by kind: pair `(rows, classes)`,
    choice `(rows,)` one score a row, tagging `(rows, length, tags)`, span `(rows, length, 2)` start
    and end scores, query `(rows, width)` embeddings.
    """

    kind: Kind
    labels: tuple[str, ...]
    module: nn.Module
    pooling: Pooling | None = None
    classes: ClassMap | None = None
    notes: tuple[str, ...] = ()

    def __call__(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return outputs(self.kind, self.module, batch)

    def group(self, row: Row) -> int:
        """Rows of different groups must not share a batch: its shape depends on them beside their length.

        Longformer's heads widen attention to the most tokens of global attention in the batch: those of the question
        in span QA, those behind it in choice.
        """
        config: Any = getattr(self.module, "config", None)
        if self.kind not in ("choice", "span") or getattr(config, "model_type", "") != "longformer":
            return 0
        question = int((row.ids == config.sep_token_id).argmax())
        return question if self.kind == "span" else len(row) - question


def attach(
    encoder: Encoder,
    kind: Kind,
    labels: tuple[str, ...],
    *,
    seed: int,
    pooling: Pooling | None = None,
    classifier_pooling: ClassifierPooling = "cls",
) -> Head:
    """A freshly initialised head (from `seed`) on the encoder's backbone.

    `pooling` is that of query heads, `classifier_pooling` that of pair and choice heads.
    """
    if kind == "query":
        pooling = pooling or Pooling()
        return Head(kind, labels, Embedder(encoder.backbone, pooling, encoder.summary), pooling)
    config = copy.deepcopy(encoder.config)
    if kind == "span":
        config.num_labels = 2  # start and end, whatever the encoder was a classifier of before
    if labels:
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
    with quiet(), seeded(seed):
        auto = AUTO_CLASSES[kind]
        if kind in ("pair", "choice") and classifier_pooling != "cls":
            module: nn.Module = RowScorer(encoder, kind, max(len(labels), 1), classifier_pooling)
        else:
            module = _around(encoder.backbone, auto, config) or RowScorer(encoder, kind, max(len(labels), 1))
    return Head(kind, labels, module)


def _around(backbone: PreTrainedModel, auto: Any, config: Any) -> nn.Module | None:
    """Hugging Face's class of a kind around the backbone; `None` where there is none that takes it whole.

    T5's for tagging holds an encoder half alone, its for spans the two halves apart.
    """
    if type(config) not in auto._model_mapping:
        return None
    module: PreTrainedModel = auto.from_config(config, trust_remote_code=False)
    if type(getattr(module, module.base_model_prefix, None)) is not type(backbone):
        return None
    setattr(module, module.base_model_prefix, backbone)
    return module


def outputs(kind: Kind, module: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Run the module on rows; see `Head` for the shapes."""
    if isinstance(module, Embedder | RowScorer):
        output: torch.Tensor = module(**batch)
        return output
    if kind == "pair" and "inputs_embeds" in batch and isinstance(getattr(module, "score", None), nn.Linear):
        return _read_at_last(module, batch)
    if kind == "choice":
        # One row a "question with one choice": a row's score does not depend on its neighbours.
        scores: torch.Tensor = module(**{k: v.unsqueeze(1) for k, v in batch.items()}).logits
        return scores.reshape(-1)
    result = module(**batch)
    if kind == "span":
        both = torch.stack((result.start_logits, result.end_logits), dim=-1)
        return left_aligned(both, batch["attention_mask"])
    logits: torch.Tensor = result.logits
    return left_aligned(logits, batch["attention_mask"]) if kind == "tagging" else logits


def _read_at_last(module: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """The logits of a class that reads a text's last token (GPT-2's), which it finds by the ids of padding: given
    embeddings, it would read the padding."""
    mask = batch["attention_mask"]
    last = (mask * torch.arange(mask.shape[1], device=mask.device)).argmax(dim=1)
    hidden = getattr(module, module.base_model_prefix)(**batch)[0]
    logits: torch.Tensor = module.score(hidden[torch.arange(len(hidden), device=hidden.device), last])
    return logits


class RowScorer(nn.Module):
    """Our own head, for architectures without one and for other poolings than Hugging Face's: dropout, a linear layer.

    tagging and span read every token; pair and choice read the one that stands for the row (`cls`), or the `mean` or
    the `max` (of each feature) of all attended tokens.
    """

    def __init__(self, encoder: Encoder, kind: Kind, classes: int, pooling: ClassifierPooling = "cls") -> None:
        super().__init__()
        self.backbone = encoder.backbone
        self.kind = kind
        self.pooling = pooling
        self.summary = encoder.summary
        width = {"pair": classes, "choice": 1, "tagging": classes, "span": 2}[kind]
        self.dropout = nn.Dropout(float(getattr(encoder.config, "hidden_dropout_prob", 0.1) or 0.0))
        self.classifier = nn.Linear(int(encoder.config.hidden_size), width)
        nn.init.normal_(self.classifier.weight, std=float(getattr(encoder.config, "initializer_range", 0.02)))
        nn.init.zeros_(self.classifier.bias)

    def forward(self, **batch: torch.Tensor) -> torch.Tensor:
        hidden = text_encoder(self.backbone)(**batch).last_hidden_state
        if self.kind in ("pair", "choice"):
            hidden = self._pooled(hidden, batch["attention_mask"])
        else:
            hidden = left_aligned(hidden, batch["attention_mask"])
        scores: torch.Tensor = self.classifier(self.dropout(hidden))
        return scores.reshape(-1) if self.kind == "choice" else scores

    def _pooled(self, hidden: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        if self.pooling == "mean":
            return mean_of_attended(hidden.float(), attended)  # bf16 loses digits in long sums
        if self.pooling == "max":
            return hidden.masked_fill(attended.unsqueeze(-1) == 0, float("-inf")).amax(1)
        return summary_token(hidden, attended, self.summary)
