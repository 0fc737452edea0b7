"""What is wrong with a checkpoint is said once, as a user's mistake, before anything is computed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification

from crosswind.errors import UserError
from crosswind.model.encoder import load_encoder
from crosswind.model.one_language import language_read
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.run import run_study
from crosswind.study.spec import parse_study
from tiny_models import ALL_ARCHITECTURES, write_encoder

CLASSES = ("entailment", "neutral", "contradiction")
EVALUATED = """
{{name: t, encoder: {encoder}, fine_tuned: true, data: {{source: files, root: {data}}},
  routes: {{none: []}}, targets: {{tasks: {{{task}: {{languages: [{language}]}}}}, limit: 6}}}}
"""
TRAINED = """
name: t
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets: {{limit: 6, tasks: {{xnli: {{languages: [en], train: {{tasks: [{{name: snli, split: dev}}]}}}}}}}}
"""


def refused(text: str, folder: Path, message: str) -> None:
    store = Store(folder / "store")
    with pytest.raises(UserError, match=message):
        run_study(parse_study(text), out=folder / "run", store=store, reporter=Silent())
    assert not (folder / "run").exists()
    assert not [*(folder / "store").rglob("manifest.json")]


def evaluated(encoder: Path, data: Path, task: str = "xnli", language: str = "en") -> str:
    return EVALUATED.format(encoder=encoder, data=data, task=task, language=language)


def test_a_generative_model_without_a_head_is_named_as_one(tmp_path: Path, small_data: Path) -> None:
    encoder = write_encoder(tmp_path / "gpt", "gpt2")
    config = AutoConfig.from_pretrained(encoder, id2label=dict(enumerate(CLASSES)))
    AutoModelForCausalLM.from_config(config).save_pretrained(encoder)
    message = r"is a generative model \(GPT2LMHeadModel\) and has no head for pair tasks"
    refused(evaluated(encoder, small_data), tmp_path, message)


def test_weights_of_other_sizes_are_named_with_both(tmp_path: Path, small_data: Path) -> None:
    encoder = write_encoder(tmp_path / "bert", "bert")
    AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=2).save_pretrained(encoder)
    facts = json.loads((encoder / "config.json").read_text())
    facts |= {"id2label": dict(enumerate(CLASSES)), "label2id": {name: i for i, name in enumerate(CLASSES)}}
    (encoder / "config.json").write_text(json.dumps(facts))
    message = r"classifier\.weight is \[2, 16\] in the weights and \[3, 16\] in the model"
    refused(evaluated(encoder, small_data), tmp_path, message)


def test_a_missing_padding_token_is_named_as_one(tmp_path: Path, small_data: Path) -> None:
    encoder = write_encoder(tmp_path / "bert", "bert")
    facts = json.loads((encoder / "tokenizer_config.json").read_text())
    del facts["pad_token"]
    (encoder / "tokenizer_config.json").write_text(json.dumps(facts))
    refused(evaluated(encoder, small_data, "tatoeba", "jv"), tmp_path, "has no padding token")


@pytest.mark.parametrize("trained", [False, True])
def test_what_an_architecture_cannot_do_with_a_row_is_a_sentence(
    trained: bool, tmp_path: Path, small_data: Path
) -> None:
    """X-MOD asks for a language that its configuration does not name."""
    encoder = write_encoder(tmp_path / "xmod", "xmod")
    facts = json.loads((encoder / "config.json").read_text())
    facts["default_language"] = None
    (encoder / "config.json").write_text(json.dumps(facts))
    text = TRAINED.format(encoder=encoder, data=small_data)
    kind = "pair" if trained else "query"
    message = rf"\(architecture 'xmod'\) cannot be used for {kind} tasks \(Input language unknown"
    refused(text if trained else evaluated(encoder, small_data, "tatoeba", "jv"), tmp_path, message)


@pytest.mark.parametrize(
    ("architecture", "changes", "value", "said"),
    [
        ("xmod", {}, "en_XX", "has an adapter a language; texts of every language are read with that of en_XX"),
        ("xlm", {"use_lang_emb": True, "n_langs": 3}, "none", "has embeddings of 3 languages, and is told none"),
        ("xlm", {}, "", ""),
    ],
)
def test_a_model_that_asks_for_languages_says_in_results_how_it_read_them_all(
    tmp_path: Path,
    small_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
    changes: dict[str, Any],
    value: str,
    said: str,
) -> None:
    name, options = ALL_ARCHITECTURES[architecture]
    monkeypatch.setitem(ALL_ARCHITECTURES, architecture, (name, options | changes))
    study = parse_study(evaluated(write_encoder(tmp_path / architecture, architecture), small_data, "tatoeba", "jv"))
    run_study(study, out=tmp_path / "out", store=Store(tmp_path / "store"), reporter=Silent())
    (row,) = pl.read_parquet(tmp_path / "out" / "results.parquet").to_dicts()
    told = [note for note in row["notes"] if "language" in note]
    assert told == [] if not said else said in told[0]
    assert (f"|language={value}|" in f"|{row['signature']}|") == bool(value)


def test_a_tokenizer_that_marks_languages_is_named(tmp_path: Path) -> None:
    encoder = load_encoder(str(write_encoder(tmp_path / "mbart", "mbart")))
    assert language_read(encoder) is None
    encoder.tokenizer.src_lang = "en_XX"  # as MBartTokenizer, M2M100Tokenizer and NllbTokenizer have it
    assert language_read(encoder) == (
        "en_XX",
        "The tokenizer marks each text's language; texts of every language are marked en_XX.",
    )
