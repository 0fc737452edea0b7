"""Encoders of several architectures: loaded in float32, completed from the seed, saved whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, XLMRobertaConfig

from crosswind.errors import UserError
from crosswind.model.encoder import load_encoder, load_tokenizer, new_encoder, part_seed
from crosswind.model.rows import Padding, encode_texts, pad
from tiny_models import ARCHITECTURES, TEXTS, write_encoder

WITH_LM = tuple(a for a in ARCHITECTURES if a != "canine")


def rows(tokenizer: Any) -> dict[str, torch.Tensor]:
    batch: dict[str, torch.Tensor] = pad(encode_texts(tokenizer, TEXTS[:3], 64), Padding.of(tokenizer), length=64)
    return batch


@torch.inference_mode()
def hidden(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    out: torch.Tensor = model.eval()(**batch).last_hidden_state
    return out


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_encoder_computes_what_plain_transformers_computes(architecture: str, checkpoints: dict[str, str]) -> None:
    encoder = load_encoder(checkpoints[architecture])
    batch = rows(encoder.tokenizer)
    plain = AutoModel.from_pretrained(checkpoints[architecture])
    assert torch.equal(hidden(encoder.backbone, batch), hidden(plain, batch))
    assert (encoder.lm is None) == (architecture == "canine")
    assert encoder.layers == 2


@pytest.mark.parametrize("architecture", WITH_LM)
@torch.inference_mode()
def test_a_saved_encoder_keeps_its_masked_lm_and_the_weights_trained_since(
    architecture: str, checkpoints: dict[str, str], tmp_path: Path
) -> None:
    encoder = load_encoder(checkpoints[architecture])
    assert encoder.lm is not None
    batch = rows(encoder.tokenizer)
    plain = AutoModelForMaskedLM.from_pretrained(checkpoints[architecture]).eval()
    assert torch.equal(encoder.lm.eval()(**batch).logits, plain(**batch).logits)
    # Training moves the shared backbone; the decoder is tied to its embeddings, not to a copy.
    generator = torch.Generator().manual_seed(1)
    for p in encoder.backbone.parameters():
        p += 0.05 * torch.randn(p.shape, generator=generator)
    moved = encoder.lm.eval()(**batch).logits
    assert not torch.equal(moved, plain(**batch).logits)
    encoder.save(tmp_path / "saved")
    again = AutoModelForMaskedLM.from_pretrained(tmp_path / "saved").eval()
    assert torch.equal(again(**batch).logits, moved)
    assert torch.equal(hidden(AutoModel.from_pretrained(tmp_path / "saved"), batch), hidden(encoder.backbone, batch))
    assert (
        AutoTokenizer.from_pretrained(tmp_path / "saved")(TEXTS[0])["input_ids"]
        == batch["input_ids"][0][batch["attention_mask"][0] == 1].tolist()
    )


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "electra", "modernbert"])
def test_the_decoder_stays_tied_to_the_shared_embeddings(architecture: str, checkpoints: dict[str, str]) -> None:
    encoder = load_encoder(checkpoints[architecture])
    assert encoder.lm is not None
    decoder = encoder.lm.get_output_embeddings()
    assert decoder is not None
    assert decoder.weight is encoder.backbone.get_input_embeddings().weight


@pytest.mark.parametrize("architecture", WITH_LM)
@torch.inference_mode()
def test_the_masked_lm_head_alone_gives_the_models_logits(architecture: str, checkpoints: dict[str, str]) -> None:
    """Where `lm_head` is found: it is run on the masked positions only."""
    encoder = load_encoder(checkpoints[architecture])
    head = encoder.lm_head()
    if head is None:
        assert architecture in ("distilbert", "electra", "modernbert")
        return
    assert encoder.lm is not None
    batch = rows(encoder.tokenizer)
    full = encoder.lm.eval()(**batch).logits
    torch.testing.assert_close(head(hidden(encoder.backbone, batch)), full)


def test_a_pooler_that_the_checkpoint_lacks_is_drawn_from_the_seed_saved_and_found_again(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    source = checkpoints["xlm-roberta"]

    def pooler(path: str, seed: int) -> torch.Tensor:
        backbone: Any = load_encoder(path, seed=seed).backbone
        weight: torch.Tensor = backbone.pooler.dense.weight
        return weight

    torch.manual_seed(99)
    first = pooler(source, 5)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert torch.equal(pooler(source, 5), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(pooler(source, 6), first)
    encoder = load_encoder(source, seed=5)
    assert encoder.fresh == ("pooler",)
    encoder.save(tmp_path / "saved")
    assert torch.equal(pooler(str(tmp_path / "saved"), 6), first)
    assert load_encoder(str(tmp_path / "saved"), seed=6).fresh == ()
    plain: Any = AutoModel.from_pretrained(tmp_path / "saved")
    assert torch.equal(plain.pooler.dense.weight, first)


def test_the_seed_of_a_part_is_of_the_pipeline_seed_and_its_name_alone() -> None:
    # The first 15 hex digits of the SHA-256 of [1,"pooler"] as canonical JSON
    assert part_seed(1, "pooler") == int(hashlib.sha256(b'[1,"pooler"]').hexdigest()[:15], 16)
    assert len({part_seed(seed, part) for seed in (1, 2) for part in ("pooler", "lm_head")}) == 4


def test_a_masked_lm_head_that_the_checkpoint_lacks_is_named_as_fresh(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    model = AutoModel.from_pretrained(checkpoints["bert"])
    model.save_pretrained(tmp_path)
    load_tokenizer(checkpoints["bert"]).save_pretrained(tmp_path)
    assert load_encoder(str(tmp_path)).fresh == ("lm_head",)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_checkpoints_are_float32_in_memory_and_when_saved(dtype: torch.dtype, tmp_path: Path) -> None:
    source = write_encoder(tmp_path / "half", "bert", dtype=dtype)
    stored = load_file(source / "model.safetensors")
    assert {t.dtype for t in stored.values()} == {dtype}
    encoder = load_encoder(str(source))
    assert {p.dtype for p in encoder.modules().parameters()} == {torch.float32}
    weight = encoder.backbone.get_input_embeddings().weight
    assert torch.equal(weight, stored["bert.embeddings.word_embeddings.weight"].float())
    encoder.save(tmp_path / "saved")
    assert {t.dtype for t in load_file(tmp_path / "saved" / "model.safetensors").values()} == {torch.float32}


def test_pickled_weights_are_refused(checkpoints: dict[str, str], tmp_path: Path) -> None:
    model = AutoModel.from_pretrained(checkpoints["bert"])
    model.config.save_pretrained(tmp_path)
    load_tokenizer(checkpoints["bert"]).save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickled weights are refused"):
        load_encoder(str(tmp_path))


def test_an_encoder_without_a_tokenizer_is_a_users_error(checkpoints: dict[str, str], tmp_path: Path) -> None:
    AutoModel.from_pretrained(checkpoints["bert"]).save_pretrained(tmp_path)
    with pytest.raises(UserError, match="no tokenizer beside the encoder"):
        load_encoder(str(tmp_path))


def test_a_folder_without_a_configuration_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the encoder"):
        load_encoder(str(tmp_path))


def test_a_tokenizer_with_more_pieces_than_embeddings_is_a_users_error(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    AutoModel.from_pretrained(checkpoints["bert"]).save_pretrained(tmp_path)
    tokenizer = load_tokenizer(checkpoints["bert"])
    tokenizer.add_tokens(["one more"])
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"has \d+ pieces, its model \d+ embeddings"):
        load_encoder(str(tmp_path))


def test_a_tokenizer_that_cannot_pad_is_a_users_error(checkpoints: dict[str, str], tmp_path: Path) -> None:
    load_tokenizer(checkpoints["bert"]).save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    facts = json.loads(path.read_text())
    del facts["pad_token"]
    path.write_text(json.dumps(facts))
    with pytest.raises(UserError, match="no padding token"):
        load_tokenizer(str(tmp_path))


def test_incomplete_weights_are_a_users_error_not_a_partly_random_encoder(
    checkpoints: dict[str, str], tmp_path: Path
) -> None:
    load_tokenizer(checkpoints["bert"]).save_pretrained(tmp_path)
    AutoModel.from_pretrained(checkpoints["bert"]).save_pretrained(tmp_path)
    config = json.loads((Path(checkpoints["bert"]) / "config.json").read_text())
    config["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="lack 16 of the encoder's tensors"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize(("architecture", "expected"), [("xlm-roberta", 128), ("bert", 128), ("modernbert", 128)])
def test_the_longest_input_leaves_out_positions_behind_the_padding_id(
    architecture: str, expected: int, checkpoints: dict[str, str]
) -> None:
    """The tiny XLM-R has 130 positions, of which 2 lie behind the padding id 1."""
    encoder = load_encoder(checkpoints[architecture])
    assert encoder.max_positions == expected
    text = "fox " * 200
    batch = pad(encode_texts(encoder.tokenizer, [text], encoder.max_positions), Padding.of(encoder.tokenizer))
    assert hidden(encoder.backbone, batch).shape[1] == expected


def test_the_real_encoder_reads_512_tokens(real_encoder: Path) -> None:
    encoder = load_encoder(str(real_encoder))
    assert (encoder.max_positions, encoder.layers, encoder.fresh) == (512, 6, ("pooler",))


def test_a_new_encoder_is_drawn_from_its_seed(checkpoints: dict[str, str]) -> None:
    tokenizer = load_tokenizer(checkpoints["xlm-roberta"])
    shape = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 1}
    config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=66, pad_token_id=1, **shape)
    one, two, other = (new_encoder(config, tokenizer, seed=s).modules().state_dict() for s in (1, 1, 2))
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert any(not torch.equal(one[k], other[k]) for k in one)
