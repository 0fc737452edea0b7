"""One tiny checkpoint, and a fresh encoder from it for every test that trains."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crosswind.model.encoder import Encoder, load_encoder
from tiny_models import write_encoder


@pytest.fixture(scope="session")
def fresh_encoder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Encoder]:
    """`fresh_encoder()`: the tiny XLM-R (no dropout), or another architecture by name."""
    folder = tmp_path_factory.mktemp("encoders")

    def load(architecture: str = "xlm-roberta") -> Encoder:
        if not (folder / architecture).exists():
            write_encoder(folder / architecture, architecture)
        return load_encoder(str(folder / architecture), seed=1)

    return load
