"""Checkpoints of sentence-transformers become vectors as their module files say, or are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

from crosswind.errors import UserError
from crosswind.evaluate.predict import Predictor
from crosswind.model.checkpoint import load_head
from crosswind.model.pooling import Pooling
from crosswind.model.sentence import sentence_modules
from crosswind.steps.cells import _pool_as_asked
from crosswind.steps.parameters import PoolingParams
from crosswind.study.encoders import encoder_fingerprint
from tiny_models import TEXTS, write_encoder


def write_modules(folder: Path, mode: str = "cls_token", last: str = "Normalize", **settings: Any) -> Path:
    """A model of somebody else's: a pooling, a dense layer from 16 to 6 numbers, a prompt, at most 20 tokens."""
    write_encoder(folder, "bert")
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Dense", "Dense"), ("3_Last", last)]
    for path, _ in kinds:
        (folder / path).mkdir(exist_ok=True)
    modules = [{"idx": i, "path": p, "type": f"sentence_transformers.models.{k}"} for i, (p, k) in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(modules))
    modes = {f"pooling_mode_{m}": m == mode for m in ("cls_token", "mean_tokens", "max_tokens")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, **modes}))
    dense = {
        "in_features": 16,
        "out_features": 6,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    (folder / "2_Dense" / "config.json").write_text(json.dumps(dense))
    torch.manual_seed(2)
    save_file(
        {"linear.weight": torch.randn(6, 16), "linear.bias": torch.randn(6)}, folder / "2_Dense/model.safetensors"
    )
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 20, **settings}))
    prompts = {"prompts": {"query": "the dog "}, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    return folder


@pytest.mark.parametrize("mode", ["cls_token", "mean_tokens"])
@torch.inference_mode()
def test_pooling_dense_layer_prompt_and_length_of_the_module_files_are_honoured(mode: str, tmp_path: Path) -> None:
    folder = write_modules(tmp_path / "model", mode)
    encoder, head = load_head(str(folder), "query", ())
    assert head.pooling == Pooling("cls" if mode == "cls_token" else "mean", None, "the dog ")
    assert encoder.max_positions == 20
    assert head.notes == ("Texts are pooled as the checkpoint's sentence-transformers files say.",)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    torch.manual_seed(2)
    weight, bias = torch.randn(6, 16), torch.randn(6)
    for text, vector in zip(TEXTS[:3], Predictor(encoder, head).embed(TEXTS[:3]), strict=True):
        batch = tokenizer(["the dog " + text], truncation=True, max_length=20, return_tensors="pt")
        hidden = model(**batch).last_hidden_state[0]
        pooled = torch.tanh(weight @ (hidden[0] if mode == "cls_token" else hidden.mean(0)) + bias)
        torch.testing.assert_close(torch.from_numpy(vector), pooled / pooled.norm(), rtol=1e-4, atol=1e-5)


def test_prompts_without_a_default_are_noted_and_put_before_no_text(tmp_path: Path) -> None:
    folder = write_modules(tmp_path / "model")
    prompts = {"prompts": {"query": "query: ", "document": "passage: ", "bare": ""}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    _, head = load_head(str(folder), "query", ())
    assert head.pooling == Pooling("cls", None, "")
    assert head.notes[1].startswith("The checkpoint has prompts (document, query) and calls none its default")


def test_a_studys_pooling_drops_the_layers_behind_the_checkpoints_and_a_prefix_keeps_them(tmp_path: Path) -> None:
    folder = write_modules(tmp_path / "model")

    def pooled(**asked: Any) -> Any:
        encoder, head = load_head(str(folder), "query", ())
        _pool_as_asked(encoder, head, PoolingParams(**asked), "pooling")
        return Predictor(encoder, head).embed(TEXTS[:1]).shape[1], head.pooling, head.notes[-1]

    studys = "The study's pooling stands in the place of the checkpoint's sentence-transformers files."
    assert pooled(mode="mean") == (16, Pooling("mean", None, "the dog "), studys)
    prefix = "The study's prefix stands in the place of the checkpoint's prompts."
    assert pooled(prefix="query: ") == (6, Pooling("cls", None, "query: "), prefix)
    assert pooled(mode="cls")[:2] == (6, Pooling("cls", None, "the dog "))
    layers = load_head(str(folder), "query", ())[0].layers
    assert pooled(layer=layers)[:2] == (6, Pooling("cls", layers, "the dog "))  # the last one, by its number


def test_what_is_not_read_is_refused(tmp_path: Path) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("the pooling pooling_mode_max_tokens", {"mode": "max_tokens"}),
        ("a module 'CNN'", {"last": "CNN"}),
        ("texts in lower case", {"do_lower_case": True}),
    ]
    for i, (message, options) in enumerate(cases):
        folder = write_modules(tmp_path / str(i), **options)
        with pytest.raises(UserError, match=f"is a model of sentence-transformers with {message}"):
            load_head(str(folder), "query", ())


@pytest.mark.parametrize("name", ["roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"])
def test_the_settings_of_texts_are_read_by_their_older_names_too(name: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text('[{"path": "", "type": "x.Transformer"}]')
    settings = tmp_path / f"sentence_{name}_config.json"
    settings.write_text('{"max_seq_length": 77, "do_lower_case": false}')
    modules = sentence_modules(str(tmp_path))
    assert modules is not None
    assert modules.longest == 77
    settings.write_text('{"max_seq_length": 77, "do_lower_case": true}')
    with pytest.raises(UserError, match="texts in lower case"):
        sentence_modules(str(tmp_path))


def test_the_settings_of_texts_lie_in_the_transformers_folder(tmp_path: Path) -> None:
    (tmp_path / "0_Transformer").mkdir()
    (tmp_path / "modules.json").write_text('[{"path": "0_Transformer", "type": "x.Transformer"}]')
    (tmp_path / "0_Transformer" / "sentence_bert_config.json").write_text('{"do_lower_case": true}')
    with pytest.raises(UserError, match="texts in lower case"):
        sentence_modules(str(tmp_path))


def test_the_module_files_are_part_of_an_encoders_fingerprint(tmp_path: Path) -> None:
    folder = write_modules(tmp_path / "model")
    before = encoder_fingerprint(str(folder))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    assert encoder_fingerprint(str(folder)) != before
