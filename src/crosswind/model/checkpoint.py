"""Trained models on disk: plain `transformers` folders (retrieval: sentence-transformers layout too)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedModel

from crosswind.data.examples import Kind
from crosswind.errors import UserError
from crosswind.model.encoder import (
    Encoder,
    check_vocabulary,
    know_padding,
    load_config,
    load_encoder,
    load_tokenizer,
    quiet,
)
from crosswind.model.foreign import checkpoint_file, first_line, foreign_code, malformed, needs_foreign_code
from crosswind.model.heads import AUTO_CLASSES, Head, RowScorer
from crosswind.model.labels import ClassMap, map_classes
from crosswind.model.layers import refuse_layers_beyond
from crosswind.model.pooling import Embedder, Pooling
from crosswind.model.recorded import RECORD, Recorded, class_names, recorded_facts, refuse_other_orders
from crosswind.model.sentence import sentence_modules

OWN_WEIGHTS = "crosswind_head.safetensors"  # parameters that no Hugging Face class holds


def save_head(folder: Path, encoder: Encoder, head: Head) -> None:
    """Write encoder and head so that `AutoModelFor….from_pretrained(folder)` loads them.

    A dual encoder is written as an `AutoModel` with sentence-transformers' module files; its pooling
    and scale, and heads of our own (other poolings than Hugging Face's), stand in `crosswind.json` and
    `crosswind_head.safetensors`: of those `transformers` loads the encoder alone.
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
            parameters = {k: v.contiguous() for k, v in module.classifier.state_dict().items()}
            save_file(parameters, folder / OWN_WEIGHTS)
        else:
            hugging_face: Any = module
            hugging_face.save_pretrained(folder)
        encoder.tokenizer.save_pretrained(folder)
    own_facts = {
        "kind": head.kind,
        "labels": list(head.labels),
        "pooling": head.pooling.to_json() if head.pooling else None,
        "classifier_pooling": module.pooling if isinstance(module, RowScorer) else None,
    }
    _write_json(folder / RECORD, own_facts)


def load_head(
    source: str,
    kind: Kind,
    labels: Sequence[str],
    *,
    revision: str | None = None,
    pooling: Pooling | None = None,
    given: Sequence[str] = (),
    trusted: bool = False,
) -> tuple[Encoder, Head]:
    """Load a fine-tuned checkpoint of ours or of anybody's.

    The names of the model's own classes, or those `given` instead, are mapped onto `labels` by `map_classes`.
    Raises `UserError` where the head is missing or its classes do not fit. For `query`
    any encoder serves (`pooling` as asked, else as saved, else the mean of the last layer).
    """
    described = recorded_facts(source, revision)
    if kind == "query":
        return _load_embedder(source, described, revision, pooling, trusted)
    if described and described.kind != kind:
        raise UserError(
            f"{source!r} was trained for {described.kind} tasks, not {kind}",
            where="MODEL",
            hint="name a model fine-tuned on a task of this kind",
        )
    weights = checkpoint_file(source, OWN_WEIGHTS, revision) if described else None
    if described and weights is not None:
        encoder = load_encoder(source, revision=revision, trusted=trusted)
        pooled: Any = described.classifier_pooling or "cls"
        scorer = RowScorer(encoder, kind, max(len(described.labels), 1), pooled)
        with _own_weights(source):
            scorer.classifier.load_state_dict(load_file(weights))
        return encoder, _named(kind, scorer, map_classes(kind, described.labels, labels, source=source, given=given))
    config = load_config(source, revision, trusted=trusted)
    tokenizer = load_tokenizer(source, revision, trusted=trusted)
    know_padding(config, tokenizer)
    module = _load_auto(source, kind, revision, trusted, config)
    backbone: Any = module.base_model
    check_vocabulary(tokenizer, backbone, source)
    named = described.labels if described else class_names(config.id2label, source)
    refuse_other_orders(named, config.id2label, config.label2id, source)
    mapped = map_classes(kind, named, labels, source=source, given=given)
    return Encoder(backbone, None, tokenizer), _named(kind, module, mapped)


def _named(kind: Kind, module: nn.Module, classes: ClassMap) -> Head:
    return Head(kind, classes.labels, module, classes=classes)


def _load_embedder(
    source: str, described: Recorded | None, revision: str | None, pooling: Pooling | None, trusted: bool
) -> tuple[Encoder, Head]:
    encoder = load_encoder(source, revision=revision, trusted=trusted)
    saved = Pooling(**described.pooling) if described and described.pooling else None
    modules = None if saved else sentence_modules(source, revision)
    notes: tuple[str, ...] = ()
    if modules is not None:
        saved = modules.pooling
        notes = modules.notes
        encoder.longest = modules.longest
    pooling = pooling or saved or Pooling()
    embedder = Embedder(encoder.backbone, pooling, encoder.summary)
    if modules is not None:
        embedder.dense = modules.dense
    weights = checkpoint_file(source, OWN_WEIGHTS, revision) if saved and modules is None else None
    if weights is not None:
        with _own_weights(source), torch.no_grad():
            embedder.log_scale.copy_(load_file(weights)["log_scale"])
    return encoder, Head("query", (), embedder, pooling, notes=notes)


def _load_auto(source: str, kind: Kind, revision: str | None, trusted: bool, config: Any) -> PreTrainedModel:
    """The checkpoint as Hugging Face's class of the kind; a `UserError` unless its head is there."""
    try:
        with quiet():
            module, info = AUTO_CLASSES[kind].from_pretrained(
                source,
                config=config,
                revision=revision,
                dtype=torch.float32,
                use_safetensors=True,
                output_loading_info=True,
                trust_remote_code=trusted,
            )
    except Exception as error:
        if needs_foreign_code(error):
            raise foreign_code(source) from error
        if "mismatched" in str(error):
            raise _mismatched(source, AUTO_CLASSES[kind], config, revision, trusted) from error
        raise UserError(
            f"cannot load {source!r} as a model for {kind} tasks ({first_line(error)})",
            where="MODEL",
            hint="name a folder or hub id with config.json and safetensors weights",
        ) from error
    if info["missing_keys"]:
        architecture = next(iter(config.architectures or ()), "")
        generative = architecture.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration"))
        what = f"is a generative model ({architecture}) and has" if generative else "has"
        raise UserError(
            f"{source!r} {what} no head for {kind} tasks (missing {sorted(info['missing_keys'])[0]})",
            where="MODEL",
            hint="fine-tune it first (`crosswind run`), or choose a retrieval task, which needs no head",
        )
    loaded: PreTrainedModel = module
    refuse_layers_beyond(loaded, info["unexpected_keys"], source)
    return loaded


def _mismatched(source: str, auto: Any, config: Any, revision: str | None, trusted: bool) -> UserError:
    """Which weights have other sizes than the model that config.json describes, as transformers finds them."""
    with quiet():
        _, info = auto.from_pretrained(
            source,
            config=config,
            revision=revision,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            trust_remote_code=trusted,
        )
    sizes = [
        f"{key} is {list(have)} in the weights and {list(want)} in the model"
        for key, have, want in info["mismatched_keys"]
    ]
    return UserError(
        f"the weights of {source!r} do not fit its config.json: {'; '.join(sorted(sizes)[:3])}",
        where="MODEL",
        hint="mend config.json (num_labels, id2label, vocab_size), or name another checkpoint",
    )


@contextlib.contextmanager
def _own_weights(source: str) -> Iterator[None]:
    """What is wrong with the weights of ours, in a sentence."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, SafetensorError) as error:
        what = f"does not fit what {RECORD} says of the model ({first_line(error)})"
        raise malformed(source, OWN_WEIGHTS, what) from error


def _sentence_transformers(folder: Path, encoder: Encoder, pooling: Pooling) -> None:
    """The module files that sentence-transformers reads: Transformer, Pooling, (Dense), Normalize.

    It reads the last layer only: for another one they are left out, as its vectors would be others.
    """
    if pooling.layer not in (None, encoder.layers):
        return
    width = int(encoder.config.hidden_size)
    modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
    if pooling.mode == "pooler":
        modules.append(("2_Dense", "Dense"))
    modules.append((f"{len(modules)}_Normalize", "Normalize"))
    for path, _ in modules:
        (folder / path).mkdir(exist_ok=True)
    _write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ],
    )
    mean = pooling.mode == "mean"
    reads = {"pooling_mode_cls_token": not mean, "pooling_mode_mean_tokens": mean}
    _write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": width, **reads})
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": encoder.max_positions, "do_lower_case": False})
    if pooling.prefix:
        prompts = {"prompts": {"text": pooling.prefix}, "default_prompt_name": "text"}
        _write_json(folder / "config_sentence_transformers.json", prompts)
    if pooling.mode == "pooler":
        _write_dense(folder / "2_Dense", encoder, width)


def _write_dense(folder: Path, encoder: Encoder, width: int) -> None:
    """The pooler's dense layer and tanh as sentence-transformers' `Dense`."""
    pooler: Any = encoder.backbone.pooler
    facts = {
        "in_features": width,
        "out_features": width,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    _write_json(folder / "config.json", facts)
    weights = {f"linear.{n}": p.detach().contiguous() for n, p in pooler.dense.named_parameters()}
    save_file(weights, folder / "model.safetensors")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
