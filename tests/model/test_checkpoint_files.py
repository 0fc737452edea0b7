"""What is wrong with a checkpoint's JSON files is said in a sentence that names the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.model.checkpoint import load_head
from crosswind.model.encoder import load_config
from crosswind.model.foreign import refuse_adapter
from crosswind.model.sentence import sentence_modules
from crosswind.study.encoders import describe_encoder
from crosswind.study.heads import _names
from tiny_models import write_encoder


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"id2label": {"a": "yes"}}', "`id2label` has the number 'a', and 1 classes are numbered from 0"),
        ('{"id2label": {"0": "no", "2": "yes"}}', "`id2label` has the number '2'"),
        ('{"id2label": ["no", "yes"]}', "not numbers with the names of classes"),
        ('{"id2label": {"0": {}}}', "a class whose name is no text"),
        ('{"num_labels": "many"}', "`num_labels` is 'many', no number of classes"),
        ('{"num_labels": 100000000000}', "no number of classes"),
        ("[1]", "is no JSON object"),
        ("null", "holds nothing but 'null'"),
        ("{", "not JSON"),
    ],
)
def test_a_configuration_that_names_no_classes_is_refused(config: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(UserError, match=message) as raised:
        _names(str(tmp_path), None)
    assert "config.json" in str(raised.value.where)


def test_classes_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = {str(i): f"c{i}" for i in reversed(range(11))}
    (tmp_path / "config.json").write_text(json.dumps({"id2label": names}))
    assert _names(str(tmp_path), None) == [f"c{i}" for i in range(11)]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "not JSON"),
        ('{"kind": "pairs", "labels": []}', "`kind` is 'pairs'"),
        ('{"kind": "query"}', "`labels` is None, not a list of names"),
        ('{"kind": "query", "labels": [1]}', "not a list of names"),
        ('{"kind": "query", "labels": [], "pooling": {"mode": "mean", "width": 3}}', "not mode, layer and prefix"),
        ('{"kind": "query", "labels": [], "pooling": {"mode": "max"}}', "not mode, layer and prefix"),
        ('{"kind": "query", "labels": [], "pooling": {"layer": true}}', "not mode, layer and prefix"),
        ('{"kind": "query", "labels": [], "classifier_pooling": "sum"}', "not cls, mean or max"),
    ],
)
def test_a_record_that_crosswind_did_not_write_is_refused(record: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "crosswind.json").write_text(record)
    for read in (lambda: load_head(str(tmp_path), "query", ()), lambda: _names(str(tmp_path), None)):
        with pytest.raises(UserError, match=message) as raised:
            read()
        assert "crosswind.json" in str(raised.value.where)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("modules.json", "{}", "is no list of JSON objects"),
        ("modules.json", '[{"type": "Transformer"}]', "`path` is None, no folder of the checkpoint"),
        ("modules.json", '[{"type": "Pooling", "path": "../other"}]', "no folder of the checkpoint"),
        ("modules.json", '[{"path": ""}]', "`type` is None, no class's name"),
        ("sentence_bert_config.json", "[]", "is no JSON object"),
        ("sentence_bert_config.json", '{"max_seq_length": "20"}', "no number of tokens"),
        ("config_sentence_transformers.json", '{"prompts": ["a"]}', "not names with their texts"),
        ("config_sentence_transformers.json", '{"prompts": {}, "default_prompt_name": ["a"]}', "no name"),
    ],
)
def test_module_files_of_another_shape_are_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text('[{"type": "x.Transformer", "path": ""}]')
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=message) as raised:
        sentence_modules(str(tmp_path))
    assert name in str(raised.value.where)


def test_an_adapters_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(UserError, match="not JSON"):
        refuse_adapter(str(tmp_path))


def test_an_encoder_whose_files_are_damaged_is_refused_where_it_is_described(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, "bert")
    (folder / "model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(UserError, match="not UTF-8"):
        describe_encoder(str(folder))
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"[]")
    with pytest.raises(UserError, match="has no header of safetensors"):
        describe_encoder(str(folder))
    (folder / "config.json").write_text("{")
    for read in (describe_encoder, load_config):
        with pytest.raises(UserError, match="not JSON"):
            read(str(folder))
