"""Heads of every kind on every architecture, and back from disk through plain transformers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError
from safetensors.torch import load_file
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from crosswind.data.examples import Kind
from crosswind.errors import UserError
from crosswind.model.checkpoint import load_head, save_head
from crosswind.model.encoder import Encoder, load_encoder
from crosswind.model.heads import Head, RowScorer, attach
from crosswind.model.pooling import ClassifierPooling, Pooling
from crosswind.model.rows import Padding, encode_texts, pad
from tiny_models import ARCHITECTURES, TEXTS

PLAIN: dict[Kind, Any] = {
    "pair": AutoModelForSequenceClassification,
    "choice": AutoModelForMultipleChoice,
    "tagging": AutoModelForTokenClassification,
    "span": AutoModelForQuestionAnswering,
}
LABELS: dict[Kind, tuple[str, ...]] = {
    "pair": ("entailment", "neutral", "contradiction"),
    "choice": (),
    "tagging": ("B-PER", "I-PER", "B-LOC", "I-LOC", "O"),
    "span": (),
}
OWN = {("deberta", "choice")}  # no MultipleChoice class of DeBERTa v1


def rows(tokenizer: Any) -> dict[str, torch.Tensor]:
    batch: dict[str, torch.Tensor] = pad(encode_texts(tokenizer, TEXTS[:3], 64), Padding.of(tokenizer), length=64)
    return batch


@torch.inference_mode()
def run(head: Head, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    head.module.eval()
    return head(batch)


@torch.inference_mode()
def run_plain(model: Any, kind: Kind, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    if kind == "choice":  # one example whose choices are the rows
        choices: torch.Tensor = model.eval()(**{k: v.unsqueeze(0) for k, v in batch.items()}).logits[0]
        return choices
    out = model.eval()(**batch)
    logits: torch.Tensor = torch.stack((out.start_logits, out.end_logits), -1) if kind == "span" else out.logits
    return logits


# CANINE's tokenizer takes seconds to load: one kind will do there.
COMBINATIONS = [(a, k) for a in ARCHITECTURES for k in PLAIN if a != "canine" or k == "tagging"]


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "kind"), COMBINATIONS)
def test_plain_transformers_loads_a_saved_head_and_finds_the_same_logits(
    architecture: str, kind: Kind, checkpoints: dict[str, str], tmp_path: Path
) -> None:
    encoder = load_encoder(checkpoints[architecture], seed=1)
    head = attach(encoder, kind, LABELS[kind], seed=3)
    batch = rows(encoder.tokenizer)
    logits = run(head, batch)
    width = len(LABELS[kind]) or 2
    shape = {"pair": (3, width), "choice": (3,), "tagging": (3, 64, width), "span": (3, 64, 2)}[kind]
    assert tuple(logits.shape) == shape
    assert len({round(float(x), 6) for x in logits.flatten()}) > logits.numel() // 2
    save_head(tmp_path, encoder, head)
    assert AutoTokenizer.from_pretrained(tmp_path)(TEXTS[0])["input_ids"] == encoder.tokenizer(TEXTS[0])["input_ids"]
    if (architecture, kind) in OWN:
        assert isinstance(head.module, RowScorer)
    else:
        model, info = PLAIN[kind].from_pretrained(tmp_path, output_loading_info=True)
        assert not info["missing_keys"]
        # The last bits of a matrix product may depend on where its matrices lie in memory.
        torch.testing.assert_close(run_plain(model, kind, batch), logits, rtol=1e-6, atol=1e-6)
    again_encoder, again = load_head(str(tmp_path), kind, LABELS[kind])
    torch.testing.assert_close(run(again, batch), logits, rtol=1e-6, atol=1e-6)
    assert again.labels == LABELS[kind]
    assert again_encoder.tokenizer(TEXTS[1])["input_ids"] == encoder.tokenizer(TEXTS[1])["input_ids"]


@pytest.mark.parametrize("kind", ["pair", "choice", "tagging", "span"])
def test_our_own_head_serves_every_kind_and_is_found_again(
    kind: Kind, checkpoints: dict[str, str], tmp_path: Path
) -> None:
    encoder = load_encoder(checkpoints["deberta"])
    module = RowScorer(encoder, kind, 5 if kind == "tagging" else 3)
    torch.nn.init.normal_(module.classifier.bias)
    head = Head(kind, LABELS[kind], module)
    batch = rows(encoder.tokenizer)
    save_head(tmp_path, encoder, head)
    _, again = load_head(str(tmp_path), kind, LABELS[kind])
    assert isinstance(again.module, RowScorer)
    assert torch.equal(run(again, batch), run(head, batch))
    assert torch.equal(
        AutoModel.from_pretrained(tmp_path).eval()(**batch).last_hidden_state,
        encoder.backbone.eval()(**batch).last_hidden_state,
    )


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("kind", ["pair", "choice"])
def test_a_classifier_can_pool_all_tokens_and_no_padding(
    kind: Kind, pooling: ClassifierPooling, checkpoints: dict[str, str], tmp_path: Path
) -> None:
    encoder = load_encoder(checkpoints["xlm-roberta"], seed=1)
    head = attach(encoder, kind, LABELS[kind], seed=3, classifier_pooling=pooling)
    batch = rows(encoder.tokenizer)
    scores = run(head, batch)
    for i, text in enumerate(TEXTS[:3]):
        alone = dict(encoder.tokenizer([text], return_tensors="pt"))
        alone.pop("token_type_ids", None)
        hidden = encoder.backbone.eval()(**alone).last_hidden_state[0]
        pooled = hidden.mean(0) if pooling == "mean" else hidden.max(0).values
        torch.testing.assert_close(head.module.classifier(pooled).squeeze(-1), scores[i], atol=1e-5, rtol=1e-4)
    save_head(tmp_path, encoder, head)
    _, again = load_head(str(tmp_path), kind, LABELS[kind])
    assert torch.equal(run(again, batch), scores)


def on_the_hub(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a repository of the hub, in a cache as the hub's client leaves it."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    repository, commit = cache / "models--ann--mine", "f" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    shutil.copytree(folder, repository / "snapshots" / commit)
    return "ann/mine"


@pytest.mark.parametrize("kind", ["pair", "choice"])
def test_our_own_head_is_found_on_the_hub(
    kind: Kind, checkpoints: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_encoder(checkpoints["xlm-roberta"], seed=1)
    head = attach(encoder, kind, LABELS[kind], seed=3, classifier_pooling="mean")
    batch = rows(encoder.tokenizer)
    save_head(tmp_path / "saved", encoder, head)
    _, again = load_head(on_the_hub(tmp_path / "saved", tmp_path / "hub", monkeypatch), kind, LABELS[kind])
    assert torch.equal(run(again, batch), run(head, batch))


def test_the_pooling_of_a_dual_encoder_is_found_on_the_hub(
    checkpoints: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_encoder(checkpoints["bert"], seed=2)
    pooling = Pooling("cls", 1, "query: ")
    save_head(tmp_path / "saved", encoder, attach(encoder, "query", (), seed=1, pooling=pooling))
    _, again = load_head(on_the_hub(tmp_path / "saved", tmp_path / "hub", monkeypatch), "query", ())
    assert again.pooling == pooling


def test_where_the_hub_cannot_be_asked_for_our_own_files_loading_stops(
    checkpoints: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another pooling than the saved one would give other numbers without a word."""
    encoder = load_encoder(checkpoints["bert"], seed=2)
    save_head(tmp_path / "saved", encoder, attach(encoder, "query", (), seed=1, pooling=Pooling("cls")))
    for file in ("crosswind.json", "modules.json"):
        (tmp_path / "saved" / file).unlink()
    name = on_the_hub(tmp_path / "saved", tmp_path / "hub", monkeypatch)
    assert load_head(name, "query", ())[1].pooling == Pooling()  # offline, what is cached is all there is
    monkeypatch.setattr("huggingface_hub.is_offline_mode", lambda: False)
    with pytest.raises(UserError, match=r"cannot look for crosswind\.json in 'ann/mine'"):
        load_head(name, "query", ())

    def absent(*_: Any, **__: Any) -> str:
        raise EntryNotFoundError("404")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", absent)
    assert load_head(name, "query", ())[1].pooling == Pooling()  # somebody else's checkpoint


def test_labels_stand_in_the_saved_configuration(checkpoints: dict[str, str], tmp_path: Path) -> None:
    encoder = load_encoder(checkpoints["bert"])
    save_head(tmp_path, encoder, attach(encoder, "pair", LABELS["pair"], seed=1))
    config = AutoConfig.from_pretrained(tmp_path)
    assert config.id2label == {0: "entailment", 1: "neutral", 2: "contradiction"}
    assert config.label2id == {"entailment": 0, "neutral": 1, "contradiction": 2}
    assert config.architectures == ["BertForSequenceClassification"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_heads_of_all_kinds_share_one_backbone(architecture: str, checkpoints: dict[str, str]) -> None:
    encoder = load_encoder(checkpoints[architecture])
    heads = [attach(encoder, kind, LABELS[kind], seed=i) for i, kind in enumerate(PLAIN)]
    heads.append(attach(encoder, "query", (), seed=9))
    backbone = {id(p) for p in encoder.backbone.parameters()}
    batch = rows(encoder.tokenizer)
    for head in heads:
        assert len(run(head, batch)) == 3
        assert backbone <= {id(p) for p in head.module.parameters()}
    everything = torch.nn.ModuleDict({f"h{i}": h.module for i, h in enumerate(heads)} | {"e": encoder.modules()})
    own = sum(len(list(h.module.parameters())) - len(backbone) for h in heads)
    lm = len(list(encoder.modules().parameters())) - len(backbone)
    assert len(list(everything.parameters())) == len(backbone) + own + lm


def test_a_head_is_drawn_from_its_seed_and_leaves_the_random_state(checkpoints: dict[str, str]) -> None:
    encoder = load_encoder(checkpoints["xlm-roberta"])
    state = torch.get_rng_state()
    heads: list[Any] = [attach(encoder, "pair", LABELS["pair"], seed=s).module for s in (4, 4, 5)]
    weights = [h.classifier.dense.weight for h in heads]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_span_head_on_an_encoder_that_was_a_classifier_of_three_classes(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    encoder = load_encoder(checkpoints["bert"])
    save_head(tmp_path, encoder, attach(encoder, "pair", LABELS["pair"], seed=1))
    carried = load_encoder(str(tmp_path))
    logits = run(attach(carried, "span", (), seed=1), rows(carried.tokenizer))
    assert tuple(logits.shape) == (3, 64, 2)


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "deberta"])
def test_the_score_of_a_choice_does_not_depend_on_the_other_choices(
    architecture: str, checkpoints: dict[str, str]
) -> None:
    encoder = load_encoder(checkpoints[architecture])
    head = attach(encoder, "choice", (), seed=1)
    batch = rows(encoder.tokenizer)
    together = run(head, batch)
    alone = [run(head, {k: v[i : i + 1] for k, v in batch.items()})[0] for i in range(3)]
    torch.testing.assert_close(torch.stack(alone), together)


# Somebody else's checkpoints


def write_classifier(folder: Path, source: str, names: list[str]) -> str:
    encoder = load_encoder(source)
    head: Any = attach(encoder, "pair", tuple(names), seed=1)
    head.module.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)
    return str(folder)


def test_the_classes_of_a_foreign_model_are_mapped_by_name(checkpoints: dict[str, str], tmp_path: Path) -> None:
    folder = write_classifier(tmp_path, checkpoints["bert"], ["CONTRADICTION", "Entailment", "neutral"])
    _, head = load_head(folder, "pair", LABELS["pair"])
    assert head.labels == ("contradiction", "entailment", "neutral")


def test_unnamed_classes_are_refused_unless_the_user_names_them(checkpoints: dict[str, str], tmp_path: Path) -> None:
    folder = write_classifier(tmp_path, checkpoints["bert"], ["LABEL_0", "LABEL_1", "LABEL_2"])
    with pytest.raises(UserError, match="have no names"):
        load_head(folder, "pair", LABELS["pair"])
    _, head = load_head(folder, "pair", LABELS["pair"], given=("contradiction", "neutral", "entailment"))
    assert head.labels == ("contradiction", "neutral", "entailment")


@pytest.mark.parametrize("ours", [True, False])
def test_other_classes_than_the_tasks_are_a_users_error(
    ours: bool, checkpoints: dict[str, str], tmp_path: Path
) -> None:
    names = ("different", "paraphrase")
    if ours:
        encoder = load_encoder(checkpoints["bert"])
        save_head(tmp_path, encoder, attach(encoder, "pair", names, seed=1))
    else:
        write_classifier(tmp_path, checkpoints["bert"], list(names))
    with pytest.raises(
        UserError,
        match=r"the classes of .* are different, paraphrase; none of them is entailment, neutral, contradiction",
    ):
        load_head(str(tmp_path), "pair", LABELS["pair"])


def test_the_names_of_choices_do_not_bind_a_choice_head(checkpoints: dict[str, str], tmp_path: Path) -> None:
    """SocialIQA (A, B, C) is followed by COPA (0, 1): a choice head scores one row at a time."""
    encoder = load_encoder(checkpoints["bert"])
    save_head(tmp_path, encoder, attach(encoder, "choice", ("A", "B", "C"), seed=1))
    assert load_head(str(tmp_path), "choice", ("0", "1"))[1].labels == ("0", "1")


def test_an_encoder_without_a_head_is_a_users_error(checkpoints: dict[str, str]) -> None:
    with pytest.raises(UserError, match="has no head for pair tasks"):
        load_head(checkpoints["bert"], "pair", LABELS["pair"])


def test_a_head_of_another_kind_is_a_users_error(checkpoints: dict[str, str], tmp_path: Path) -> None:
    encoder = load_encoder(checkpoints["bert"])
    save_head(tmp_path, encoder, attach(encoder, "pair", LABELS["pair"], seed=1))
    with pytest.raises(UserError, match="was trained for pair tasks, not span"):
        load_head(str(tmp_path), "span", ())


# Retrieval


@torch.inference_mode()
def reference(encoder: Encoder, pooling: Pooling, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    out = encoder.backbone.eval()(**batch, output_hidden_states=True)
    if pooling.mode == "pooler":
        vectors = out.pooler_output
    else:
        states = out.hidden_states[-1 if pooling.layer is None else pooling.layer]
        if pooling.mode == "cls":
            vectors = states[:, 0]
        else:
            lengths = batch["attention_mask"].sum(1).tolist()
            vectors = torch.stack([s[:n].mean(0) for s, n in zip(states, lengths, strict=True)])
    return torch.stack([v / v.norm() for v in vectors])


@pytest.mark.parametrize(
    "pooling", [Pooling(), Pooling("mean", 1), Pooling("mean", 0), Pooling("cls"), Pooling("pooler", None, "query: ")]
)
def test_a_dual_encoder_is_saved_as_a_plain_encoder_with_its_pooling_and_scale(
    pooling: Pooling, checkpoints: dict[str, str], tmp_path: Path
) -> None:
    encoder = load_encoder(checkpoints["bert"], seed=2)
    head = attach(encoder, "query", (), seed=1, pooling=pooling)
    module: Any = head.module
    assert module.log_scale.exp().item() == pytest.approx(100.0)
    torch.nn.init.constant_(module.log_scale, 3.5)
    batch = rows(encoder.tokenizer)
    vectors = run(head, batch)
    torch.testing.assert_close(vectors, reference(encoder, pooling, batch))
    save_head(tmp_path, encoder, head)
    again_encoder, again = load_head(str(tmp_path), "query", ())
    again_module: Any = again.module
    assert again.pooling == pooling
    assert again_module.log_scale.item() == 3.5
    assert torch.equal(run(again, batch), vectors)
    assert again_encoder.fresh == ("lm_head",)
    plain = AutoModel.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        assert torch.equal(plain(**batch).last_hidden_state, encoder.backbone(**batch).last_hidden_state)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (Pooling("mean"), ["Transformer", "Pooling", "Normalize"]),
        (Pooling("cls", 2), ["Transformer", "Pooling", "Normalize"]),
        (Pooling("pooler"), ["Transformer", "Pooling", "Dense", "Normalize"]),
    ],
)
def test_a_dual_encoder_has_the_module_files_of_sentence_transformers(
    pooling: Pooling, expected: list[str], checkpoints: dict[str, str], tmp_path: Path
) -> None:
    """Layout of sentence-transformers: modules.json, a folder a module, its config.json."""
    encoder = load_encoder(checkpoints["bert"], seed=2)
    save_head(tmp_path, encoder, attach(encoder, "query", (), seed=1, pooling=pooling))
    modules = json.loads((tmp_path / "modules.json").read_text())
    assert [m["type"].rpartition(".")[2] for m in modules] == expected
    assert [m["idx"] for m in modules] == list(range(len(expected)))
    assert all((tmp_path / m["path"]).is_dir() for m in modules)
    reads = json.loads((tmp_path / "1_Pooling" / "config.json").read_text())
    assert reads["word_embedding_dimension"] == 16
    assert reads["pooling_mode_mean_tokens"] == (pooling.mode == "mean")
    assert reads["pooling_mode_cls_token"] == (pooling.mode != "mean")
    assert json.loads((tmp_path / "sentence_bert_config.json").read_text())["max_seq_length"] == 128
    if pooling.mode == "pooler":
        dense = load_file(tmp_path / "2_Dense" / "model.safetensors")
        batch = rows(encoder.tokenizer)
        first = AutoModel.from_pretrained(tmp_path).eval()(**batch).last_hidden_state[:, 0]
        vectors = torch.tanh(first @ dense["linear.weight"].T + dense["linear.bias"])
        expected_vectors = run(attach(encoder, "query", (), seed=1, pooling=pooling), batch)
        torch.testing.assert_close(torch.nn.functional.normalize(vectors, dim=-1), expected_vectors)


def test_the_module_files_carry_the_prefix_and_are_left_out_for_an_inner_layer(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    """sentence-transformers reads the last layer only: its vectors would be others."""
    encoder = load_encoder(checkpoints["bert"])
    save_head(tmp_path / "e5", encoder, attach(encoder, "query", (), seed=1, pooling=Pooling(prefix="query: ")))
    facts = json.loads((tmp_path / "e5" / "config_sentence_transformers.json").read_text())
    assert facts["prompts"][facts["default_prompt_name"]] == "query: "
    save_head(tmp_path / "inner", encoder, attach(encoder, "query", (), seed=1, pooling=Pooling("mean", 1)))
    assert not (tmp_path / "inner" / "modules.json").exists()


@pytest.mark.parametrize("architecture", ["distilbert", "electra", "deberta-v2", "modernbert"])
def test_the_pooler_of_an_architecture_without_one_is_a_users_error(
    architecture: str, checkpoints: dict[str, str]
) -> None:
    encoder = load_encoder(checkpoints[architecture])
    head = attach(encoder, "query", (), seed=1, pooling=Pooling("pooler"))
    with pytest.raises(UserError, match="has no pooler"):
        run(head, rows(encoder.tokenizer))


def test_any_encoder_serves_retrieval(checkpoints: dict[str, str]) -> None:
    encoder, head = load_head(checkpoints["canine"], "query", ())
    assert head.pooling == Pooling()
    norms = run(head, rows(encoder.tokenizer)).norm(dim=-1)
    torch.testing.assert_close(norms, torch.ones(3))
