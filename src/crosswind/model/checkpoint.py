"""Trained models on disk: plain `transformers` folders (retrieval: sentence-transformers layout too)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from crosswind.data.examples import Kind
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder, load_config, load_encoder, load_tokenizer, quiet
from crosswind.model.heads import AUTO_CLASSES, Head, RowScorer, attach
from crosswind.model.pooling import Embedder, Pooling

OWN = "crosswind.json"  # beside config.json: kind, labels, pooling
OWN_WEIGHTS = "crosswind_head.safetensors"  # parameters that no Hugging Face class holds


def save_head(folder: Path, encoder: Encoder, head: Head) -> None:
    """Write encoder and head so that `AutoModelFor….from_pretrained(folder)` loads them.

    A dual encoder is written as an `AutoModel` with sentence-transformers' module files; its pooling
    and scale, and heads of our own, stand in `crosswind.json` and `crosswind_head.safetensors`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    module = head.module
    with quiet():
        if isinstance(module, Embedder):
            encoder.backbone.save_pretrained(folder)
            save_file({"log_scale": module.log_scale.detach().contiguous()}, folder / OWN_WEIGHTS)
            _sentence_transformers(folder, encoder, module.pooling)
        elif isinstance(module, RowScorer):
            encoder.backbone.save_pretrained(folder)
            own = {k: v.contiguous() for k, v in module.classifier.state_dict().items()}
            save_file(own, folder / OWN_WEIGHTS)
        else:
            module.save_pretrained(folder)
        encoder.tokenizer.save_pretrained(folder)
    own_facts = {
        "kind": head.kind,
        "labels": list(head.labels),
        "pooling": head.pooling.to_json() if head.pooling else None,
    }
    (folder / OWN).write_text(json.dumps(own_facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_head(
    source: str, kind: Kind, labels: Sequence[str], *, revision: str | None = None, pooling: Pooling | None = None
) -> tuple[Encoder, Head]:
    """Load a fine-tuned checkpoint of ours or of anybody's.

    The model's own label names are mapped onto `labels` by name; `LABEL_0 …` are taken in the
    task's order. Raises `UserError` where the head is missing or its labels do not fit. For `query`
    any encoder serves (`pooling` as asked, else as saved, else the mean of the last layer).
    """
    own = _own(source)
    if kind == "query":
        encoder = load_encoder(source, revision=revision)
        saved = Pooling(**own["pooling"]) if own.get("pooling") else None
        head = attach(encoder, kind, (), seed=0, pooling=pooling or saved)
        weights = Path(source) / OWN_WEIGHTS
        if saved is not None and weights.exists():
            with torch.no_grad():
                head.module.log_scale.copy_(load_file(weights)["log_scale"])  # type: ignore[operator]
        return encoder, head
    config = load_config(source, revision)
    tokenizer = load_tokenizer(source, revision)
    if own and own["kind"] != kind:
        raise UserError(
            f"{source!r} was trained for {own['kind']} tasks, not {kind}",
            where="MODEL",
            hint="name a model fine-tuned on a task of this kind",
        )
    if (Path(source) / OWN_WEIGHTS).exists():
        encoder = load_encoder(source)
        module: nn.Module = RowScorer(encoder, kind, max(len(own["labels"]), 1))
        module.classifier.load_state_dict(load_file(Path(source) / OWN_WEIGHTS))  # type: ignore[union-attr]
        return encoder, Head(kind, tuple(own["labels"]), module)
    try:
        with quiet():
            module, info = AUTO_CLASSES[kind].from_pretrained(
                source, revision=revision, dtype=torch.float32, use_safetensors=True, output_loading_info=True
            )
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise UserError(
            f"cannot load {source!r} as a model for {kind} tasks ({reason})",
            where="MODEL",
            hint="name a folder or hub id with config.json and safetensors weights",
        ) from error
    if info["missing_keys"]:
        raise UserError(
            f"{source!r} has no head for {kind} tasks (missing {sorted(info['missing_keys'])[0]})",
            where="MODEL",
            hint="fine-tune it first (`crosswind run`), or choose a retrieval task, which needs no head",
        )
    backbone = getattr(module, module.base_model_prefix)
    encoder = Encoder(backbone, None, tokenizer)
    head_labels = tuple(own["labels"]) if own else _map_labels(config, labels, source)
    return encoder, Head(kind, head_labels, module)


def _own(source: str) -> dict[str, Any]:
    path = Path(source) / OWN
    if not path.exists():
        return {}
    facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return facts


def _map_labels(config: Any, labels: Sequence[str], source: str) -> tuple[str, ...]:
    """The model's classes in its own order, under the task's names."""
    if not labels:
        return ()
    named = [str(config.id2label[i]) for i in range(len(config.id2label))]
    wanted = {label.casefold(): label for label in labels}
    if all(n.casefold() in wanted for n in named) and len(named) == len(labels):
        return tuple(wanted[n.casefold()] for n in named)
    generic = [n.casefold().removeprefix("label_") for n in named] == [str(i) for i in range(len(named))]
    if generic and len(named) == len(labels):
        return tuple(labels)
    raise UserError(
        f"the classes of {source!r} are {', '.join(named)}; the task's are {', '.join(labels)}",
        where="MODEL",
        hint="set id2label in the model's config.json to the task's label names",
    )


def _sentence_transformers(folder: Path, encoder: Encoder, pooling: Pooling) -> None:
    """The module files that sentence-transformers reads: Transformer, Pooling, (Dense), Normalize."""
    width = int(encoder.config.hidden_size)
    modules = [("", "sentence_transformers.models.Transformer"), ("1_Pooling", "sentence_transformers.models.Pooling")]
    if pooling.mode == "pooler":
        modules.append(("2_Dense", "sentence_transformers.models.Dense"))
    modules.append((f"{len(modules)}_Normalize", "sentence_transformers.models.Normalize"))
    listed = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(modules)]
    (folder / "modules.json").write_text(json.dumps(listed, indent=1) + "\n")
    for path, _ in modules[1:]:
        (folder / path).mkdir(exist_ok=True)
    mean = pooling.mode == "mean"
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps(
            {
                "word_embedding_dimension": width,
                "pooling_mode_cls_token": not mean,
                "pooling_mode_mean_tokens": mean,
            }
        )
    )
    (folder / "sentence_bert_config.json").write_text(
        json.dumps({"max_seq_length": encoder.max_positions, "do_lower_case": False})
    )
    if pooling.mode == "pooler":
        dense = encoder.backbone.pooler.dense
        (folder / "2_Dense" / "config.json").write_text(
            json.dumps(
                {
                    "in_features": width,
                    "out_features": width,
                    "bias": True,
                    "activation_function": "torch.nn.modules.activation.Tanh",
                }
            )
        )
        save_file(
            {"linear.weight": dense.weight.detach().contiguous(), "linear.bias": dense.bias.detach().contiguous()},
            folder / "2_Dense" / "model.safetensors",
        )
