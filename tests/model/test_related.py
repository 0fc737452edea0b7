"""Encoders that come of one another have the same word embeddings but for what training moved."""

from __future__ import annotations

from pathlib import Path

import torch

from crosswind.model.encoder import load_encoder
from crosswind.model.related import share_weights
from tiny_models import write_encoder


def test_a_fine_tuned_encoder_shares_its_weights_and_another_pretraining_does_not(tmp_path: Path) -> None:
    one = load_encoder(str(write_encoder(tmp_path / "one", "xlm-roberta", seed=1)))
    other = load_encoder(str(write_encoder(tmp_path / "two", "xlm-roberta", seed=2)))
    assert not share_weights(one, other)
    table = other.backbone.get_input_embeddings().weight
    with torch.no_grad():
        table.copy_(one.backbone.get_input_embeddings().weight)
        table += 0.1 * table.std() * torch.randn_like(table)
    assert share_weights(one, other)
    with torch.no_grad():  # What all embeddings have in common is no sign.
        common = 5 * torch.ones(table.shape[1])
        for encoder in (one, other):
            weight = encoder.backbone.get_input_embeddings().weight
            weight.copy_(torch.randn_like(weight) + common)
    assert not share_weights(one, other)
    assert not share_weights(one, load_encoder(str(write_encoder(tmp_path / "three", "bert"))))
