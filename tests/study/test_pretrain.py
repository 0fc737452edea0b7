"""Pretraining an encoder from raw and parallel text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from crosswind.data.leakage import normalized_hash
from crosswind.errors import UserError
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.steps import pretrain as pretrain_step
from crosswind.study.pretrain import PretrainConfig, pretrain_into, read_config

CONFIG = """
name: tiny
seed: 3
tokenizer: {{vocab_size: 200}}
model: {{hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32}}
text:
  - {{path: {folder}/en.txt, language: en}}
  - paths: {{en: {folder}/a.en, es: {folder}/a.es}}
tlm: 0.3
budget: {{steps: 150}}
training: {{batch_size: 8, max_length: 32}}
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "en.txt").write_text("".join(f"the dog number {i} sees a river\n" for i in range(40)))
    (tmp_path / "a.en").write_text("".join(f"house {i} is old\n" for i in range(20)))
    (tmp_path / "a.es").write_text("".join(f"la casa {i} es vieja\n" for i in range(20)))
    return tmp_path


def config(folder: Path, *overrides: str) -> PretrainConfig:
    path = folder / "tiny.yaml"
    path.write_text(CONFIG.format(folder=folder))
    return read_config(path, list(overrides))


def pretrain(config: PretrainConfig, out: Path, reporter: Silent | None = None) -> dict[str, Any]:
    """Pretrain through a store beside the folder."""
    return pretrain_into(config, out, Store(out.parent / "store"), reporter or Silent())


def test_a_pretrained_encoder_is_an_ordinary_checkpoint_with_a_manifest(text: Path, tmp_path: Path) -> None:
    facts = pretrain(config(text), tmp_path / "out")
    assert facts["steps"] == 150
    assert facts["losses"][-1][1] < 5.3  # ln 200, the loss of a guess
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "out")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert model.config.num_hidden_layers == 1
    assert len(tokenizer) <= model.config.vocab_size
    assert tokenizer.tokenize("the dog")[0].startswith("▁")
    manifest = (tmp_path / "out" / "manifest.txt").read_text().split()
    assert len(manifest) == 80  # 40 lines, 20 in two languages
    assert normalized_hash("la casa 7 es vieja") in manifest
    assert "tiny" in (tmp_path / "out" / "README.md").read_text()
    with pytest.raises(UserError, match="holds a checkpoint already"):
        pretrain(config(text), tmp_path / "out")


@pytest.mark.slow
def test_an_interrupted_pretraining_goes_on_bit_for_bit(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = config(text, "budget.steps=150")
    pretrain(whole, tmp_path / "whole")

    class Stopping(Silent):
        def advanced(self, key: str, done: float, total: float, note: str = "") -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(pretrain_step, "PRETRAIN_CHECKPOINT_SECONDS", 0.1)
    store = Store(tmp_path / "other")
    with pytest.raises(KeyboardInterrupt):
        pretrain_into(whole, tmp_path / "parts", store, Stopping())
    assert not (tmp_path / "parts").exists()
    (checkpoint,) = (store.root / "partial").glob("*/step-*")
    assert 0 < int(checkpoint.name.removeprefix("step-")) < 150
    pretrain_into(whole, tmp_path / "parts", store, Silent())
    for name in ("model.safetensors", "tokenizer.json", "manifest.txt"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_going_on_with_an_encoder_keeps_its_tokenizer_and_its_manifest(
    tiny_encoder: Path, text: Path, tmp_path: Path
) -> None:
    pretrain(config(text, "budget.steps=2"), tmp_path / "first")
    (tmp_path / "more.txt").write_text("another line\nand one more\n")
    more = f"text=[{{path: {tmp_path}/more.txt, language: en}}]"
    pretrain(config(text, f"encoder={tmp_path}/first", more, "budget.steps=2"), tmp_path / "second")
    manifests = [set((tmp_path / n / "manifest.txt").read_text().split()) for n in ("first", "second")]
    assert manifests[1] - manifests[0] == {normalized_hash("another line"), normalized_hash("and one more")}
    assert manifests[0] < manifests[1]
    tokenizers = [(tmp_path / n / "tokenizer.json").read_bytes() for n in ("first", "second")]
    assert tokenizers[0] == tokenizers[1]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("modl={}", r"tiny\.yaml: modl: unknown key 'modl'\n  did you mean 'model'"),
        ("training.clp=1", r"tiny\.yaml: training\.clp: unknown key 'clp'\n  did you mean 'clip'"),
        ("training.batch_by=clusters", r"tiny\.yaml: training\.batch_by means nothing to masked LM; leave it out"),
        ("text=[]", r"tiny\.yaml: text: List should have at least 1 item"),
        ("text.0.language=null", r"tiny\.yaml: text\[0\]: a path needs its language"),
        ("text.0.name=ntrex", r"tiny\.yaml: text\[0\]: text is a corpus's name, a path"),
        ("tokenizer.vocab_size=3", r"tiny\.yaml: tokenizer\.vocab_size: .*greater than or equal to 100"),
        ("contrastive={noise: swap:0.1, weight: 0}", r"tiny\.yaml: contrastive\.weight: .*greater than 0"),
        ("contrastive={noise: []}", r"tiny\.yaml: contrastive\.noise: List should have at least 1 item"),
        ("budget={items: 3}", r"tiny\.yaml: budget\.items: a pretraining budget counts lines"),
        ("budget={steps: 1, epochs: 1}", r"tiny\.yaml: budget: a budget has one measure"),
    ],
)
def test_a_bad_key_is_named_with_its_place(text: Path, override: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        config(text, override)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.hiden_size=16", r"model: unknown key 'hiden_size'\n  did you mean 'hidden_size'"),
        ("text=[{name: ntrx}]", r"text\[0\]: unknown corpus 'ntrx'\n  did you mean 'ntrex'"),
        ("text=[{path: nowhere.txt, language: en}]", "nowhere.txt"),
        ("contrastive=shuffle:0.5", r"contrastive\.noise\[0\]: shuffle makes no text that says the same"),
        ("contrastive=swop:0.1", r"contrastive\.noise\[0\]: unknown perturbation 'swop'"),
        ("contrastive=[swap:0.1, chinese-script:0.5]", r"contrastive\.noise\[1\]: chinese-script: "),
        ("encoder=./nowhere", "no folder './nowhere'|cannot read the encoder"),
        ("model.num_attention_heads=3", r"model: The hidden size \(16\) is not a multiple"),
        ("model.hidden_size=wide", "model: "),
        ("model.vocab_size=10", r"model\.vocab_size: 10 embeddings for \d+ pieces"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(
    text: Path, tmp_path: Path, override: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        pretrain(config(text, override), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_contrastive_pretraining_makes_another_encoder_of_the_same_lines(text: Path, tmp_path: Path) -> None:
    few = ("budget={steps: 3}", "training.batch_size=4")
    plain = pretrain(config(text, *few), tmp_path / "plain")
    rcp = "contrastive=[swap:0.3, diacritics:0.5]"
    made = pretrain(config(text, *few, rcp), tmp_path / "rcp")
    assert made["steps"] == plain["steps"] == 3
    assert 2 * plain["tokens"] < made["tokens"]  # a clean and a noisy row of each line, whose words are cut smaller
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("plain", "rcp")]
    assert weights[0] != weights[1]
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "rcp")
    assert model.config.num_hidden_layers == 1


def test_a_folder_of_something_else_is_left_alone(text: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder of something else"):
        pretrain(config(text), text)
    with pytest.raises(UserError, match=r"en\.txt: is a file"):
        pretrain(config(text), text / "en.txt")
